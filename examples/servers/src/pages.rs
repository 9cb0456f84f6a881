//! The calls of five pages that your users need, as commands to try.
//!
//! The guide has a page on each, "How to build ...", with the same calls in Rust and a table of every column
//! and button. Here your page is `curl`, and the management API at `/manage` gives the data and takes the clicks.

use keywright::Token;

use crate::FirstTokens;

/// Returns the commands: first the data of each page, by one call or two, and then its buttons.
pub fn commands(url: &str, tokens: Option<&FirstTokens>) -> String {
    let ada = Caller { url, user: "ada" };
    let alice = Caller { url, user: "alice" };
    let mut pages = vec![
        "The keys of the organization (guide: organization_keys)\n".to_owned(),
        ada.get("what may be done", "/abilities?owner=organization"),
        ada.get("the keys", "/keys?owner=organization&descending=true"),
        ada.send(
            "generate",
            "POST",
            "/keys",
            r#"{"name":"ci-deploy","owner":"organization","expires_in":7776000}"#,
            201,
        ),
        "\nThe API access of a user (guide: user_keys)\n".to_owned(),
        alice.get("what may be done", "/abilities"),
        alice.get("the keys", "/keys?sort=name"),
        alice.get("the filter for unused keys", "/keys?never_used=true"),
    ];
    let ids = tokens.map(|tokens| [&tokens.read, &tokens.write].map(Token::key_id));
    if let Some([read, _]) = ids {
        pages.push(alice.post(
            "rotate; for a day the old token works too",
            &format!("/keys/{read}/rotate"),
            r#"{"overlap":86400}"#,
        ));
    }
    pages.extend([
        "\nKey id and key secret (guide: key_id_and_secret)\n".to_owned(),
        ada.get("the key ids", "/keys"),
    ]);
    if let Some([_, write]) = ids {
        pages.extend([
            ada.post("disable", &format!("/keys/{write}/disable"), "{}"),
            ada.post(
                "regenerate the secret; the old one stops",
                &format!("/keys/{write}/rotate"),
                r#"{"overlap":0}"#,
            ),
            ada.post("enable", &format!("/keys/{write}/enable"), "{}"),
        ]);
    }
    pages.extend([
        "\nService accounts (guide: service_accounts)\n".to_owned(),
        ada.get("the accounts and their keys", "/accounts"),
        ada.get("the roles of the forms", "/policy"),
        ada.send(
            "create",
            "POST",
            "/accounts",
            r#"{"name":"deploy","role":"clerk","access":"read-write"}"#,
            201,
        ),
        "\nThe console of the tenant's admin (guide: tenant_console)\n".to_owned(),
        ada.get("the settings", "/policy"),
        ada.get("all keys", "/keys?sort=updated_at&descending=true&count=true"),
        ada.send(
            "limits and an alert",
            "PATCH",
            "/settings",
            r#"{"max_lifetime":7776000,"max_keys_per_user":10,"suspicious_use":"20/300s"}"#,
            200,
        ),
        ada.send("above the maximum", "PATCH", "/settings", r#"{"max_keys_per_user":2000}"#, 422),
    ]);
    if let Some([read, _]) = ids {
        let selected = format!(r#"{{"ids":["{read}"]}}"#);
        pages.extend([
            ada.post("revoke the selected keys", "/keys/revoke", &selected),
            ada.get("the events of a key", &format!("/events?key={read}")),
        ]);
    }
    pages.concat()
}

/// A user who is logged in to the server.
#[derive(Clone, Copy)]
struct Caller<'a> {
    url: &'a str,
    user: &'a str,
}

impl Caller<'_> {
    fn get(self, what: &str, path: &str) -> String {
        let Self { url, user } = self;
        format!("# {user}, {what}: 200\ncurl -i -H 'x-demo-user: {user}' '{url}/manage{path}'\n")
    }

    fn post(self, what: &str, path: &str, body: &str) -> String {
        self.send(what, "POST", path, body, 200)
    }

    fn send(self, what: &str, method: &str, path: &str, body: &str, status: u16) -> String {
        let Self { url, user } = self;
        format!(
            "\
# {user}, {what}: {status}
curl -i -H 'x-demo-user: {user}' -H 'content-type: application/json' \\
  -d '{body}' -X {method} '{url}/manage{path}'
"
        )
    }
}
