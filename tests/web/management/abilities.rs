//! The abilities of the caller and the entries of accounts, over HTTP.

use keywright::{Actor, Permissions, TenantId, UserId};
use serde_json::json;

use crate::client::on_a_host;

#[test]
fn a1_upgrade_is_told_over_http() {
    on_a_host(async |host| {
        let told = host.get("/abilities").await.json;
        assert_eq!((&told["owner"], &told["can_generate"]), (&json!("user:ada"), &json!(true)));
        assert_eq!(told["obstacles"], json!([]));
        host.world.set_policy(|policy| policy.plan.api_access = false).await?;
        let told = host.get("/abilities").await.json;
        assert_eq!(told["can_generate"], false);
        let refused = host.post("/keys", json!({ "name": "prod-main-app" })).await;
        assert_eq!(refused.problem(), (402, "upgrade_required"));
        assert_eq!(told["obstacles"], json!([refused.json]), "the problem of the try");
        Ok(())
    });
}

#[test]
fn q10_key_form_is_filled_over_http() {
    on_a_host(async |host| {
        host.world
            .set_policy(|policy| {
                policy.plan.max_lifetime = Some(common::DAY);
                policy.plan.max_rate = Some("10/60s".parse().expect("a rate"));
            })
            .await?;
        let account = host.account("nightly").await;
        let path = format!("/abilities?owner=account:{account}");
        let told = host.get(&path).await.json;
        let analyst = json!({
            "invoices:read": { "description": null, "access": "read-only" },
            "reports:read": { "description": null, "access": "read-only" },
        });
        let choices = json!({
            "scopes": analyst,
            "default_scopes": ["invoices:read", "reports:read"],
            "access": "read-write",
            "never_expires": false,
            "default_lifetime": 86_400,
            "max_lifetime": 86_400,
            "max_overlap": 604_800,
            "default_rate": "10/60s",
            "max_rate": "10/60s",
            "name_pattern": null,
        });
        assert_eq!(told["choices"], choices);
        assert_eq!(told["keys"], json!({ "live": 0, "max": null, "all": 0 }));
        assert_eq!(told["owner_kinds"], json!(["user", "account", "organization"]));

        // The owner of the default is the caller, and a developer sees the own keys only.
        let alice = &host.world.alice;
        let told = host.ask("GET", "/abilities").by(alice).send().await.json;
        assert_eq!(told["owner"], "user:alice");
        assert_eq!(told["owner_kinds"], json!(["user"]));
        assert_eq!(told["keys"]["max"], 10);
        let any = &told["operations_for_any"];
        assert_eq!(any, &json!(["policy.show"]));
        assert!(told["operations"].as_array().is_some_and(|all| all.contains(&json!("key.show"))));
        Ok(())
    });
}

#[test]
fn q10_hidden_owner_stays_hidden_over_http() {
    on_a_host(async |host| {
        let account = host.account("nightly").await;
        let nobody = Actor::new(UserId::new("nemo")?, Permissions::NONE);
        let nobody = nobody.in_tenant(host.world.tenant().clone());
        let mut said = Vec::new();
        for id in [account.as_str(), "0000000000000000"] {
            let path = format!("/abilities?owner=account:{id}");
            let mut told = host.ask("GET", &path).by(&nobody).send().await;
            assert_eq!(told.status, 200);
            assert_eq!(told.json["obstacles"][0]["code"], "permission_denied");
            assert_eq!((&told.json["keys"], &told.json["choices"]), (&json!(null), &json!(null)));
            told.json["owner"] = json!(null);
            said.push(told.json);
        }
        assert_eq!(said[0], said[1], "absent and hidden accounts look alike");

        let otto = Actor::administrator(UserId::new("otto")?).in_tenant(TenantId::new("initech")?);
        let path = format!("/abilities?owner=account:{account}");
        let told = host.ask("GET", &path).by(&otto).send().await.json;
        let codes: Vec<_> = told["obstacles"].as_array().expect("a list").iter().collect();
        assert!(codes.iter().any(|problem| problem["code"] == "account_not_found"), "{told}");
        assert_eq!(told["choices"]["scopes"], json!({}));
        Ok(())
    });
}

#[test]
fn malformed_owner_of_abilities_is_refused() {
    on_a_host(async |host| {
        for (query, field) in [
            ("owner=", "owner"),
            ("owner=alice", "owner"),
            ("owner=account:1", "owner"),
            ("owner=user:alice&owner=user:bob", "owner"),
            ("owners=user:alice", "owners"),
            ("limit=1", "limit"),
        ] {
            let answer = host.get(&format!("/abilities?{query}")).await;
            assert_eq!(answer.problem(), (400, "invalid_query"), "{query}");
            assert_eq!(answer.limit().0, field, "{query}");
        }
        let post = host.post("/abilities", json!({})).await;
        assert_eq!(post.problem(), (405, "method_not_allowed"));
        Ok(())
    });
}

#[test]
fn e9_account_entry_is_answered_over_http() {
    on_a_host(async |host| {
        let id = host.account("nightly").await;
        let path = format!("/accounts/{id}");
        let key = host.post(&format!("{path}/keys"), json!({ "name": "prod-nightly" })).await;
        let listed = host.get("/accounts").await.json["items"][0].clone();
        assert_eq!((&listed["live_keys"], &listed["all_keys"]), (&json!(1), &json!(1)));
        assert_eq!(listed["keys"][0]["key"]["id"], key.json["key"]["id"]);
        assert_eq!(listed["scopes"], json!(["invoices:read", "reports:read"]));
        let actions = json!([
            "key.generate",
            "key.revoke",
            "key.transfer",
            "account.edit",
            "account.disable",
            "account.delete",
        ]);
        assert_eq!(listed["actions"], actions);

        let mut disabled = host.post(&format!("{path}/disable"), json!({})).await.json;
        assert_eq!(disabled["refused_because"], "account_disabled");
        assert_eq!(disabled["keys"][0]["refused_because"], "account_disabled");
        let members = disabled.as_object_mut().ok_or("an object")?;
        assert_eq!(members.remove("unchanged"), Some(json!(false)));
        assert_eq!(disabled, host.get(&path).await.json, "the change answers with the entry");
        Ok(())
    });
}
