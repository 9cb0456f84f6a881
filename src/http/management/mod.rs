//! The management API over HTTP: an axum router on which users manage their keys.
//!
//! The host mounts [`router`] in its own service, behind its own login. [`openapi`] describes the
//! routes. [`operator_router`] is apart from it: on it the host's operators work on all tenants. The guide lists [the routes and the problem responses](crate::guide::management).

mod extract;
mod openapi;
mod route_table;
mod routes;
mod wire;

use std::future::ready;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::Response;
use utoipa::openapi::OpenApi;

/// The crate `utoipa` in the version that [`openapi`] uses.
pub use utoipa;

pub use self::wire::problem::Cause;

use self::extract::json_body::MAX_BODY;
use self::route_table::ROUTES;
use self::route_table::operator::OPERATOR_ROUTES;
use self::wire::problem::{Code, Problem};
use crate::authority::Authority;

/// Creates the router of the management API.
///
/// The host nests the router under any path. The host's login must insert an
/// [`Actor`](crate::Actor) into the extensions of each request. Without an actor, every route
/// except `GET /openapi.json` answers 401. No header, query or body of a client can set the actor.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use axum::body::Body;
/// # use tower_service::Service;
/// use axum::Router;
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use keywright::http::management;
/// use keywright::store::MemoryStore;
/// use keywright::{Actor, Keywright, UserId};
///
/// /// Your login, which knows the user of each session.
/// async fn login(mut request: Request, next: Next) -> Response {
///     if let Ok(user) = UserId::new("alice") {
///         request.extensions_mut().insert(Actor::developer(user));
///     }
///     next.run(request).await
/// }
///
/// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let management = management::router(authority).layer(from_fn(login));
/// let mut app: Router = Router::new().nest("/api/keys-admin", management);
///
/// let request = Request::get("/api/keys-admin/keys").body(Body::empty())?;
/// assert_eq!(app.call(request).await?.status(), 200);
/// # Ok(()) }) }
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(authority: Authority) -> Router<S> {
    finished(routes::router(ROUTES), authority)
}

/// Creates the router of the operators, who list, revoke and sweep the keys of all tenants.
///
/// The host nests it under a path of its own, behind the login of its own staff. That login must
/// insert an [`Operator`](crate::Operator) into the extensions of each request. Without an operator,
/// every route except `GET /openapi.json` answers 401. An [`Actor`](crate::Actor) is not accepted, so
/// a user of a tenant gets 401 too.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use axum::body::Body;
/// # use tower_service::Service;
/// use axum::Router;
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use keywright::http::management;
/// use keywright::store::MemoryStore;
/// use keywright::{Keywright, Operator, UserId};
///
/// /// The login of your own staff, apart from that of your customers.
/// async fn staff_login(mut request: Request, next: Next) -> Response {
///     if let Ok(id) = UserId::new("carol") {
///         request.extensions_mut().insert(Operator::new(id));
///     }
///     next.run(request).await
/// }
///
/// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let operators = management::operator_router(authority).layer(from_fn(staff_login));
/// let mut app: Router = Router::new().nest("/staff/keys", operators);
///
/// let request = Request::get("/staff/keys/tenants").body(Body::empty())?;
/// assert_eq!(app.call(request).await?.status(), 200);
/// # Ok(()) }) }
/// ```
pub fn operator_router<S: Clone + Send + Sync + 'static>(authority: Authority) -> Router<S> {
    finished(routes::router(OPERATOR_ROUTES), authority)
}

/// Adds to a router what all routes share.
fn finished<S: Clone + Send + Sync + 'static>(
    routes: Router<Authority>,
    authority: Authority,
) -> Router<S> {
    routes
        .fallback(|| ready(Problem::from(Code::NotFound)))
        .method_not_allowed_fallback(|| ready(Problem::from(Code::MethodNotAllowed)))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(no_store))
        .with_state(authority)
}

/// Returns the OpenAPI 3.1 document of the routes.
///
/// `GET /openapi.json` serves this document with the server URL `.`, so its paths are relative to
/// the path of the document. This function returns it without a server, so that the host can nest
/// it in its own document:
///
/// ```
/// use keywright::http::management;
/// use keywright::http::management::utoipa::openapi::OpenApi;
///
/// let own = OpenApi::default(); // the document of your service
/// let whole = own.nest("/api/keys-admin", management::openapi());
/// assert!(whole.paths.paths.contains_key("/api/keys-admin/keys/{id}"));
/// ```
///
/// The names of its components begin with `Keywright`. The document declares no security scheme,
/// because the login belongs to the host. Add your scheme before you publish the document.
pub fn openapi() -> OpenApi {
    openapi::document()
}

/// Returns the OpenAPI 3.1 document of the operator's routes.
///
/// It has the same form as [`openapi`]. `GET /openapi.json` of the operator's router serves it.
///
/// ```
/// use keywright::http::management;
///
/// let document = management::operator_openapi();
/// assert!(document.paths.paths.contains_key("/tenants"));
/// ```
pub fn operator_openapi() -> OpenApi {
    openapi::operator_document()
}

/// Sets `Cache-Control: no-store` on every response, because a response may hold a token.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
