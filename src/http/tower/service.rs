//! The tower layer for guards, with its service and its future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::body::GuardBody;
use super::response::response;
use crate::http::guard::Guard;

impl<S> Layer<S> for Guard {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { guard: self.clone(), inner }
    }
}

/// The tower service that a [`Guard`] creates around another service.
///
/// ```
/// # #[cfg(not(feature = "axum"))] fn main() {}
/// # #[cfg(feature = "axum")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use axum::{Router, body::Body, http::Request, routing::{get, post}};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, http::Guard, store::MemoryStore};
/// # use tower_service::Service;
/// # async fn list() -> &'static str { "invoice 1" }
/// # async fn create() -> &'static str { "invoice 2" }
/// # async fn status(app: &Router, method: &str, path: &str, key: Option<&str>) -> u16 {
/// #     let request = Request::builder().method(method).uri(path);
/// #     let request = key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
/// #     let request = request.body(Body::empty()).expect("a request");
/// #     app.clone().call(request).await.expect("infallible").status().as_u16()
/// # }
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = keywright.authority().generate(&alice, new).await?;
/// # let token = issued.token.expose();
/// # let guard = Guard::new(keywright.verifier());
/// use keywright::http::GuardService;
/// use tower_layer::Layer;
///
/// let routes: Router = Router::new().route("/invoices", get(list));
/// let mut service: GuardService<Router> = guard.layer(routes);
/// let request = Request::get("/invoices").header("x-api-key", token).body(Body::empty())?;
/// assert_eq!(service.call(request).await?.status(), 200);
/// # Ok(()) }) }
/// ```
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
        // `poll_ready` was called on this service and not on its clone, so this one takes the
        // request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        GuardFuture(Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match guard.admit(&mut parts).await {
                Ok(()) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(response.map(GuardBody::inner))
                }
                Err(rejection) => Ok(response(rejection).map(GuardBody::answer)),
            }
        }))
    }
}

/// The future that a [`GuardService`] returns for a request.
///
/// ```
/// # #[cfg(not(feature = "axum"))] fn main() {}
/// # #[cfg(feature = "axum")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use axum::{Router, body::Body, http::Request, routing::{get, post}};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, http::Guard, store::MemoryStore};
/// # use tower_service::Service;
/// # async fn list() -> &'static str { "invoice 1" }
/// # async fn create() -> &'static str { "invoice 2" }
/// # async fn status(app: &Router, method: &str, path: &str, key: Option<&str>) -> u16 {
/// #     let request = Request::builder().method(method).uri(path);
/// #     let request = key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
/// #     let request = request.body(Body::empty()).expect("a request");
/// #     app.clone().call(request).await.expect("infallible").status().as_u16()
/// # }
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = keywright.authority().generate(&alice, new).await?;
/// # let token = issued.token.expose();
/// # let guard = Guard::new(keywright.verifier());
/// use std::convert::Infallible;
/// use keywright::http::GuardFuture;
/// use tower_layer::Layer;
///
/// let mut service = guard.layer(Router::new().route("/invoices", get(list)));
/// let request = Request::get("/invoices").header("x-api-key", token).body(Body::empty())?;
/// let response: GuardFuture<Body, Infallible> = service.call(request);
/// assert_eq!(response.await?.status(), 200);
/// # Ok(()) }) }
/// ```
pub struct GuardFuture<R, E>(Answering<R, E>);

type Answering<R, E> = Pin<Box<dyn Future<Output = Result<Response<GuardBody<R>>, E>> + Send>>;

impl<R, E> Future for GuardFuture<R, E> {
    type Output = Result<Response<GuardBody<R>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R, E> fmt::Debug for GuardFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}
