//! A tenant's records of users: a display name, and whether the user is suspended.

use serde::{Deserialize, Serialize};

use crate::record::operation::Outcome;
use crate::value::id::{TenantId, UserId};
use crate::value::name::Name;
use crate::value::serde_strict::{next_version, required};
use crate::value::time::Timestamp;

/// A tenant's record of a user: the display name that the host gave, and whether the user is
/// suspended.
///
/// The host keeps its users itself. A user without a record has no display name and is not
/// suspended.
///
/// ```
/// use keywright::{Name, UserId};
///
/// # use keywright::{Actor, Keywright, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let alice = UserId::new("alice")?;
/// let name = Some(Name::new("Alice Jones")?);
/// let user = authority.set_display_name(&ada, &alice, name).await?.into_inner();
/// assert!(!user.suspended);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct User {
    /// The host's id of the user.
    pub id: UserId,
    /// The tenant that keeps the record.
    pub tenant: TenantId,
    /// The name that listings show and search in place of the id; `None` if the host gave none.
    #[serde(deserialize_with = "required")]
    pub display_name: Option<Name>,
    /// True if the user is suspended: every check refuses the user's keys, and generating one is
    /// refused.
    pub suspended: bool,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The version: 1 for the first record, and one more with each change, up to 2⁶³ − 1. A user
    /// without a record has version 0.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

impl User {
    /// Returns the user of whom nothing is stored.
    pub(crate) fn unknown(tenant: TenantId, id: UserId, now: Timestamp) -> Self {
        Self { id, tenant, display_name: None, suspended: false, updated_at: now, version: 0 }
    }

    pub(crate) fn named(&self, display_name: Option<Name>, now: Timestamp) -> Outcome<Self> {
        self.changed_to(Self { display_name, ..self.clone() }, now)
    }

    pub(crate) fn set_suspended(&self, suspended: bool, now: Timestamp) -> Outcome<Self> {
        self.changed_to(Self { suspended, ..self.clone() }, now)
    }

    fn changed_to(&self, next: Self, now: Timestamp) -> Outcome<Self> {
        if next == *self {
            return Outcome::Unchanged(next);
        }
        Outcome::Done(Self { updated_at: now, version: next_version(self.version), ..next })
    }
}
