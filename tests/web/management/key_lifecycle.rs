//! A key's whole lifecycle over HTTP, and the answers that show its tokens.

use keywright::{AccessRequest, Denial, Reason};
use serde_json::json;

use crate::client::on_a_host;
use common::HOUR;

#[test]
fn repeated_ticket_is_refused() {
    on_a_host(async |host| {
        let account = host.account("nightly").await;
        let ticket = "4fQ2xk9ZrT7bWm1c8PzAq0";
        let key = json!({ "name": "prod-main-app", "ticket": ticket });
        let made = host.post("/keys", key.clone()).await;
        assert_eq!(made.status, 201);
        for path in ["/keys".to_owned(), format!("/accounts/{account}/keys")] {
            let again = host.post(&path, key.clone()).await;
            assert_eq!(again.problem(), (409, "ticket_used"), "{path}");
            assert!(again.text_at("/detail").contains(made.text_at("/key/id")), "{path}");
        }
        let new = json!({ "name": "weekly", "role": "analyst", "ticket": ticket });
        let made = host.post("/accounts", new.clone()).await;
        assert_eq!(made.status, 201, "a ticket of a key is none of an account");
        let again = host.post("/accounts", new).await;
        assert_eq!(again.problem(), (409, "ticket_used"));
        assert!(again.text_at("/detail").contains(made.text_at("/account/id")));
        for wrong in
            ["", "4fQ2xk9ZrT7bWm1c8PzAq", "4fQ2xk9ZrT7bWm1c8PzAq01", "4fQ2xk9ZrT7bWm1c8PzAq-"]
        {
            let new = json!({ "name": "prod-main-app", "ticket": wrong });
            assert_eq!(host.post("/keys", new).await.problem(), (422, "invalid_body"), "{wrong}");
        }
        Ok(())
    });
}

#[test]
fn key_lifecycle_works_over_http() {
    on_a_host(async |host| {
        let new = json!({
            "name": "prod-main-app",
            "scopes": ["invoices:read"],
            "networks": ["203.0.113.0/24"],
            "rate": "100/60s",
            "description": "Sends invoices.\r\nRuns every night.",
            "contact": "ops@example.com",
            "metadata": { "team": "billing" },
            "expires_in": 86_400,
        });
        let made = host.post("/keys", new).await;
        assert_eq!(made.status, 201);
        assert_eq!(made.json["key"]["owner"], "user:ada");
        assert_eq!(made.json["key"]["expires_at"], "2026-01-02T09:00:00Z");
        assert_eq!(made.json["key"]["description"], "Sends invoices.\nRuns every night.");
        assert_eq!(made.json["key"]["contact"], "ops@example.com");
        let id = made.text_at("/key/id").to_owned();
        assert_eq!(made.header("location"), Some(format!("keys/{id}").as_str()));
        let path = format!("/keys/{id}");

        let edit = host.ask("PATCH", &path).if_match("\"1\"");
        let edited = edit.json(json!({ "name": "prod-app", "networks": [], "rate": null })).send();
        let edited = edited.await;
        assert_eq!(edited.json["unchanged"], false);
        assert_eq!(edited.json["key"]["name"], "prod-app");
        assert_eq!(edited.json["key"]["rate"], json!(null));
        assert_eq!(edited.header("etag"), Some("\"2\""));

        for (action, disabled) in [("disable", true), ("enable", false)] {
            let first = host.post(&format!("{path}/{action}"), json!({})).await;
            assert_eq!(
                (&first.json["unchanged"], &first.json["key"]["disabled"]),
                (&json!(false), &json!(disabled))
            );
            let second = host.post(&format!("{path}/{action}"), json!({})).await;
            assert_eq!((second.status, &second.json["unchanged"]), (200, &json!(true)));
        }

        let rotated = host.post(&format!("{path}/rotate"), json!({ "overlap": 3_600 })).await;
        assert_eq!(rotated.json["key"]["secret_number"], 2);
        let (old, new) = (made.text_at("/token"), rotated.text_at("/token"));
        host.world.verifier.verify(old).await?;
        host.world.verifier.verify(new).await?;
        host.world.verifier.flush().await?;

        let shown = host.get(&path).await;
        assert_eq!(shown.json["uses"], 2);
        assert_eq!(shown.json["status"], "active");
        assert_eq!(shown.json["prefix"].as_str(), Some(&old[..shown.text_at("/prefix").len()]));
        assert_eq!(shown.json["overlap"]["safe_to_finish"], false);
        let actions = shown.json["actions"].as_array().expect("actions");
        assert!(actions.contains(&json!("key.finish_rotation")));

        let finished = host.post(&format!("{path}/finish-rotation"), json!({})).await;
        assert_eq!(finished.json["key"]["overlap_ends_at"], json!(null));
        assert!(host.world.verifier.verify(old).await.is_err());
        host.world.verifier.verify(new).await?;

        let revoked = host.post(&format!("{path}/revoke"), json!({})).await;
        assert_eq!(revoked.json["key"]["revoked_at"], "2026-01-01T09:00:00Z");
        let denied = host.world.verifier.verify(new).await.expect_err("revoked");
        assert_eq!(denied.denial().map(Denial::reason), Some(&Reason::Revoked));
        assert_eq!(host.get(&path).await.json["refused_because"], "revoked");

        let deleted = host.ask("DELETE", &path).send().await;
        assert_eq!(deleted.status, 204);
        assert_eq!(host.get(&path).await.problem(), (404, "key_not_found"));
        Ok(())
    });
}

