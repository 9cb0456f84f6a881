//! Headers of responses.

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
                "description": "The version, for If-Match.",
                "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" },
            }),
            Self::Location => json!({
                "description": "What was made, relative to the URL of the request.",
                "schema": { "type": "string", "format": "uri-reference" },
            }),
            Self::RetryAfter => json!({
                "description": "In seconds.",
                "schema": { "type": "integer", "minimum": 1 },
            }),
            Self::WwwAuthenticate => json!({
                "description": "Names no scheme of keys: a key manages nothing.",
                "schema": { "type": "string" },
            }),
        }
    }
}
