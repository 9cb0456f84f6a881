//! Owners over HTTP: keys for any owner, keys handed over, and users suspended and restored.

use serde_json::{Value, json};

use crate::client::{Host, on_a_host};

async fn key_of(host: &Host, owner: &str) -> String {
    let made = host.post("/keys", json!({ "name": "prod-main-app", "owner": owner })).await;
    assert_eq!((made.status, made.text_at("/key/owner")), (201, owner));
    made.text_at("/key/id").to_owned()
}

#[test]
fn key_is_generated_for_a_named_owner() {
    on_a_host(async |host| {
        let account = format!("account:{}", host.account("nightly").await);
        for owner in ["user:bob", "organization", &account] {
            key_of(host, owner).await;
        }
        let world = &host.world;
        let new = json!({ "name": "prod-a", "owner": "organization" });
        let refused = host.ask("POST", "/keys").by(&world.alice).json(new).send().await;
        assert_eq!(refused.problem(), (403, "permission_denied"));
        assert_eq!(refused.json["missing"], json!(["permission"]));
        for owner in ["alice", "user:", "user:a b", "organizations", "account:x"] {
            let new = json!({ "name": "prod-a", "owner": owner });
            assert_eq!(host.post("/keys", new).await.problem(), (422, "invalid_body"), "{owner}");
        }
        Ok(())
    });
}

#[test]
fn missing_requirements_are_all_named() {
    on_a_host(async |host| {
        host.world
            .set_policy(|policy| {
                policy.plan.api_access = false;
                policy.settings.api_enabled = Some(false);
            })
            .await?;
        let new = json!({ "name": "prod-a" });
        let refused = host.post("/keys", new.clone()).await;
        assert_eq!(refused.problem(), (402, "upgrade_required"));
        assert_eq!(refused.json["missing"], json!(["license", "switch"]));
        let refused = host.ask("POST", "/keys").by(&host.world.auditor).json(new).send().await;
        assert_eq!(refused.problem(), (403, "permission_denied"));
        assert_eq!(refused.json["missing"], json!(["permission", "license", "switch"]));
        Ok(())
    });
}

#[test]
fn key_is_handed_to_another_owner() {
    on_a_host(async |host| {
        let id = key_of(host, "user:bob").await;
        let path = format!("/keys/{id}/transfer");
        let to = |owner: &str| host.post(&path, json!({ "owner": owner }));
        let done = to("organization").await;
        assert_eq!((done.status, done.text_at("/key/owner")), (200, "organization"));
        assert_eq!(done.json["unchanged"], false);
        let entry = host.get(&format!("/keys/{id}")).await.json;
        assert!(entry.as_object().expect("an entry").iter().all(|(name, v)| done.json[name] == *v));
        assert_eq!(to("organization").await.json["unchanged"], true);
        assert_eq!(to("account:0000000000000000").await.problem(), (404, "account_not_found"));
        host.post("/users/carol/suspend", json!({})).await;
        assert_eq!(to("user:carol").await.problem(), (409, "user_suspended"));
        let alice = host.ask("POST", &path).by(&host.world.alice);
        let alice = alice.json(json!({ "owner": "user:alice" })).send().await;
        assert_eq!(alice.problem(), (404, "key_not_found"));
        Ok(())
    });
}

#[test]
fn all_or_no_keys_are_handed_over() {
    on_a_host(async |host| {
        let ids = [key_of(host, "user:bob").await, key_of(host, "user:bob").await];
        host.world.set_policy(|policy| policy.plan.max_keys_of_organization = Some(1)).await?;
        let body = json!({ "from": "user:bob", "to": "organization" });
        let refused = host.post("/owners/transfer", body.clone()).await;
        assert_eq!(refused.problem(), (409, "too_many_keys"));
        host.world.set_policy(|policy| policy.plan.max_keys_of_organization = None).await?;
        let done = host.post("/owners/transfer", body.clone()).await;
        let keys = done.json["keys"].as_array().expect("keys");
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert_eq!(
                (&key["key"]["owner"], &key["status"]),
                (&json!("organization"), &json!("active"))
            );
            assert!(ids.iter().any(|id| key["key"]["id"] == **id));
        }
        assert_eq!(host.post("/owners/transfer", body).await.json, json!({ "keys": [] }));
        Ok(())
    });
}

#[test]
fn all_keys_of_owner_are_revoked() {
    on_a_host(async |host| {
        let id = key_of(host, "user:bob").await;
        let body = json!({ "owner": "user:bob" });
        let alice = host.ask("POST", "/owners/revoke").by(&host.world.alice).json(body.clone());
        assert_eq!(alice.send().await.problem(), (403, "permission_denied"));
        let done = host.post("/owners/revoke", body.clone()).await;
        assert_eq!(done.json["keys"][0]["key"]["id"], json!(id));
        assert_eq!(done.json["keys"][0]["status"], "revoked");
        assert_eq!(host.post("/owners/revoke", body).await.json, json!({ "keys": [] }));
        Ok(())
    });
}

