//! Which limits of a key an administrator has set.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which limits of a key an administrator has set. The key's owner may narrow those and not widen them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AdminLimits {
    /// Whether an administrator set the key's scopes.
    pub scopes: bool,
    /// Whether an administrator set the key's networks.
    pub networks: bool,
    /// Whether an administrator set the key's rate. Such a rate may be above the policy's default.
    pub rate: bool,
}

/// A limit of a key that an administrator can set.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyLimit {
    /// Its scopes.
    Scopes,
    /// Its networks.
    Networks,
    /// Its rate.
    Rate,
}

impl fmt::Display for KeyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scopes => "scopes",
            Self::Networks => "networks",
            Self::Rate => "rate",
        })
    }
}
