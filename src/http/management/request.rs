//! What a request says beside its body: who sends it, what it is about, and on which condition.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;

use super::errors::{no_account, no_key};
use super::problem::{Code, Problem};
use crate::record::actor::{Actor, PermissionDenied};
use crate::record::operation::Operation;
use crate::value::id::{AccountId, KeyId};

/// The actor that the host's login put into the request's extensions. Nothing else makes one: a
/// client writes headers, and none of them is read for this.
pub(super) struct Caller(pub(super) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Actor>().cloned();
        actor.map(Self).ok_or_else(|| Problem::new(Code::LoginRequired, "a login is needed"))
    }
}

/// The id in the path, as it stands there. It is read when the rest of the request is found good:
/// a malformed id is answered where an absent one is.
pub(super) struct PathId(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // The host may have parameters in the path that this router is mounted under: ours is last.
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let last = params.as_ref().and_then(|params| params.iter().last());
        Ok(Self(last.map(|(_, value)| value.to_owned())))
    }
}

impl PathId {
    /// The id, if it can be read as one.
    pub(super) fn parse<T: FromStr>(&self) -> Option<T> {
        self.0.as_deref()?.parse().ok()
    }

    pub(super) fn key(&self) -> Result<KeyId, Problem> {
        self.parse().ok_or_else(no_key)
    }

    /// Of an account one learns nothing without the permission, absence included.
    pub(super) fn account(
        &self,
        actor: &Actor,
        operation: Operation,
    ) -> Result<AccountId, Problem> {
        if let Some(id) = self.parse() {
            return Ok(id);
        }
        if actor.may_for_any(operation) {
            Err(no_account())
        } else {
            Err(PermissionDenied { operation }.into())
        }
    }
}

/// What `If-Match` says of the version to change.
#[derive(Clone, Copy)]
pub(super) enum Precondition {
    /// Nothing.
    Absent,
    /// `*`: whichever there is.
    Any,
    /// This version alone.
    Version(u64),
}

/// A version that nothing ever has, for an entity tag that is none of ours: the authority compares
/// it in its turn, behind permission and absence.
const NO_VERSION: u64 = u64::MAX;

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(IF_NONE_MATCH) {
            let detail = "If-None-Match is not kept here, so it is not taken";
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
            _ => Err(Problem::new(
                Code::InvalidPrecondition,
                r#"If-Match takes one entity tag, as "3", or *"#,
            )),
        }
    }
}

/// An entity tag of RFC 9110 section 8.8.3. A weak one never matches (section 13.1.1).
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
        // One spelling: 03 and +3 are other tags than 3.
        (version.to_string() == text).then_some(version)
    });
    Some(Precondition::Version(version.filter(|_| !weak).unwrap_or(NO_VERSION)))
}

impl Precondition {
    /// The version to ask for, if any.
    pub(super) fn version(self) -> Option<u64> {
        match self {
            Self::Absent | Self::Any => None,
            Self::Version(version) => Some(version),
        }
    }
}

/// No condition, on a route that could not keep it: refused rather than ignored.
pub(super) struct Unconditional;

impl<S: Send + Sync> FromRequestParts<S> for Unconditional {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if [IF_MATCH, IF_NONE_MATCH].iter().any(|name| parts.headers.contains_key(name)) {
            let detail = "this operation takes no If-Match and no If-None-Match";
            return Err(Problem::new(Code::PreconditionNotSupported, detail));
        }
        Ok(Self)
    }
}
