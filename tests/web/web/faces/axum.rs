//! The guard as the state of an axum router.

use std::future::ready;
use std::net::SocketAddr;

use ::axum::Router;
use ::axum::body::Body;
use ::axum::extract::{ConnectInfo, Request};
use ::axum::response::Response;
use ::axum::routing::{MethodRouter, any};
use ::tower::ServiceExt;
use keywright::Grant;
use keywright::http::Guard;

use crate::exchange::{Answered, Asked, Witness};

use super::{Taken, tower};

/// Returns a router that answers every path.
pub(crate) fn routes(taken: Taken, witness: &Witness) -> Router<Guard> {
    let route = route(taken, witness);
    Router::new().route("/", route.clone()).route("/{*rest}", route)
}

/// Returns a route that answers every method.
pub(crate) fn route(taken: Taken, witness: &Witness) -> MethodRouter<Guard> {
    let witness = witness.clone();
    match taken {
        Taken::Grant => {
            any(move |grant: Grant, request| ready(handle(&witness, Some(&grant), request)))
        }
        Taken::Optional => any(move |grant: Option<Grant>, request| {
            ready(handle(&witness, grant.as_ref(), request))
        }),
    }
}

fn handle(witness: &Witness, grant: Option<&Grant>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    witness.note(tower::seen(grant, &parts));
    tower::handled().map(Body::from)
}

/// Sends the request, and removes the content length that axum adds, as every server does. Axum
/// also empties the body of an answer to HEAD; tower and actix-web leave that to the server.
pub(crate) async fn ask(routes: Router, asked: &Asked, witness: &Witness) -> Answered {
    let mut request: http::Request<Body> = tower::request(asked);
    if let Some(peer) = asked.peer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 40_000)));
    }
    let Ok(response) = routes.oneshot(request).await;
    let mut answered = tower::answered(response, witness).await;
    if asked.method != "HEAD" {
        let length = answered.body.len().to_string();
        let told = answered.header("content-length");
        assert!(
            told.is_none_or(|told| told == length),
            "a body of {length} bytes, announced as {told:?}"
        );
    }
    answered.headers.retain(|(name, _)| name != "content-length");
    answered
}
