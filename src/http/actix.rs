//! The guard as a middleware of actix-web, and the grant as its extractor.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};

use super::credentials::Headers;
use super::guard::{Asker, Guard, Incoming, Verified};
use super::rejection::{Rejection, RejectionCause};
use super::source::PeerAddr;
use crate::decision::Grant;

type Local<T> = Pin<Box<dyn Future<Output = T>>>;

impl<S, B> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = GuardedService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(GuardedService { guard: self.clone(), inner: Rc::new(inner) }))
    }
}

/// A service of actix-web behind a [`Guard`].
#[derive(Debug)]
pub struct GuardedService<S> {
    guard: Guard,
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for GuardedService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Local<Result<Self::Response, Error>>;

    actix_web::dev::forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (guard, inner) = (self.guard.clone(), Rc::clone(&self.inner));
        Box::pin(async move {
            match admit(&guard, &mut request).await {
                Ok(()) => Ok(inner.call(request).await?.map_into_left_body()),
                Err(rejection) => {
                    Ok(request.into_response(rejection.error_response()).map_into_right_body())
                }
            }
        })
    }
}

/// Leaves the grant in the request's extensions, or says why the request does not go on.
async fn admit(guard: &Guard, request: &mut ServiceRequest) -> Result<(), Rejection> {
    for name in guard.sensitive() {
        mark_sensitive(request.headers_mut(), name);
    }
    let verified = decide(guard, request.request(), Asker::Guard).await?;
    if let Some(name) = guard.hidden(request.headers()) {
        request.headers_mut().remove(name);
    }
    let mut extensions = request.extensions_mut();
    extensions.insert(guard.clone());
    // What a guard over another verifier has accepted is no grant of this one.
    extensions.remove::<Grant>();
    extensions.remove::<Verified>();
    if let Some(verified) = verified {
        extensions.insert(verified.grant.clone());
        extensions.insert(verified);
    }
    Ok(())
}

async fn decide(
    guard: &Guard,
    request: &HttpRequest,
    asker: Asker,
) -> Result<Option<Verified>, Rejection> {
    let earlier = request.extensions().get().cloned();
    let told = request.extensions().get().map(|PeerAddr(address)| *address);
    let incoming = Incoming {
        headers: request.headers(),
        is_safe: request.method().is_safe(),
        peer: told.or_else(|| request.peer_addr().map(|peer| peer.ip())),
        asker,
        earlier: earlier.as_ref(),
    };
    guard.decide(incoming).await
}

fn mark_sensitive(headers: &mut HeaderMap, name: &str) {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return };
    let values: Vec<_> = headers.remove(&name).collect();
    for mut value in values {
        value.set_sensitive(true);
        headers.append(name.clone(), value);
    }
}

impl Headers for HeaderMap {
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).map(HeaderValue::as_bytes)
    }
}

/// The response of a [`Rejection`], the same as of every other face.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.answer().status).expect("the table has statuses of HTTP alone")
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let answer = self.answer();
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in answer.headers {
            response.insert_header((name, value.as_ref()));
        }
        let mut response = response.body(answer.body);
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// What a guard around the route has accepted, or what the [`Guard`] in the app's data
/// (`app_data(guard)`, the guard itself and not in a `web::Data`) accepts now. Where there are both over
/// one verifier, the one in the app's data is asked for its scopes, and the key is verified once.
///
/// actix-web can't say at compile time that there is neither: the answer is 500 then.
///
/// **Take [`OptionalGrant`] and not `Option<Grant>`:** actix-web makes `None` of every error, and so an
/// anonymous request of one with a dead key.
impl FromRequest for Grant {
    type Error = Error;
    type Future = Local<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let guard = guard_of(&request)?;
            let grant = grant(&request, &guard, false).await?;
            Ok(grant.ok_or_else(|| guard.reject(RejectionCause::NoCredential))?)
        })
    }
}

/// The [`Grant`] of a request, `None` if it carries no credential. One that is not accepted is refused.
#[derive(Clone, Debug)]
pub struct OptionalGrant(pub Option<Grant>);

impl FromRequest for OptionalGrant {
    type Error = Error;
    type Future = Local<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let guard = guard_of(&request)?;
            Ok(Self(grant(&request, &guard, true).await?))
        })
    }
}

async fn grant(
    request: &HttpRequest,
    guard: &Guard,
    is_optional: bool,
) -> Result<Option<Grant>, Rejection> {
    let verified = decide(guard, request, Asker::Handler { is_optional }).await?;
    // For the next extractor of this request: a key is verified and counted once.
    Ok(verified.map(|verified| {
        request.extensions_mut().insert(verified.clone());
        verified.grant
    }))
}

/// The guard in the app's data, or without one the guard around the route.
fn guard_of(request: &HttpRequest) -> Result<Guard, Error> {
    // Of two kinds of data actix-web would not say which is nearer to the route, so it is one kind.
    let data = request.app_data::<Guard>().cloned();
    let found = data.or_else(|| request.extensions().get::<Guard>().cloned());
    found.ok_or_else(|| {
        ErrorInternalServerError(
            "no guard of API keys here: wrap the route in one, or app_data(guard)",
        )
    })
}
