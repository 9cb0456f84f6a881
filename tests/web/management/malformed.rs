//! Invalid requests: those of an actor are recorded as events, others are not.

use keywright::store::EventQuery;
use keywright::{DetailField, Event, EventOutcome, RefusalCode};
use serde_json::{Value, json};

use crate::client::{Host, document, on_a_host};
use common::faults::Fault;
use common::{HOUR, TestResult};

const ID: &str = "4fQ2xk9ZrT7bWm1c";

/// Every operation except the document's own, and the kind of event that it records.
const OPERATIONS: [(&str, &str, &str); 33] = [
    ("GET", "/keys", "key.show"),
    ("POST", "/keys", "key.generate"),
    ("GET", "/keys/{id}", "key.show"),
    ("PATCH", "/keys/{id}", "key.edit"),
    ("DELETE", "/keys/{id}", "key.delete"),
    ("POST", "/keys/{id}/disable", "key.disable"),
    ("POST", "/keys/{id}/enable", "key.enable"),
    ("POST", "/keys/{id}/rotate", "key.rotate"),
    ("POST", "/keys/{id}/finish-rotation", "key.finish_rotation"),
    ("POST", "/keys/{id}/revoke", "key.revoke"),
    ("POST", "/keys/revoke", "key.revoke"),
    ("GET", "/abilities", "key.show"),
    ("GET", "/accounts", "account.show"),
    ("POST", "/accounts", "account.create"),
    ("GET", "/accounts/{id}", "account.show"),
    ("PATCH", "/accounts/{id}", "account.edit"),
    ("DELETE", "/accounts/{id}", "account.delete"),
    ("POST", "/accounts/{id}/disable", "account.disable"),
    ("POST", "/accounts/{id}/enable", "account.enable"),
    ("POST", "/accounts/{id}/keys", "key.generate"),
    ("GET", "/policy", "policy.show"),
    ("GET", "/plan", "policy.show"),
    ("PUT", "/plan", "plan.set"),
    ("GET", "/settings", "policy.show"),
    ("PATCH", "/settings", "settings.edit"),
    ("POST", "/keys/{id}/transfer", "key.transfer"),
    ("POST", "/owners/transfer", "key.transfer"),
    ("POST", "/owners/revoke", "key.revoke"),
    ("GET", "/users/{id}", "user.show"),
    ("PATCH", "/users/{id}", "user.name"),
    ("POST", "/users/{id}/suspend", "user.suspend"),
    ("POST", "/users/{id}/restore", "user.restore"),
    ("GET", "/events", "events.show"),
];

/// Returns the event of the last request: kind, key, account and detail. Advances the clock into
/// another minute for the next request.
async fn left(host: &Host, seen: &mut usize) -> TestResult<Vec<[String; 4]>> {
    host.world.clock.advance(HOUR);
    let events = host.world.events(EventQuery::new()).await?;
    let news = events.iter().skip(*seen);
    *seen = events.len();
    let told = news.map(|event: &Event| {
        assert_eq!(event.outcome, EventOutcome::Refused(RefusalCode::Malformed));
        assert_eq!(event.actor.to_string(), "user:ada");
        let problem = event.details.get_text(DetailField::Problem);
        [
            event.kind.to_string(),
            event.key.map(|key| key.to_string()).unwrap_or_default(),
            event.account.map(|account| account.to_string()).unwrap_or_default(),
            problem.unwrap_or_default().to_owned(),
        ]
    });
    Ok(told.collect())
}

#[test]
fn malformed_request_on_any_route_is_recorded() {
    on_a_host(async |host| {
        let known = document()?;
        let mut seen = host.world.events(EventQuery::new()).await?.len();
        let mut count = 0;
        for (path, methods) in known["paths"].as_object().ok_or("paths")? {
            count += methods.as_object().map_or(0, serde_json::Map::len);
            assert!(path == "/openapi.json" || OPERATIONS.iter().any(|row| row.1 == path));
        }
        assert_eq!(count, OPERATIONS.len() + 1);
        for (method, path, kind) in OPERATIONS {
            let asked = format!("{}?nonsense=1", path.replace("{id}", ID));
            let answer = host.ask(method, &asked).json(json!({})).send().await;
            assert_eq!(answer.problem(), (400, "invalid_query"), "{method} {path}");
            let of_key = path.starts_with("/keys/{id}");
            let of_account = path.starts_with("/accounts/{id}");
            let row = [
                kind,
                if of_key { ID } else { "" },
                if of_account { ID } else { "" },
                "invalid_query",
            ];
            assert_eq!(left(host, &mut seen).await?, [row.map(str::to_owned)], "{method} {path}");
            host.ask(method, &asked).unauthenticated().json(json!({})).send().await;
            assert!(left(host, &mut seen).await?.is_empty(), "{method} {path}, unauthenticated");
        }
        Ok(())
    });
}

