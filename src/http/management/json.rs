//! JSON bodies: how one is read, and what is said of one that can't be.
//!
//! A host's login may be a cookie, which a browser sends along with requests of strange pages. Such
//! a page can POST a form or plain text without asking; `application/json`, PUT, PATCH and DELETE it
//! can't send before the browser has asked the server (Fetch, "CORS-preflight"). So each body says
//! that it is JSON, also where there is nothing to say in it.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::{Code, Problem};
use super::values::Object;
use crate::value::redact::{looks_like_token, redact};

/// The longest body, in bytes: as large as a policy with every role and scope that it can have.
pub(super) const MAX_BODY: usize = 320 * 1024;

/// A body of JSON, read as a `T`.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            let detail = "the body must be sent as application/json, in UTF-8";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(Code::BodyTooLarge, format!("a body has at most {MAX_BODY} bytes"))
            } else {
                Problem::new(Code::MalformedJson, "the body did not arrive whole")
            }
        })?;
        read(&bytes).map(Self)
    }
}

fn is_json(request: &Request) -> bool {
    let mut values = request.headers().get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(|parameter| !is_foreign_charset(parameter))
}

/// Whether a parameter names a charset that is not UTF-8, the only one that JSON has between programs
/// (RFC 8259 section 8.1). Other parameters mean nothing here.
fn is_foreign_charset(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_utf_8 = name.len() == "charset".len() && bare.eq_ignore_ascii_case("utf-8");
    name.trim_end().eq_ignore_ascii_case("charset") && !is_utf_8
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = || Problem::new(Code::MalformedJson, "the body is not JSON");
    // What is no JSON is told apart from what is JSON of another shape, whichever comes first.
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| malformed())?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(Object(body)) => Ok(body),
        Err(error) if error.inner().is_data() => {
            let detail = told(&error.path().to_string(), &error.inner().to_string());
            Err(Problem::new(Code::InvalidBody, detail))
        }
        // Half a surrogate pair, which the first reading lets pass.
        Err(_) => Err(malformed()),
    }
}

/// What may be said of a body of the wrong shape. serde repeats what it met, and that may be a token
/// in the wrong place; what it expected is enough.
fn told(path: &str, message: &str) -> String {
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let end = ["`, expected ", "`, there are no fields"].iter().find_map(|end| rest.rfind(end));
        let field = redact(end.map_or(rest, |end| &rest[..end]));
        return format!("there is no field {field:?} here");
    }
    let message = match message.split_once(": ") {
        Some((what @ ("invalid type" | "invalid value" | "invalid length"), met)) => {
            let expected = met.rfind(", expected ").map_or("", |place| &met[place..]);
            format!("{what}{expected}")
        }
        _ if looks_like_token(message) => "not possible".to_owned(),
        _ => message.to_owned(),
    };
    if path == "." { message } else { format!("{}: {message}", redact(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_met_is_not_repeated() {
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
                "there is no field \"(not shown: it looks like a token)\" here",
            ),
            (
                ".",
                "unknown field `x`, there are no fields".to_owned(),
                "there is no field \"x\" here",
            ),
            (".", format!("what {secret} is"), "not possible"),
            (
                secret,
                "missing field `name`".to_owned(),
                "(not shown: it looks like a token): missing field `name`",
            ),
        ];
        for (path, message, expected) in table {
            assert_eq!(told(path, &message), expected);
        }
    }
}
