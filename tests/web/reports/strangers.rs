//! A sender without a signature learns nothing.

use axum::body::Body;
use http::Request;
use keywright::http::reports::MAX_BODY_BYTES;

use common::block_on;

use crate::sender::{GITHUB, Host, OWN, github_request, matches_of, own_request, seconds};

#[test]
fn b5_strangers_report_has_one_answer() {
    let host = Host::new();
    block_on(async {
        let issued = host.world.key().await;
        let calls = host.faults.calls();
        let body = matches_of(&[&issued]);
        let signature = host.github_signature(body.as_bytes());
        let other = host.github_signature(b"[]");
        let at = seconds(host.world.now());
        let mut texts = Vec::new();
        for (request, code) in [
            (bare(GITHUB, &body), "header"),
            (bare(OWN, &body), "header"),
            (github_request("test-key", "", body.clone()), "wrong_signature"),
            (github_request("test-key", "not base64!", body.clone()), "wrong_signature"),
            (github_request("test-key", "AAAA", body.clone()), "wrong_signature"),
            (github_request("test-key", &other, body.clone()), "wrong_signature"),
            (github_request("other", &signature, body.clone()), "unknown_key"),
            (github_request("", &signature, body.clone()), "unknown_key"),
            (github_request(&"k".repeat(5_000), &signature, body.clone()), "header"),
            (github_request("test-key", &signature, format!("{body} ")), "wrong_signature"),
            (github_request("test-key", &other, "not json"), "wrong_signature"),
            (own_request("msg_1", &at, "v1,AAAA", body.clone()), "wrong_signature"),
        ] {
            let answer = host.send(request).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (403, code));
            let (_, said) = answer.refusal.clone().unwrap_or_default();
            let secret = issued.token.expose_key_secret();
            assert!(!format!("{said} {}", answer.text).contains(&secret[..8]));
            texts.push(answer.text);
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:?}");
        // The bound of a body is public, and is checked without a signature.
        let long = github_request("test-key", &other, vec![b' '; MAX_BODY_BYTES + 1]);
        assert_eq!(host.send(long).await.status.as_u16(), 413);
        let read = Request::get(GITHUB).body(Body::empty()).expect("a request");
        assert_eq!(host.send(read).await.status.as_u16(), 405);
        assert_eq!(host.faults.calls(), calls, "no store was asked");
        assert_eq!(host.world.check(&issued).await, Ok(()));
    });
}

fn bare(path: &str, body: &str) -> Request<Body> {
    Request::post(path).body(Body::from(body.to_owned())).expect("a request")
}
