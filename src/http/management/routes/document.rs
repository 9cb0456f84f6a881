//! The handler of the OpenAPI document.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::http::management::extract::query::NoParams;
use crate::http::management::openapi;

/// Returns the document. It needs no login, because it describes only the routes.
pub(super) async fn show(_: NoParams) -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| {
        let text = serde_json::to_vec(&openapi::served(openapi::document()));
        text.expect("a document of maps with texts for keys").into()
    });
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], TEXT.clone())
}
