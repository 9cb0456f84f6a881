//! Requests without an actor, without a permission, and for records of another tenant.

use keywright::{Actor, TenantId, UserId};
use serde_json::json;

use crate::client::{document, on_a_host};

/// Returns every operation of the document, with an id where it takes one.
fn operations(id: &str) -> Vec<(String, String)> {
    let document = document().expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let each = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.keys().map(|method| (method.to_uppercase(), path.replace("{id}", id)))
    });
    each.collect()
}

#[test]
fn unauthenticated_request_gets_only_document() {
    on_a_host(async |host| {
        let mut asked = 0;
        for (method, path) in operations("0000000000000000") {
            let answer = host.ask(&method, &path).unauthenticated().send().await;
            if path == "/openapi.json" {
                assert_eq!(answer.status, 200);
                continue;
            }
            assert_eq!(answer.problem(), (401, "login_required"), "{method} {path}");
            let challenge = answer.header("www-authenticate").expect("a challenge");
            assert!(!challenge.to_lowercase().contains("bearer"), "{challenge}");
            asked += 1;
        }
        assert_eq!(asked, 33);
        Ok(())
    });
}

#[test]
fn no_header_makes_an_actor() {
    on_a_host(async |host| {
        let issued =
            host.world.generate_for(&host.world.admin, keywright::NewKey::named("prod-a")?);
        let token = issued.await?.token;
        let bearer = format!("Bearer {}", token.expose());
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-api-key", token.expose()),
            ("x-user", "ada"),
            ("actor", "user:ada"),
            ("x-forwarded-user", "ada"),
            ("cookie", "actor=ada"),
        ];
        for (name, value) in headers {
            let answer =
                host.ask("GET", "/keys").unauthenticated().header(name, value).send().await;
            assert_eq!(answer.problem(), (401, "login_required"), "{name}");
        }
        Ok(())
    });
}

#[test]
fn foreign_keys_and_accounts_are_not_found() {
    on_a_host(async |host| {
        let (key, _) = host.key("prod-main-app").await;
        let account = host.account("nightly").await;
        let stranger =
            Actor::administrator(UserId::new("ada")?).in_tenant(TenantId::new("initech")?);
        let (absent_key, absent_account) = (operations("0000000000000000"), &account);
        for (method, path) in absent_key.iter().filter(|(_, path)| path.contains("0000")) {
            // A user without a record is not absent.
            if path.starts_with("/users") {
                continue;
            }
            let id = if path.starts_with("/keys") { &key } else { absent_account };
            let theirs = path.replace("0000000000000000", id);
            let ask = |path: &str| {
                host.ask(method, path).by(&stranger).json(json!({ "name": "prod-b" })).send()
            };
            assert_eq!(ask(&theirs).await.text, ask(path).await.text, "{method} {path}");
        }
        let listed = host.ask("GET", "/keys").by(&stranger).send().await;
        assert_eq!(listed.json["items"], json!([]));
        assert_eq!(host.get(&format!("/keys/{key}")).await.json["key"]["version"], 1);
        Ok(())
    });
}

#[test]
fn key_is_hidden_from_other_developers() {
    on_a_host(async |host| {
        let world = &host.world;
        let made = host.ask("POST", "/keys").by(&world.alice).json(json!({ "name": "prod-a" }));
        let made = made.send().await;
        assert_eq!(made.json["key"]["owner"], "user:alice");
        let path = format!("/keys/{}", made.text_at("/key/id"));
        let hers = host.ask("GET", &path).by(&world.alice).send().await;
        assert_eq!(hers.status, 200);
        let his = host.ask("GET", &path).by(&world.bob).send().await;
        let absent = host.ask("GET", "/keys/0000000000000000").by(&world.bob).send().await;
        assert_eq!((his.status, &his.text), (404, &absent.text));
        let list = host.ask("GET", "/keys").by(&world.bob).send().await;
        assert_eq!(list.json["items"], json!([]));
        Ok(())
    });
}
