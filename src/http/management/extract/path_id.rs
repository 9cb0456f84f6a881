//! The extractor for the id of a key, a service account or a user in the path.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::http::management::wire::problem::{Code, Problem};
use crate::record::actor::{Actor, PermissionDenied};
use crate::record::operation::Operation;
use crate::value::id::{AccountId, KeyId, UserId};

/// The id in the path, as text. A handler parses it after the rest of the request, so that a
/// malformed id and an absent record get the same answer.
pub(crate) struct PathId(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // The path of the host may have parameters before ours.
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let last = params.as_ref().and_then(|params| params.iter().last());
        Ok(Self(last.map(|(_, value)| value.to_owned())))
    }
}

impl PathId {
    /// Parses the id. Returns `None` if it is malformed or absent.
    pub(crate) fn parse<T: FromStr>(&self) -> Option<T> {
        self.0.as_deref()?.parse().ok()
    }

    /// Parses the id of a key. A malformed id gets the answer of an unknown key.
    pub(crate) fn key(&self) -> Result<KeyId, Problem> {
        self.parse().ok_or_else(|| Code::KeyNotFound.into())
    }

    /// Parses the id of a service account. The answer to an actor without the permission does not
    /// depend on whether the account exists.
    pub(crate) fn account(
        &self,
        actor: &Actor,
        operation: Operation,
    ) -> Result<AccountId, Problem> {
        self.parse_for(actor, operation, Code::AccountNotFound)
    }

    /// Parses the id of a user. An id that no user can have is not found.
    pub(crate) fn user(&self, actor: &Actor, operation: Operation) -> Result<UserId, Problem> {
        self.parse_for(actor, operation, Code::UserNotFound)
    }

    fn parse_for<T: FromStr>(
        &self,
        actor: &Actor,
        operation: Operation,
        not_found: Code,
    ) -> Result<T, Problem> {
        if let Some(id) = self.parse() {
            return Ok(id);
        }
        if actor.may_for_any(operation) {
            Err(not_found.into())
        } else {
            Err(PermissionDenied { operation }.into())
        }
    }
}
