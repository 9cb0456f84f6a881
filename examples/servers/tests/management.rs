//! The whole life of a key over HTTP: made and managed at /manage, used at /invoices.

use serde_json::{Value, json};

use crate::http1::Answer;
use crate::server::Server;

/// A call of the management API by one who says that they are this user.
fn manage(server: &Server, user: &str, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("x-demo-user", user), ("content-type", "application/json")];
    server.send(method, &format!("/manage{path}"), &headers, &body)
}

#[track_caller]
fn done(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.json()["code"]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

/// The token of an answer that shows one, and the id of its key.
fn issued(answer: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&answer["token"]), text(&answer["key"]["id"]))
}

fn status_of(server: &Server, token: &str) -> u16 {
    server.ask_with(token, "GET", "/invoices").status
}

fn new_key() -> Value {
    json!({ "name": "my-key", "scopes": ["invoices:read"] })
}

#[test]
fn key_lives_from_use_to_revoke() {
    let server = Server::new("axum_server");
    let alice =
        |method: &str, path: &str, body: &Value| manage(&server, "alice", method, path, body);

    let (token, id) = issued(&done(&alice("POST", "/keys", &new_key()), 201));
    assert_eq!(status_of(&server, &token), 200);

    let path = format!("/keys/{id}/rotate");
    let (new, same) = issued(&done(&alice("POST", &path, &json!({ "overlap": 3600 })), 200));
    assert_eq!(same, id);
    assert_eq!([status_of(&server, &token), status_of(&server, &new)], [200, 200]);

    done(&alice("POST", &format!("/keys/{id}/finish-rotation"), &json!({})), 200);
    assert_eq!([status_of(&server, &token), status_of(&server, &new)], [401, 200]);

    done(&alice("POST", &format!("/keys/{id}/disable"), &json!({})), 200);
    assert_eq!(status_of(&server, &new), 401);
    done(&alice("POST", &format!("/keys/{id}/enable"), &json!({})), 200);
    assert_eq!(status_of(&server, &new), 200);

    done(&alice("POST", &format!("/keys/{id}/revoke"), &json!({})), 200);
    assert_eq!([status_of(&server, &token), status_of(&server, &new)], [401, 401]);
}

#[test]
fn management_needs_login_not_key() {
    let server = Server::new("axum_server");
    let [_, write, _] = server.tokens();
    for user in ["", "mallory", "Alice"] {
        let answer = manage(&server, user, "GET", "/keys", &Value::Null);
        assert_eq!(answer.status, 401, "{user:?}");
        assert_eq!(answer.json()["code"], "login_required");
    }
    let answer = server.ask_with(&write, "GET", "/manage/keys");
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").is_some_and(|value| !value.starts_with("Bearer")));
}

#[test]
fn developer_sees_own_administrator_all() {
    let server = Server::new("axum_server");
    let names = |user: &str| -> Vec<String> {
        let page = done(&manage(&server, user, "GET", "/keys", &Value::Null), 200);
        let items = page["items"].as_array().expect("items").clone();
        let name = |item: &Value| item["key"]["name"].as_str().expect("a name").to_owned();
        let mut names: Vec<String> = items.iter().map(name).collect();
        names.sort();
        names
    };
    assert_eq!(names("alice"), ["read-invoices", "write-invoices"]);
    assert_eq!(names("bob"), [""; 0]);
    assert_eq!(names("ada"), ["look-at-all", "read-invoices", "write-invoices"]);
}

#[test]
fn developer_cannot_revoke_others_keys() {
    let server = Server::new("axum_server");
    let [read, ..] = server.tokens();
    let id = &read[read.len() - 54..read.len() - 38];
    let path = format!("/keys/{id}/revoke");
    let answer = manage(&server, "bob", "POST", &path, &json!({}));
    assert!(matches!(answer.status, 403 | 404), "{}", answer.status);
    assert_eq!(status_of(&server, &read), 200);
    done(&manage(&server, "ada", "POST", &path, &json!({})), 200);
    assert_eq!(status_of(&server, &read), 401);
}

#[cfg(unix)]
#[test]
fn http_changes_survive_a_restart() {
    let place = crate::server::Place::new();
    let server = place.start("axum_server");
    let alice = |path: &str, body: &Value| manage(&server, "alice", "POST", path, body);
    let (kept, kept_id) = issued(&done(&alice("/keys", &new_key()), 201));
    let (revoked, id) = issued(&done(&alice("/keys", &new_key()), 201));
    done(&alice(&format!("/keys/{id}/revoke"), &json!({})), 200);
    for _ in 0..2 {
        assert_eq!(status_of(&server, &kept), 200);
    }
    server.stop();

    let server = place.start("axum_server");
    assert_eq!(status_of(&server, &revoked), 401);
    let path = format!("/keys/{kept_id}");
    let entry = done(&manage(&server, "alice", "GET", &path, &Value::Null), 200);
    assert_eq!(entry["uses"], 2);
    assert_eq!(status_of(&server, &kept), 200);
}

#[test]
fn document_needs_no_login() {
    let server = Server::new("axum_server");
    let answer = server.ask("GET", "/manage/openapi.json", &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.json()["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
}
