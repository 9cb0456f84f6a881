//! A failing store results in a 503, never in "no such key", and the answer shows no detail of the
//! store.

use serde_json::{Value, json};

use crate::client::{Answer, Host, on_a_host};
use common::Random;
use common::faults::Fault;

#[test]
fn every_route_reports_an_outage() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-a").await;
        let account = host.account("nightly").await;
        let plan = host.get("/plan").await.json;
        host.faulty.set(Fault::Down);
        let table = [
            ("GET", "/keys".to_owned(), json!({})),
            ("POST", "/keys".to_owned(), json!({ "name": "prod-b" })),
            ("GET", format!("/keys/{id}"), json!({})),
            ("PATCH", format!("/keys/{id}"), json!({ "name": "prod-b" })),
            ("DELETE", format!("/keys/{id}"), json!({})),
            ("POST", format!("/keys/{id}/disable"), json!({})),
            ("POST", format!("/keys/{id}/enable"), json!({})),
            ("POST", format!("/keys/{id}/rotate"), json!({ "overlap": 0 })),
            ("POST", format!("/keys/{id}/finish-rotation"), json!({})),
            ("POST", format!("/keys/{id}/revoke"), json!({})),
            ("POST", "/keys/revoke".to_owned(), json!({ "ids": [id] })),
            ("GET", "/accounts".to_owned(), json!({})),
            ("POST", "/accounts".to_owned(), json!({ "name": "a", "role": "analyst" })),
            ("GET", format!("/accounts/{account}"), json!({})),
            ("PATCH", format!("/accounts/{account}"), json!({ "name": "b" })),
            ("DELETE", format!("/accounts/{account}"), json!({})),
            ("POST", format!("/accounts/{account}/disable"), json!({})),
            ("POST", format!("/accounts/{account}/enable"), json!({})),
            ("POST", format!("/accounts/{account}/keys"), json!({ "name": "prod-b" })),
            ("GET", "/policy".to_owned(), json!({})),
            ("GET", "/plan".to_owned(), json!({})),
            ("PUT", "/plan".to_owned(), plan),
            ("GET", "/settings".to_owned(), json!({})),
            ("PATCH", "/settings".to_owned(), json!({ "api_enabled": false })),
            ("POST", format!("/keys/{id}/transfer"), json!({ "owner": "user:bob" })),
            (
                "POST",
                "/owners/transfer".to_owned(),
                json!({ "from": "user:ada", "to": "user:bob" }),
            ),
            ("POST", "/owners/revoke".to_owned(), json!({ "owner": "user:ada" })),
            ("GET", "/users/bob".to_owned(), json!({})),
            ("PATCH", "/users/bob".to_owned(), json!({ "display_name": "Bob" })),
            ("POST", "/users/bob/suspend".to_owned(), json!({})),
            ("POST", "/users/bob/restore".to_owned(), json!({})),
            ("GET", "/events".to_owned(), json!({})),
        ];
        for (method, path, body) in table {
            let ask = host.ask(method, &path);
            let ask = if method == "PUT" { ask.if_match("\"1\"") } else { ask };
            let answer = ask.json(body).send().await;
            must_be_an_outage(&answer, &format!("{method} {path}"));
            let cause = answer.cause.unwrap_or_default();
            assert!(cause.contains("the store is down"), "{method} {path}: {cause:?}");
        }
        host.faulty.set(None);
        assert_eq!(host.get("/plan").await.cause, None);
        Ok(())
    });
}

#[track_caller]
fn must_be_an_outage(answer: &Answer, what: &str) {
    must_be_503(answer, "unavailable", what);
}

fn must_be_503(answer: &Answer, code: &str, what: &str) {
    assert_eq!(answer.problem(), (503, code), "{what}");
    assert_eq!(answer.header("retry-after"), Some("1"), "{what}");
    assert!(!answer.text.contains("the store is down"), "{what}");
    assert!(!answer.text.contains("entropy"), "{what}");
}

#[test]
fn key_without_store_answer_stays_secret() {
    on_a_host(async |host| {
        for fault in [Fault::WritesLost, Fault::AnswersLost] {
            host.faulty.set(fault);
            let answer = host.post("/keys", json!({ "name": "prod-a" })).await;
            must_be_an_outage(&answer, "generate");
            assert!(!answer.text.contains("token"));
        }
        Ok(())
    });
}

/// Returns each key of an answer with its result.
fn results(answer: &Answer) -> Vec<(&str, &str)> {
    let results = answer.json["results"].as_array().expect("results");
    results
        .iter()
        .map(|result| {
            let became = match &result["unchanged"] {
                Value::Bool(true) => "unchanged",
                Value::Bool(false) => "done",
                _ => result["problem"]["code"].as_str().expect("a problem"),
            };
            (result["id"].as_str().expect("an id"), became)
        })
        .collect()
}

#[test]
fn outage_hides_no_key_that_was_revoked() {
    on_a_host(async |host| {
        // With the last fault, the second key was revoked, but the answer was lost.
        for fault in [Fault::Down, Fault::WritesLost, Fault::AnswersLost] {
            let (first, _) = host.key("prod-a").await;
            let (second, _) = host.key("prod-b").await;
            let (third, _) = host.key("prod-c").await;
            host.post(&format!("/keys/{third}/revoke"), json!({})).await;
            let ids = json!({ "ids": [first, second, third] });
            host.faulty.set_after(1, fault);
            let answer = host.post("/keys/revoke", ids.clone()).await;
            assert_eq!(answer.status, 200, "{fault:?}");
            // A revoke of a revoked key is recorded too, and that write fails now.
            let failed = [(&*first, "done"), (&second, "unavailable"), (&third, "unavailable")];
            assert_eq!(results(&answer), failed, "{fault:?}");
            assert!(answer.text.contains("may have been made"), "{fault:?}");
            assert!(!answer.text.contains("the store is down"), "{fault:?}");

            host.faulty.set(None);
            let again = host.post("/keys/revoke", ids).await;
            let second_time = if fault == Fault::AnswersLost { "unchanged" } else { "done" };
            let all = [(&*first, "unchanged"), (&second, second_time), (&third, "unchanged")];
            assert_eq!(results(&again), all, "{fault:?}");
        }
        Ok(())
    });
}

#[test]
fn answered_key_is_listed_in_outage() {
    on_a_host(async |host| {
        let (first, _) = host.key("prod-a").await;
        let (second, _) = host.key("prod-b").await;
        host.faulty.set_after(1, Fault::Down);
        let absent = "0000000000000000";
        let answer = host.post("/keys/revoke", json!({ "ids": [absent, first, second] })).await;
        assert_eq!(answer.status, 200);
        let expected =
            [(absent, "key_not_found"), (&*first, "unavailable"), (&second, "unavailable")];
        assert_eq!(results(&answer), expected);
        Ok(())
    });
}

#[test]
fn failing_random_source_is_an_outage() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-a").await;
        let world = host.world.with_settings(|builder| builder.random(Random::failing()));
        let host = Host::over(&world, world.authority.clone())?;
        let table = [
            ("/keys".to_owned(), json!({ "name": "prod-b" })),
            (format!("/keys/{id}/rotate"), json!({ "overlap": 0 })),
            ("/accounts".to_owned(), json!({ "name": "a", "role": "analyst" })),
        ];
        for (path, body) in table {
            let answer = host.post(&path, body).await;
            must_be_503(&answer, "random_source_failed", &path);
            assert!(answer.text.contains("nothing was changed"), "{}", answer.text);
        }
        Ok(())
    });
}
