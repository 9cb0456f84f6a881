//! Every refusal that a client can get, with its status and code. The table's own tests cover the
//! rows that no request reaches.

use keywright::NamePattern;
use serde_json::{Value, json};

use crate::client::on_a_host;
use common::{DAY, HOUR};

#[test]
fn new_key_problems_have_codes() {
    on_a_host(async |host| {
        host.world
            .set_policy(|policy| {
                policy.settings.max_lifetime = Some(DAY * 30);
                policy.settings.require_expiry = Some(true);
                policy.settings.name_pattern = Some(NamePattern::default());
                policy.settings.default_rate = "10/60s".parse().ok();
            })
            .await?;
        let year_10000 = json!(300_000_000_000_u64);
        let table = [
            (json!({ "name": "mine" }), "invalid_name"),
            (json!({ "never_expires": true }), "expiry_required"),
            (json!({ "expires_at": "2026-01-01T09:00:00Z" }), "expiry_passed"),
            (json!({ "expires_in": 0 }), "zero_lifetime"),
            (json!({ "expires_in": year_10000 }), "lifetime_overflow"),
            (json!({ "expires_in": 31 * 86_400 }), "lifetime_too_long"),
            (json!({ "expires_in": 60, "not_before": "2026-02-01T00:00:00Z" }), "never_valid"),
            (json!({ "scopes": ["admin"], "expires_in": 60 }), "scope_outside_ceiling"),
            (json!({ "rate": "11/60s", "expires_in": 60 }), "rate_above_limit"),
        ];
        for (mut body, code) in table {
            if body["name"].is_null() {
                body["name"] = json!("prod-a");
            }
            let ask = host.ask("POST", "/keys").by(&host.world.alice).json(body);
            assert_eq!(ask.send().await.problem(), (422, code));
        }
        Ok(())
    });
}

/// A form shows the limit beside the field that breaks it.
#[test]
fn problem_names_field_value_and_bound() {
    on_a_host(async |host| {
        host.world
            .set_policy(|policy| {
                policy.settings.max_lifetime = Some(DAY * 30);
                policy.settings.default_rate = "10/60s".parse().ok();
            })
            .await?;
        let none = Value::Null;
        let table = [
            (json!({ "expires_in": 2_592_001 }), "expires_in", json!(2_592_001), json!(2_592_000)),
            (json!({ "never_expires": true }), "never_expires", none.clone(), json!(2_592_000)),
            (json!({ "scopes": ["admin"] }), "scopes", json!("admin"), none.clone()),
            (json!({ "rate": "11/60s" }), "rate", json!("11/60s"), json!("10/60s")),
            (json!({ "name": 7 }), "name", none.clone(), none.clone()),
            (json!({ "name": "bob@example.com" }), "name", none.clone(), none.clone()),
            (json!({ "scopes": ["a", ""] }), "scopes[1]", none.clone(), none.clone()),
            (json!({ "contact": "two\nlines" }), "contact", none.clone(), none.clone()),
        ];
        for (mut body, field, value, bound) in table {
            if body["name"].is_null() {
                body["name"] = json!("prod-a");
            }
            let refused = host.ask("POST", "/keys").by(&host.world.alice).json(body).send().await;
            assert_eq!(refused.status, 422, "{}", refused.json);
            assert_eq!(refused.limit(), (field, value, bound));
        }
        let missing = host.post("/keys", json!({})).await;
        assert_eq!(missing.limit(), ("name", none.clone(), none.clone()));
        for query in ["limit=x", "sort=x", "sort=name&sort=name", "metadata=team", "owner_kind=x"] {
            let field = query.split('=').next().unwrap_or_default();
            let refused = host.get(&format!("/keys?{query}")).await;
            assert_eq!(refused.status, 400, "{query}");
            assert_eq!(refused.limit(), (field, none.clone(), none.clone()), "{query}");
        }
        host.world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
        host.key("prod-b").await;
        let refused = host.post("/keys", json!({ "name": "prod-c" })).await;
        assert_eq!(refused.limit(), ("owner", none, json!(1)));
        Ok(())
    });
}

