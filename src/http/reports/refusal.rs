//! Reports that are refused or fail: the answer to the sender, and the reason for the host.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::bounded::{MAX_BODY_BYTES, MAX_TOKENS};
use crate::store::StoreError;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const RETRY: HeaderValue = HeaderValue::from_static("5");

/// The reason for which a leak report was refused or failed, in the extensions of its response.
///
/// The sender learns less: every flaw of a signature has the same answer. With the feature `metrics`,
/// each reason is [counted](crate::guide::observing#metrics). The host logs it in a layer of its own:
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use keywright::http::reports::ReportRefusal;
///
/// async fn log(request: Request, next: Next) -> Response {
///     let response = next.run(request).await;
///     if let Some(refusal) = response.extensions().get::<ReportRefusal>() {
///         eprintln!("leak report refused ({}): {refusal}", refusal.code());
///     }
///     response
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportRefusal {
    /// A header of the signature is missing, repeated or malformed. The value is its name.
    #[error("the header {0} is missing, repeated or malformed")]
    Header(&'static str),
    /// The report names a public key that is not in the list. GitHub may have a new key.
    #[error("the list of public keys lacks the key of the signature: fetch the list again")]
    UnknownKey,
    /// The signature does not match the report.
    #[error("the signature does not match the report")]
    WrongSignature,
    /// The timestamp is more than five minutes from the clock.
    #[error("the timestamp is more than 5 minutes from the clock")]
    StaleTimestamp,
    /// A report with this id was answered before.
    #[error("a report with this id was answered before")]
    Replayed,
    /// The body is longer than [`MAX_BODY_BYTES`].
    #[error("the body is longer than {MAX_BODY_BYTES} bytes")]
    BodyTooLarge,
    /// The body ended early.
    #[error("the body is incomplete")]
    BodyIncomplete,
    /// The body is signed, and is not a report.
    #[error("the body is not a report, at line {line}, column {column}")]
    Malformed {
        /// The line of the flaw, from 1.
        line: usize,
        /// The column of the flaw, from 1.
        column: usize,
    },
    /// The report has more than [`MAX_TOKENS`].
    #[error("the report has more than {MAX_TOKENS} tokens")]
    TooManyTokens,
    /// The store failed. The keys of the tokens before are revoked, and a repeated report continues.
    #[error("the store is unavailable")]
    Unavailable(#[source] Arc<StoreError>),
}

impl ReportRefusal {
    /// Returns the reason as a word, for a metric.
    ///
    /// ```
    /// use keywright::http::reports::ReportRefusal;
    ///
    /// assert_eq!(ReportRefusal::Replayed.code(), "replayed");
    /// ```
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::UnknownKey => "unknown_key",
            Self::WrongSignature => "wrong_signature",
            Self::StaleTimestamp => "stale_timestamp",
            Self::Replayed => "replayed",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyIncomplete => "body_incomplete",
            Self::Malformed { .. } => "malformed",
            Self::TooManyTokens => "too_many_tokens",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Returns the status, the code and the detail of the answer. A flaw of a signature is not named.
    const fn row(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Header(_) | Self::UnknownKey | Self::WrongSignature | Self::StaleTimestamp => {
                (StatusCode::FORBIDDEN, "invalid_signature", "the report has no valid signature")
            }
            Self::Replayed => (StatusCode::CONFLICT, "replayed", "this report was answered before"),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the report is too long: split it",
            ),
            Self::BodyIncomplete => {
                (StatusCode::BAD_REQUEST, "body_incomplete", "the report is incomplete: repeat it")
            }
            Self::Malformed { .. } => {
                (StatusCode::BAD_REQUEST, "malformed", "the body is not a report")
            }
            Self::TooManyTokens => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_many_tokens",
                "the report has too many tokens: split it",
            ),
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "not all tokens could be handled: repeat the report",
            ),
        }
    }
}

impl From<serde_json::Error> for ReportRefusal {
    /// Keeps the place of the flaw. The text of the error can repeat a token.
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

impl From<StoreError> for ReportRefusal {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl IntoResponse for ReportRefusal {
    fn into_response(self) -> Response {
        let (status, code, detail) = self.row();
        let title = status.canonical_reason().unwrap_or_default();
        // With the type about:blank, the title is the phrase of the status (RFC 9457).
        let body = format!(
            r#"{{"type":"about:blank","title":"{title}","status":{},"code":"{code}","detail":"{detail}"}}"#,
            status.as_u16()
        );
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY);
        }
        response.extensions_mut().insert(self);
        response
    }
}
