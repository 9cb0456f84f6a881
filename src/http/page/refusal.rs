//! The reason of a refused or failed request, for the log of the host.

use std::error::Error;
use std::sync::Arc;

/// The reason for which the page refused a request or failed, in the extensions of its response.
///
/// A user never sees it. The host logs it in a layer of its own:
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use keywright::http::page::Refusal;
///
/// async fn log(request: Request, next: Next) -> Response {
///     let response = next.run(request).await;
///     if let Some(refusal) = response.extensions().get::<Refusal>() {
///         eprintln!("the page of keys: {} ({:?})", refusal.reason(), refusal.cause());
///     }
///     response
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: &'static str,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Refusal {
    pub(super) fn new(reason: &'static str) -> Self {
        Self { reason, cause: None }
    }

    pub(super) fn caused(reason: &'static str, cause: Arc<dyn Error + Send + Sync>) -> Self {
        Self { reason, cause: Some(cause) }
    }

    /// Returns the reason, in English and without a secret.
    ///
    /// ```
    /// fn line(refusal: &keywright::http::page::Refusal) -> String {
    ///     format!("refused: {}", refusal.reason())
    /// }
    /// ```
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns the error behind a 503, if there is one.
    ///
    /// ```
    /// fn line(refusal: &keywright::http::page::Refusal) -> Option<String> {
    ///     refusal.cause().map(|error| format!("{error}"))
    /// }
    /// ```
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}
