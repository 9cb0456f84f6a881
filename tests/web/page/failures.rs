//! Requests that fail: without a login, without a permission, for records that are not there, with a
//! store that is down, and with a body that is no form.

use keywright::http::page::{Links, Page};

use scraper::Html;

use common::faults::Fault;
use common::{TestResult, picture};

use crate::rules::{all, text_of};
use crate::site::{Answer, Site, on_a_site, on_site};

fn login(page: Page) -> Page {
    page.links(Links::new().login("/login?next=app".parse().expect("a link")))
}

#[test]
fn missing_login_is_asked_for() {
    on_a_site(async |site| {
        for path in ["/", "/new", "/organization", "/keys/0000000000000000"] {
            let refused = site.ask("GET", path).unauthenticated().send().await;
            assert_eq!(refused.status, 401, "{path}");
            refused.must_say(&["Log in to manage your keys."]);
        }
        let sent = site.post("/new", &[("name", "x")]).unauthenticated().send().await;
        assert_eq!(sent.status, 401);
        Ok(())
    });
}

#[test]
fn missing_login_leads_to_the_login() {
    on_site(login, async |site| {
        let asked = site.ask("GET", "/new?name=a%26b").unauthenticated().send().await;
        let back = "%2Fsettings%2Fkeys%2Fnew%3Fname%3Da%2526b";
        assert_eq!(asked.target(), format!("/login?next=app&return_to={back}"));
        // The answer to a form is never a redirect to a login on another origin.
        let sent = site.post("/new", &[("name", "x")]).unauthenticated().send().await;
        assert_eq!(sent.status, 401);
        Ok(())
    });
}

#[test]
fn foreign_and_absent_records_look_alike() {
    on_a_site(async |site| {
        let foreign =
            site.world.authority.generate(&site.world.other, common::named("foreign")).await;
        let of_bob = site.world.key_of(&site.world.bob, common::named("of-bob")).await.key.id;
        let ids = [
            foreign.map_or_else(|_| of_bob.to_string(), |made| made.key.id.to_string()),
            of_bob.to_string(),
            "0000000000000000".to_owned(),
            "short".to_owned(),
            "..%2F..".to_owned(),
            "%3Cscript%3E".to_owned(),
        ];
        let mut texts = Vec::new();
        for id in &ids {
            for form in [
                "",
                "/edit",
                "/rotate",
                "/transfer",
                "/disable",
                "/enable",
                "/finish",
                "/revoke",
                "/delete",
            ] {
                let path = format!("/keys/{id}{form}");
                let shown = site.get(&path).await;
                assert_eq!(shown.status, 404, "{path}: {}", shown.words());
                texts.push(shown.words());
                if !form.is_empty() {
                    let sent = site.post(
                        &path,
                        &[("version", "1"), ("overlap", "0"), ("name", "x"), ("user", "bob")],
                    );
                    assert_eq!(sent.send().await.status, 404, "POST {path}");
                }
            }
        }
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:?}");
        let lost = site.get("/no/such/screen").await;
        assert_eq!(lost.status, 404);
        lost.must_say(&["Not found", "Back to the keys"]);
        Ok(())
    });
}

#[test]
fn forbidden_change_names_whom_to_ask() {
    on_site(
        |page| page.administrators("Ada Lovelace"),
        async |site| {
            let key = site.key("prod-main-app").await.key.id;
            let auditor = &site.world.auditor;
            let before = picture(&site.world.authority, &site.world.admin).await;
            for form in ["edit", "rotate", "transfer", "disable", "revoke", "delete"] {
                let path = format!("/keys/{key}/{form}");
                let opened = site.ask("GET", &path).by(auditor).send().await;
                assert_eq!(opened.status, 403, "{path}: {}", opened.words());
                opened.must_say(&["No access", "Ask Ada Lovelace."]);
                let fields =
                    [("version", "1"), ("overlap", "0"), ("name", "stolen"), ("user", "bob")];
                let sent = site.post(&path, &fields).by(auditor).send().await;
                assert_eq!(sent.status, 403, "POST {path}: {}", sent.words());
            }
            let mut now = picture(&site.world.authority, &site.world.admin).await;
            let mut before = before;
            // Refused calls leave events.
            for state in [&mut now, &mut before] {
                state.as_object_mut().expect("an object").remove("events");
            }
            assert_eq!(now, before);
            Ok(())
        },
    );
}

#[test]
fn store_that_is_down_is_503() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let (edit, new) =
            (site.get(&format!("/keys/{key}/edit")).await.form(), site.new_key(&[]).await);
        site.faults.set(Fault::Down);
        for path in ["/", "/new", &format!("/keys/{key}"), &format!("/keys/{key}/revoke"), "/all"] {
            let failed = site.ask("GET", path).by(&site.world.admin).send().await;
            assert_eq!(failed.status, 503, "{path}");
            failed.must_say(&["The service is not available", "They still exist.", "Try again"]);
            assert_eq!(failed.header("retry-after"), Some("2"), "{path}");
            let refusal = failed.refusal.as_ref().expect("a reason");
            assert!(refusal.cause().is_some(), "{path}: {refusal:?}");
            failed.must_not_say(&["the store is down"]);
        }
        let failed = site.send(&site.world.alice, &edit).await;
        assert_eq!(failed.status, 503);
        failed.must_say(&["The change may have been made or not."]);
        assert_eq!(site.send(&site.world.alice, &new).await.status, 503);
        site.faults.set(None);
        assert_eq!(site.get("/").await.status, 200);
        Ok(())
    });
}

