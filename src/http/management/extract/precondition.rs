//! The extractors for `If-Match`, and for its absence.

use axum::extract::FromRequestParts;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;

use crate::http::management::wire::problem::{Code, NO_VERSION, Problem};

/// The version of the record to change, from `If-Match`.
#[derive(Clone, Copy)]
pub(crate) enum Precondition {
    /// The request has no `If-Match`.
    Absent,
    /// `*`, which allows any version.
    Any,
    /// One version.
    Version(u64),
}

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(IF_NONE_MATCH) {
            let detail =
                "this operation does not support If-None-Match; send the request without it";
            return Err(Problem::new(Code::PreconditionNotSupported, detail));
        }
        let mut values = parts.headers.get_all(IF_MATCH).iter();
        let (first, more) = (values.next(), values.next().is_some());
        let Some(value) = first else { return Ok(Self::Absent) };
        let tag = value.as_bytes().trim_ascii();
        if tag == b"*" && !more {
            return Ok(Self::Any);
        }
        match opaque_tag(tag) {
            Some(tag) if !more => Ok(tag),
            _ => Err(Code::InvalidPrecondition.into()),
        }
    }
}

/// Parses an entity tag (RFC 9110 section 8.8.3). A weak entity tag never matches (section 13.1.1).
fn opaque_tag(tag: &[u8]) -> Option<Precondition> {
    let (weak, quoted) = match tag.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, tag),
    };
    let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if !opaque.iter().all(|b| matches!(b, 0x21 | 0x23..=0x7E | 0x80..)) {
        return None;
    }
    let version = std::str::from_utf8(opaque).ok().and_then(|text| {
        let version: u64 = text.parse().ok()?;
        // Entity tags are compared as text, so `03` and `+3` do not match `3`.
        (version.to_string() == text).then_some(version)
    });
    Some(Precondition::Version(version.filter(|_| !weak).unwrap_or(NO_VERSION)))
}

impl Precondition {
    /// Returns the version that the record must have, if the request names one.
    pub(crate) fn version(self) -> Option<u64> {
        match self {
            Self::Absent | Self::Any => None,
            Self::Version(version) => Some(version),
        }
    }
}

/// The absence of a precondition, for a route that supports none. An ignored precondition could
/// lose an update, so the request is refused.
pub(crate) struct Unconditional;

impl<S: Send + Sync> FromRequestParts<S> for Unconditional {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if [IF_MATCH, IF_NONE_MATCH].iter().any(|name| parts.headers.contains_key(name)) {
            let detail = "this operation does not support If-Match or If-None-Match; send the request without them";
            return Err(Problem::new(Code::PreconditionNotSupported, detail));
        }
        Ok(Self)
    }
}
