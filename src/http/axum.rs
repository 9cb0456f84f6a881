//! The grant as an extractor of axum, which takes its guard from the router's state.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::Extensions;
use http::request::Parts;

use super::guard::{Asker, Guard};
use super::rejection::{Rejection, RejectionCause};
use super::tower;
use crate::decision::Grant;
use crate::verifier::Verifier;

/// For a router whose whole state is the verifier.
impl FromRef<Verifier> for Guard {
    fn from_ref(verifier: &Verifier) -> Self {
        Self::new(verifier.clone())
    }
}

/// What a guard around the route has accepted, or what the guard in the router's state accepts now.
///
/// The state is a [`Guard`], a [`Verifier`], or anything that a guard can be taken from
/// ([`FromRef`]). Without one the router does not compile:
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
        let guard = Guard::from_ref(state);
        let grant = grant(parts, &guard, false).await?;
        grant.ok_or_else(|| guard.reject(RejectionCause::NoCredential))
    }
}

/// `None` if the request carries no credential. One that is not accepted is refused all the same.
impl<S> OptionalFromRequestParts<S> for Grant
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        grant(parts, &Guard::from_ref(state), true).await
    }
}

async fn grant(
    parts: &mut Parts,
    guard: &Guard,
    is_optional: bool,
) -> Result<Option<Grant>, Rejection> {
    let verified = tower::decide(guard, parts, Asker::Handler { is_optional }).await?;
    // For the next extractor of this request: a key is verified and counted once.
    Ok(verified.map(|verified| {
        parts.extensions.insert(verified.clone());
        verified.grant
    }))
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        tower::response::<Body>(self).map(Body::new)
    }
}

/// The peer, if the router is served with `into_make_service_with_connect_info::<SocketAddr>()`.
pub(super) fn connected(extensions: &Extensions) -> Option<IpAddr> {
    let real = || extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip());
    let mock = || extensions.get().map(|MockConnectInfo::<SocketAddr>(peer)| peer.ip());
    real().or_else(mock)
}