#[test]
fn suspended_user_is_restored() {
    on_a_host(async |host| {
        let id = key_of(host, "user:bob").await;
        let refused = async || -> Value {
            host.get(&format!("/keys/{id}")).await.json["refused_because"].clone()
        };
        for (action, suspended, because) in
            [("suspend", true, json!("user_suspended")), ("restore", false, json!(null))]
        {
            let path = format!("/users/bob/{action}");
            let done = host.post(&path, json!({})).await;
            assert_eq!((done.status, &done.json["unchanged"]), (200, &json!(false)));
            assert_eq!(done.json["user"]["suspended"], suspended);
            assert_eq!(refused().await, because);
            assert_eq!(host.post(&path, json!({})).await.json["unchanged"], true);
            assert_eq!(host.get("/users/bob").await.json["suspended"], suspended);
            let alice = host.ask("POST", &path).by(&host.world.alice).json(json!({}));
            assert_eq!(alice.send().await.problem(), (403, "permission_denied"));
        }
        Ok(())
    });
}

#[test]
fn display_name_is_set_and_removed() {
    on_a_host(async |host| {
        let id = key_of(host, "user:bob").await;
        for name in [json!("Bob Smith"), json!(null)] {
            let set = host.ask("PATCH", "/users/bob").json(json!({ "display_name": name }));
            let done = set.send().await;
            assert_eq!((done.status, &done.json["user"]["display_name"]), (200, &name));
            assert_eq!(host.get(&format!("/keys/{id}")).await.json["owner_name"], name);
        }
        let empty = host.ask("PATCH", "/users/bob").json(json!({})).send().await;
        assert_eq!(empty.problem(), (422, "invalid_body"));
        Ok(())
    });
}

#[test]
fn user_id_in_path_is_percent_encoded() {
    on_a_host(async |host| {
        let table = [
            ("alice%2F1", "alice/1"),
            ("auth0%7C5f", "auth0|5f"),
            ("a%25b", "a%b"),
            ("bob@example.com", "bob@example.com"),
            ("%3Fx%23y", "?x#y"),
        ];
        for (path, id) in table {
            let shown = host.get(&format!("/users/{path}")).await;
            assert_eq!((shown.status, shown.text_at("/id")), (200, id));
            assert_eq!(
                (&shown.json["version"], &shown.json["suspended"]),
                (&json!(0), &json!(false))
            );
        }
        let long = "x".repeat(129);
        for path in ["a%20b", "%FF", "%00", "%F0%9F%94%91", &long] {
            let absent = host.get(&format!("/users/{path}")).await;
            assert_eq!(absent.problem(), (404, "user_not_found"), "{path}");
            let denied = host.ask("GET", &format!("/users/{path}")).by(&host.world.alice);
            assert_eq!(denied.send().await.problem(), (403, "permission_denied"), "{path}");
        }
        Ok(())
    });
}

/// The answer to each change is the entry that the listing shows, so a page needs no second call.
#[test]
fn change_answers_with_entry_of_listing() {
    on_a_host(async |host| {
        let made = host.post("/keys", json!({ "name": "prod-main-app" })).await;
        let id = made.text_at("/key/id").to_owned();
        let path = format!("/keys/{id}");
        let mut answers = vec![made.json];
        let secrets = ["token", "key_id", "key_secret", "unchanged", "id"];
        let same = async |answer: &Value| {
            let mut answer = answer.clone();
            let members = answer.as_object_mut().expect("an object");
            members.retain(|name, _| !secrets.contains(&name.as_str()));
            let listed = host.get("/keys").await.json["items"][0].clone();
            assert_eq!((&answer, &answer), (&listed, &host.get(&path).await.json));
        };
        same(&answers[0]).await;
        for (action, body) in [
            ("disable", json!({})),
            ("enable", json!({})),
            ("rotate", json!({ "overlap": 3_600 })),
            ("finish-rotation", json!({})),
            ("transfer", json!({ "owner": "organization" })),
            ("revoke", json!({})),
        ] {
            let done = host.post(&format!("{path}/{action}"), body).await;
            assert_eq!(done.status, 200, "{action}");
            same(&done.json).await;
            answers.push(done.json);
        }
        let edit = host.ask("PATCH", &path).json(json!({ "name": "prod-b" })).send().await;
        same(&edit.json).await;
        let many = host.post("/keys/revoke", json!({ "ids": [id] })).await;
        same(&many.json["results"][0]).await;
        Ok(())
    });
}
