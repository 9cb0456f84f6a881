//! GitHub's endpoint: the known answers of its documentation, its feedback, and its bounds.

use http::{HeaderValue, StatusCode};
use keywright::http::reports::{
    GithubKeys, GithubKeysError, GithubReports, MAX_BODY_BYTES, MAX_TOKENS, SignedReports,
};
use keywright::store::EventQuery;
use keywright::{DetailField, EventKind, Reason};
use serde_json::{Value, json};

use common::faults::Fault;
use common::{TestResult, block_on};

use crate::sender::{Host, found, github_request, list_of, matches_of, sha256};

/// The public keys, bodies and signatures of the samples in GitHub's documentation of the partner
/// program: of today, and of 2022, with a key for tests.
const SAMPLES: [[&str; 4]; 2] = [
    [
        "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n",
        r#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#,
        "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==",
    ],
    [
        "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP\nHzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==\n-----END PUBLIC KEY-----",
        r#"[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]"#,
        "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=",
    ],
];

#[test]
fn b11_samples_of_github_are_accepted() {
    let host = Host::new();
    let list = list_of(&SAMPLES.map(|[id, pem, ..]| (id, pem)));
    host.keys.replace(list.as_bytes()).expect("a list");
    for (n, [id, _, body, signature]) in SAMPLES.into_iter().enumerate() {
        let answer = block_on(host.send(github_request(id, signature, body)));
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let expected = json!([{
            "token_hash": sha256("some_token"), "token_type": "some_type", "label": "false_positive",
        }]);
        assert_eq!(answer.json(), expected);
        // A changed body, and the key of the other sample.
        let changed = body.replace("some_type", "some_typf");
        let [other, ..] = SAMPLES[1 - n];
        for forged in
            [github_request(id, signature, changed), github_request(other, signature, body)]
        {
            assert_eq!(block_on(host.send(forged)).code(), "wrong_signature");
        }
    }
}

#[test]
fn b11_github_report_ends_its_keys() -> TestResult {
    let host = Host::new();
    block_on(async {
        let [first, second, spared] =
            [host.world.key().await, host.world.key().await, host.world.key().await];
        let mut report: Vec<Value> = vec![
            found(first.token.expose()),
            found("ghp_of_another_service"),
            found(second.token.expose()),
            found(first.token.expose()),
        ];
        // A place without a URL, and a member that GitHub may add.
        report[2]["url"] = json!("");
        report[2]["new_member"] = json!({ "any": [1] });
        let answer = host.github_sends(Value::from(report).to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let labels: Vec<_> = answer.json().as_array().ok_or("a list")?.clone();
        let expected = [
            (first.token.expose(), "true_positive"),
            ("ghp_of_another_service", "false_positive"),
            (second.token.expose(), "true_positive"),
            (first.token.expose(), "true_positive"),
        ];
        for (label, (token, expected)) in labels.iter().zip(expected) {
            let expected = json!({
                "token_hash": sha256(token), "token_type": "acme_api_token", "label": expected,
            });
            assert_eq!(*label, expected);
        }
        assert_eq!(labels.len(), expected.len());
        for dead in [&first, &second] {
            assert_eq!(host.world.check(dead).await, Err(Reason::Revoked));
            assert!(!answer.text.contains(&dead.token.expose_key_secret()[..8]));
        }
        assert_eq!(host.world.check(&spared).await, Ok(()));
        let told = host.world.events(EventQuery::new().kind(EventKind::LeakReported)).await?;
        let text = |n: usize, field| told[n].details.get_text(field);
        assert_eq!(told.len(), 2);
        assert!(text(0, DetailField::LeakSource).is_some_and(|url| url.ends_with("/foo/bar.txt")));
        assert_eq!(text(1, DetailField::LeakSource), Some("content"));
        assert_eq!(text(1, DetailField::Reporter), Some("github"));
        Ok(())
    })
}

#[test]
fn b11_replayed_github_report_is_harmless() -> TestResult {
    let host = Host::new();
    block_on(async {
        let issued = host.world.key().await;
        let body = matches_of(&[&issued]);
        let first = host.github_sends(body.clone()).await;
        let events = host.world.events(EventQuery::new()).await?;
        let again = host.github_sends(body).await;
        assert_eq!((again.status, again.text), (first.status, first.text));
        assert_eq!(host.world.events(EventQuery::new()).await?, events);
        Ok(())
    })
}

#[test]
fn b11_host_can_record_reports_only() -> TestResult {
    let host = Host::with(GithubReports::alert_only, SignedReports::alert_only);
    block_on(async {
        let issued = host.world.key().await;
        let body = matches_of(&[&issued]);
        for _ in 0..2 {
            let answer = host.github_sends(body.clone()).await;
            assert_eq!(answer.json()[0]["label"], "true_positive");
        }
        assert_eq!(host.world.check(&issued).await, Ok(()));
        let told = host.world.events(EventQuery::new().kind(EventKind::LeakReported)).await?;
        assert_eq!(told.len(), 1);
        Ok(())
    })
}

#[test]
fn b11_large_report_is_bounded() {
    let host = Host::new();
    block_on(async {
        let calls = host.faults.calls();
        // A million tokens, which are too long; and as many as fit, which are too many.
        let million = format!("[{}{{}}]", "{},".repeat(999_999));
        let refused = host.github_sends(million).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (413, "body_too_large"));
        let item = r#"{"token":"x","type":"t"}"#;
        let list = |n: usize| format!("[{}]", vec![item; n].join(","));
        let refused = host.github_sends(list(MAX_TOKENS + 1)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (413, "too_many_tokens"));
        let accepted = host.github_sends(list(MAX_TOKENS)).await;
        assert_eq!(accepted.status, StatusCode::OK);
        assert_eq!(accepted.json().as_array().map(Vec::len), Some(MAX_TOKENS));
        let spaces = " ".repeat(MAX_BODY_BYTES - 2);
        let accepted = host.github_sends(format!("[{spaces}]")).await;
        assert_eq!((accepted.status, accepted.text.as_str()), (StatusCode::OK, "[]"));
        assert_eq!(host.github_sends(format!("[{spaces} ]")).await.code(), "body_too_large");
        assert_eq!(host.faults.calls(), calls, "look-alikes reach no store");
    });
}

