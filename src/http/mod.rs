//! API keys in web services: a guard for tower, axum, tonic and actix-web, a page and an API for
//! users to manage their keys.
//!
//! A [`Guard`] finds the credential of a request, verifies it, checks what the route requires, and
//! answers the requests that it refuses. It is a tower layer (feature `tower`) and a middleware of
//! actix-web (feature `actix`). With the features `axum` and `actix`, a [`Grant`](crate::Grant) is
//! also an extractor. The same request gets the same answer in every framework.
//!
//! Start with the guide's page on your framework: [axum](crate::guide::axum),
//! [actix-web](crate::guide::actix), or [tonic and tower](crate::guide::tonic). The page [In a web
//! service](crate::guide::web) describes the parts that all frameworks share. The page [The
//! management API](crate::guide::management) lists the routes on which users manage their keys, and
//! [The page of keys](crate::guide::page) sets up the page for a browser.

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "management", feature = "page"))]
mod cross_site;
mod guard;
#[cfg(feature = "management")]
pub mod management;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "reports")]
pub mod reports;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use self::actix::{GuardMiddleware, OptionalGrant};
pub use self::guard::Guard;
pub use self::guard::credentials::CredentialSources;
pub use self::guard::headers::HeaderError;
pub use self::guard::rejection::{Rejection, RejectionCause};
pub use self::guard::source_address::{PeerAddr, TrustedProxies, TrustedProxiesError};
pub use self::guard::tenant::{RequestHead, RequestTenant};
#[cfg(feature = "tower")]
pub use self::tower::{GuardBody, GuardFuture, GuardService};
