//! The extractor for the caller of a request: the actor that the login of the host has set.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::management::wire::problem::{Code, Problem};
use crate::record::actor::Actor;

/// The actor in the extensions of the request, which the login of the host puts there. No input of
/// a client can set it.
pub(crate) struct Caller(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Actor>().cloned();
        actor.map(Self).ok_or_else(|| Code::LoginRequired.into())
    }
}
