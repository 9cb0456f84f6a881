//! Addresses with a token: a user pasted it into a search, or a link has it. The site asserts that no answer
//! repeats the secret.

use keywright::http::page::{Links, Page};
use keywright::{Issued, Operation};

use crate::site::{Site, on_a_site, on_site};

/// The fields of screens that an address fills in.
const FIELDS: [&str; 14] = [
    "/?q=",
    "/?status=all&q=",
    "/?after=",
    "/?nothing=",
    "/organization?q=",
    "/all?q=",
    "/all?owner=",
    "/all/revoke?id=",
    "/accounts?q=",
    "/events?key=",
    "/events?actor=",
    "/new?name=",
    "/new?owner=",
    "/no/such/screen?q=",
];

/// Makes a key whose secret no answer may show.
async fn secret_key(site: &Site) -> Issued {
    let issued = site.key("prod-main-app").await;
    site.shown.borrow_mut().push(issued.token.expose_key_secret().to_owned());
    issued
}

fn login(page: Page) -> Page {
    page.links(Links::new().login("/login".parse().expect("a link")))
}

#[test]
fn t_h16_pasted_token_leaves_the_address() {
    on_a_site(async |site| {
        let issued = secret_key(site).await;
        let (token, id, admin) = (issued.token.expose(), issued.key.id, &site.world.admin);
        for field in FIELDS {
            for method in ["GET", "HEAD"] {
                let sent = site.ask(method, &format!("{field}{token}")).by(admin).send().await;
                assert_eq!(sent.target(), site.path(&format!("{field}{id}")), "{method} {field}");
            }
            let shown = site.ask("GET", &format!("{field}{id}")).by(admin).send().await;
            assert!([200, 404, 422].contains(&shown.status), "{field}: {}", shown.status);
        }
        Ok(())
    });
}

#[test]
fn t_h16_pasted_token_finds_its_key() {
    on_a_site(async |site| {
        let issued = secret_key(site).await;
        site.key("staging-api").await;
        let (token, id) = (issued.token.expose(), issued.key.id);
        let sent = site.get(&format!("/?q={token}&sort=name")).await;
        let found = site.ask_at("GET", sent.target().to_owned()).send().await;
        found.must_say(&["prod-main-app"]);
        found.must_not_say(&["staging-api"]);
        let rows = [
            (format!("/?q=Bearer+{token}%0D%0A"), format!("/?q=Bearer+{id}%0D%0A")),
            (format!("/?q=%61{}", &token[1..]), format!("/?q={id}")),
            (format!("/?{token}"), format!("/?{id}=")),
            (format!("/?q={token}{token}&q={token}"), format!("/?q={id}{id}&q={id}")),
            (format!("/keys/{token}/edit?a=b"), format!("/keys/{id}/edit?a=b")),
        ];
        for (pasted, expected) in rows {
            assert_eq!(site.get(&pasted).await.target(), site.path(&expected), "{expected}");
        }
        Ok(())
    });
}

#[test]
fn t_h16_pasted_token_reaches_no_login() {
    on_site(
        |page| {
            let confirm = |_: &http::request::Parts, _: Operation| "/confirm".parse().ok();
            login(page).step_up(confirm)
        },
        async |site| {
            let issued = secret_key(site).await;
            let (token, id) = (issued.token.expose(), issued.key.id);
            for pasted in [format!("/new?name={token}"), format!("/keys/{token}")] {
                let sent = site.ask("GET", &pasted).unauthenticated().send().await;
                assert_eq!(sent.target(), site.path(&pasted.replace(token, id.as_str())));
                let asked = site.ask_at("GET", sent.target().to_owned()).unauthenticated();
                assert!(asked.send().await.target().starts_with("/login?return_to="));
            }
            let sent = site.get(&format!("/new?name={token}")).await;
            let asked = site.ask_at("GET", sent.target().to_owned()).send().await;
            assert!(asked.target().starts_with("/confirm?return_to="), "{}", asked.target());
            Ok(())
        },
    );
}
