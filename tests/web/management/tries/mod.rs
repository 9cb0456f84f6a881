//! Q4: requests with which a tenant admin tries to widen a limit over HTTP. Each row has the status and
//! code of the answer, and the field, value and bound that the problem names. No row changes anything.

mod keys;
mod policy;

use keywright::{Actor, Permissions};
use serde_json::{Value, json};

use crate::client::{Answer, Host, on_a_host};
use common::{World, picture_of_now, user};

/// A request, and the problem that it gets.
struct Try {
    what: &'static str,
    method: &'static str,
    path: String,
    /// The value of `If-Match`.
    tag: Option<String>,
    body: Value,
    /// The status and the code.
    problem: &'static str,
    /// The field, its value and the bound, with `-` for what is absent.
    limit: String,
}

/// Creates the row of a request, which is a method and a path.
fn row(
    what: &'static str,
    request: (&'static str, &str),
    body: Value,
    problem: &'static str,
    limit: &str,
) -> Try {
    let (method, path) = request;
    let limit = limit.to_owned();
    Try { what, method, path: path.to_owned(), tag: None, body, problem, limit }
}

const DENIED: &str = "403 permission_denied";
const UNKNOWN: &str = "422 invalid_body";
const NOT_ALLOWED: &str = "405 method_not_allowed";
const NONE: &str = "- - -";

impl Try {
    fn if_match(self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), ..self }
    }

    async fn send(&self, host: &Host, actor: &Actor) -> Answer {
        let ask = host.ask(self.method, &self.path).by(actor).json(self.body.clone());
        match &self.tag {
            Some(tag) => ask.if_match(tag).send().await,
            None => ask.send().await,
        }
    }
}

/// Returns the field, value and bound of a problem, as a row has them.
fn limit_of(answer: &Answer) -> String {
    let (field, value, bound) = answer.limit();
    let text = |value: Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    format!("{} {} {}", if field.is_empty() { "-" } else { field }, text(value), text(bound))
}

/// Returns an actor who is both tenant admin and developer.
fn both(world: &World, id: &str) -> Actor {
    let both = Permissions::TENANT_ADMIN | Permissions::DEVELOPER;
    Actor::new(user(id), both).in_tenant(world.tenant().clone())
}

/// Sends each row as each actor, and asserts that both tenants stay as they are.
async fn refused(host: &Host, actors: &[&Actor], rows: &[Try]) -> usize {
    let world = &host.world;
    let now = async || {
        let globex = picture_of_now(&world.authority, &world.admin).await;
        (globex, picture_of_now(&world.authority, &world.other).await)
    };
    let before = now().await;
    let mut wrong = Vec::new();
    for row in rows {
        for actor in actors {
            let answer = row.send(host, actor).await;
            let (status, code) = answer.problem();
            let got = (format!("{status} {code}"), limit_of(&answer));
            if got != (row.problem.to_owned(), row.limit.clone()) {
                wrong.push(format!("{} by {}: {got:?}, {}", row.what, actor.id(), answer.text));
            }
            assert_eq!(now().await, before, "{} by {}", row.what, actor.id());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    rows.len() * actors.len()
}

#[test]
fn q4_no_tenant_admin_is_an_operator() {
    on_a_host(async |host| {
        let carol = both(&host.world, "carol");
        let id = host.key("prod-main-app").await.0;
        let host = Host::of_operators(&host.world)?;
        let login = "401 login_required";
        let all = json!({ "owner": "user:ada" });
        let rows = [
            row("the tenants", ("GET", "/tenants"), json!({}), login, NONE),
            row("all keys", ("GET", "/keys"), json!({}), login, NONE),
            row("any key", ("GET", &format!("/keys/{id}")), json!({}), login, NONE),
            row("revocations", ("POST", "/keys/revoke"), json!({ "ids": [id] }), login, NONE),
            row("owners in all tenants", ("POST", "/owners/revoke"), all, login, NONE),
            row("a sweep", ("POST", "/sweep"), json!({}), login, NONE),
            row("a plan", ("PUT", "/plan"), json!({}), "404 not_found", NONE),
        ];
        let tries = refused(&host, &[&host.world.tenant_admin, &carol], &rows).await;
        assert_eq!(tries, 14);
        Ok(())
    });
}
