//! API keys on the web: one guard for tower, axum, tonic and actix, and a management API.
//!
//! A [`Guard`] finds the credential of a request, verifies it against the needs of the route, and
//! answers the requests that it refuses. It is a tower layer (feature `tower`) and an actix middleware
//! (feature `actix`). With the feature `axum`, and with `actix`, a [`Grant`](crate::Grant) is an
//! extractor too. The same request gets the same answer in every framework: all of them share one
//! search for the credential and one table of answers.
//!
//! The guide shows [each framework in a service](crate::guide::web).

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod guard;
#[cfg(feature = "management")]
pub mod management;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use self::actix::{GuardedService, OptionalGrant};
pub use self::guard::Guard;
pub use self::guard::credentials::CredentialSources;
pub use self::guard::headers::HeaderError;
pub use self::guard::rejection::{Rejection, RejectionCause};
pub use self::guard::source_address::{PeerAddr, TrustedProxies, TrustedProxiesError};
#[cfg(feature = "tower")]
pub use self::tower::{GuardBody, GuardFuture, GuardService};
