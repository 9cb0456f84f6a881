//! Invalid bodies and their errors.

use serde_json::{Value, json};

use crate::client::{Host, on_a_host};

/// Returns each route with a body: method, path, and a valid body.
async fn routes(host: &Host) -> Vec<(&'static str, String, Value)> {
    let (id, _) = host.key("prod-main-app").await;
    let account = host.account("nightly").await;
    let plan = host.get("/plan").await.json;
    vec![
        ("POST", "/keys".to_owned(), json!({ "name": "prod-a" })),
        ("PATCH", format!("/keys/{id}"), json!({ "name": "prod-b" })),
        ("POST", format!("/keys/{id}/disable"), json!({})),
        ("POST", format!("/keys/{id}/enable"), json!({})),
        ("POST", format!("/keys/{id}/rotate"), json!({ "overlap": 0 })),
        ("POST", format!("/keys/{id}/finish-rotation"), json!({})),
        ("POST", format!("/keys/{id}/transfer"), json!({ "owner": "user:bob" })),
        ("POST", format!("/keys/{id}/revoke"), json!({})),
        ("POST", "/keys/revoke".to_owned(), json!({ "ids": [id] })),
        ("POST", "/accounts".to_owned(), json!({ "name": "weekly", "role": "analyst" })),
        ("PATCH", format!("/accounts/{account}"), json!({ "name": "monthly" })),
        ("POST", format!("/accounts/{account}/disable"), json!({})),
        ("POST", format!("/accounts/{account}/enable"), json!({})),
        ("POST", format!("/accounts/{account}/keys"), json!({ "name": "prod-c" })),
        ("POST", "/owners/transfer".to_owned(), json!({ "from": "user:bob", "to": "user:ada" })),
        ("POST", "/owners/revoke".to_owned(), json!({ "owner": "user:bob" })),
        ("PATCH", "/users/bob".to_owned(), json!({ "display_name": "Bob" })),
        ("POST", "/users/bob/suspend".to_owned(), json!({})),
        ("POST", "/users/bob/restore".to_owned(), json!({})),
        ("PATCH", "/settings".to_owned(), json!({ "require_expiry": false })),
        ("PUT", "/plan".to_owned(), plan),
    ]
}

fn ask<'a>(host: &'a Host, method: &'a str, path: &str) -> crate::client::Ask<'a> {
    let ask = host.ask(method, path);
    if method == "PUT" { ask.if_match("\"1\"") } else { ask }
}

#[test]
fn bodies_refuse_unknown_fields() {
    on_a_host(async |host| {
        for (method, path, body) in routes(host).await {
            for field in ["owner", "tenant", "id", "created_by", "version", "token", "x"] {
                let mut body = body.clone();
                body[field] = json!("x");
                let refused = ask(host, method, &path).json(body).send().await;
                assert_eq!(refused.problem(), (422, "invalid_body"), "{method} {path} {field}");
                assert!(refused.text_at("/detail").contains(field));
            }
            // The same body without the fault is accepted.
            let taken = ask(host, method, &path).json(body).send().await;
            assert!(taken.status < 300, "{method} {path}: {}", taken.text);
        }
        Ok(())
    });
}

#[test]
fn body_must_be_an_object() {
    on_a_host(async |host| {
        for (method, path, _) in routes(host).await {
            for body in [json!([]), json!(["prod-a"]), json!("x"), json!(1), json!(null)] {
                let refused = ask(host, method, &path).json(body).send().await;
                assert_eq!(refused.problem(), (422, "invalid_body"), "{method} {path}");
            }
        }
        Ok(())
    });
}

#[test]
fn invalid_json_is_malformed() {
    on_a_host(async |host| {
        let bodies: [&[u8]; 8] = [
            b"",
            b"{",
            b"{} {}",
            b"{'name':'a'}",
            b"{\"name\":\"a\",}",
            b"\xEF\xBB\xBF{}",
            b"{\"name\":\"\xFF\"}",
            b"{\"name\":\"\\ud800\"}",
        ];
        for body in bodies {
            let ask = host.ask("POST", "/keys").header("content-type", "application/json");
            let refused = ask.bytes(body).send().await;
            assert_eq!(refused.problem(), (400, "malformed_json"), "{body:?}");
        }
        Ok(())
    });
}

#[test]
fn body_has_at_most_2_mib() {
    on_a_host(async |host| {
        let body = |len: usize| format!("{{\"name\":\"prod-a\"{}}}", " ".repeat(len - 17));
        for (len, status) in [(2_097_152, 201), (2_097_153, 413)] {
            let ask = host.ask("POST", "/keys").header("content-type", "application/json");
            let answer = ask.bytes(body(len)).send().await;
            assert_eq!(answer.status, status, "{len}");
        }
        Ok(())
    });
}

