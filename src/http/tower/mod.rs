//! The guard for tower, and so for axum, tonic and hyper.

mod body;
mod request;
pub(super) mod response;
mod service;

pub use self::body::GuardBody;
pub use self::service::{GuardFuture, GuardService};
