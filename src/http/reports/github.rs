//! The endpoint of GitHub's secret scanning.

use std::borrow::Cow;

use axum::Router;
use axum::extract::Request;
use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::github_keys::GithubKeys;
use super::headers;
use super::receive::{Endpoint, Target, hash, read, router};
use super::refusal::ReportRefusal;
use crate::verifier::{LeakOutcome, Verifier};

const KEY_ID: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";
const REPORTER: &str = "github";

/// The endpoint for GitHub's secret scanning partner program.
///
/// GitHub posts the tokens that it finds in public, signed with one of its [keys](GithubKeys). Each
/// token of a key ends the key. The answer labels each token: `true_positive` if it belongs to a key,
/// `false_positive` if not, by its SHA-256. The reporter in the events is `github`, and the source is
/// the URL of the match, or the kind of place if there is no URL.
///
/// GitHub's scheme has no timestamp, so a report can be sent again by anyone who has seen it. That is
/// harmless: a repeated report changes nothing.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use tower_service::Service;
/// use axum::Router;
/// use axum::body::Body;
/// use axum::http::Request;
/// use keywright::Keywright;
/// use keywright::http::reports::{GithubKeys, GithubReports};
/// use keywright::store::MemoryStore;
///
/// let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
/// let reports = GithubReports::new(verifier, GithubKeys::new());
/// let mut app: Router = Router::new().nest("/leaks/github", reports.router());
///
/// let unsigned = Request::post("/leaks/github").body(Body::from("[]"))?;
/// assert_eq!(app.call(unsigned).await?.status(), 403);
/// # Ok(()) }) }
/// ```
///
/// See [Leak reports](crate::guide::leak_reports) in the guide.
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct GithubReports {
    target: Target,
    keys: GithubKeys,
}

impl GithubReports {
    /// Creates an endpoint that revokes the reported keys.
    ///
    /// ```
    /// use keywright::Verifier;
    /// use keywright::http::reports::{GithubKeys, GithubReports};
    ///
    /// fn reports(verifier: Verifier, keys: &GithubKeys) -> GithubReports {
    ///     GithubReports::new(verifier, keys.clone())
    /// }
    /// ```
    pub fn new(verifier: Verifier, keys: GithubKeys) -> Self {
        Self { target: Target::new(verifier), keys }
    }

    /// Records the reports and revokes no key.
    ///
    /// See [`LeakReport::alert_only`](crate::LeakReport::alert_only).
    ///
    /// ```
    /// use keywright::http::reports::GithubReports;
    ///
    /// fn careful(reports: GithubReports) -> GithubReports {
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
    /// use keywright::http::reports::GithubReports;
    ///
    /// fn app(reports: GithubReports) -> Router {
    ///     Router::new().nest("/leaks/github", reports.router())
    /// }
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        router(self)
    }
}

/// A match as GitHub reports it. GitHub may add members, so others are ignored.
#[derive(Deserialize)]
struct Match<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Cow<'a, str>,
}

/// The feedback on a match. The token itself is never repeated.
#[derive(Serialize)]
pub(super) struct Feedback {
    token_hash: String,
    token_type: String,
    label: &'static str,
}

impl Endpoint for GithubReports {
    type Answer = Vec<Feedback>;

    async fn handle(&self, request: Request) -> Result<Vec<Feedback>, ReportRefusal> {
        let key_id = headers::one(request.headers(), KEY_ID)?.to_owned();
        let signature = headers::one(request.headers(), SIGNATURE)?.to_owned();
        if !self.keys.has(&key_id) {
            return Err(ReportRefusal::UnknownKey);
        }
        let body = read(request).await?;
        self.keys.check(&key_id, &signature, &body)?;
        let Bounded::List(matches) = serde_json::from_slice::<Bounded<Match<'_>>>(&body)? else {
            return Err(ReportRefusal::TooManyTokens);
        };
        let mut feedback = Vec::with_capacity(matches.len());
        for Match { token, kind, url, source } in matches {
            let place = if url.trim().is_empty() { source } else { url };
            let outcome = self.target.report(&token, &place, REPORTER).await?;
            feedback.push(Feedback {
                token_hash: hash(&token),
                token_type: kind.into_owned(),
                label: match outcome {
                    LeakOutcome::Unknown => "false_positive",
                    _ => "true_positive",
                },
            });
        }
        Ok(feedback)
    }
}