#[test]
fn b11_malformed_report_repeats_no_token() {
    let host = Host::new();
    block_on(async {
        let issued = host.world.key().await;
        let token = issued.token.expose();
        for body in [
            String::new(),
            "{}".to_owned(),
            format!("\"{token}\""),
            format!("[\"{token}\"]"),
            json!([{ "token": token }]).to_string(),
            json!([{ "token": [token], "type": "t" }]).to_string(),
            format!(r#"[{{"token":"{token}","token":"{token}","type":"t"}}]"#),
            format!(r#"[{{"token":"{token}","type":"t"}}"#),
            format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        ] {
            let refused = host.github_sends(body).await;
            assert_eq!((refused.status.as_u16(), refused.code()), (400, "malformed"));
            let said = format!("{} {:?}", refused.text, refused.refusal);
            assert!(!said.contains(&token[20..28]), "{said}");
        }
        let not_utf_8 = [b"[{\"token\":\"" as &[u8], &[0xff], b"\",\"type\":\"t\"}]"].concat();
        assert_eq!(host.github_sends(not_utf_8).await.code(), "malformed");
        assert_eq!(host.world.check(&issued).await, Ok(()));
    });
}

#[test]
fn b11_failed_report_keeps_what_was_done() -> TestResult {
    let host = Host::new();
    block_on(async {
        let issued = [host.world.key().await, host.world.key().await];
        let body = matches_of(&[&issued[0], &issued[1]]);
        host.faults.set_after(1, Fault::Down);
        let failed = host.github_sends(body.clone()).await;
        assert_eq!((failed.status.as_u16(), failed.code()), (503, "unavailable"));
        assert_eq!(
            failed.headers.get("retry-after").map(HeaderValue::as_bytes),
            Some(b"5" as &[u8])
        );
        host.faults.set(None);
        assert_eq!(host.world.check(&issued[0]).await, Err(Reason::Revoked));
        assert_eq!(host.world.check(&issued[1]).await, Ok(()));
        let answer = host.github_sends(body).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(host.world.check(&issued[1]).await, Err(Reason::Revoked));
        Ok(())
    })
}

#[test]
fn list_of_keys_is_checked() {
    let [id, pem, ..] = SAMPLES[0];
    let keys = GithubKeys::new();
    let refused = |body: &str| keys.replace(body.as_bytes()).expect_err("the list is refused");
    assert!(matches!(refused("rate limited"), GithubKeysError::Malformed { line: 1, .. }));
    assert!(matches!(refused(r#"{"public_keys": 7}"#), GithubKeysError::Malformed { .. }));
    assert_eq!(refused(&list_of(&[])), GithubKeysError::NumberOfKeys(0));
    assert_eq!(refused(&list_of(&[(id, pem); 101])), GithubKeysError::NumberOfKeys(101));
    assert_eq!(refused(&" ".repeat(65_537)), GithubKeysError::TooLong(65_537));
    let cut = pem.replace("MFkw", "");
    // A key on P-384 has another structure.
    let other = pem.replace("KoZIzj0DAQcDQgAE", "K4EEACIDYgAEDAQc");
    let compressed = pem.replace("cDQgAE", "cDQgAC");
    for wrong in ["", "MFkw", &cut, &other, &compressed, &pem.replace("PUBLIC", "PRIVATE")] {
        let named = "a-key";
        assert_eq!(
            refused(&list_of(&[(id, pem), (named, wrong)])),
            GithubKeysError::NotAKey(named.to_owned())
        );
    }
    assert_eq!(keys.replace(list_of(&[(id, pem)]).as_bytes()), Ok(()));
}
