//! Plan, settings and the rules in force over HTTP. The plan is replaced as a whole, and only the version
//! that the client has seen. The settings change field by field.

use serde_json::{Map, Value, json};

use crate::client::{Answer, Host, on_a_host};

async fn plan(host: &Host) -> (Value, String) {
    let read = host.get("/plan").await;
    let tag = read.header("etag").expect("a tag").to_owned();
    (read.json, tag)
}

async fn edit(host: &Host, body: Value) -> Answer {
    host.ask("PATCH", "/settings").json(body).send().await
}

#[test]
fn plan_round_trips_with_a_change() {
    on_a_host(async |host| {
        let (mut plan, tag) = plan(host).await;
        plan["max_lifetime"] = json!(7_776_000);
        plan["name_pattern"] = json!({ "environments": ["prod", "dev"] });
        plan["roles"]["viewer"] = json!({ "description": "Looks", "scopes": ["reports:read"] });
        plan["scopes"]["jobs:run"] = json!({ "description": "Runs", "access": "read-write" });
        plan["max_rate"] = json!("10/1s");
        plan["max_keys_per_account"] = json!(7);
        let set = || host.ask("PUT", "/plan").if_match(&tag).json(plan.clone()).send();
        let done = set().await;
        assert_eq!((done.status, &done.json["unchanged"]), (200, &json!(false)));
        assert_eq!(done.json["plan"], plan);
        let again = host.get("/plan").await;
        assert_eq!(again.json, plan);
        assert_eq!(again.header("etag"), done.header("etag"));
        assert_eq!(set().await.problem(), (412, "stale"));
        Ok(())
    });
}

#[test]
fn largest_possible_plan_is_accepted() {
    on_a_host(async |host| {
        let (mut plan, tag) = plan(host).await;
        let text = "\u{1F511}".repeat(1_000);
        let scopes = |count| -> Vec<String> { (0..count).map(|n| format!("s{n:0>63}")).collect() };
        let catalog = scopes(256).into_iter();
        let defined = json!({ "description": text, "access": "read-only" });
        let catalog: Map<_, _> = catalog.map(|scope| (scope, defined.clone())).collect();
        plan["scopes"] = catalog.into();
        plan["default_scopes"] = json!(scopes(64));
        let role = json!({ "description": text, "scopes": scopes(64) });
        let roles: Map<_, _> = (0..64).map(|n| (format!("r{n:0>63}"), role.clone())).collect();
        plan["roles"] = roles.into();
        let put = host.ask("PUT", "/plan").if_match(tag);
        let done = put.json(plan.clone()).send().await;
        assert_eq!((done.status, &done.json["plan"]), (200, &plan));
        Ok(())
    });
}

#[test]
fn unchanged_plan_and_settings_are_reported() {
    on_a_host(async |host| {
        let (plan, tag) = plan(host).await;
        let same = host.ask("PUT", "/plan").if_match(&tag).json(plan).send().await;
        assert_eq!((same.status, &same.json["unchanged"]), (200, &json!(true)));
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        let read = host.get("/settings").await;
        let same = edit(host, read.json.clone()).await;
        assert_eq!((same.status, &same.json["unchanged"]), (200, &json!(true)));
        assert_eq!(same.header("etag"), read.header("etag"));
        Ok(())
    });
}

#[test]
fn plan_replacement_needs_its_version() {
    on_a_host(async |host| {
        let (plan, _) = plan(host).await;
        let put = || host.ask("PUT", "/plan").json(plan.clone());
        assert_eq!(put().send().await.problem(), (428, "precondition_required"));
        let star = put().if_match("*").send().await;
        assert_eq!(star.problem(), (400, "precondition_not_supported"));
        Ok(())
    });
}

#[test]
fn incomplete_plan_is_refused() {
    on_a_host(async |host| {
        let (whole, tag) = plan(host).await;
        for field in whole.as_object().expect("fields").keys() {
            let mut plan = whole.clone();
            plan.as_object_mut().expect("fields").remove(field);
            let put = host.ask("PUT", "/plan").if_match(&tag).json(plan).send().await;
            assert_eq!(put.problem(), (422, "invalid_body"), "{field}");
            assert!(put.text_at("/detail").contains(field), "{field}");
        }
        Ok(())
    });
}

#[test]
fn only_the_host_sets_the_plan() {
    on_a_host(async |host| {
        let (plan, tag) = plan(host).await;
        let world = &host.world;
        for actor in [&world.tenant_admin, &world.alice, &world.auditor] {
            for (field, value) in [
                ("api_access", json!(false)),
                ("max_keys_per_user", json!(1_000)),
                ("max_rate", json!(null)),
                ("default_scopes", json!(["invoices:write"])),
            ] {
                let mut plan = plan.clone();
                plan[field] = value;
                let put = host.ask("PUT", "/plan").by(actor).if_match(&tag).json(plan).send().await;
                assert_eq!(put.problem(), (403, "permission_denied"), "{field}");
            }
        }
        assert_eq!(host.get("/plan").await.json, plan);
        Ok(())
    });
}