#[test]
fn f1_token_and_both_parts_are_handed_out() {
    on_a_host(async |host| {
        let made = host.post("/keys", json!({ "name": "prod-main-app" })).await;
        let path = format!("/keys/{}", made.text_at("/key/id"));
        let rotated = host.post(&format!("{path}/rotate"), json!({ "overlap": 3_600 })).await;
        for answer in [&made, &rotated] {
            let (id, secret) = (answer.text_at("/key_id"), answer.text_at("/key_secret"));
            assert_eq!(id, answer.text_at("/key/id"));
            assert_eq!(answer.text_at("/token"), format!("acme_live_{id}{secret}"));
            host.world.verifier.verify_request(&AccessRequest::parts(id, secret)).await?;
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let shown = host.get(&path).await.text;
        assert!(!shown.contains(made.text_at("/key_secret")), "no other answer shows it");
        assert!(!shown.contains(rotated.text_at("/key_secret")), "no other answer shows it");
        Ok(())
    });
}

#[test]
fn t_h14_token_is_shown_only_when_created() {
    on_a_host(async |host| {
        let (id, token) = host.key("prod-main-app").await;
        let path = format!("/keys/{id}");
        let rotated = host.post(&format!("{path}/rotate"), json!({ "overlap": 60 })).await;
        let tokens = [token.as_str(), rotated.text_at("/token")];
        let mut answers = Vec::new();
        // A token in the wrong place is not repeated in an answer.
        answers.push(host.get(&format!("/keys/{}", tokens[0])).await);
        answers.push(host.get(&format!("/keys?search={}", tokens[0])).await);
        answers.push(host.get(&format!("/keys?{}=1", tokens[0])).await);
        answers.push(host.get(&format!("/keys?owner={}", tokens[0])).await);
        answers.push(host.post("/keys", json!({ "name": tokens[0] })).await);
        answers.push(host.post("/keys", json!({ "name": "prod-b", "rate": tokens[1] })).await);
        answers.push(host.post("/keys", json!({ "name": "prod-b", tokens[1]: 1 })).await);
        answers
            .push(host.post("/keys", json!({ "name": "a", "metadata": { tokens[1]: 1 } })).await);
        answers.push(host.post("/keys", json!({ "name": "a", "scopes": tokens[1] })).await);
        answers.push(host.post("/keys", json!({ "name": "a", "expires_in": tokens[1] })).await);
        let raw = host.ask("POST", "/keys").header("content-type", "application/json");
        answers.push(raw.bytes(tokens[1]).send().await);
        for action in ["disable", "enable", "finish-rotation", "revoke", "revoke"] {
            answers.push(host.post(&format!("{path}/{action}"), json!({})).await);
        }
        answers.push(host.post("/keys/revoke", json!({ "ids": [id] })).await);
        answers.push(host.get(&path).await);
        answers.push(host.get("/keys").await);
        answers.push(host.get("/events").await);
        answers.push(host.ask("DELETE", &path).send().await);
        answers.push(host.get("/openapi.json").await);
        // The id is public, and the part of the token after it is secret.
        for token in tokens {
            let secret = token.split_once(&id).expect("prefix, id, secret").1;
            for answer in &answers {
                assert!(!answer.text.contains(secret), "{} shows a secret", answer.status);
            }
        }
        assert_eq!(answers.len(), 22);
        Ok(())
    });
}

#[test]
fn account_lifecycle_works_over_http() {
    on_a_host(async |host| {
        let new = json!({ "name": "nightly", "role": "analyst", "access": "read-only" });
        let made = host.post("/accounts", new).await;
        assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
        let id = made.text_at("/account/id").to_owned();
        assert_eq!(made.header("location"), Some(format!("accounts/{id}").as_str()));
        let path = format!("/accounts/{id}");

        let key = host.post(&format!("{path}/keys"), json!({ "name": "prod-nightly" })).await;
        assert_eq!(key.json["key"]["owner"], format!("account:{id}"));
        let key_id = key.text_at("/key/id");
        assert_eq!(key.header("location"), Some(format!("../../keys/{key_id}").as_str()));
        assert_eq!(host.get(&format!("/keys/{key_id}")).await.json["owner_name"], "nightly");

        let edit = host.ask("PATCH", &path).json(json!({ "access": "read-write" })).send().await;
        assert_eq!(edit.json["account"]["access"], "read-write");
        for (action, enabled) in [("disable", false), ("enable", true)] {
            let done = host.post(&format!("{path}/{action}"), json!({})).await;
            assert_eq!(
                (&done.json["account"]["enabled"], &done.json["unchanged"]),
                (&json!(enabled), &json!(false))
            );
        }
        let shown = host.get(&path).await;
        assert_eq!(
            (shown.header("etag"), &shown.json["account"]["version"]),
            (Some("\"4\""), &json!(4))
        );
        assert_eq!(host.get("/accounts").await.json["items"], json!([shown.json]));

        assert_eq!(host.ask("DELETE", &path).send().await.status, 204);
        assert!(host.world.verifier.verify(key.text_at("/token")).await.is_err());
        Ok(())
    });
}

#[test]
fn edit_without_change_is_reported() {
    on_a_host(async |host| {
        let (id, _) = host.key("prod-main-app").await;
        let edit = host.ask("PATCH", &format!("/keys/{id}"));
        let same = edit.json(json!({ "name": "prod-main-app" })).send().await;
        assert_eq!((same.status, &same.json["unchanged"]), (200, &json!(true)));
        assert_eq!(same.header("etag"), Some("\"1\""));
        Ok(())
    });
}

#[test]
fn expiry_has_three_forms() {
    on_a_host(async |host| {
        let table = [
            (json!({ "expires_at": "2026-03-01T00:00:00Z" }), json!("2026-03-01T00:00:00Z")),
            (json!({ "expires_in": 60 }), json!("2026-01-01T09:01:00Z")),
            (json!({ "expires_in": 60.0 }), json!("2026-01-01T09:01:00Z")),
            (json!({ "never_expires": true }), json!(null)),
            (json!({ "never_expires": false }), json!("2026-01-01T10:00:00Z")),
            (json!({}), json!("2026-01-01T10:00:00Z")),
        ];
        host.world.set_policy(|policy| policy.settings.default_lifetime = Some(HOUR)).await?;
        for (mut body, expires) in table {
            body["name"] = "prod-a".into();
            let made = host.post("/keys", body.clone()).await;
            assert_eq!(made.json["key"]["expires_at"], expires, "{body}");
        }
        Ok(())
    });
}

#[test]
fn bulk_revocation_answers_in_order() {
    on_a_host(async |host| {
        let (first, _) = host.key("prod-a").await;
        let (second, _) = host.key("prod-b").await;
        host.post(&format!("/keys/{second}/revoke"), json!({})).await;
        let absent = "0000000000000000";
        let done = host.post("/keys/revoke", json!({ "ids": [second, absent, first] })).await;
        let results = done.json["results"].as_array().expect("results");
        assert_eq!(results[0]["unchanged"], true);
        assert_eq!(results[1]["id"], absent);
        assert_eq!(results[1]["problem"]["code"], "key_not_found");
        assert_eq!((&results[2]["id"], &results[2]["unchanged"]), (&json!(first), &json!(false)));
        assert_eq!(results[2]["key"]["revoked_at"], "2026-01-01T09:00:00Z");
        Ok(())
    });
}

#[test]
fn change_of_deleted_key_answers_as_done() {
    on_a_host(async |host| {
        for (action, status) in [("revoke", "revoked"), ("disable", "disabled")] {
            for is_first in [true, false] {
                let (id, _) = host.key("prod-a").await;
                let (authority, admin) = (host.world.authority.clone(), host.world.admin.clone());
                let key = id.parse()?;
                let delete = async move {
                    authority.delete(&admin, &key).await.expect("the key is there");
                };
                if is_first {
                    host.faulty.meanwhile(delete);
                } else {
                    host.faulty.afterwards(delete);
                }
                let done = host.post(&format!("/keys/{id}/{action}"), json!({})).await;
                if action == "disable" && is_first {
                    assert_eq!(done.problem(), (404, "key_not_found"));
                    continue;
                }
                assert_eq!(done.status, 200, "{action} {is_first}");
                assert_eq!(done.json["unchanged"], is_first, "{action}");
                assert_eq!(done.json["key"]["id"], json!(id));
                assert_eq!(done.json["status"], status);
                assert_eq!(done.json["actions"], json!([]), "nothing is left to do");
                assert_eq!(host.get(&format!("/keys/{id}")).await.status, 404);
            }
        }
        Ok(())
    });
}
