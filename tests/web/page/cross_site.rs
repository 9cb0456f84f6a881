//! Forms that a page of another site makes a browser send, frames of other sites, and links that claim
//! something.

use keywright::{NewKey, Operation};

use common::{DAY, TestResult, all_keys, picture};

use crate::form::Form;
use crate::site::{Answer, Ask, ORIGIN, Site, on_a_site, on_site};

/// The forms about a key, each with the fields that make it valid.
const FORMS: [(&str, &[(&str, &str)]); 8] = [
    ("edit", &[("name", "stolen")]),
    ("rotate", &[("overlap", "0")]),
    ("transfer", &[("user", "mallory")]),
    ("disable", &[]),
    ("enable", &[]),
    ("finish", &[]),
    ("revoke", &[]),
    ("delete", &[]),
];

/// Sends every form with changed headers, and asserts that each is refused and that nothing changed.
async fn refused(site: &Site, headers: impl Fn(Ask<'_>) -> Ask<'_>) -> TestResult<Vec<Answer>> {
    let key = site.key("prod-main-app").await;
    let (world, id) = (&site.world, key.key.id);
    world.authority.rotate(&world.admin, &id, DAY).await?;
    let new = site.new_key(&[]).await;
    let before = picture(&world.authority, &world.admin).await;
    let mut answers = vec![headers(site.submitted(&new).by(&world.admin)).send().await];
    for (form, fields) in FORMS {
        let ask = site.post(&format!("/keys/{id}/{form}"), fields).by(&world.admin);
        answers.push(headers(ask).send().await);
    }
    let many = site.post("/all/revoke", &[("id", id.as_str())]).by(&world.admin);
    answers.push(headers(many).send().await);
    for answer in &answers {
        assert_eq!(answer.status, 403, "{}: {}", answer.path, answer.words());
        answer.must_say(&["Nothing was changed", "came from another page", "Back to the keys"]);
    }
    assert_eq!(picture(&world.authority, &world.admin).await, before, "nothing changed");
    Ok(answers)
}

fn reason(answer: &Answer) -> &str {
    answer.refusal.as_ref().expect("a reason for the log").reason()
}

#[test]
fn t_h16_form_of_another_site_is_refused() {
    on_a_site(async |site| {
        let evil = "https://evil.example";
        let answers =
            refused(site, |ask| ask.header("sec-fetch-site", "cross-site").header("origin", evil));
        for answer in answers.await? {
            assert!(reason(&answer).contains("Sec-Fetch-Site"), "{}", reason(&answer));
        }
        let older = refused(site, |ask| ask.header("sec-fetch-site", "").header("origin", evil));
        for answer in older.await? {
            let reason = reason(&answer);
            assert!(reason.contains("Origin") && reason.contains("trusted_origin"), "{reason}");
        }
        Ok(())
    });
}

#[test]
fn t_h16_form_of_sibling_subdomain_is_refused() {
    on_a_site(async |site| {
        let sibling = "https://blog.app.example";
        refused(site, |ask| ask.header("sec-fetch-site", "same-site").header("origin", sibling))
            .await?;
        refused(site, |ask| ask.header("sec-fetch-site", "").header("origin", sibling)).await?;
        Ok(())
    });
}

#[test]
fn t_h16_form_of_sandboxed_frame_is_refused() {
    on_a_site(async |site| {
        refused(site, |ask| ask.header("sec-fetch-site", "cross-site").header("origin", "null"))
            .await?;
        refused(site, |ask| ask.header("sec-fetch-site", "").header("origin", "null")).await?;
        Ok(())
    });
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method alone is not general over its lifetime"
)]
#[test]
fn t_h16_form_without_headers_is_refused() {
    on_a_site(async |site| {
        for answer in refused(site, |ask| ask.without_origin()).await? {
            let reason = reason(&answer);
            assert!(reason.contains("Sec-Fetch-Site") && reason.contains("Origin"), "{reason}");
        }
        Ok(())
    });
}

#[test]
fn t_h16_own_forms_pass_in_every_browser() {
    on_site(
        |page| page.trusted_origin("https://PUBLIC.example:443".parse().expect("an origin")),
        async |site| {
            let rows = [
                ("same-origin", ORIGIN),
                ("same-origin", ""),
                ("none", ""),
                // Over plain http, a browser sends `Origin` alone.
                ("", ORIGIN),
                ("", "http://app.example"),
                ("", "https://APP.example"),
                // The host trusts the origin before its proxy.
                ("", "https://public.example"),
                ("same-site", "https://public.example"),
            ];
            for (fetch_site, origin) in rows {
                let form = site.new_key(&[]).await;
                let ask = site.submitted(&form).header("sec-fetch-site", fetch_site);
                let made = ask.header("origin", origin).send().await;
                assert_eq!(made.status, 200, "{fetch_site} {origin}: {}", made.words());
            }
            Ok(())
        },
    );
}

