//! The headers of responses.

use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub(super) enum Header {
    ETag,
    Location,
    RetryAfter,
    WwwAuthenticate,
}

impl Header {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ETag => "ETag",
            Self::Location => "Location",
            Self::RetryAfter => "Retry-After",
            Self::WwwAuthenticate => "WWW-Authenticate",
        }
    }

    pub(super) fn describe(self) -> Value {
        match self {
            Self::ETag => json!({
                "description": "The version of the record, for If-Match.",
                "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" },
            }),
            Self::Location => json!({
                "description": "The URL of the new record, relative to the URL of the request.",
                "schema": { "type": "string", "format": "uri-reference" },
            }),
            Self::RetryAfter => json!({
                "description": "The time to wait before the next request, in seconds.",
                "schema": { "type": "integer", "minimum": 1 },
            }),
            Self::WwwAuthenticate => json!({
                "description": "The challenge of the login. It names no scheme for API keys, because a key can't manage keys.",
                "schema": { "type": "string" },
            }),
        }
    }
}
