//! The stylesheet and the script of the page, under names with a hash of their content.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const STYLESHEET: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.mjs");
/// A name changes with its content, so that the file under a name never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

static STYLESHEET_NAME: LazyLock<String> = LazyLock::new(|| name(STYLESHEET, "css"));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name(SCRIPT, "mjs"));

/// Returns the path of the stylesheet below the base of the page.
pub(super) fn stylesheet() -> &'static str {
    &STYLESHEET_NAME
}

/// Returns the path of the script below the base of the page.
pub(super) fn script() -> &'static str {
    &SCRIPT_NAME
}

fn name(content: &str, extension: &str) -> String {
    let mut name = "/assets/page.".to_owned();
    for byte in &Sha256::digest(content)[..8] {
        write!(name, "{byte:02x}").expect("a String takes every text");
    }
    name + "." + extension
}

/// Answers a request for a file, or returns `None` if there is none under the name.
pub(super) fn file(name: &str) -> Option<Response> {
    let is_file = |path: &str| path.strip_prefix("/assets/") == Some(name);
    let (kind, content) = if is_file(stylesheet()) {
        ("text/css; charset=utf-8", STYLESHEET)
    } else if is_file(script()) {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return None;
    };
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, FOREVER), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Some((StatusCode::OK, headers, content).into_response())
}
