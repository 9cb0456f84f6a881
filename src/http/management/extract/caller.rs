//! Who sends a request: the actor of the host's login.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::management::wire::problem::{Code, Problem};
use crate::record::actor::Actor;

/// The actor that the host's login put into the request's extensions. No header or other input of a
/// client makes one.
pub(crate) struct Caller(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Actor>().cloned();
        actor.map(Self).ok_or_else(|| Code::LoginRequired.into())
    }
}
