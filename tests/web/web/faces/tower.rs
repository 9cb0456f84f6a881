//! The guard around a plain tower service.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use ::tower::{Layer, Service, ServiceExt};
use http::{Request, Response};
use http_body_util::BodyExt;
use keywright::Grant;
use keywright::http::{Guard, GuardService, PeerAddr, Rejection};

use crate::exchange::{Answered, Asked, HANDLED, Seen, Witness, cause};

/// A service that answers every request and records it.
#[derive(Clone)]
pub(crate) struct Handler(pub(crate) Witness);

impl Service<Request<String>> for Handler {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let (parts, _) = request.into_parts();
        self.0.note(seen(parts.extensions.get(), &parts));
        ready(Ok(handled().map(String::from)))
    }
}

pub(crate) fn guarded(guard: &Guard, witness: &Witness) -> GuardService<Handler> {
    guard.layer(Handler(witness.clone()))
}

/// Returns the answer of the handler.
pub(super) fn handled() -> Response<&'static str> {
    let (name, value, body) = HANDLED;
    Response::builder().header(name, value).body(body).expect("a response")
}

pub(super) fn seen(grant: Option<&Grant>, parts: &http::request::Parts) -> Seen {
    let headers = parts.headers.iter();
    Seen::new(grant, format!("{parts:?} {:#?}", parts.headers))
        .with(headers.map(|(name, value)| (name.as_str(), value.as_bytes(), value.is_sensitive())))
}

/// Converts the request to the `http` crate's type, which tower and axum use, without its peer.
pub(super) fn request<B: Default>(asked: &Asked) -> Request<B> {
    let mut request = Request::builder().method(asked.method.as_str()).uri(&asked.uri);
    for (name, value) in &asked.headers {
        request = request.header(name, value.as_slice());
    }
    request.body(B::default()).expect("a request that can be sent")
}

/// Sends the request. The response needs no normalization.
pub(crate) async fn ask<S, B>(service: S, asked: &Asked, witness: &Witness) -> Answered
where
    S: Service<Request<String>, Response = Response<B>, Error = Infallible>,
    B: axum::body::HttpBody,
    B::Error: Debug,
{
    let mut request = request(asked);
    if let Some(peer) = asked.peer {
        request.extensions_mut().insert(PeerAddr(peer));
    }
    let Ok(response) = service.oneshot(request).await;
    answered(response, witness).await
}

/// Converts a response of the `http` crate's type.
pub(super) async fn answered<B>(response: Response<B>, witness: &Witness) -> Answered
where
    B: axum::body::HttpBody,
    B::Error: Debug,
{
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    Answered {
        status: parts.status.as_u16(),
        headers,
        body: body.collect().await.expect("a body").to_bytes().to_vec(),
        cause: parts.extensions.get::<Rejection>().map(cause),
        seen: witness.take(),
    }
}
