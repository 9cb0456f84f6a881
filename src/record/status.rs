//! This module defines the five statuses of a key.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a key at a given time: active, scheduled, disabled, expired or revoked.
///
/// It is computed from the key's fields and the time, and is never stored.
///
/// ```
/// use keywright::{Clock, KeyStatus, SystemClock};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// assert_eq!(issued.key.status(SystemClock.now()), KeyStatus::Active);
/// let key = authority.disable(&alice, &issued.key.id).await?.into_inner();
/// assert_eq!(key.status(SystemClock.now()), KeyStatus::Disabled);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [States](crate::guide::states) in the guide.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// The key is valid. A check can still refuse a request, for example for its source or scope.
    Active,
    /// The key is not valid yet, because its `not_before` is in the future.
    Scheduled,
    /// The key is disabled.
    Disabled,
    /// The key has expired. This status is final.
    Expired,
    /// The key was revoked. This status is final.
    Revoked,
}

impl KeyStatus {
    /// All statuses.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Scheduled, Self::Disabled, Self::Expired, Self::Revoked];

    /// Returns whether the key is live: active, scheduled or disabled, and so valid now or possibly
    /// later.
    ///
    /// Live keys count toward an owner's limit.
    ///
    /// ```
    /// use keywright::KeyStatus;
    ///
    /// assert!(KeyStatus::Disabled.is_live());
    /// assert!(!KeyStatus::Expired.is_live());
    /// ```
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Scheduled | Self::Disabled)
    }

    /// Returns the name: `active`, `scheduled`, `disabled`, `expired` or `revoked`.
    ///
    /// ```
    /// use keywright::KeyStatus;
    ///
    /// assert_eq!(KeyStatus::Active.as_str(), "active");
    /// ```
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
