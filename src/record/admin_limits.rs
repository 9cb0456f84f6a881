//! Which limits of a key an administrator has set.

use serde::{Deserialize, Serialize};

use crate::value::text_enum::text_enum;

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

text_enum! {
    /// A limit of a key that an administrator can set.
    pub enum KeyLimit {
        /// The scopes.
        Scopes = "scopes";
        /// The networks.
        Networks = "networks";
        /// The rate.
        Rate = "rate";
    }
}
