//! The part that both endpoints share: reading a body, and reporting each of its tokens.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::bounded::MAX_BODY_BYTES;
use super::refusal::ReportRefusal;
use crate::observe::count_report_refusal;
use crate::value::text::hex;
use crate::value::token::Credential;
use crate::verifier::{LeakOutcome, LeakReport, Verifier};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The keys that an endpoint reports to, and what a report does.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) verifier: Verifier,
    pub(super) alert_only: bool,
}

impl Target {
    pub(super) fn new(verifier: Verifier) -> Self {
        Self { verifier, alert_only: false }
    }

    /// Reports one token.
    pub(super) async fn report(
        &self,
        token: &str,
        source: &str,
        reporter: &str,
    ) -> Result<LeakOutcome, ReportRefusal> {
        let report = LeakReport::new(Credential::Token(token)).source(source).reporter(reporter);
        let report = if self.alert_only { report.alert_only() } else { report };
        Ok(self.verifier.report_leak(&report).await?)
    }
}

/// Reads the body of a request. A layer of the router has set its bound.
pub(super) async fn read(request: Request) -> Result<Bytes, ReportRefusal> {
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            ReportRefusal::BodyTooLarge
        } else {
            ReportRefusal::BodyIncomplete
        }
    })
}

/// Returns the SHA-256 of a token in hex, by which an answer names it.
pub(super) fn hash(token: &str) -> String {
    hex::encode(&Sha256::digest(token))
}

/// Returns a router with one endpoint at its root.
pub(super) fn router<S, E>(endpoint: E) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    E: Endpoint,
{
    Router::new()
        .route("/", post(answer::<E>))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(endpoint))
}

/// An endpoint for leak reports.
pub(super) trait Endpoint: Send + Sync + 'static {
    /// The answer to a report, as JSON.
    type Answer: Serialize;

    /// Checks and handles a report.
    fn handle(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Self::Answer, ReportRefusal>> + Send;
}

async fn answer<E: Endpoint>(State(endpoint): State<Arc<E>>, request: Request) -> Response {
    let mut response = match endpoint.handle(request).await {
        Ok(answer) => {
            let body = serde_json::to_vec(&answer).expect("texts and lists are JSON");
            ([(CONTENT_TYPE, JSON)], body).into_response()
        }
        Err(refusal) => {
            count_report_refusal(refusal.code());
            refusal.into_response()
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}
