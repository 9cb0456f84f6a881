//! The extractor for JSON bodies, and the problems of a malformed body.
//!
//! The login of a host may be a cookie, which a browser sends with requests of foreign pages too. A
//! foreign page can POST a form or plain text directly. For `application/json` and for PUT, PATCH
//! and DELETE, the browser first sends a preflight request (Fetch, "CORS-preflight"). Every body
//! must therefore have the type `application/json`. A foreign page can also POST without a body, so
//! such a request is checked for the page that sent it.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::http::cross_site::{self, WithoutHeaders};
use crate::http::management::wire::problem::{Code, Problem};
use crate::http::management::wire::request_bodies::Nothing;
use crate::http::management::wire::strict_values::Object;
use crate::value::redact::{looks_like_token, redact};

/// The longest body, in bytes. The largest possible plan fits.
pub(crate) const MAX_BODY: usize = 2 * 1024 * 1024;

/// A JSON body, parsed as `T`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Code::UnsupportedMediaType.into());
        }
        parse(&bytes(request, state).await?).map(Self)
    }
}

/// The body of an operation without settings: `{}`, or none.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let has_type = request.headers().contains_key(CONTENT_TYPE);
        if has_type && !is_json(&request) {
            return Err(Code::UnsupportedMediaType.into());
        }
        if !has_type && is_cross_site(&request) {
            return Err(Code::CrossSite.into());
        }
        let body = bytes(request, state).await?;
        match (body.is_empty(), has_type) {
            (true, _) => Ok(Self),
            (false, true) => parse(&body).map(|Nothing {}| Self),
            // A foreign page can also send a body without a type.
            (false, false) => Err(Code::UnsupportedMediaType.into()),
        }
    }
}

/// Returns whether a page of another origin sent the request. Such a page can send `{}` as JSON, if
/// the host allows that with CORS, so no origin is trusted here.
fn is_cross_site(request: &Request) -> bool {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let trusted: [&str; 0] = [];
    cross_site::check(method, uri, headers, &trusted, WithoutHeaders::Accepted).is_err()
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(Code::BodyTooLarge, format!("the body is longer than {MAX_BODY} bytes"))
        } else {
            Problem::new(Code::MalformedJson, "the body is incomplete; send the request again")
        }
    })
}

/// Returns whether the request has exactly one `Content-Type`, and it is JSON in UTF-8.
fn is_json(request: &Request) -> bool {
    let mut values = request.headers().get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(|parameter| !is_foreign_charset(parameter))
}

/// Returns whether a parameter names a charset other than UTF-8. JSON between systems is always
/// UTF-8 (RFC 8259 section 8.1). Other parameters are ignored.
fn is_foreign_charset(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_utf_8 = name.len() == "charset".len() && bare.eq_ignore_ascii_case("utf-8");
    name.trim_end().eq_ignore_ascii_case("charset") && !is_utf_8
}

/// Parses a body.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = || Problem::new(Code::MalformedJson, "the body is not valid JSON");
    // The whole text is checked first, so that malformed JSON after a wrong field is still
    // `malformed_json`.
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| malformed())?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(Object(body)) => Ok(body),
        Err(error) if error.inner().is_data() => {
            let (path, message) = (error.path().to_string(), error.inner().to_string());
            let problem = Problem::new(Code::InvalidBody, wrong_shape(&path, &message));
            Err(match wrong_field(&path, &message) {
                Some(field) => problem.at(field),
                None => problem,
            })
        }
        // A lone surrogate, which the first pass accepts.
        Err(_) => Err(malformed()),
    }
}

/// Describes a body that is valid JSON and does not match its schema. The message of serde repeats
/// the value that it found, which may be a misplaced token. The description names only the expected
/// type.
fn wrong_shape(path: &str, message: &str) -> String {
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let end = ["`, expected ", "`, there are no fields"].iter().find_map(|end| rest.rfind(end));
        let field = redact(end.map_or(rest, |end| &rest[..end]));
        return format!("unknown field {field:?}");
    }
    let message = match message.split_once(": ") {
        Some((what @ ("invalid type" | "invalid value" | "invalid length"), met)) => {
            let expected = met.rfind(", expected ").map_or("", |place| &met[place..]);
            format!("{what}{expected}")
        }
        _ if looks_like_token(message) => "invalid value".to_owned(),
        _ => message.to_owned(),
    };
    if path == "." { message } else { format!("{}: {message}", redact(path)) }
}

/// Returns the field of the body that is wrong, such as `name` or `roles.analyst[0]`.
fn wrong_field(path: &str, message: &str) -> Option<String> {
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (path, missing) {
        (".", Some(name)) => Some(name.to_owned()),
        (".", None) => None,
        (path, Some(name)) => Some(redact(&format!("{path}.{name}"))),
        (path, None) => Some(redact(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_value_is_not_repeated() {
        let secret = "4fQ2xk9ZrT7bWm1c8PzAq0LdVh3sKyNeJ5uGiXo6";
        let table = [
            (
                "rate",
                format!("invalid type: string \"{secret}\", expected u64 at line 1 column 2"),
                "rate: invalid type, expected u64",
            ),
            (
                ".",
                format!("unknown field `{secret}`, expected one of `a`, `b`"),
                "unknown field \"(not shown: it looks like a token)\"",
            ),
            (".", "unknown field `x`, there are no fields".to_owned(), "unknown field \"x\""),
            (".", format!("what {secret} is"), "invalid value"),
            (
                secret,
                "missing field `name`".to_owned(),
                "(not shown: it looks like a token): missing field `name`",
            ),
        ];
        for (path, message, expected) in table {
            assert_eq!(wrong_shape(path, &message), expected);
        }
    }
}