#[test]
fn tenant_without_access_learns_the_cause() {
    on_a_host(async |host| {
        let new = json!({ "name": "prod-a" });
        host.world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
        host.key("prod-b").await;
        assert_eq!(host.post("/keys", new.clone()).await.problem(), (409, "too_many_keys"));
        host.world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
        assert_eq!(host.post("/keys", new.clone()).await.problem(), (409, "access_off"));
        host.world.set_policy(|policy| policy.plan.api_access = false).await?;
        assert_eq!(host.post("/keys", new).await.problem(), (402, "upgrade_required"));
        Ok(())
    });
}

#[test]
fn missing_permission_is_forbidden() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-a").await;
        let account = host.account("nightly").await;
        let plan = host.get("/plan").await.json;
        let world = &host.world;
        let name = json!({ "name": "prod-b" });
        let table = [
            (&world.auditor, "POST", "/keys".to_owned(), name.clone()),
            (&world.auditor, "PATCH", format!("/keys/{id}"), name.clone()),
            (&world.auditor, "DELETE", format!("/keys/{id}"), json!({})),
            (&world.auditor, "POST", format!("/keys/{id}/revoke"), json!({})),
            (&world.alice, "GET", "/keys?owner=user:ada".to_owned(), json!({})),
            (&world.alice, "GET", "/accounts".to_owned(), json!({})),
            (&world.alice, "GET", format!("/accounts/{account}"), json!({})),
            (&world.alice, "POST", format!("/accounts/{account}/keys"), name.clone()),
            (
                &world.auditor,
                "POST",
                "/accounts".to_owned(),
                json!({ "name": "a", "role": "analyst" }),
            ),
            (&world.auditor, "PATCH", format!("/accounts/{account}"), name),
            (&world.auditor, "DELETE", format!("/accounts/{account}"), json!({})),
            (&world.auditor, "POST", format!("/accounts/{account}/disable"), json!({})),
            (&world.alice, "GET", "/events".to_owned(), json!({})),
        ];
        for (actor, method, path, body) in table {
            let answer = host.ask(method, &path).by(actor).json(body).send().await;
            assert_eq!(answer.problem(), (403, "permission_denied"), "{method} {path}");
        }
        let put = host.ask("PUT", "/plan").by(&world.alice).if_match("\"1\"").json(plan);
        assert_eq!(put.send().await.problem(), (403, "permission_denied"));
        let edit = host.ask("PATCH", "/settings").by(&world.alice);
        let edit = edit.json(json!({ "api_enabled": false })).send().await;
        assert_eq!(edit.problem(), (403, "permission_denied"));
        Ok(())
    });
}

#[test]
fn status_that_forbids_change_conflicts() {
    on_a_host(async |host| {
        let made = host.post("/keys", json!({ "name": "prod-a", "expires_in": 60 })).await;
        let path = format!("/keys/{}", made.text_at("/key/id"));
        host.world.clock.advance(HOUR);
        for action in ["disable", "enable", "rotate", "finish-rotation", "revoke"] {
            let body = if action == "rotate" { json!({ "overlap": 0 }) } else { json!({}) };
            let refused = host.post(&format!("{path}/{action}"), body).await;
            assert_eq!(refused.problem(), (409, "wrong_status"), "{action}");
        }
        let edit = host.ask("PATCH", &path).json(json!({ "rate": null })).send().await;
        assert_eq!(edit.problem(), (409, "wrong_status"));
        Ok(())
    });
}