#[test]
fn t_h16_addresses_alone_change_nothing() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await;
        let world = &site.world;
        world.authority.rotate(&world.admin, &key.key.id, DAY).await?;
        let before = picture(&world.authority, &world.admin).await;
        for (form, fields) in FORMS {
            let path = format!("/keys/{}/{form}", key.key.id);
            let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
            let query = fields.collect::<Vec<_>>().join("&");
            for method in ["GET", "HEAD"] {
                let asked =
                    site.ask(method, &format!("{path}?{query}")).by(&world.admin).send().await;
                assert!([200, 303].contains(&asked.status), "{method} {path}: {}", asked.status);
            }
            for method in ["PUT", "PATCH", "DELETE"] {
                let asked = site.ask(method, &path).by(&world.admin).send().await;
                assert_eq!(asked.status, 405, "{method} {path}");
                assert!(asked.header("allow").is_some(), "{method} {path}");
            }
        }
        assert_eq!(picture(&world.authority, &world.admin).await, before, "nothing changed");
        Ok(())
    });
}

#[test]
fn t_h16_no_screen_is_shown_in_a_frame() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let paths = ["/", "/new", "/nothing-here", &format!("/keys/{key}/revoke")];
        for path in paths {
            let screen = site.get(path).await;
            assert_eq!(screen.header("x-frame-options"), Some("DENY"), "{path}");
            let policy = screen.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
            assert_eq!(screen.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        }
        Ok(())
    });
}

#[test]
fn t_h16_claimed_success_is_not_shown() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let path = format!("/keys/{key}?done=REVOKED");
        for site_of_link in ["cross-site", "same-site", "none"] {
            let shown = site.ask("GET", &path).header("sec-fetch-site", site_of_link).send().await;
            shown.must_not_say(&["The key is revoked."]);
        }
        let own = site.ask("GET", &path).send().await;
        own.must_say(&["The key is revoked."]);
        // Over plain HTTP, a browser sends `Referer` alone.
        let rows = [
            ("https://app.example/settings/keys", true),
            ("http://app.example/settings/keys", true),
            ("https://evil.example/?https://app.example/", false),
            ("", false),
        ];
        for (referer, is_shown) in rows {
            let ask = site.ask("GET", &path).header("sec-fetch-site", "");
            let shown = ask.header("referer", referer).send().await;
            let says = shown.words().contains("The key is revoked.");
            assert_eq!(says, is_shown, "{referer}");
        }
        for other in ["NOT_DONE", "<b>", "revoked", "QUESTIONS", ""] {
            let shown = site
                .get(&format!("/keys/{key}?done={}", other.replace('<', "%3C").replace('>', "%3E")))
                .await;
            assert!(!shown.text.contains("kw-done"), "{other}");
        }
        Ok(())
    });
}

#[test]
fn t_h16_login_is_asked_again_before_a_form() {
    let ask = |_: &http::request::Parts, operation| {
        (operation != Operation::KeyRevoke).then(|| "/confirm?from=keys".parse().expect("a link"))
    };
    on_site(
        |page| page.step_up(ask),
        async |site| {
            let key = site.key("prod-main-app").await.key.id;
            for path in ["/new", &format!("/keys/{key}/rotate"), &format!("/keys/{key}/edit")] {
                let asked = site.get(path).await;
                let path: String = form_encoded(&site.path(path));
                assert_eq!(asked.target(), format!("/confirm?from=keys&return_to={path}"));
            }
            // The host exempts the revocation of a leaked key.
            assert_eq!(site.get(&format!("/keys/{key}/revoke")).await.status, 200);
            let ticket = site.world.authority.ticket()?.to_string();
            let fields =
                [("name", "kept"), ("ticket", &*ticket), ("expiry", "30"), ("owner", "user:alice")];
            let lapsed = site.post("/new", &fields).send().await;
            assert_eq!(lapsed.status, 422);
            lapsed.must_say(&["Confirm your login first"]);
            assert!(
                lapsed.text.contains("href=\"/confirm?from=keys&amp;return_to="),
                "{}",
                lapsed.text
            );
            assert_eq!(lapsed.form().value("name"), "kept");
            assert_eq!(lapsed.form().value("expiry"), "30");
            assert_eq!(all_keys(&site.world.authority, &site.world.admin).await.len(), 1);
            Ok(())
        },
    );
}

fn form_encoded(text: &str) -> String {
    let form = Form {
        action: String::new(),
        is_post: true,
        fields: vec![(String::new(), text.to_owned())],
    };
    form.encoded()[1..].to_owned()
}

#[test]
fn t_h16_prefilled_form_generates_nothing() {
    on_a_site(async |site| {
        let ticket = site.world.authority.ticket()?.to_string();
        let query =
            format!("/new?name=%22%3E%3Cb%3E&ticket={ticket}&owner=organization&expiry=never");
        let opened = site.ask("GET", &query).by(&site.world.admin).send().await;
        assert_eq!(opened.form().value("name"), "\"><b>");
        assert_ne!(opened.form().value("ticket"), ticket, "each form has a ticket of its own");
        opened.must_say(&["The key will belong to: The organization."]);
        assert!(all_keys(&site.world.authority, &site.world.admin).await.is_empty());
        // A developer cannot make a key of the organization with it.
        let of_alice = site.get(&query).await;
        of_alice.must_say(&["You can't generate a key now"]);
        let new = NewKey::named("x")?.owner(keywright::Owner::Organization);
        assert!(site.world.authority.generate(&site.world.alice, new).await.is_err());
        Ok(())
    });
}
