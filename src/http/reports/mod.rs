//! Leak reports over HTTP: axum routers on which scanners report leaked tokens, and each report
//! ends its key.
//!
//! [`GithubReports`] is the endpoint of GitHub's secret scanning, and [`SignedReports`] is one for
//! scanners of the host. Both are mounted without a login: the signature of a report decides. A
//! request without a valid signature gets one answer, 403, and reaches no store.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::Router;
//! use keywright::Keywright;
//! use keywright::http::reports::{GithubKeys, GithubReports, SignedReports, WebhookSecret};
//! use keywright::store::MemoryStore;
//!
//! let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
//! let keys = GithubKeys::new();
//! let secret = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let app: Router = Router::new()
//!     .nest("/leaks/github", GithubReports::new(verifier.clone(), keys.clone()).router())
//!     .nest("/leaks", SignedReports::new(verifier).reporter("nightly-scan", secret).router());
//! // Fetch https://api.github.com/meta/public_keys/secret_scanning at the start and once a day:
//! // keys.replace(&body)?;
//! # Ok(()) }
//! ```
//!
//! A body has at most [`MAX_BODY_BYTES`] and a report at most [`MAX_TOKENS`]. Each refused or failed
//! report has a [`ReportRefusal`] in the extensions of its response, for the log of the host. See
//! [Leak reports](crate::guide::leak_reports) in the guide.

mod bounded;
mod github;
mod github_keys;
mod headers;
mod receive;
mod refusal;
mod replays;
mod signed;
mod webhook;

pub use self::bounded::{MAX_BODY_BYTES, MAX_TOKENS};
pub use self::github::GithubReports;
pub use self::github_keys::{GithubKeys, GithubKeysError};
pub use self::refusal::ReportRefusal;
pub use self::signed::SignedReports;
pub use self::webhook::{WebhookSecret, WebhookSecretError};
