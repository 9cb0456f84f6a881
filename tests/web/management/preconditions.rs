//! `ETag` and `If-Match` prevent lost updates.

use serde_json::json;

use crate::client::on_a_host;

#[test]
fn second_edit_of_one_version_fails() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let account = host.account("nightly").await;
        for path in [format!("/keys/{id}"), format!("/accounts/{account}")] {
            let tag = host.get(&path).await.header("etag").expect("a tag").to_owned();
            let edit = |name: &str| {
                host.ask("PATCH", &path).if_match(&tag).json(json!({ "name": name })).send()
            };
            assert_eq!(edit("prod-first").await.status, 200);
            assert_eq!(edit("prod-second").await.problem(), (412, "stale"));
            assert!(host.get(&path).await.text.contains("prod-first"));
        }
        Ok(())
    });
}

#[test]
fn second_rotation_of_one_version_fails() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}/rotate");
        let overlap = json!({ "overlap": 60 });
        let tag = host.get(&format!("/keys/{id}")).await.header("etag").expect("a tag").to_owned();
        let rotate = || host.ask("POST", &path).if_match(&tag).json(overlap.clone()).send();
        let rotated = rotate().await;
        assert_eq!(rotated.status, 200);
        assert_eq!(rotate().await.problem(), (412, "stale"));
        assert_eq!(rotate().await.limit(), ("version", json!(1), json!(2)));
        let tag = rotated.header("etag").expect("a tag");
        let next = host.ask("POST", &path).if_match(tag).json(overlap.clone()).send().await;
        assert_eq!(next.json["key"]["secret_number"], 3);
        let any = host.ask("POST", &path).if_match("*").json(overlap.clone()).send().await;
        assert_eq!(any.json["key"]["secret_number"], 4);
        let wrong = host.ask("POST", &path).if_match("4").json(overlap).send().await;
        assert_eq!(wrong.problem(), (400, "invalid_precondition"));
        Ok(())
    });
}

#[test]
fn edit_without_condition_takes_any_version() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        let plain = host.ask("PATCH", &path).json(json!({ "name": "prod-b" })).send().await;
        assert_eq!(plain.status, 200);
        let star = host.ask("PATCH", &path).if_match("*").json(json!({ "name": "prod-c" })).send();
        assert_eq!(star.await.status, 200);
        Ok(())
    });
}

#[test]
fn foreign_tag_never_matches() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        for tag in ["\"abc\"", "\"\"", "W/\"1\"", "\"01\"", "\"+1\"", "\"18446744073709551616\""] {
            let edit = host.ask("PATCH", &path).if_match(tag).json(json!({ "name": "prod-b" }));
            assert_eq!(edit.send().await.problem(), (412, "stale"), "{tag}");
        }
        assert_eq!(host.get(&path).await.json["key"]["version"], 1);
        Ok(())
    });
}

#[test]
fn condition_must_be_one_tag() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        for tag in ["1", "\"1", "1\"", "", "\"1\", \"2\"", "w/\"1\"", "\"a b\"", "*, \"1\""] {
            let edit = host.ask("PATCH", &path).if_match(tag).json(json!({ "name": "prod-b" }));
            assert_eq!(edit.send().await.problem(), (400, "invalid_precondition"), "{tag}");
        }
        let twice = host.ask("PATCH", &path).if_match("\"1\"").if_match("\"1\"");
        let twice = twice.json(json!({ "name": "prod-b" })).send().await;
        assert_eq!(twice.problem(), (400, "invalid_precondition"));
        Ok(())
    });
}

#[test]
fn unsupported_condition_is_refused() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let account = host.account("nightly").await;
        let table = [
            ("POST", "/keys".to_owned()),
            ("POST", "/keys/revoke".to_owned()),
            ("POST", format!("/keys/{id}/disable")),
            ("POST", format!("/keys/{id}/enable")),
            ("POST", format!("/keys/{id}/finish-rotation")),
            ("POST", format!("/keys/{id}/revoke")),
            ("DELETE", format!("/keys/{id}")),
            ("POST", "/accounts".to_owned()),
            ("POST", format!("/accounts/{account}/disable")),
            ("POST", format!("/accounts/{account}/enable")),
            ("POST", format!("/accounts/{account}/keys")),
            ("DELETE", format!("/accounts/{account}")),
            ("POST", format!("/keys/{id}/transfer")),
            ("POST", "/owners/transfer".to_owned()),
            ("POST", "/owners/revoke".to_owned()),
            ("PATCH", "/users/alice".to_owned()),
            ("POST", "/users/alice/suspend".to_owned()),
            ("POST", "/users/alice/restore".to_owned()),
        ];
        for (method, path) in table {
            let ask = host.ask(method, &path).if_match("\"1\"").json(json!({}));
            let refused = ask.send().await;
            assert_eq!(refused.problem(), (400, "precondition_not_supported"), "{path}");
            let ask = host.ask(method, &path).header("if-none-match", "*").json(json!({}));
            let refused = ask.send().await;
            assert_eq!(refused.problem(), (400, "precondition_not_supported"), "{path}");
        }
        let rotate = format!("/keys/{id}/rotate");
        for path in [&format!("/keys/{id}"), &format!("/accounts/{account}"), "/plan", &rotate] {
            let method = match path {
                "/plan" => "PUT",
                _ if path == rotate => "POST",
                _ => "PATCH",
            };
            let ask = host.ask(method, path).if_match("\"1\"").header("if-none-match", "*");
            let refused = ask.json(json!({ "name": "prod-b" })).send().await;
            assert_eq!(refused.problem(), (400, "precondition_not_supported"), "{path}");
        }
        assert_eq!(host.get(&format!("/keys/{id}")).await.json["key"]["version"], 1);
        Ok(())
    });
}

#[test]
fn condition_on_absent_key_reveals_nothing() {
    on_a_host(async |host| {
        for path in ["/keys/0000000000000000", "/accounts/0000000000000000"] {
            let edit = host.ask("PATCH", path).if_match("\"7\"").json(json!({ "name": "prod-b" }));
            assert_eq!(edit.send().await.status, 404);
        }
        Ok(())
    });
}
