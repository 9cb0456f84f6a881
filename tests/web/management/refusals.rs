//! Bad input of the host itself: a plan that contradicts itself, and keys handed to an owner who cannot
//! take them. Each is refused whole, and is on record.

use keywright::store::EventQuery;
use keywright::{DetailField, Event, EventKind, NewAccount, Operation, Owner, Policy};
use serde_json::{Value, json};

use crate::client::{Host, on_a_host};
use common::{HOUR, TestResult, name, named, open_policy, picture_of_now, set_policy};

/// Returns the outcomes of the events since the last call. The next request is in another hour, so that
/// each refusal has an event of its own.
async fn recorded(host: &Host, kind: Operation, seen: &mut usize) -> TestResult<Vec<String>> {
    host.world.clock.advance(HOUR);
    let events = host.world.events(EventQuery::new()).await?;
    let is_of_kind = |event: &&Event| event.kind == EventKind::from(kind);
    let outcome = |event: &Event| match event.details.get_text(DetailField::Problem) {
        Some(problem) => format!("{}: {problem}", event.outcome),
        None => event.outcome.to_string(),
    };
    let told = events.iter().skip(*seen).filter(is_of_kind).map(outcome).collect();
    *seen = events.len();
    Ok(told)
}

#[test]
fn contradictory_plan_is_refused_whole() {
    on_a_host(async |host| {
        let read = host.get("/plan").await;
        let tag = read.header("etag").ok_or("a tag")?;
        let role =
            json!({ "viewer": { "description": null, "scopes": ["invoices:read", "jobs:run"] } });
        let catalog = json!({ "reports:read": { "description": null, "access": "read-only" } });
        let table = [
            ("roles", role, "unknown_scope", ("roles", json!("jobs:run"), json!(null))),
            (
                "default_scopes",
                json!(["invoices:read", "jobs:run"]),
                "unknown_scope",
                ("default_scopes", json!("jobs:run"), json!(null)),
            ),
            // The roles of the plan name scopes that the catalog has no more.
            ("scopes", catalog, "unknown_scope", ("roles", json!("invoices:read"), json!(null))),
            (
                "max_keys_per_user",
                json!(1_001),
                "invalid_max_keys",
                ("max_keys_per_user", json!(1_001), json!(1_000)),
            ),
            (
                "max_event_retention",
                json!(86_399),
                "event_retention_too_short",
                ("max_event_retention", json!(86_399), json!(86_400)),
            ),
        ];
        let mut seen = host.world.events(EventQuery::new()).await?.len();
        for (field, value, code, limit) in table {
            // The rest of the plan is possible, and is not stored either.
            let mut plan = read.json.clone();
            plan["max_overlap"] = json!(60);
            plan[field] = value;
            let put = host.ask("PUT", "/plan").if_match(tag).json(plan).send().await;
            assert_eq!(put.problem(), (422, code), "{field}");
            assert_eq!(put.limit(), limit, "{field}");
            let again = host.get("/plan").await;
            assert_eq!((&again.json, again.header("etag")), (&read.json, Some(tag)), "{field}");
            let told = recorded(host, Operation::PlanSet, &mut seen).await?;
            assert_eq!(told, [format!("refused: malformed: {code}")], "{field}");
        }
        Ok(())
    });
}

#[test]
fn stale_change_names_both_versions() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let account = host.account("nightly").await;
        let plan = host.get("/plan").await.json;
        let edit = json!({ "name": "prod-b" });
        let table = [
            ("PUT", "/plan".to_owned(), plan),
            ("PATCH", "/settings".to_owned(), json!({ "max_keys_per_user": 3 })),
            ("PATCH", format!("/keys/{id}"), edit.clone()),
            ("PATCH", format!("/accounts/{account}"), edit),
        ];
        for (method, path, body) in table {
            let before = host.get(&path).await;
            let tag = before.header("etag").ok_or("a tag")?;
            let current: u64 = tag.trim_matches('"').parse()?;
            let given = current + 3;
            let ask = host.ask(method, &path).if_match(format!("\"{given}\"")).json(body);
            let refused = ask.send().await;
            assert_eq!(refused.problem(), (412, "stale"), "{path}");
            assert_eq!(refused.limit(), ("version", json!(given), json!(current)), "{path}");
            let after = host.get(&path).await;
            assert_eq!((&after.json, after.header("etag")), (&before.json, Some(tag)), "{path}");
        }
        Ok(())
    });
}

