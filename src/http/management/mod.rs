//! The management API over HTTP: an axum router over the [`Authority`], to be mounted in a host's
//! own service behind the host's own login.
//!
//! The [guide](crate::guide::management) has the routes, the problems and the reasons.

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

/// The crate of the document's type, in the version that this crate uses.
pub use utoipa;

use self::extract::json_body::MAX_BODY;
use self::wire::problem::{Code, Problem};
use crate::authority::Authority;

/// Makes the router of the management API. A host nests it under any path:
///
/// ```
/// use axum::Router;
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use keywright::http::management;
/// use keywright::store::MemoryStore;
/// use keywright::{Actor, Authority, Keywright, TenantId, UserId};
///
/// /// In place of the host's own login.
/// async fn login(mut request: Request, next: Next) -> Response {
///     if let Ok(user) = UserId::new("alice") {
///         request.extensions_mut().insert(Actor::developer(user));
///     }
///     next.run(request).await
/// }
///
/// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let app: Router =
///     Router::new().nest("/api/keys-admin", management::router(authority)).layer(from_fn(login));
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// Each request needs an [`Actor`](crate::Actor) in its extensions, which the host's login puts there.
/// Without one every route but the document's answers 401. No input of a client becomes an actor.
pub fn router<S: Clone + Send + Sync + 'static>(authority: Authority) -> Router<S> {
    routes::router()
        .fallback(|| ready(Problem::from(Code::NotFound)))
        .method_not_allowed_fallback(|| ready(Problem::from(Code::MethodNotAllowed)))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(no_store))
        .with_state(authority)
}

/// Makes the document of the routes, in OpenAPI 3.1. A host can merge it into its own:
///
/// ```
/// use keywright::http::management::{self, utoipa::openapi::OpenApi};
///
/// fn with_keys(own: OpenApi) -> OpenApi {
///     own.nest("/api/keys-admin", management::openapi())
/// }
/// ```
///
/// The names of its components begin with `Keywright`. It names no server. `GET /openapi.json` serves
/// the same document with the server `.`, since its paths are relative to the document's own there.
///
/// It declares no security scheme, since the login is yours: add one if you publish the document.
pub fn openapi() -> OpenApi {
    openapi::document()
}

/// Marks every answer, errors included: an answer may hold a token, and permissions change.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
