//! The guard as a middleware of actix-web, and the grant as its extractor.

use std::future::{Future, Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};

use super::guard::Guard;
use super::guard::headers::Headers;
use super::guard::rejection::Rejection;
use super::guard::request::GuardedRequest;
use super::guard::source_address::PeerAddr;
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
            match guard.admit(&mut request).await {
                Ok(()) => {
                    // For extractors inside.
                    request.extensions_mut().insert(guard);
                    Ok(inner.call(request).await?.map_into_left_body())
                }
                Err(rejection) => {
                    Ok(request.into_response(rejection.error_response()).map_into_right_body())
                }
            }
        })
    }
}

impl GuardedRequest for ServiceRequest {
    type Headers = HeaderMap;

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }

    fn is_safe(&self) -> bool {
        self.method().is_safe()
    }

    fn peer(&self) -> Option<IpAddr> {
        let given = self.extensions().get().map(|PeerAddr(address)| *address);
        given.or_else(|| self.peer_addr().map(|peer| peer.ip()))
    }

    fn mark_sensitive(&mut self, header: &str) {
        let Ok(name) = HeaderName::from_bytes(header.as_bytes()) else { return };
        let headers = self.headers_mut();
        let values: Vec<_> = headers.remove(&name).collect();
        for mut value in values {
            value.set_sensitive(true);
            headers.append(name.clone(), value);
        }
    }

    fn remove_header(&mut self, header: &str) {
        self.headers_mut().remove(header);
    }

    fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.extensions().get().cloned()
    }

    fn set_extension<T: Clone + Send + Sync + 'static>(&mut self, value: Option<T>) {
        let mut extensions = self.extensions_mut();
        match value {
            Some(value) => extensions.insert(value),
            None => extensions.remove(),
        };
    }
}

impl Headers for HeaderMap {
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).map(HeaderValue::as_bytes)
    }
}

/// Answers as every other framework does.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.answer().status).expect("the table has only statuses of HTTP")
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

/// Takes the grant of a guard around the route, or verifies the request with the [`Guard`] in the app's
/// data (`app_data(guard)`, the guard itself and not in a `web::Data`).
///
/// If there are both over one verifier, the key is verified once and the guard in the app's data asks
/// its grant for scopes. If there is neither, the answer is 500: actix-web can't check that at compile
/// time.
///
/// **Take [`OptionalGrant`] and not `Option<Grant>`:** actix-web turns every error into `None`, so a
/// request with a dead key would become an anonymous one.
impl FromRequest for Grant {
    type Error = Error;
    type Future = Local<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut request = ServiceRequest::from_request(request.clone());
        Box::pin(async move { Ok(guard_of(&request)?.grant(&mut request).await?) })
    }
}

/// The [`Grant`] of a request, `None` if the request carries no credential. A credential that is not
/// accepted is refused.
#[derive(Clone, Debug)]
pub struct OptionalGrant(pub Option<Grant>);

impl FromRequest for OptionalGrant {
    type Error = Error;
    type Future = Local<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut request = ServiceRequest::from_request(request.clone());
        Box::pin(async move {
            let grant = guard_of(&request)?.optional_grant(&mut request).await?;
            Ok(Self(grant))
        })
    }
}

/// Returns the guard in the app's data, or without one the guard around the route.
fn guard_of(request: &ServiceRequest) -> Result<Guard, Error> {
    // One kind of data: of two kinds, actix-web could not say which is nearer to the route.
    let data = request.app_data::<Guard>().cloned();
    let found = data.or_else(|| request.extensions().get::<Guard>().cloned());
    found.ok_or_else(|| {
        ErrorInternalServerError(
            "no guard of API keys here: wrap the route in a guard, or add app_data(guard)",
        )
    })
}
