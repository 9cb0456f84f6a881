//! The endpoint for scanners of the host.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::receive::{Endpoint, Target, hash, read, router};
use super::refusal::ReportRefusal;
use super::replays::Replays;
use super::webhook::{Signed, WebhookSecret};
use crate::verifier::Verifier;

/// An endpoint on which scanners of the host report tokens, signed as in
/// [Standard Webhooks](https://www.standardwebhooks.com).
///
/// A report is a `POST` of `{"tokens": [{"token": "...", "source": "https://..."}]}`. The source can
/// be missing. The headers `webhook-id`, `webhook-timestamp` and `webhook-signature` sign it with a
/// [secret](WebhookSecret). The timestamp is at most five minutes from the clock of the setup.
///
/// The answer names each token by its SHA-256, in the order of the report:
/// `{"results": [{"token_hash": "...", "outcome": "revoked"}]}`. The outcomes are those of
/// [`LeakOutcome::as_str`](crate::LeakOutcome::as_str).
///
/// A report that was answered is refused when it comes again. A report that failed can be repeated
/// under the same id. A process remembers 10,000 ids; another node, and a process after its restart,
/// handles a replayed report, which changes nothing.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use tower_service::Service;
/// use axum::Router;
/// use axum::body::Body;
/// use axum::http::Request;
/// use keywright::Keywright;
/// use keywright::http::reports::{SignedReports, WebhookSecret};
/// use keywright::store::MemoryStore;
///
/// let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
/// let secret = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let reports = SignedReports::new(verifier).reporter("nightly-scan", secret);
/// let mut app: Router = Router::new().nest("/leaks", reports.router());
///
/// let unsigned = Request::post("/leaks").body(Body::from(r#"{"tokens": []}"#))?;
/// assert_eq!(app.call(unsigned).await?.status(), 403);
/// # Ok(()) }) }
/// ```
///
/// See [Leak reports](crate::guide::leak_reports) in the guide.
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct SignedReports {
    target: Target,
    reporters: Vec<(String, WebhookSecret)>,
    replays: Arc<Replays>,
}

impl SignedReports {
    /// Creates an endpoint that revokes the reported keys.
    ///
    /// Without a [`reporter`](Self::reporter), it refuses every report.
    ///
    /// ```
    /// use keywright::Verifier;
    /// use keywright::http::reports::{SignedReports, WebhookSecret};
    ///
    /// fn reports(verifier: Verifier, secret: WebhookSecret) -> SignedReports {
    ///     SignedReports::new(verifier).reporter("nightly-scan", secret)
    /// }
    /// ```
    pub fn new(verifier: Verifier) -> Self {
        Self { target: Target::new(verifier), reporters: Vec::new(), replays: Arc::default() }
    }

    /// Adds a sender and its secret.
    ///
    /// The events have its name as the reporter. To change a secret, add the new one under the same
    /// name, and remove the old one when the sender no longer uses it.
    ///
    /// ```
    /// use keywright::http::reports::{SignedReports, WebhookSecret};
    ///
    /// fn with_both(reports: SignedReports, old: WebhookSecret, new: WebhookSecret) -> SignedReports {
    ///     reports.reporter("nightly-scan", old).reporter("nightly-scan", new)
    /// }
    /// ```
    pub fn reporter(mut self, name: impl Into<String>, secret: WebhookSecret) -> Self {
        self.reporters.push((name.into(), secret));
        self
    }

    /// Records the reports and revokes no key.
    ///
    /// See [`LeakReport::alert_only`](crate::LeakReport::alert_only).
    ///
    /// ```
    /// use keywright::http::reports::SignedReports;
    ///
    /// fn careful(reports: SignedReports) -> SignedReports {
    ///     reports.alert_only()
    /// }
    /// ```
    pub fn alert_only(self) -> Self {
        Self { target: Target { alert_only: true, ..self.target }, ..self }
    }

    /// Returns the router, which answers a `POST` at its root.
    ///
    /// ```
    /// use axum::Router;
    /// use keywright::http::reports::SignedReports;
    ///
    /// fn app(reports: SignedReports) -> Router {
    ///     Router::new().nest("/leaks", reports.router())
    /// }
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        router(self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report<'a> {
    #[serde(borrow)]
    tokens: Bounded<Found<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Cow<'a, str>,
}

#[derive(Serialize)]
pub(super) struct Answer {
    results: Vec<TokenResult>,
}

#[derive(Serialize)]
struct TokenResult {
    token_hash: String,
    outcome: &'static str,
}

impl Endpoint for SignedReports {
    type Answer = Answer;

    async fn handle(&self, request: Request) -> Result<Answer, ReportRefusal> {
        let now = self.target.verifier.now();
        let signed = Signed::read(request.headers(), now)?;
        let body = read(request).await?;
        let reporter = self.reporters.iter().find(|(_, secret)| signed.is_by(secret, &body));
        let (reporter, _) = reporter.ok_or(ReportRefusal::WrongSignature)?;
        if self.replays.has(&signed.id, now) {
            return Err(ReportRefusal::Replayed);
        }
        let Report { tokens } = serde_json::from_slice(&body)?;
        let Bounded::List(tokens) = tokens else { return Err(ReportRefusal::TooManyTokens) };
        let mut results = Vec::with_capacity(tokens.len());
        for Found { token, source } in tokens {
            let outcome = self.target.report(&token, &source, reporter).await?;
            results.push(TokenResult { token_hash: hash(&token), outcome: outcome.as_str() });
        }
        let stale_at = signed.stale_at();
        self.replays.remember(signed.id, stale_at, now);
        Ok(Answer { results })
    }
}
