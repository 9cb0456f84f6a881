//! The five statuses of a key.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a key at a time. Computed, never stored.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// It authenticates.
    Active,
    /// Its not-before is still to come.
    Scheduled,
    /// Stopped for a while.
    Disabled,
    /// Past its expiry; final.
    Expired,
    /// Stopped for good; final.
    Revoked,
}

impl KeyStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Scheduled, Self::Disabled, Self::Expired, Self::Revoked];

    /// Whether the key authenticates now or could later. Live keys count towards an owner's limit.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Scheduled | Self::Disabled)
    }

    /// The name: `active`, `scheduled`, `disabled`, `expired`, `revoked`.
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
