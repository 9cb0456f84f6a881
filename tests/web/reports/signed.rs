//! The endpoint for the host's own scanners: signatures, timestamps, replays and answers.

use std::time::Duration;

use http::{Request, StatusCode};
use keywright::http::reports::{MAX_TOKENS, WebhookSecret, WebhookSecretError};
use keywright::store::EventQuery;
use keywright::{DetailField, EventKind, Reason};
use serde_json::json;

use common::faults::Fault;
use common::{HOUR, SECOND, TestResult, block_on};

use crate::sender::{
    Host, OWN, own_request, own_signature, seconds, sha256, signature_of_scanner, tokens_of,
};

#[test]
fn b11_own_report_ends_its_keys() -> TestResult {
    let host = Host::new();
    block_on(async {
        let issued = host.world.key().await;
        let token = issued.token.expose();
        let body = json!({ "tokens": [
            { "token": token, "source": "s3://backups/2027/.env" },
            { "token": "not a token" },
            { "token": token },
        ]});
        let answer = host.scanner_sends("msg_1", body.to_string()).await;
        let hash = sha256(token);
        let expected = json!({ "results": [
            { "token_hash": hash, "outcome": "revoked" },
            { "token_hash": sha256("not a token"), "outcome": "unknown" },
            { "token_hash": hash, "outcome": "unchanged" },
        ]});
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(host.world.check(&issued).await, Err(Reason::Revoked));
        let told = host.world.events(EventQuery::new().kind(EventKind::LeakReported)).await?;
        let text = |field| told[0].details.get_text(field);
        assert_eq!(text(DetailField::LeakSource), Some("s3://backups/2027/.env"));
        assert_eq!(text(DetailField::Reporter), Some("nightly-scan"));
        Ok(())
    })
}

#[test]
fn known_signature_is_accepted() -> TestResult {
    // The sample of the Standard Webhooks libraries.
    let secret = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    let host = Host::with(|github| github, |own| own.reporter("sample", secret));
    let (id, at, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
    host.world.clock.set("2021-02-25T15:02:10Z".parse()?);
    for signature in [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1a,AAAA v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ] {
        // The signature holds, and the body is no report.
        let answer = block_on(host.send(own_request(id, at, signature, body)));
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "malformed"), "{signature}");
    }
    Ok(())
}

#[test]
fn b11_stale_report_is_refused() -> TestResult {
    let host = Host::new();
    block_on(async {
        let issued = host.world.key().await;
        let body = tokens_of(&[issued.token.expose()]);
        let now = host.world.now();
        for (age, is_stale) in [(300, false), (301, true)] {
            let by = Duration::from_secs(age);
            for (n, at) in [now.saturating_sub(by), now.saturating_add(by)].into_iter().enumerate()
            {
                let (id, at) = (format!("msg_{age}_{n}"), seconds(at));
                let signature = signature_of_scanner(&id, &at, body.as_bytes());
                let answer = host.send(own_request(&id, &at, &signature, body.clone())).await;
                let expected = if is_stale { (403, "stale_timestamp") } else { (200, "") };
                assert_eq!((answer.status.as_u16(), answer.code()), expected, "{age} {n}");
            }
        }
        Ok(())
    })
}

#[test]
fn b11_replayed_report_is_refused() -> TestResult {
    let host = Host::new();
    block_on(async {
        let issued = [host.world.key().await, host.world.key().await];
        let body = tokens_of(&[issued[0].token.expose(), issued[1].token.expose()]);
        // A report that failed can come again under its id.
        host.faults.set_after(1, Fault::Down);
        let failed = host.scanner_sends("msg_1", body.clone()).await;
        assert_eq!((failed.status.as_u16(), failed.code()), (503, "unavailable"));
        host.faults.set(None);
        let answer = host.scanner_sends("msg_1", body.clone()).await;
        let outcomes = [0, 1].map(|n| answer.json()["results"][n]["outcome"].clone());
        assert_eq!(outcomes, ["unchanged", "revoked"]);
        let events = host.world.events(EventQuery::new()).await?;
        for _ in 0..2 {
            let replayed = host.scanner_sends("msg_1", body.clone()).await;
            assert_eq!((replayed.status.as_u16(), replayed.code()), (409, "replayed"));
            host.world.clock.advance(299 * SECOND);
        }
        assert_eq!(host.world.events(EventQuery::new()).await?, events);
        // An id is free again when its report is stale.
        host.world.clock.advance(HOUR);
        assert_eq!(host.scanner_sends("msg_1", tokens_of(&[])).await.status, StatusCode::OK);
        Ok(())
    })
}

