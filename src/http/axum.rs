//! The axum extractor for grants. It takes the guard from the state of the router.

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::guard::Guard;
use super::guard::rejection::Rejection;
use super::tower::response::response;
use crate::decision::Grant;
use crate::verifier::Verifier;

/// Creates a guard with default settings, for a router with the verifier as its whole state.
impl FromRef<Verifier> for Guard {
    fn from_ref(verifier: &Verifier) -> Self {
        Self::new(verifier.clone())
    }
}

/// Extracts the grant that a guard around the route has left, or verifies the request with the
/// guard in the state of the router.
///
/// The state is a [`Guard`], a [`Verifier`], or a type that implements [`FromRef`] for [`Guard`]. A
/// router without such a state does not compile:
///
/// ```compile_fail,E0277
/// use axum::{Router, routing::get};
///
/// async fn handler(_: keywright::Grant) {}
/// let routes: Router = Router::new().route("/", get(handler));
/// ```
impl<S> FromRequestParts<S> for Grant
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        Guard::from_ref(state).grant(parts).await
    }
}

/// Extracts `None` if the request carries no credential. A credential that is not accepted is
/// refused.
impl<S> OptionalFromRequestParts<S> for Grant
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        Guard::from_ref(state).optional_grant(parts).await
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        response(self).map(Body::from)
    }
}