#[test]
fn greatest_possible_version_is_stale() {
    on_a_host(async |host| {
        let (mut plan, _) = plan(host).await;
        plan["require_expiry"] = json!(true);
        for tag in ["\"18446744073709551615\"", "\"9223372036854775807\""] {
            let put = host.ask("PUT", "/plan").if_match(tag).json(plan.clone()).send().await;
            assert_eq!(put.problem(), (412, "stale"), "{tag}");
            let edit = host.ask("PATCH", "/settings").if_match(tag);
            let edit = edit.json(json!({ "require_expiry": true })).send().await;
            assert_eq!(edit.problem(), (412, "stale"), "{tag}");
        }
        plan["version"] = json!(u64::MAX);
        let put = host.ask("PUT", "/plan").if_match("\"1\"").json(plan).send().await;
        assert_eq!(put.problem(), (422, "invalid_body"));
        let (id, _) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        let edit = host.ask("PATCH", &path).if_match("\"18446744073709551615\"");
        let edit = edit.json(json!({ "name": "prod-b" })).send().await;
        assert_eq!(edit.problem(), (412, "stale"));
        Ok(())
    });
}

#[test]
fn settings_change_field_by_field() {
    on_a_host(async |host| {
        let before = host.get("/settings").await;
        let done = edit(host, json!({ "max_keys_per_user": 3, "require_expiry": true })).await;
        let mut expected = before.json.clone();
        (expected["max_keys_per_user"], expected["require_expiry"]) = (json!(3), json!(true));
        assert_eq!((done.status, &done.json["settings"]), (200, &expected));
        let stale = host.ask("PATCH", "/settings").if_match(before.header("etag").expect("a tag"));
        let stale = stale.json(json!({ "require_expiry": false })).send().await;
        assert_eq!(stale.problem(), (412, "stale"));
        let reset = edit(host, json!({ "max_keys_per_user": null })).await;
        expected["max_keys_per_user"] = json!(null);
        assert_eq!(reset.json["settings"], expected);
        assert_eq!(edit(host, json!({})).await.problem(), (422, "invalid_body"));
        Ok(())
    });
}

/// A form shows the bound beside the setting that exceeds it.
#[test]
fn setting_beyond_plan_names_its_bound() {
    on_a_host(async |host| {
        host.world
            .set_policy(|policy| {
                policy.plan.max_keys_per_user = 10;
                policy.settings.max_keys_per_user = Some(10);
                policy.plan.max_lifetime = Some(common::DAY * 30);
                policy.plan.max_rate = "100/60s".parse().ok();
                policy.plan.require_expiry = true;
            })
            .await?;
        let before = host.get("/settings").await.json;
        let table = [
            ("max_keys_per_user", json!(11), json!(10)),
            ("max_lifetime", json!(2_592_001), json!(2_592_000)),
            ("default_lifetime", json!(2_592_001), json!(2_592_000)),
            ("default_rate", json!("101/60s"), json!("100/60s")),
        ];
        let admin = &host.world.tenant_admin;
        for (field, value, bound) in table {
            let ask = host.ask("PATCH", "/settings").by(admin);
            let refused = ask.json(json!({ field: value, "retention": 60 })).send().await;
            assert_eq!(refused.problem(), (422, "beyond_plan"), "{field}");
            assert_eq!(refused.limit(), (field, value, bound));
        }
        let off = host.ask("PATCH", "/settings").by(admin).json(json!({ "require_expiry": false }));
        let off = off.send().await;
        assert_eq!(
            (off.problem(), off.text_at("/field")),
            ((422, "beyond_plan"), "require_expiry")
        );
        assert_eq!(host.get("/settings").await.json, before);
        Ok(())
    });
}

#[test]
fn policy_shows_value_and_source_of_rules() {
    on_a_host(async |host| {
        let set = json!({ "max_keys_per_user": 20, "max_overlap": 3_600, "retention": null });
        assert_eq!(edit(host, set).await.status, 200);
        let (mut plan, tag) = plan(host).await;
        plan["max_keys_per_user"] = json!(5);
        host.ask("PUT", "/plan").if_match(tag).json(plan.clone()).send().await;
        let policy = host.get("/policy").await.json;
        let table = [
            ("max_keys_per_user", json!(5), "plan"),
            ("max_overlap", json!(3_600), "setting"),
            ("retention", json!(7_776_000), "default"),
            ("api_enabled", json!(true), "setting"),
        ];
        for (rule, value, source) in table {
            let expected = json!({ "value": value, "source": source });
            assert_eq!(policy["in_force"][rule], expected, "{rule}");
        }
        // The setting that the plan has overtaken stays.
        assert_eq!(policy["settings"]["max_keys_per_user"], 20);
        assert_eq!(policy["plan"], plan);
        for (path, version) in [("/plan", "plan_version"), ("/settings", "settings_version")] {
            let tag = format!("\"{}\"", policy[version]);
            assert_eq!(host.get(path).await.header("etag"), Some(tag.as_str()));
        }
        Ok(())
    });
}
