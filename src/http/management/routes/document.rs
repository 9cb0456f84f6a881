//! The handlers of the OpenAPI documents.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::OpenApi;

use crate::http::management::extract::query::NoParams;
use crate::http::management::openapi;

/// Returns the document. It needs no login, because it describes only the routes.
pub(super) async fn show(_: NoParams) -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| text_of(openapi::document()));
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], TEXT.clone())
}

/// Returns the document of the operator's routes. It needs no login either.
pub(super) async fn show_for_operators(_: NoParams) -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| text_of(openapi::operator_document()));
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], TEXT.clone())
}

fn text_of(document: OpenApi) -> Bytes {
    let text = serde_json::to_vec(&openapi::served(document));
    text.expect("a document of maps with texts for keys").into()
}
