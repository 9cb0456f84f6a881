//! Senders of reports, and a host that answers them.

use axum::Router;
use axum::body::Body;
use base64ct::{Base64, Encoding};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use keywright::http::reports::{
    GithubKeys, GithubReports, ReportRefusal, SignedReports, WebhookSecret,
};
use keywright::{Issued, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use ring::{digest, hmac};
use serde_json::{Value, json};
use tower::ServiceExt;

use common::World;
use common::faults::Faults;

pub(crate) const GITHUB: &str = "/leaks/github";
pub(crate) const OWN: &str = "/leaks";
const KEY_ID: &str = "test-key";
const SECRET: &[u8] = b"a secret of the tests with 32 by";

/// The answer to a report.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) headers: http::HeaderMap,
    /// The code of the refusal that the host can log, and its text.
    pub(crate) refusal: Option<(&'static str, String)>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> &'static str {
        self.refusal.as_ref().map_or("", |(code, _)| code)
    }
}

/// A host with both endpoints on a store that can fail, and the private key of its GitHub.
pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    pub(crate) keys: GithubKeys,
    app: Router,
    pair: EcdsaKeyPair,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(|github| github, |own| own)
    }

    pub(crate) fn with(
        github: impl FnOnce(GithubReports) -> GithubReports,
        own: impl FnOnce(SignedReports) -> SignedReports,
    ) -> Self {
        let (world, faults) = World::faulty(|builder| builder);
        let random = SystemRandom::new();
        let scheme = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::generate_pkcs8(scheme, &random).expect("a pair");
        let pair = EcdsaKeyPair::from_pkcs8(scheme, pair.as_ref(), &random).expect("a pair");
        let keys = GithubKeys::new();
        let list = list_of(&[(KEY_ID, &pem(pair.public_key().as_ref()))]);
        keys.replace(list.as_bytes()).expect("a list");
        let secret = format!("whsec_{}", Base64::encode_string(SECRET));
        let secret = WebhookSecret::new(secret).expect("a secret");
        let reports = GithubReports::new(world.verifier.clone(), keys.clone());
        let own_reports = SignedReports::new(world.verifier.clone());
        let app = Router::new()
            .nest(GITHUB, github(reports).router())
            .nest(OWN, own(own_reports.reporter("nightly-scan", secret)).router());
        Self { world, faults, keys, app, pair }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let Ok(response) = self.app.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let refusal = parts.extensions.get::<ReportRefusal>();
        Answer {
            status: parts.status,
            text: String::from_utf8(bytes.to_vec()).expect("text"),
            headers: parts.headers,
            refusal: refusal.map(|refusal| (refusal.code(), refusal.to_string())),
        }
    }

    /// Returns GitHub's signature of a body.
    pub(crate) fn github_signature(&self, body: &[u8]) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), body).expect("a signature");
        Base64::encode_string(signature.as_ref())
    }

    /// Sends a body that GitHub has signed.
    pub(crate) async fn github_sends(&self, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let signature = self.github_signature(&body);
        self.send(github_request(KEY_ID, &signature, body)).await
    }

    /// Sends a body that the host's scanner has signed now.
    pub(crate) async fn scanner_sends(&self, id: &str, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let at = self.world.now();
        let signature = own_signature(SECRET, id, &seconds(at), &body);
        self.send(own_request(id, &seconds(at), &signature, body)).await
    }
}

pub(crate) fn seconds(time: Timestamp) -> String {
    (time.unix_micros() / 1_000_000).to_string()
}

pub(crate) fn github_request(id: &str, signature: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(GITHUB).header("GITHUB-PUBLIC-KEY-IDENTIFIER", id);
    let request = request.header("GITHUB-PUBLIC-KEY-SIGNATURE", signature);
    request.body(body.into()).expect("a request")
}

/// Returns a signature of Standard Webhooks under the secret of the tests' scanner.
pub(crate) fn signature_of_scanner(id: &str, at: &str, body: &[u8]) -> String {
    own_signature(SECRET, id, at, body)
}

pub(crate) fn own_signature(secret: &[u8], id: &str, at: &str, body: &[u8]) -> String {
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &signed);
    format!("v1,{}", Base64::encode_string(tag.as_ref()))
}

pub(crate) fn own_request(
    id: &str,
    at: &str,
    signature: &str,
    body: impl Into<Body>,
) -> Request<Body> {
    let request = Request::post(OWN).header("webhook-id", id).header("webhook-timestamp", at);
    request.header("webhook-signature", signature).body(body.into()).expect("a request")
}

/// Returns the body of GitHub's list of public keys.
pub(crate) fn list_of(keys: &[(&str, &str)]) -> String {
    let key =
        |(id, pem): &(&str, &str)| json!({ "key_identifier": id, "key": pem, "is_current": true });
    json!({ "public_keys": keys.iter().map(key).collect::<Vec<_>>() }).to_string()
}

fn pem(point: &[u8]) -> String {
    let start = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let digits = |at: usize| u8::from_str_radix(&start[at..at + 2], 16).expect("hex");
    let mut der: Vec<u8> = (0..start.len()).step_by(2).map(digits).collect();
    der.extend(point);
    let base64 = Base64::encode_string(&der);
    let (first, second) = base64.split_at(64);
    format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
}

/// Returns a match of GitHub's as JSON.
pub(crate) fn found(token: &str) -> Value {
    json!({
        "token": token,
        "type": "acme_api_token",
        "url": "https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt",
        "source": "content",
    })
}

/// Returns the body of a report of GitHub's.
pub(crate) fn matches_of(issued: &[&Issued]) -> String {
    let all: Vec<_> = issued.iter().map(|issued| found(issued.token.expose())).collect();
    Value::from(all).to_string()
}

/// Returns the body of a report of the host's scanner.
pub(crate) fn tokens_of(tokens: &[&str]) -> String {
    let all: Vec<_> = tokens.iter().map(|token| json!({ "token": token })).collect();
    json!({ "tokens": all }).to_string()
}

/// Returns the SHA-256 of a text in hex.
pub(crate) fn sha256(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
