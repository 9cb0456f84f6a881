//! The extractors for the caller of a request: the actor or the operator that the login of the host
//! has set.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::management::wire::problem::{Code, Problem};
use crate::record::actor::Actor;
use crate::record::operator::Operator;

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

/// The operator in the extensions of the request. An actor is not accepted in its place, so no user
/// of a tenant gets past it.
pub(crate) struct OperatorCaller(pub(crate) Operator);

impl<S: Send + Sync> FromRequestParts<S> for OperatorCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let operator = parts.extensions.get::<Operator>().cloned();
        operator.map(Self).ok_or_else(|| Code::LoginRequired.into())
    }
}
