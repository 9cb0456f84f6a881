//! H13 and L07: the credential as the handler sees it, and as a log would.

use keywright::http::{CredentialSources, Guard};

use crate::exchange::{Asked, Seen};
use crate::faces::{AROUND, Face, Taken};
use crate::run;
use crate::site::Site;
use crate::table::placeholders::basic;

const EXTRACTORS: [Face; 2] = [Face::AxumExtractor, Face::ActixExtractor];

/// Returns a request for each kind of credential, with the header that carries it.
fn kinds(site: &Site) -> [(&'static str, Asked); 3] {
    let (id, secret) = (site.text("good.id"), site.text("good.secret"));
    let basic = basic(id.expect("an id"), secret.expect("a secret"));
    [
        ("authorization", Asked::get().bearer(site.token("good"))),
        ("authorization", Asked::get().header("authorization", basic)),
        ("x-api-key", Asked::get().header("x-api-key", site.token("good"))),
    ]
}

/// Returns the request that the handler saw. Panics if it did not run.
async fn seen(face: Face, guard: &Guard, asked: &Asked) -> Seen {
    let answered = face.ask(guard, Taken::Optional, asked).await;
    answered.seen.unwrap_or_else(|| panic!("{face:?}: {} and no handler", answered.status))
}

/// Returns whether a text contains a token or a half of it, in any form in which it was sent.
fn shows(text: &str, site: &Site) -> bool {
    let sent = basic(site.text("good.id").expect("an id"), site.text("good.secret").expect("one"));
    let encoded = sent.strip_prefix("Basic ").expect("a scheme");
    [site.token("good"), site.text("good.secret").expect("a secret"), encoded]
        .iter()
        .any(|secret| text.contains(secret))
}

#[test]
fn t_h13_credential_is_removed_from_the_request() {
    run(async |site| {
        let guard = site.guard().strip_credential();
        for (name, asked) in kinds(site) {
            let asked = asked.header("x-trace", "7").header("cookie", "a=b");
            for face in AROUND {
                let seen = seen(*face, &guard, &asked).await;
                assert_eq!(seen.key, Some(site.id("good")), "{face:?}");
                assert!(seen.values(name).is_empty(), "{face:?} {name}");
                assert_eq!(seen.values("x-trace"), [b"7"], "{face:?}");
                assert_eq!(seen.values("cookie"), [b"a=b"], "{face:?}");
                assert!(!shows(&seen.printed.0, site), "{face:?} {name}");
            }
        }
    });
}

#[test]
fn t_h13_without_setting_credential_stays() {
    run(async |site| {
        for (name, asked) in kinds(site) {
            for face in AROUND.iter().chain(&EXTRACTORS) {
                let seen = seen(*face, &site.guard(), &asked).await;
                assert_eq!(seen.values(name).len(), 1, "{face:?} {name}");
            }
        }
    });
}

#[test]
fn t_h13_renamed_header_is_removed() {
    run(async |site| {
        let renamed = CredentialSources::default().header("X-Acme-Key").expect("a name");
        let guard = site.guard().credentials(renamed).strip_credential();
        let asked = Asked::get()
            .header("x-acme-key", site.token("good"))
            .header("x-api-key", "a foreign value");
        for face in AROUND {
            let seen = seen(*face, &guard, &asked).await;
            assert!(seen.values("x-acme-key").is_empty(), "{face:?}");
            assert_eq!(seen.values("x-api-key").len(), 1, "{face:?}");
        }
    });
}

#[test]
fn t_h13_other_headers_stay() {
    run(async |site| {
        let guard = site.guard().strip_credential().optional();
        let digest = Asked::get().header("authorization", "Digest username=\"Mufasa\"");
        let both = digest.clone().header("x-api-key", site.token("good"));
        for face in AROUND {
            let with = seen(*face, &guard, &both).await;
            assert_eq!(with.values("authorization").len(), 1, "{face:?}");
            assert!(with.values("x-api-key").is_empty(), "{face:?}");
            let without = seen(*face, &guard, &digest).await;
            assert_eq!(without.key, None, "{face:?}");
            assert_eq!(without.values("authorization").len(), 1, "{face:?}");
        }
    });
}

#[test]
fn t_h13_disabled_source_is_not_removed() {
    run(async |site| {
        let credentials = CredentialSources::default().without_bearer().without_basic();
        let guard = site.guard().credentials(credentials).strip_credential();
        let asked = Asked::get().bearer("foreign").header("x-api-key", site.token("good"));
        for face in AROUND {
            let seen = seen(*face, &guard, &asked).await;
            assert_eq!(seen.values("authorization"), [b"Bearer foreign"], "{face:?}");
            assert!(seen.values("x-api-key").is_empty(), "{face:?}");
        }
    });
}

#[test]
fn t_l07_printed_request_shows_no_credential() {
    run(async |site| {
        for (name, asked) in kinds(site) {
            for face in AROUND {
                let seen = seen(*face, &site.guard(), &asked).await;
                assert!(seen.printed.0.contains(name), "{face:?}: the headers are printed");
                assert!(!shows(&seen.printed.0, site), "{face:?} {name}");
            }
        }
    });
}

#[test]
fn t_l07_credential_headers_are_marked_sensitive() {
    run(async |site| {
        let asked = Asked::get()
            .header("authorization", "Digest username=\"Mufasa\"")
            .header("x-api-key", site.token("good"))
            .header("x-trace", "7");
        for face in AROUND {
            let seen = seen(*face, &site.guard(), &asked).await;
            let marked = seen.headers.iter().filter(|(.., is_secret)| *is_secret);
            let marked: Vec<_> = marked.map(|(name, ..)| name.as_str()).collect();
            assert_eq!(marked, ["authorization", "x-api-key"], "{face:?}");
        }
    });
}

#[test]
fn t_l07_marked_header_keeps_value_and_place() {
    run(async |site| {
        // The extractor behind the guard reads the header too, and another header has two values.
        let asked = Asked::get()
            .header("x-trace", "1")
            .header("x-api-key", site.token("good"))
            .header("x-trace", "2");
        for face in AROUND {
            let seen = seen(*face, &site.guard(), &asked).await;
            assert!(seen.values("x-api-key") == [site.token("good").as_bytes()], "{face:?}");
            assert_eq!(seen.values("x-trace"), [b"1", b"2"], "{face:?}");
        }
    });
}

#[test]
fn t_l07_refusal_repeats_nothing_of_the_request() {
    run(async |site| {
        let guard = site.guard().require("a:admin".parse().expect("a scope"));
        for (name, asked) in kinds(site) {
            for face in AROUND.iter().chain(&EXTRACTORS) {
                let answered = face.ask(&guard, Taken::Grant, &asked).await;
                assert_eq!(answered.status, 403, "{face:?} {name}");
                let body = String::from_utf8_lossy(&answered.body);
                assert!(!shows(&format!("{:?} {body}", answered.headers), site), "{face:?} {name}");
            }
        }
    });
}

#[test]
fn t_h13_extractor_leaves_the_request_unchanged() {
    run(async |site| {
        // Only a guard around the handler can hide or mark the credential.
        let guard = site.guard().strip_credential();
        for (name, asked) in kinds(site) {
            for face in EXTRACTORS {
                let seen = seen(face, &guard, &asked).await;
                assert_eq!(seen.values(name).len(), 1, "{face:?} {name}");
                assert!(seen.headers.iter().all(|(.., is_secret)| !is_secret), "{face:?}");
                // Shows that the tests above would notice a printed credential.
                assert!(shows(&seen.printed.0, site), "{face:?} {name}");
            }
        }
    });
}