#[test]
fn edit_and_rotation_problems_have_codes() {
    on_a_host(async |host| {
        let world = &host.world;
        let made = host.ask("POST", "/keys").by(&world.alice).json(json!({ "name": "prod-a" }));
        let path = format!("/keys/{}", made.send().await.text_at("/key/id"));
        world
            .set_policy(|policy| {
                policy.settings.name_pattern = Some(NamePattern::default());
                policy.settings.default_rate = "10/60s".parse().ok();
                policy.settings.max_overlap = Some(HOUR);
            })
            .await?;
        let table = [
            (json!({ "name": "mine" }), "invalid_name"),
            (json!({ "scopes": ["admin"] }), "scope_outside_ceiling"),
            (json!({ "rate": "11/60s" }), "rate_above_limit"),
        ];
        for (body, code) in table {
            let edit = host.ask("PATCH", &path).by(&world.alice).json(body).send().await;
            assert_eq!(edit.problem(), (422, code));
        }
        let rotate = host.post(&format!("{path}/rotate"), json!({ "overlap": 3_601 })).await;
        assert_eq!(rotate.problem(), (422, "overlap_too_long"));
        assert_eq!(rotate.limit(), ("overlap", json!(3_601), json!(3_600)));
        host.post(&format!("{path}/disable"), json!({})).await;
        let rotate = host.post(&format!("{path}/rotate"), json!({ "overlap": 60 })).await;
        assert_eq!(rotate.problem(), (422, "overlap_while_disabled"));
        assert_eq!(rotate.limit(), ("overlap", json!(60), json!(0)));
        let rotate = host.post(&format!("{path}/rotate"), json!({ "overlap": 0 })).await;
        assert_eq!((rotate.status, &rotate.json["key"]["disabled"]), (200, &json!(true)));
        Ok(())
    });
}

#[test]
fn account_problems_have_codes() {
    on_a_host(async |host| {
        let id = host.account("nightly").await;
        let path = format!("/accounts/{id}");
        let stranger = json!({ "name": "a", "role": "emperor" });
        assert_eq!(host.post("/accounts", stranger).await.problem(), (422, "unknown_role"));
        let edit = host.ask("PATCH", &path).json(json!({ "role": "emperor" })).send().await;
        assert_eq!(edit.problem(), (422, "unknown_role"));
        host.post(&format!("{path}/disable"), json!({})).await;
        let key = host.post(&format!("{path}/keys"), json!({ "name": "prod-a" })).await;
        assert_eq!(key.problem(), (409, "account_disabled"));
        let absent =
            host.post("/accounts/0000000000000000/keys", json!({ "name": "prod-a" })).await;
        assert_eq!(absent.problem(), (404, "account_not_found"));
        Ok(())
    });
}

#[test]
fn plan_problems_have_codes() {
    on_a_host(async |host| {
        let read = host.get("/plan").await;
        let many = |count, value: Value| -> Value {
            let entries = (0..count).map(|n| (format!("n{n}"), value.clone()));
            entries.collect::<serde_json::Map<_, _>>().into()
        };
        let role = |scope: &str| json!({ "description": null, "scopes": [scope] });
        let scope = |text: &str| json!({ "description": text, "access": "read-only" });
        let table = [
            ("max_keys_per_user", json!(0), "invalid_max_keys"),
            ("max_keys_per_user", json!(1_001), "invalid_max_keys"),
            ("max_keys_per_account", json!(0), "invalid_max_keys"),
            ("max_keys_of_organization", json!(70_000), "invalid_max_keys"),
            ("max_lifetime", json!(0), "zero_lifetime"),
            ("roles", many(65, json!({ "description": null, "scopes": [] })), "too_many_roles"),
            ("roles", many(1, role("jobs:run")), "unknown_scope"),
            ("roles", json!({ "analyst": ["invoices:read"] }), "invalid_body"),
            ("scopes", many(257, scope("Reads")), "too_many_scopes"),
            ("scopes", many(1, scope(&"x".repeat(1_001))), "invalid_body"),
            ("scopes", many(1, scope("a\0b")), "invalid_body"),
            ("scopes", many(1, scope("")), "invalid_body"),
            (
                "roles",
                json!({ "analyst": { "description": "a\u{202e}b", "scopes": [] } }),
                "invalid_body",
            ),
            ("scopes", many(1, json!({ "access": "read-only" })), "invalid_body"),
            ("default_scopes", json!(["jobs:run"]), "unknown_scope"),
            ("name_pattern", json!({ "environments": ["Prod"] }), "invalid_name_pattern"),
            ("min_alert_period", json!(59), "invalid_alert_period"),
            ("min_event_retention", json!(86_399), "event_retention_too_short"),
        ];
        let tag = read.header("etag").expect("a tag");
        for (field, value, code) in table {
            let mut plan = read.json.clone();
            plan[field] = value;
            let put = host.ask("PUT", "/plan").if_match(tag).json(plan).send().await;
            assert_eq!(put.problem(), (422, code), "{field}");
        }
        assert_eq!(host.get("/plan").await.json, read.json);
        Ok(())
    });
}