#[test]
fn each_malformed_part_is_recorded() {
    on_a_host(async |host| {
        let mut seen = host.world.events(EventQuery::new()).await?.len();
        let mut plan = host.get("/plan").await.json;
        plan["max_keys_per_user"] = json!(0);
        let new = json!({ "name": "prod-a" });
        let zero = json!({ "name": "prod-a", "expires_in": 0 });
        let large = json!({ "name": "x".repeat(2_200_000) });
        let table: [(&str, &str, Value, &str, &str); 12] = [
            ("POST", "/keys", json!([]), "", "invalid_body"),
            ("POST", "/keys", json!({ "name": "a", "tenant": "eve" }), "", "invalid_body"),
            ("POST", "/keys", zero, "", "zero_lifetime"),
            ("POST", "/keys", large, "", "body_too_large"),
            ("POST", "/keys", new.clone(), "if-none-match", "precondition_not_supported"),
            ("PATCH", "/keys/4fQ2xk9ZrT7bWm1c", new.clone(), "if-match", "invalid_precondition"),
            ("DELETE", "/keys/none", json!({}), "", "key_not_found"),
            ("DELETE", "/accounts/none", json!({}), "", "account_not_found"),
            ("PUT", "/plan", plan.clone(), "", "precondition_required"),
            ("GET", "/keys?limit=0", json!({}), "", "invalid_query"),
            ("GET", "/events?cursor=none", json!({}), "", "invalid_query"),
            ("POST", "/keys/revoke", json!({ "ids": [] }), "", "invalid_body"),
        ];
        for (method, path, body, header, code) in table {
            let ask = host.ask(method, path).json(body);
            let ask = if header.is_empty() { ask } else { ask.header(header, "none") };
            let answer = ask.send().await;
            assert_eq!(answer.problem().1, code, "{method} {path}");
            let told = left(host, &mut seen).await?;
            let [[_, key, account, problem]] = told.as_slice() else { panic!("{path}: {told:?}") };
            assert_eq!(problem, code);
            assert_eq!((key.is_empty(), account.is_empty()), (!path.contains(ID), true), "{path}");
        }
        let put = host.ask("PUT", "/plan").if_match("\"1\"").json(plan).send().await;
        assert_eq!(put.problem(), (422, "invalid_max_keys"));
        assert_eq!(left(host, &mut seen).await?.len(), 1);
        let text = host.ask("POST", "/keys").header("content-type", "text/plain").bytes("{}");
        assert_eq!(text.send().await.problem().1, "unsupported_media_type");
        assert_eq!(left(host, &mut seen).await?.len(), 1);
        let half = host.ask("POST", "/keys").header("content-type", "application/json").bytes("{");
        assert_eq!(half.send().await.problem().1, "malformed_json");
        assert_eq!(left(host, &mut seen).await?.len(), 1);
        Ok(())
    });
}

#[test]
fn refusal_of_authority_is_recorded_once() {
    on_a_host(async |host| {
        let before = host.world.events(EventQuery::new()).await?.len();
        let absent = host.ask("DELETE", &format!("/keys/{ID}")).json(json!({})).send().await;
        assert_eq!(absent.problem().1, "key_not_found");
        let told = host.world.events(EventQuery::new()).await?.split_off(before);
        let [event] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(event.outcome, EventOutcome::Refused(RefusalCode::KeyNotFound));
        // A read of an absent key is not recorded.
        assert_eq!(host.get(&format!("/keys/{ID}")).await.status, 404);
        let told = host.world.events(EventQuery::new()).await?.split_off(before);
        assert_eq!(told.len(), 1);
        Ok(())
    });
}

#[test]
fn outage_wins_over_malformed_request() {
    on_a_host(async |host| {
        host.faulty.set(Fault::Down);
        let answer = host.post("/keys", json!([])).await;
        assert_eq!(answer.problem(), (503, "unavailable"));
        let stranger = host.ask("POST", "/keys").unauthenticated().json(json!([])).send().await;
        assert_eq!(stranger.problem(), (401, "login_required"));
        Ok(())
    });
}

#[test]
fn malformed_request_events_are_bounded() {
    on_a_host(async |host| {
        let before = host.world.events(EventQuery::new()).await?.len();
        for _ in 0..100 {
            assert_eq!(host.post("/keys", json!([])).await.status, 422);
        }
        host.world.clock.advance(HOUR);
        host.world.verifier.flush().await?;
        assert_eq!(host.world.events(EventQuery::new()).await?.len(), before + 11);
        Ok(())
    });
}
