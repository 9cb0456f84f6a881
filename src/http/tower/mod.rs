//! The tower layer for guards, which axum, tonic and hyper use.

mod body;
mod request;
pub(super) mod response;
mod service;

pub use self::body::GuardBody;
pub use self::service::{GuardFuture, GuardService};