#[test]
fn b11_forged_own_report_is_refused() {
    let host = Host::new();
    block_on(async {
        let issued = host.world.key().await;
        let body = tokens_of(&[issued.token.expose()]);
        let at = seconds(host.world.now());
        let good = signature_of_scanner("msg_1", &at, body.as_bytes());
        let calls = host.faults.calls();
        let signed =
            |id: &str, at: &str, by: &str, body: &str| own_request(id, at, by, body.to_owned());
        let later = (at.parse::<i64>().expect("a number") + 1).to_string();
        let other =
            own_signature(b"another secret of 32 bytes here!", "msg_1", &at, body.as_bytes());
        for (request, code) in [
            (signed("msg_2", &at, &good, &body), "wrong_signature"),
            (signed("msg_1", &later, &good, &body), "wrong_signature"),
            (signed("msg_1", &at, &good, &format!("{body} ")), "wrong_signature"),
            (signed("msg_1", &at, &other, &body), "wrong_signature"),
            (signed("msg_1", &at, "v1,AAAA", &body), "wrong_signature"),
            (signed("msg_1", &at, &good.replace("v1,", "v2,"), &body), "header"),
            (signed("msg_1", &at, "v1,?", &body), "header"),
            (signed("msg_1", &at, "", &body), "header"),
            (signed("", &at, &good, &body), "header"),
            (signed("a b", &at, &good, &body), "header"),
            (signed(&"m".repeat(129), &at, &good, &body), "header"),
            (signed("msg_1", "+1", &good, &body), "header"),
            (signed("msg_1", "99999999999999999999", &good, &body), "header"),
            (signed("msg_1", "0", &good, &body), "stale_timestamp"),
        ] {
            let answer = host.send(request).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (403, code));
        }
        let twice = Request::post(OWN).header("webhook-id", "msg_1").header("webhook-id", "msg_1");
        let twice = twice.header("webhook-timestamp", &at).header("webhook-signature", &good);
        let answer = host.send(twice.body(body.into()).expect("a request")).await;
        assert_eq!(answer.code(), "header");
        assert_eq!(host.faults.calls(), calls, "no store was asked");
        assert_eq!(host.world.check(&issued).await, Ok(()));
    });
}

#[test]
fn b11_own_report_is_strict_and_bounded() {
    let host = Host::new();
    block_on(async {
        for body in [
            r"[]",
            r"{}",
            r#"{"tokens":{}}"#,
            r#"{"tokens":[{}]}"#,
            r#"{"tokens":[{"token":7}]}"#,
            r#"{"tokens":[{"token":"x","place":"y"}]}"#,
            r#"{"tokens":[],"more":1}"#,
            r#"{"tokens":[],"tokens":[]}"#,
        ] {
            let refused = host.scanner_sends("msg_1", body).await;
            assert_eq!((refused.status.as_u16(), refused.code()), (400, "malformed"), "{body}");
        }
        let many = tokens_of(&vec!["x"; MAX_TOKENS + 1]);
        assert_eq!(host.scanner_sends("msg_1", many).await.code(), "too_many_tokens");
    });
}

#[test]
fn webhook_secret_has_its_form() {
    let refused = |text: &str| WebhookSecret::new(text).err();
    for (text, error) in [
        ("", WebhookSecretError::Form),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WebhookSecretError::Form),
        ("whsec_?", WebhookSecretError::Form),
        ("whsec_", WebhookSecretError::Length(0)),
        (format!("whsec_{}", "A".repeat(88)).as_str(), WebhookSecretError::Length(66)),
    ] {
        assert_eq!(refused(text), Some(error), "{text}");
    }
}
