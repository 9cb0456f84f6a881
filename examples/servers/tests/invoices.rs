//! Who is let in to the invoices, the same on axum and on actix-web.

use base64ct::{Base64, Encoding};

use crate::http1::{Answer, bearer};
use crate::server::{Server, WEB};

#[track_caller]
fn is_refused(answer: &Answer, status: u16, code: &str, challenge: Option<&str>) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("www-authenticate"), challenge);
    assert_eq!(answer.json()["code"], code);
    assert_eq!(answer.json()["status"], status);
}

/// The one token up to its secret, and the other from there on: a token by its looks, but for its check.
fn mixed(token: &str, other: &str) -> String {
    let id_ends = token.len() - 38;
    format!("{}{}", &token[..id_ends], &other[id_ends..])
}

/// Key id and key secret of a token.
fn parts(token: &str) -> (&str, &str) {
    token[token.len() - 54..].split_at(16)
}

fn basic((id, secret): (&str, &str)) -> String {
    let mut buffer = [0; 128];
    let encoded = Base64::encode(format!("{id}:{secret}").as_bytes(), &mut buffer);
    format!("Basic {}", encoded.expect("it fits"))
}

#[test]
fn public_route_needs_no_key() {
    for example in WEB {
        let answer = Server::new(example).ask("GET", "/public", &[]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "everybody may read this\n"));
    }
}

#[test]
fn missing_key_gets_bare_challenge() {
    for example in WEB {
        let server = Server::new(example);
        for (method, path) in [("GET", "/invoices"), ("POST", "/invoices"), ("GET", "/whoami")] {
            let answer = server.ask(method, path, &[]);
            is_refused(&answer, 401, "missing_credential", Some("Bearer"));
        }
    }
}

#[test]
fn key_with_scope_is_accepted() {
    for example in WEB {
        let server = Server::new(example);
        let [read, write, look] = server.tokens();
        for token in [&read, &write, &look] {
            let answer = server.ask_with(token, "GET", "/invoices");
            assert_eq!((answer.status, answer.body.as_str()), (200, "invoice 1\ninvoice 2\n"));
        }
        let answer = server.ask_with(&write, "POST", "/invoices");
        let body = "invoice 3, by user:alice\n";
        assert_eq!((answer.status, answer.body.as_str()), (201, body));
    }
}

#[test]
fn key_without_scope_learns_which() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let answer = server.ask_with(&read, "POST", "/invoices");
        let challenge = r#"Bearer error="insufficient_scope", scope="invoices:write""#;
        is_refused(&answer, 403, "insufficient_scope", Some(challenge));
    }
}

#[test]
fn read_only_key_may_not_post() {
    for example in WEB {
        let server = Server::new(example);
        let [.., look] = server.tokens();
        let answer = server.ask_with(&look, "POST", "/invoices");
        let challenge = r#"Bearer error="insufficient_scope""#;
        is_refused(&answer, 403, "insufficient_scope", Some(challenge));
    }
}

#[test]
fn non_tokens_get_the_same_401() {
    for example in WEB {
        let server = Server::new(example);
        let [read, write, _] = server.tokens();
        // Of another server, so of another store.
        let [unknown, ..] = Server::new(example).tokens();
        let wrong = [
            bearer(&unknown),
            bearer(&mixed(&read, &write)),
            bearer(&read[1..]),
            bearer(""),
            basic((parts(&read).0, parts(&write).1)),
        ];
        for value in wrong {
            let answer = server.ask("GET", "/invoices", &[("authorization", &value)]);
            let challenge = r#"Bearer error="invalid_token""#;
            is_refused(&answer, 401, "invalid_token", Some(challenge));
        }
    }
}

#[test]
fn key_has_three_header_spellings() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let basic = basic(parts(&read));
        let spellings = [
            ("Authorization", bearer(&read)),
            ("authorization", format!("bEARER {read}")),
            ("X-API-Key", read.clone()),
            ("Authorization", basic),
        ];
        for (name, value) in &spellings {
            let answer = server.ask("GET", "/invoices", &[(name, value)]);
            assert_eq!(answer.status, 200, "{name}");
        }
    }
}

#[test]
fn two_good_credentials_are_400() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let value = bearer(&read);
        let twice = [
            [("authorization", value.as_str()), ("authorization", &value)],
            [("authorization", &value), ("x-api-key", &read)],
            [("x-api-key", &read), ("X-API-Key", &read)],
        ];
        for headers in twice {
            let answer = server.ask("GET", "/invoices", &headers);
            let challenge = r#"Bearer error="invalid_request""#;
            is_refused(&answer, 400, "invalid_request", Some(challenge));
        }
    }
}

#[test]
fn token_in_url_is_ignored() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        for name in ["access_token", "api_key", "x-api-key"] {
            let answer = server.ask("GET", &format!("/invoices?{name}={read}"), &[]);
            is_refused(&answer, 401, "missing_credential", Some("Bearer"));
        }
    }
}

#[test]
fn handler_learns_the_owner() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let answer = server.ask_with(&read, "GET", "/whoami");
        let body = "the key read-invoices of user:alice, with invoices:read\n";
        assert_eq!((answer.status, answer.body.as_str()), (200, body));
    }
}

#[test]
fn bad_optional_key_is_refused() {
    let server = Server::new("axum_server");
    let [read, write, _] = server.tokens();
    let without = server.ask("GET", "/maybe", &[]);
    assert_eq!((without.status, without.body.as_str()), (200, "hello\n"));
    let with = server.ask_with(&read, "GET", "/maybe");
    assert_eq!((with.status, with.body.as_str()), (200, "hello, user:alice\n"));
    let wrong = server.ask_with(&mixed(&read, &write), "GET", "/maybe");
    is_refused(&wrong, 401, "invalid_token", Some(r#"Bearer error="invalid_token""#));
}

#[test]
fn read_only_key_may_search_by_post() {
    let server = Server::new("axum_server");
    let [.., look] = server.tokens();
    let answer = server.ask_with(&look, "POST", "/invoices/search");
    assert_eq!((answer.status, answer.body.as_str()), (200, "invoice 1\ninvoice 2\n"));
}

#[test]
fn route_scope_refuses_other_keys() {
    let server = Server::new("axum_server");
    let [read, write, look] = server.tokens();
    assert_eq!(server.ask_with(&look, "GET", "/reports").status, 200);
    let challenge = r#"Bearer error="insufficient_scope", scope="reports:read""#;
    for token in [read, write] {
        let answer = server.ask_with(&token, "GET", "/reports");
        is_refused(&answer, 403, "insufficient_scope", Some(challenge));
    }
}

#[test]
fn log_has_reason_and_no_token() {
    let server = Server::new("axum_server");
    let [read, write, _] = server.tokens();
    let wrong_secret = basic((parts(&read).0, parts(&write).1));
    server.ask_with(&read, "POST", "/invoices");
    server.ask("GET", "/invoices", &[("authorization", &wrong_secret)]);
    server.ask_with(&mixed(&read, &write), "GET", "/invoices");
    server.ask("GET", "/invoices", &[]);
    let log = server.log();
    let id = parts(&read).0;
    let expected = [
        format!("POST /invoices: key {id}: the key lacks the scope invoices:write"),
        format!("GET /invoices: key {id}: no key has this id, prefix and secret"),
        "GET /invoices: the credential is malformed".to_owned(),
        "GET /invoices: the request carries no API key".to_owned(),
    ];
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
    for token in [read, write] {
        assert!(!log.contains(parts(&token).1));
    }
}