#[test]
fn change_of_unknown_fate_says_so() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        for (form, fields) in [
            ("edit", &[("name", "after")][..]),
            ("rotate", &[("overlap", "0")]),
            ("disable", &[]),
            ("revoke", &[]),
        ] {
            let filled = site.get(&format!("/keys/{key}/{form}")).await.form().with(fields);
            site.faults.set(Fault::AnswersLost);
            let failed = site.send(&site.world.alice, &filled).await;
            site.faults.set(None);
            assert_eq!(failed.status, 503, "{form}: {}", failed.words());
            failed.must_say(&[
                "The change may have been made or not. Look at the keys before you try again.",
            ]);
            assert_eq!(failed.header("retry-after"), Some("2"), "{form}");
            // The list is where to look.
            assert!(
                failed.text.contains(&format!("href=\"{}\"", site.path("/"))),
                "{}",
                failed.text
            );
        }
        Ok(())
    });
}

#[test]
fn body_that_is_no_form_is_refused() {
    on_a_site(async |site| {
        let form = site.new_key(&[]).await;
        let kinds = [
            "text/plain",
            "application/json",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencodedx",
            "",
        ];
        for kind in kinds {
            let refused = site.submitted(&form).header("content-type", kind).send().await;
            assert_eq!(refused.status, 415, "{kind}");
            refused.must_say(&["The request is not a form of this page."]);
        }
        let with_charset = "Application/X-WWW-Form-URLencoded; charset=UTF-8";
        let made = site.submitted(&form).header("content-type", with_charset).send().await;
        assert_eq!(made.status, 200, "{}", made.words());
        Ok(())
    });
}

#[test]
fn large_and_broken_bodies_are_refused() {
    on_a_site(async |site| {
        let form = site.new_key(&[("description", &"x".repeat(70_000))]).await;
        let refused = site.send(&site.world.alice, &form).await;
        assert_eq!(refused.status, 413);
        refused.must_say(&["The form is too large."]);
        let form = site.new_key(&[("description", &"x".repeat(60_000))]).await;
        assert_eq!(site.send(&site.world.alice, &form).await.status, 422);
        for body in [&b"name=%ff%fe&name=%00"[..], b"\xff\xfe\x00", b"&&&==&=", b"%", b""] {
            let answer = site.post("/new", &[]).bytes(body).send().await;
            assert!([412, 422].contains(&answer.status), "{body:?}: {}", answer.status);
        }
        Ok(())
    });
}

#[test]
fn strange_queries_are_screens() -> TestResult {
    common::block_on(async {
        let world = crate::seed::world().await?;
        let site = Site::of(&world, |page| page)?;
        let long = "x".repeat(3000);
        let queries = [
            "after=%00",
            "after=zzzz",
            "after=event.asc.1",
            "after=name.asc.0000000000000000.6f00",
            "sort=name&after=created_at.desc.0000000000000000.1",
            "cursor=zzzz&page=-1",
            "status=old",
            "sort=",
            "sort=%00",
            "unused=-1",
            "unused=99999999999999999999",
            "q=%3Cscript%3Ealert(1)%3C/script%3E",
            "q=%22%20autofocus%20onfocus=alert(1)",
            "q=%ff",
            "owner=user:",
            "owner=account:x",
            "done=SAVED&done=%22",
            "id=1&id=2",
            "%",
            "&&",
            "=",
            &long,
        ];
        for path in ["/", "/organization", "/all", "/new", "/accounts", "/events", "/all/revoke"] {
            for query in queries {
                let shown =
                    site.ask("GET", &format!("{path}?{query}")).by(&world.admin).send().await;
                assert!(
                    [200, 303, 404, 422].contains(&shown.status),
                    "{path}?{query}: {}",
                    shown.status
                );
            }
        }
        Ok(())
    })
}

/// Returns the texts of the rows of all tables.
fn rows(answer: &Answer) -> Vec<String> {
    let document = Html::parse_document(&answer.text);
    all(&document, "tbody tr").into_iter().map(text_of).collect()
}

#[test]
fn unknown_page_is_the_first_one() -> TestResult {
    common::block_on(async {
        let world = crate::seed::world().await?;
        let site = Site::of(&world, |page| page)?;
        let ask = async |path: &str| site.ask("GET", path).by(&world.admin).send().await;
        let key = "created_at.desc.0000000000000000.0";
        let account = "account.253402300799000000.0000000000000000";
        let event = "event.desc.0";
        for (path, last) in [
            ("/", key),
            ("/organization", key),
            ("/all", key),
            ("/accounts", account),
            ("/events", event),
        ] {
            let first = ask(path).await;
            assert_eq!(first.status, 200, "{path}");
            first.must_not_say(&["First page"]);
            let others = [key, account, event].into_iter().filter(|cursor| *cursor != last);
            let broken = ["zzzz", "%00", "event.asc.1", "created_at.asc.0000000000000000.1"];
            for cursor in others.chain(broken) {
                let shown = ask(&format!("{path}?after={cursor}")).await;
                assert_eq!((shown.status, rows(&shown)), (200, rows(&first)), "{}", shown.path);
                shown.must_say(&["First page"]);
            }
            let empty = ask(&format!("{path}?after={last}")).await;
            assert_eq!((empty.status, rows(&empty)), (200, Vec::new()), "{}", empty.path);
            let document = Html::parse_document(&empty.text);
            let back = all(&document, ".kw-pages a")[0].attr("href").expect("an address");
            let again = site.ask_at("GET", back.to_owned()).by(&world.admin).send().await;
            assert_eq!(rows(&again), rows(&first), "{back}");
        }
        Ok(())
    })
}
