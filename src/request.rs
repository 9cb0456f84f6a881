//! What is asked about a credential: from where it came, and what it is wanted for.

use std::net::IpAddr;

use crate::scope::{Access, Scope, ScopeSet};
use crate::token::Credential;

/// One request to be decided: a credential, its source, and what it must allow.
///
/// ```
/// use keywright::{Request, Scope};
///
/// let scope = Scope::new("invoices:write")?;
/// let request = Request::token("acme_live_...").source("203.0.113.7".parse()?).write().scope(&scope);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub(crate) credential: Credential<'a>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) access: Access,
    pub(crate) scopes: &'a [Scope],
}

impl<'a> Request<'a> {
    /// A request that needs no more than an accepted credential.
    pub fn new(credential: Credential<'a>) -> Self {
        Self { credential, source: None, access: Access::ReadOnly, scopes: &[] }
    }

    /// The same, with a whole token.
    pub fn token(token: &'a str) -> Self {
        Self::new(Credential::Token(token))
    }

    /// The same, with key id and key secret apart.
    pub fn parts(key_id: &'a str, key_secret: &'a str) -> Self {
        Self::new(Credential::Parts { key_id, key_secret })
    }

    /// The address from which it came. Without one, a key that is bound to networks is refused.
    pub fn source(self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self }
    }

    /// It changes something: refused to read-only accounts.
    pub fn write(self) -> Self {
        Self { access: Access::ReadWrite, ..self }
    }

    /// It needs this scope.
    pub fn scope(self, scope: &'a Scope) -> Self {
        Self { scopes: std::slice::from_ref(scope), ..self }
    }

    /// It needs all of these scopes.
    pub fn scopes(self, scopes: &'a ScopeSet) -> Self {
        Self { scopes: scopes.as_slice(), ..self }
    }
}
