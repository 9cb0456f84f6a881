//! Settings beyond the plan, and plans of the tenant itself.

use serde_json::{Value, json};

use super::{DENIED, NONE, NOT_ALLOWED, Try, UNKNOWN, both, refused, row};
use crate::client::on_a_host;
use common::limit_everything;

#[test]
fn q4_no_setting_over_http_exceeds_the_plan() {
    on_a_host(async |host| {
        host.world.set_policy(|policy| limit_everything(&mut policy.plan)).await?;
        let carol = both(&host.world, "carol");
        let actors = [&host.world.tenant_admin, &carol];
        let rows: Vec<_> =
            settings_beyond_the_plan().into_iter().chain(edits_of_the_plan()).collect();
        let tries = refused(host, &actors, &rows).await;
        assert!(tries >= 50, "{tries}");
        Ok(())
    });
}

/// Returns edits of the settings: each setting beyond its bound, and versions that are not the current
/// one.
fn settings_beyond_the_plan() -> Vec<Try> {
    let edit = ("PATCH", "/settings");
    let beyond = |what, body, limit| row(what, edit, body, "422 beyond_plan", limit);
    vec![
        beyond(
            "no expiry required",
            json!({ "require_expiry": false }),
            "require_expiry false true",
        ),
        beyond(
            "a longer lifetime",
            json!({ "max_lifetime": 2_592_001 }),
            "max_lifetime 2592001 2592000",
        ),
        beyond(
            "the longest lifetime",
            json!({ "max_lifetime": u64::MAX }),
            "max_lifetime 18446744073709551615 2592000",
        ),
        beyond(
            "a longer default lifetime",
            json!({ "default_lifetime": 2_592_001 }),
            "default_lifetime 2592001 2592000",
        ),
        beyond("one key more", json!({ "max_keys_per_user": 4 }), "max_keys_per_user 4 3"),
        beyond("many keys", json!({ "max_keys_per_user": 1_000 }), "max_keys_per_user 1000 3"),
        beyond("a longer overlap", json!({ "max_overlap": 86_401 }), "max_overlap 86401 86400"),
        beyond(
            "a larger burst",
            json!({ "default_rate": "101/60s" }),
            "default_rate 101/60s 100/60s",
        ),
        beyond(
            "a faster rate",
            json!({ "default_rate": "100/59s" }),
            "default_rate 100/59s 100/60s",
        ),
        beyond("more events", json!({ "extensive_use": "1/3599s" }), "extensive_use 3599 3600"),
        beyond(
            "more events of refused uses",
            json!({ "suspicious_use": "1/3599s" }),
            "suspicious_use 3599 3600",
        ),
        beyond("a longer retention", json!({ "retention": 864_001 }), "retention 864001 864000"),
        beyond(
            "a longer retention of events",
            json!({ "event_retention": 1_728_001 }),
            "event_retention 1728001 1728000",
        ),
        beyond(
            "a shorter retention of events",
            json!({ "event_retention": 431_999 }),
            "event_retention 431999 432000",
        ),
        beyond(
            "one of two settings",
            json!({ "api_enabled": false, "max_keys_per_user": 4 }),
            "max_keys_per_user 4 3",
        ),
        row(
            "more keys than any plan has",
            edit,
            json!({ "max_keys_per_user": 1_001 }),
            "422 invalid_max_keys",
            "max_keys_per_user 1001 1000",
        ),
        row(
            "a version that is not there yet",
            edit,
            json!({ "max_keys_per_user": 1 }),
            "412 stale",
            "version 7 1",
        )
        .if_match("\"7\""),
        row("a weak version", edit, json!({ "max_keys_per_user": 1 }), "412 stale", "version - 1")
            .if_match("W/\"1\""),
    ]
}

