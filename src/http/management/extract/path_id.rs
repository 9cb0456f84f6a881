//! The id of a key or an account in the path.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::http::management::wire::problem::{Code, Problem};
use crate::record::actor::{Actor, PermissionDenied};
use crate::record::operation::Operation;
use crate::value::id::{AccountId, KeyId};

/// The id in the path, not parsed yet. A handler parses it after the rest of the request, so that a
/// malformed id is answered at the same point as an absent one.
pub(crate) struct PathId(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // The path that this router is mounted under may have parameters of the host's: ours is last.
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let last = params.as_ref().and_then(|params| params.iter().last());
        Ok(Self(last.map(|(_, value)| value.to_owned())))
    }
}

impl PathId {
    /// Parses the id. `None` if it is malformed or absent.
    pub(crate) fn parse<T: FromStr>(&self) -> Option<T> {
        self.0.as_deref()?.parse().ok()
    }

    /// Parses the id of a key. A malformed one is answered as an absent one.
    pub(crate) fn key(&self) -> Result<KeyId, Problem> {
        self.parse().ok_or_else(|| Code::KeyNotFound.into())
    }

    /// Parses the id of an account. Without the permission the answer does not say whether it exists.
    pub(crate) fn account(
        &self,
        actor: &Actor,
        operation: Operation,
    ) -> Result<AccountId, Problem> {
        if let Some(id) = self.parse() {
            return Ok(id);
        }
        if actor.may_for_any(operation) {
            Err(Code::AccountNotFound.into())
        } else {
            Err(PermissionDenied { operation }.into())
        }
    }
}
