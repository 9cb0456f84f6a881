//! The management API over HTTP: an axum router over the [`Authority`], to be mounted in a host's
//! own service behind the host's own login.
//!
//! The [guide](crate::guide::management) has the routes, the problems and the reasons.

mod accounts;
mod answer;
mod api;
mod bodies;
mod document;
mod errors;
mod json;
mod keys;
mod problem;
mod query;
mod request;
mod tenant;
mod values;
mod views;

use std::future::ready;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;

/// The crate that has the type of the document, in the version that it is of.
pub use utoipa;

use self::api::{Api, Doc};
use self::json::MAX_BODY;
use self::problem::{Code, Problem};
use self::query::NoParams;
use crate::authority::Authority;

/// The routes, to be nested under any path:
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
/// /// Stands for the host's own login.
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
/// Without one every route but the document's answers 401. Nothing that a client sends becomes an
/// actor.
pub fn router<S: Clone + Send + Sync + 'static>(authority: Authority) -> Router<S> {
    routes()
        .router
        .fallback(|| ready(Problem::new(Code::NotFound, "there is nothing at this path")))
        .method_not_allowed_fallback(|| {
            ready(Problem::new(Code::MethodNotAllowed, "the method is not possible here"))
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(no_store))
        .with_state(authority)
}

/// The document of the routes, in OpenAPI 3.1, to be merged into one of the host's:
///
/// ```
/// use keywright::http::management::{self, utoipa::openapi::OpenApi};
///
/// fn with_keys(own: OpenApi) -> OpenApi {
///     own.nest("/api/keys-admin", management::openapi())
/// }
/// ```
///
/// Its components have names with `Keywright` in front. It names no server; what `GET /openapi.json`
/// serves is the same with the server `.`, since paths begin beside it there.
///
/// It declares no security scheme, since the login is yours: if you publish the document, add it.
pub fn openapi() -> OpenApi {
    document::document(&routes())
}

fn routes() -> Api {
    tenant::add(accounts::add(keys::add(Api::default()))).on(
        "/openapi.json",
        serve_document,
        Doc::get("show_document", "This document.").gives("Document").open(),
    )
}

/// For everybody: it tells of routes and of nobody's keys.
async fn serve_document(_: NoParams) -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| {
        let text = serde_json::to_vec(&document::served(openapi()));
        text.expect("a document of maps with texts for keys").into()
    });
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], TEXT.clone())
}

/// Of the whole router, errors included: an answer may hold a token, and who may see what changes.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