#[test]
fn settings_problems_have_codes() {
    on_a_host(async |host| {
        let before = host.get("/settings").await.json;
        let table = [
            (json!({ "max_keys_per_user": 0 }), "invalid_max_keys"),
            (json!({ "max_keys_per_user": 70_000 }), "invalid_max_keys"),
            (json!({ "max_keys_per_user": "3" }), "invalid_body"),
            (json!({ "max_lifetime": 0 }), "zero_lifetime"),
            (json!({ "default_lifetime": 0 }), "zero_lifetime"),
            (json!({ "default_lifetime": 61, "max_lifetime": 60 }), "default_above_max"),
            (json!({ "name_pattern": { "environments": ["Prod"] } }), "invalid_name_pattern"),
            (json!({ "extensive_use": "0/3600s" }), "invalid_body"),
            (json!({ "extensive_use": "10/59s" }), "invalid_body"),
            (json!({ "suspicious_use": "10/2678401s" }), "invalid_body"),
            (json!({ "suspicious_use": 10 }), "invalid_body"),
            (json!({ "event_retention": 86_399 }), "event_retention_too_short"),
            (json!({ "roles": {} }), "invalid_body"),
            (json!({ "scopes": {} }), "invalid_body"),
            (json!({ "max_rate": null }), "invalid_body"),
            (json!({ "version": 7 }), "invalid_body"),
        ];
        for (body, code) in table {
            let edit = host.ask("PATCH", "/settings").json(body.clone()).send().await;
            assert_eq!(edit.problem(), (422, code), "{body}");
        }
        assert_eq!(host.get("/settings").await.json, before);
        Ok(())
    });
}

#[test]
fn number_of_keys_names_field_and_bound() {
    on_a_host(async |host| {
        let read = host.get("/plan").await;
        let tag = read.header("etag").expect("a tag");
        for (number, bound) in [(0_u64, 1), (1_001, 1_000), (65_536, 1_000), (1 << 40, 1_000)] {
            let expected = |field| (field, json!(number), json!(bound));
            let body = json!({ "max_keys_per_user": number });
            let edit = host.ask("PATCH", "/settings").json(body).send().await;
            assert_eq!(edit.problem(), (422, "invalid_max_keys"));
            assert_eq!(edit.limit(), expected("max_keys_per_user"));
            for field in ["max_keys_per_user", "max_keys_per_account", "max_keys_of_organization"] {
                let mut plan = read.json.clone();
                plan[field] = json!(number);
                let put = host.ask("PUT", "/plan").if_match(tag).json(plan).send().await;
                assert_eq!(put.problem(), (422, "invalid_max_keys"));
                assert_eq!(put.limit(), expected(field));
            }
        }
        Ok(())
    });
}

#[test]
fn problem_has_its_five_members() {
    on_a_host(async |host| {
        let absent = host.get("/keys/0000000000000000").await;
        let expected = json!({
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "key_not_found",
            "detail": "the key does not exist, or you have no access to it",
        });
        assert_eq!(absent.json, expected);
        Ok(())
    });
}

#[test]
fn longest_values_are_shown() {
    on_a_host(async |host| {
        let longest = json!({
            "retention": u64::MAX, "event_retention": u64::MAX, "max_lifetime": u64::MAX,
        });
        let edit = host.ask("PATCH", "/settings").json(longest.clone()).send().await;
        assert_eq!(edit.status, 200);
        let policy = host.get("/policy").await.json;
        for (field, value) in longest.as_object().expect("fields") {
            assert_eq!(policy["settings"][field], *value);
            assert_eq!(policy["in_force"][field]["value"], *value);
        }
        Ok(())
    });
}
