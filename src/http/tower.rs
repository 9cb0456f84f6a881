//! The guard as a tower layer: layer, service, future and body.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Extensions, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::credentials::Headers;
use super::guard::{Asker, Guard, Incoming, Verified};
use super::rejection::Rejection;
use super::source::PeerAddr;
use crate::decision::Grant;

impl<S> Layer<S> for Guard {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { guard: self.clone(), inner }
    }
}

/// A service behind a [`Guard`].
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    guard: Guard,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<GuardBody<R>>;
    type Error = S::Error;
    type Future = GuardFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let guard = self.guard.clone();
        // The service that is ready goes with the request; its clone has yet to become so.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        GuardFuture(Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match admit(&guard, &mut parts).await {
                Ok(()) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(response.map(|inner| GuardBody { of: Whose::Inner { inner } }))
                }
                Err(rejection) => Ok(response(rejection)),
            }
        }))
    }
}

/// Leaves the grant in the request's extensions, or says why the request does not go on.
async fn admit(guard: &Guard, parts: &mut Parts) -> Result<(), Rejection> {
    for name in guard.sensitive() {
        mark_sensitive(&mut parts.headers, name);
    }
    let verified = decide(guard, parts, Asker::Guard).await?;
    if let Some(name) =
        guard.hidden(&parts.headers).and_then(|name| name.parse::<HeaderName>().ok())
    {
        parts.headers.remove(name);
    }
    // What a guard over another verifier has accepted is no grant of this one.
    parts.extensions.remove::<Grant>();
    parts.extensions.remove::<Verified>();
    if let Some(verified) = verified {
        parts.extensions.insert(verified.grant.clone());
        parts.extensions.insert(verified);
    }
    Ok(())
}

/// What the guard says of a request, which stays as it is.
pub(super) async fn decide(
    guard: &Guard,
    parts: &Parts,
    asker: Asker,
) -> Result<Option<Verified>, Rejection> {
    let incoming = Incoming {
        headers: &parts.headers,
        is_safe: parts.method.is_safe(),
        peer: peer(&parts.extensions),
        asker,
        earlier: parts.extensions.get(),
    };
    guard.decide(incoming).await
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let told = extensions.get().map(|PeerAddr(address)| *address);
    #[cfg(feature = "axum")]
    let told = told.or_else(|| super::axum::connected(extensions));
    told
}

fn mark_sensitive(headers: &mut HeaderMap, name: &str) {
    let Ok(name) = name.parse::<HeaderName>() else { return };
    if let http::header::Entry::Occupied(mut values) = headers.entry(name) {
        values.iter_mut().for_each(|value| value.set_sensitive(true));
    }
}

impl Headers for HeaderMap {
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).into_iter().map(HeaderValue::as_bytes)
    }
}

/// The answer to a request that was not let through.
pub(super) fn response<R>(rejection: Rejection) -> Response<GuardBody<R>> {
    let answer = rejection.answer();
    let body = Some(Bytes::from_static(answer.body.as_bytes())).filter(|body| !body.is_empty());
    let mut response = Response::new(GuardBody { of: Whose::Answer { body } });
    *response.status_mut() =
        http::StatusCode::from_u16(answer.status).expect("the table has statuses of HTTP alone");
    for (name, value) in answer.headers {
        let value = HeaderValue::from_str(&value).expect("the table's values are visible ASCII");
        response.headers_mut().insert(name, value);
    }
    response.extensions_mut().insert(rejection);
    response
}

/// What comes of a request to a [`GuardService`].
pub struct GuardFuture<R, E>(Answering<R, E>);

type Answering<R, E> = Pin<Box<dyn Future<Output = Result<Response<GuardBody<R>>, E>> + Send>>;

impl<R, E> Future for GuardFuture<R, E> {
    type Output = Result<Response<GuardBody<R>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R, E> std::fmt::Debug for GuardFuture<R, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The body of a response: the inner service's, or the guard's own.
    #[derive(Debug)]
    pub struct GuardBody<B> {
        #[pin]
        of: Whose<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = WhoseProjected]
    enum Whose<B> {
        Inner { #[pin] inner: B },
        Answer { body: Option<Bytes> },
    }
}

impl<B: Body<Data = Bytes>> Body for GuardBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().of.project() {
            WhoseProjected::Inner { inner } => inner.poll_frame(cx),
            WhoseProjected::Answer { body } => Poll::Ready(body.take().map(Frame::data).map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.of {
            Whose::Inner { inner } => inner.is_end_stream(),
            Whose::Answer { body } => body.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.of {
            Whose::Inner { inner } => inner.size_hint(),
            Whose::Answer { body } => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
        }
    }
}