/// Returns edits of what is no setting: the fields of the plan, and the rules in force.
fn edits_of_the_plan() -> Vec<Try> {
    let edit = ("PATCH", "/settings");
    let role = json!({ "analyst": { "description": null, "scopes": ["invoices:write"] } });
    let of_plan = [
        ("the license", "api_access", json!(true)),
        ("the catalog", "scopes", json!({})),
        ("the default scopes", "default_scopes", json!(["invoices:write"])),
        ("a role", "roles", role),
        ("the highest rate", "max_rate", json!(null)),
        ("the keys of an account", "max_keys_per_account", json!(null)),
        ("the keys of the organization", "max_keys_of_organization", json!(null)),
        ("the shortest period of alerts", "min_alert_period", json!(60)),
        ("the longest retention", "max_retention", json!(null)),
        ("the shortest retention of events", "min_event_retention", json!(86_400)),
        ("the longest retention of events", "max_event_retention", json!(null)),
        ("the whole plan", "plan", json!({})),
        ("the version", "version", json!(9)),
    ];
    let mut rows = Vec::new();
    for (what, field, value) in of_plan {
        let limit = format!("{field} - -");
        rows.push(row(what, edit, json!({ field: value }), UNKNOWN, &limit));
    }
    let set =
        |what, request| row(what, request, json!({ "max_keys_per_user": 4 }), NOT_ALLOWED, NONE);
    rows.extend([
        set("all settings at once", ("PUT", "/settings")),
        set("the rules in force", ("PUT", "/policy")),
        set("a rule in force", ("PATCH", "/policy")),
    ]);
    rows
}

#[test]
fn q4_no_plan_over_http_is_the_tenants() {
    on_a_host(async |host| {
        host.world.set_policy(|policy| limit_everything(&mut policy.plan)).await?;
        let carol = both(&host.world, "carol");
        let actors = [&host.world.tenant_admin, &carol];
        let read = host.ask("GET", "/plan").by(&carol).send().await;
        let tag = read.header("etag").ok_or("a tag")?;
        let tries = refused(host, &actors, &wider_plans(&read.json, tag)).await;
        assert!(tries >= 30, "{tries}");
        Ok(())
    });
}

/// Returns the plan with one wider limit each, and the plan as it is.
fn wider_plans(plan: &Value, tag: &str) -> Vec<Try> {
    let writing = json!({ "description": null, "scopes": ["invoices:write"] });
    let read_only = json!({ "description": null, "access": "read-only" });
    let changes = [
        ("the same plan", "/api_access", json!(true)),
        ("a writing scope that reads", "/scopes/invoices:write", read_only),
        ("more default scopes", "/default_scopes", json!(["invoices:write"])),
        ("a wider role", "/roles/analyst", writing),
        ("no highest rate", "/max_rate", json!(null)),
        ("more keys per user", "/max_keys_per_user", json!(1_000)),
        ("more keys per account", "/max_keys_per_account", json!(null)),
        ("more keys of the organization", "/max_keys_of_organization", json!(null)),
        ("no expiry required", "/require_expiry", json!(false)),
        ("no longest lifetime", "/max_lifetime", json!(null)),
        ("a longer overlap", "/max_overlap", json!(7_776_000)),
        ("shorter periods of alerts", "/min_alert_period", json!(60)),
        ("no longest retention", "/max_retention", json!(null)),
        ("a shorter retention of events", "/min_event_retention", json!(86_400)),
    ];
    let put = ("PUT", "/plan");
    let mut rows: Vec<_> = changes
        .into_iter()
        .map(|(what, place, value)| {
            let mut plan = plan.clone();
            *plan.pointer_mut(place).expect("a field of the plan") = value;
            row(what, put, plan, DENIED, NONE).if_match(tag)
        })
        .collect();
    rows.extend([
        row("a plan of an older version", put, plan.clone(), DENIED, NONE).if_match("\"1\""),
        row("a plan of any version", put, plan.clone(), "428 precondition_required", NONE),
        row("a plan by another method", ("PATCH", "/plan"), plan.clone(), NOT_ALLOWED, NONE),
        row("a second plan", ("POST", "/plan"), plan.clone(), NOT_ALLOWED, NONE),
        row("no plan", ("DELETE", "/plan"), json!({}), NOT_ALLOWED, NONE),
    ]);
    rows
}
