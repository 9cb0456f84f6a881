//! The five statuses of a key.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a key at a time. Computed, never stored.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// The key authenticates.
    Active,
    /// The key's not-before has not passed.
    Scheduled,
    /// The key is disabled.
    Disabled,
    /// The key's expiry has passed; final.
    Expired,
    /// The key was revoked; final.
    Revoked,
}

impl KeyStatus {
    /// All statuses.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Scheduled, Self::Disabled, Self::Expired, Self::Revoked];

    /// Returns whether the key authenticates now or could later. Live keys count toward an owner's
    /// limit.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Scheduled | Self::Disabled)
    }

    /// Returns the name: `active`, `scheduled`, `disabled`, `expired` or `revoked`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Scheduled => "scheduled",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
