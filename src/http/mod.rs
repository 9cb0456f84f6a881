//! API keys on the web: one guard for tower, axum, tonic and actix, and a management API.
//!
//! A [`Guard`] takes the credential from a request, has it verified against what the route needs,
//! and answers what is not let through. It is a tower layer (feature `tower`) and an actix
//! middleware (feature `actix`); with the feature `axum`, and with `actix`, a
//! [`Grant`](crate::Grant) is an extractor too. Whichever face is used, the same request gets the
//! same answer: they share one way of finding a credential and one table of answers.
//!
//! The guide shows [each of them in a service](crate::guide::web).

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod credentials;
mod guard;
#[cfg(feature = "management")]
pub mod management;
mod rejection;
mod source;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use self::actix::{GuardedService, OptionalGrant};
pub use self::credentials::{CredentialSources, HeaderError};
pub use self::guard::Guard;
pub use self::rejection::{Rejection, RejectionCause};
pub use self::source::{PeerAddr, TrustedProxies, TrustedProxiesError};
#[cfg(feature = "tower")]
pub use self::tower::{GuardBody, GuardFuture, GuardService};