#[test]
fn invalid_value_names_its_field() {
    on_a_host(async |host| {
        let table = [
            ("name", json!("")),
            ("name", json!("a\u{7}")),
            ("name", json!("bob@example.com")),
            ("name", json!(null)),
            ("name", json!("a".repeat(101))),
            ("scopes", json!("invoices:read")),
            ("scopes", json!(["*"])),
            ("scopes", json!(null)),
            ("scopes", json!(vec!["a"; 65])),
            ("networks", json!(["10.0.0.1/8"])),
            ("networks", json!(vec!["10.0.0.1"; 33])),
            ("rate", json!("0/1s")),
            ("rate", json!(100)),
            ("rate", json!(null)),
            ("description", json!("")),
            ("description", json!("a\tb")),
            ("description", json!("a\u{202e}b")),
            ("description", json!("a".repeat(1_001))),
            ("description", json!(null)),
            ("contact", json!("a\nb")),
            ("contact", json!(" a")),
            ("contact", json!("a".repeat(201))),
            ("contact", json!(["ops@example.com"])),
            ("contact", json!(null)),
            ("metadata", json!({ "a": 1 })),
            ("metadata", json!(null)),
            ("metadata", json!([])),
            ("not_before", json!("tomorrow")),
            ("expires_at", json!("1969-01-01T00:00:00Z")),
            ("expires_in", json!(-1)),
            ("expires_in", json!(1.5)),
            ("expires_in", json!(-0.0)),
            ("expires_in", json!("60")),
            ("expires_in", json!(null)),
            ("never_expires", json!("true")),
            ("never_expires", json!(null)),
        ];
        for (field, value) in table {
            let mut body = json!({ "name": "prod-a" });
            body[field] = value.clone();
            let refused = host.post("/keys", body).await;
            assert_eq!(refused.problem(), (422, "invalid_body"), "{field}: {value}");
            assert!(refused.text_at("/detail").contains(field), "{}", refused.text);
        }
        Ok(())
    });
}

#[test]
fn key_has_one_expiry() {
    on_a_host(async |host| {
        let (at, within, never) = (
            ("expires_at", json!("2027-01-01T00:00:00Z")),
            ("expires_in", json!(60)),
            ("never_expires", json!(true)),
        );
        for (a, b) in [(&at, &within), (&at, &never), (&within, &never)] {
            let refused = host.post("/keys", json!({ "name": "prod-a", a.0: a.1, b.0: b.1 })).await;
            assert_eq!(refused.problem(), (422, "invalid_body"));
        }
        Ok(())
    });
}

#[test]
fn empty_edit_is_refused() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let account = host.account("nightly").await;
        for path in [format!("/keys/{id}"), format!("/accounts/{account}")] {
            let refused = host.ask("PATCH", &path).json(json!({})).send().await;
            assert_eq!(refused.problem(), (422, "invalid_body"));
        }
        Ok(())
    });
}

#[test]
fn null_removes_rate_and_notes() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        for field in ["name", "scopes", "networks", "metadata"] {
            let refused = host.ask("PATCH", &path).json(json!({ field: null })).send().await;
            assert_eq!(refused.problem(), (422, "invalid_body"), "{field}");
        }
        for (field, value) in
            [("rate", "5/1s"), ("description", "Sends\ninvoices"), ("contact", "ops@example.com")]
        {
            let set = host.ask("PATCH", &path).json(json!({ field: value })).send().await;
            assert_eq!(set.json["key"][field], value);
            let taken = host.ask("PATCH", &path).json(json!({ field: null })).send().await;
            assert_eq!(taken.json["key"][field], json!(null));
        }
        Ok(())
    });
}

#[test]
fn up_to_hundred_keys_are_revoked() {
    on_a_host(async |host| {
        for (count, status) in [(0, 422), (1, 200), (100, 200), (101, 422)] {
            let body = json!({ "ids": vec!["0000000000000000"; count] });
            assert_eq!(host.post("/keys/revoke", body).await.status, status, "{count}");
        }
        Ok(())
    });
}

#[test]
fn values_have_only_one_spelling() {
    on_a_host(async |host| {
        let access = json!({ "name": "a", "role": "analyst", "access": { "read-only": null } });
        assert_eq!(host.post("/accounts", access).await.problem(), (422, "invalid_body"));
        let mut plan = host.get("/plan").await.json;
        plan["name_pattern"] = json!([["prod"]]);
        let put = host.ask("PUT", "/plan").if_match("\"1\"").json(plan).send().await;
        assert_eq!(put.problem(), (422, "invalid_body"));
        let ask = host.ask("POST", "/keys").header("content-type", "application/json");
        let twice = ask.bytes(r#"{"name":"prod-a","name":"prod-b"}"#).send().await;
        assert_eq!(twice.problem(), (422, "invalid_body"));
        Ok(())
    });
}

#[test]
fn duplicate_members_are_refused() {
    on_a_host(async |host| {
        let json = |method, path| host.ask(method, path).header("content-type", "application/json");
        let metadata = r#"{"name":"prod-a","metadata":{"team":"a","te\u0061m":"b"}}"#;
        let refused = json("POST", "/keys").bytes(metadata).send().await;
        assert_eq!(refused.problem(), (422, "invalid_body"));
        let detail = refused.text_at("/detail");
        assert!(detail.contains("metadata") && detail.contains("more than once"), "{detail}");
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        let edit = json("PATCH", &path).bytes(r#"{"metadata":{"a":"","a":""}}"#);
        assert_eq!(edit.send().await.problem(), (422, "invalid_body"));

        let mut plan = host.get("/plan").await.json;
        let none = json!({ "description": null, "scopes": [] });
        plan["roles"] = json!({ "analyst": none, "operator": none });
        let twice = plan.to_string().replace("\"operator\"", "\"analyst\"");
        let put = json("PUT", "/plan").if_match("\"1\"").bytes(twice).send().await;
        assert_eq!(put.problem(), (422, "invalid_body"));
        let detail = put.text_at("/detail");
        assert!(detail.contains("roles") && detail.contains("more than once"), "{detail}");
        Ok(())
    });
}