#[test]
fn b14_refused_transfer_changes_nothing() {
    on_a_host(async |host| {
        let world = &host.world;
        let full = world.account("full", "operator").await?;
        let disabled = world.account("disabled", "operator").await?;
        let analyst = format!("account:{}", world.account("analyst", "analyst").await?.id);
        world.authority.disable_account(&world.admin, &disabled.id).await?;
        world.authority.suspend_user(&world.admin, world.bob.id()).await?;
        let of = |owner: &Owner| named("prod-full").owner(owner.clone());
        for owner in [&Owner::Account(full.id), &Owner::Organization, &world.admin.as_owner()] {
            world.authority.generate(&world.admin, of(owner)).await?;
        }
        let writing = named("prod-main-app").scopes("invoices:write".parse()?);
        let key = world.generate(writing).await?.key.id;
        world
            .set_policy(|policy| {
                policy.plan.max_keys_per_user = 1;
                policy.settings.max_keys_per_user = None;
                policy.plan.max_keys_per_account = Some(1);
                policy.plan.max_keys_of_organization = Some(1);
            })
            .await?;
        let open = |policy: &mut Policy| *policy = open_policy();
        set_policy(&world.authority, &world.other, open).await?;
        let foreign = NewAccount::new(name("foreign"), "operator".parse()?);
        let foreign = world.authority.create_account(&world.other, foreign).await?.account;
        let foreign_key = world.generate_for(&world.other, named("prod-foreign")).await?.key.id;

        let full_owner = ("owner", json!(null), json!(1));
        let owner = ("owner", json!(null), json!(null));
        let table = [
            ("user:ada".to_owned(), (409, "too_many_keys"), &full_owner),
            (format!("account:{}", full.id), (409, "too_many_keys"), &full_owner),
            ("organization".to_owned(), (409, "too_many_keys"), &full_owner),
            ("user:bob".to_owned(), (409, "user_suspended"), &owner),
            (format!("account:{}", disabled.id), (409, "account_disabled"), &owner),
            (format!("account:{}", foreign.id), (404, "account_not_found"), &owner),
            ("account:0000000000000000".to_owned(), (404, "account_not_found"), &owner),
            (analyst, (422, "no_scope_left"), &("scopes", json!(null), json!(null))),
            ("initech:alice".to_owned(), (422, "invalid_body"), &owner),
        ];
        let now = async || picture_of_now(&world.authority, &world.admin).await;
        let mut seen = world.events(EventQuery::new()).await?.len();
        for (to, (status, code), limit) in &table {
            let path = format!("/keys/{key}/transfer");
            let all = json!({ "from": "user:alice", "to": to });
            let requests: [(&str, Value); 2] =
                [(&path, json!({ "owner": to })), ("/owners/transfer", all)];
            for (path, body) in requests {
                let before = now().await;
                let refused = host.post(path, body).await;
                assert_eq!(refused.problem(), (*status, *code), "{path} {to}");
                // A malformed owner is the field `to` of the hand-over.
                if *code != "invalid_body" {
                    assert_eq!(&refused.limit(), *limit, "{path} {to}");
                }
                assert_eq!(now().await, before, "{path} {to}");
                let told = recorded(host, Operation::KeyTransfer, &mut seen).await?;
                let code = if *code == "invalid_body" { "malformed: invalid_body" } else { code };
                assert_eq!(told, [format!("refused: {code}")], "{path} {to}");
            }
        }
        let before = now().await;
        for owner in ["user:carol", "organization"] {
            let path = format!("/keys/{foreign_key}/transfer");
            let refused = host.post(&path, json!({ "owner": owner })).await;
            assert_eq!(refused.problem(), (404, "key_not_found"));
            let told = recorded(host, Operation::KeyTransfer, &mut seen).await?;
            assert_eq!(told, ["refused: key_not_found"]);
        }
        assert_eq!(now().await, before);
        let stays = world.authority.key(&world.other, &foreign_key).await?.key.owner.clone();
        assert_eq!(stays, world.other.as_owner());
        // An owner with room can take it.
        let path = format!("/keys/{key}/transfer");
        let done = host.post(&path, json!({ "owner": "user:carol" })).await;
        assert_eq!(done.status, 200);
        Ok(())
    });
}
