//! The request to be decided: a credential, its source, and what it must allow.

use std::net::IpAddr;
use std::time::Duration;

use crate::record::freshness::Freshness;
use crate::value::scope::{Access, Scope, ScopeSet};

use crate::value::token::Credential;

/// The number of scopes that a request can name without an allocation.
const INLINE: usize = 4;

/// One request to be decided: a credential, its source, and all that it must allow.
///
/// ```
/// use keywright::{AccessRequest, Scope};
///
/// let scope = Scope::new("invoices:write")?;
/// let request = AccessRequest::token("acme_live_...").source("203.0.113.7".parse()?).write().scope(&scope);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request is made by value: go on with what the setter returns"]
pub struct AccessRequest<'a> {
    pub(crate) credential: Credential<'a>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) access: Access,
    pub(crate) freshness: Freshness,
    needed: [Option<&'a Scope>; INLINE],
    /// Scopes beyond those; most requests need one, and allocate nothing for it.
    needed_too: Vec<&'a Scope>,
}

impl<'a> AccessRequest<'a> {
    /// Creates a request that needs no more than an accepted credential.
    pub fn new(credential: Credential<'a>) -> Self {
        Self {
            credential,
            source: None,
            access: Access::ReadOnly,
            freshness: Freshness::Usual,
            needed: [None; INLINE],
            needed_too: Vec::new(),
        }
    }

    /// Creates such a request of a whole token.
    pub fn token(token: &'a str) -> Self {
        Self::new(Credential::Token(token))
    }

    /// Creates such a request of a key id and a key secret.
    pub fn parts(key_id: &'a str, key_secret: &'a str) -> Self {
        Self::new(Credential::Parts { key_id, key_secret })
    }

    /// Sets the source address. Without one, a key that is bound to networks is refused.
    pub fn source(self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Sets the access that the request needs. Write access is refused to keys of read-only
    /// accounts.
    ///
    /// **A user's key is never read-only.** Its scopes say what it may change.
    pub fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Requires write access: [`access`](Self::access) with [`Access::ReadWrite`].
    pub fn write(self) -> Self {
        self.access(Access::ReadWrite)
    }

    /// Sets the staleness that the request tolerates, if that is less than the store's own bound.
    /// With zero, a cache always asks the store behind it.
    pub fn max_age(self, age: Duration) -> Self {
        Self { freshness: Freshness::AtMost(age), ..self }
    }

    /// Requires a scope, in addition to those that were named before.
    pub fn scope(mut self, scope: &'a Scope) -> Self {
        match self.needed.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(scope),
            None => self.needed_too.push(scope),
        }
        self
    }

    /// Requires all of these scopes, in addition to those that were named before.
    pub fn scopes(self, scopes: &'a ScopeSet) -> Self {
        scopes.iter().fold(self, Self::scope)
    }

    pub(crate) fn needed(&self) -> impl Iterator<Item = &'a Scope> {
        self.needed.iter().flatten().chain(&self.needed_too).copied()
    }
}
