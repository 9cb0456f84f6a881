//! The actix-web middleware for guards, and the extractor for grants.

use std::future::{Future, Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
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
    type Transform = GuardMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(GuardMiddleware { guard: self.clone(), inner: Rc::new(inner) }))
    }
}

/// The actix-web service that a [`Guard`] creates around another service.
///
/// `wrap` creates it, so you rarely need to name this type:
///
/// ```
/// # #[cfg(not(feature = "actix"))] fn main() {}
/// # #[cfg(feature = "actix")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { actix_web::rt::System::new().block_on(async {
/// # use actix_web::test::{TestRequest, call_service, init_service};
/// # use keywright::{Keywright, store::MemoryStore};
/// # let guard = keywright::http::Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
/// use actix_web::{App, web};
///
/// async fn list() -> &'static str {
///     "invoice 1"
/// }
/// let invoices = web::resource("/invoices").wrap(guard).route(web::get().to(list));
/// let app = init_service(App::new().service(invoices)).await;
/// let request = TestRequest::get().uri("/invoices").to_request(); // without a key
/// assert_eq!(call_service(&app, request).await.status(), 401);
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct GuardMiddleware<S> {
    guard: Guard,
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for GuardMiddleware<S>
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
                    // For the extractors of the inner service.
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

    fn authority(&self) -> Option<&str> {
        self.uri().authority().map(Authority::as_str)
    }

    fn path(&self) -> &str {
        self.uri().path()
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

/// Converts the rejection into the answer that every other framework gives.
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

/// Extracts the grant that a guard around the route has left, or verifies the request with the
/// [`Guard`] in the app data.
///
/// Register the guard itself, `app_data(guard)`, and not a `web::Data` of it. If there is a guard
/// in both places over one verifier, the key is verified once, and the guard in the app data checks
/// the scopes of the grant. If there is none, the answer is 500, because actix-web can't detect
/// this at compile time.
///
/// **Take [`OptionalGrant`] and not `Option<Grant>`.** For `Option`, actix-web turns every error
/// into `None`, so a request with a revoked key would become an anonymous one.
impl FromRequest for Grant {
    type Error = Error;
    type Future = Local<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut request = ServiceRequest::from_request(request.clone());
        Box::pin(async move { Ok(guard_of(&request)?.grant(&mut request).await?) })
    }
}

/// The extractor of actix-web for an optional [`Grant`].
///
/// It holds `None` if the request carries no credential. A request with a credential that is not
/// accepted is refused.
///
/// ```
/// # #[cfg(not(feature = "actix"))] fn main() {}
/// # #[cfg(feature = "actix")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { actix_web::rt::System::new().block_on(async {
/// # use actix_web::test::{TestRequest, call_service, init_service};
/// # use keywright::{Keywright, store::MemoryStore};
/// # let guard = keywright::http::Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
/// use actix_web::{App, web};
/// use keywright::http::OptionalGrant;
///
/// async fn greet(OptionalGrant(grant): OptionalGrant) -> String {
///     grant.map_or("hello".into(), |grant| format!("hello {}", grant.owner()))
/// }
/// let app = App::new().app_data(guard).route("/greeting", web::get().to(greet));
/// let app = init_service(app).await;
/// let request = TestRequest::get().uri("/greeting");
/// assert_eq!(call_service(&app, request.to_request()).await.status(), 200);
/// let request = TestRequest::get().uri("/greeting").insert_header(("x-api-key", "not a key"));
/// assert_eq!(call_service(&app, request.to_request()).await.status(), 401);
/// # Ok(()) }) }
/// ```
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

/// Returns the guard in the app data, or else the guard around the route.
fn guard_of(request: &ServiceRequest) -> Result<Guard, Error> {
    // A `web::Data<Guard>` is not read: with two kinds of data, actix-web could not tell which one
    // is nearer to the route.
    let data = request.app_data::<Guard>().cloned();
    let found = data.or_else(|| request.extensions().get::<Guard>().cloned());
    found.ok_or_else(|| {
        ErrorInternalServerError(
            "the handler takes a Grant and there is no guard; wrap the route in a guard or add app_data(guard)",
        )
    })
}
