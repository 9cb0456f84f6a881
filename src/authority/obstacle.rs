//! The obstacles to generating a key, apart from the fields of the key itself.

use std::fmt;

use crate::record::actor::Actor;
use crate::record::key::Owner;
use crate::record::owner_record::OwnerRecord;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::requirement::{Requirement, Requirements};
use crate::record::rules::RuleError;
use crate::value::id::{AccountId, UserId};
use crate::value::name::NameError;

use super::errors::{GenerateError, NewOwnerError};

/// A reason for which no key can be generated for an owner now.
///
/// An obstacle does not depend on the fields of the new key.
/// [`Abilities::obstacles`](crate::Abilities::obstacles) lists them. The error of
/// [`generate`](crate::Authority::generate) is that of the first one, and names every missing
/// requirement.
///
/// ```
/// use keywright::{Obstacle, Requirement};
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// policy.plan.api_access = false;
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// let alice = Actor::developer(UserId::new("alice")?);
/// let abilities = authority.abilities(&alice, &alice.as_owner()).await?;
/// assert_eq!(abilities.obstacles, [Obstacle::Missing(Requirement::License)]);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Obstacle {
    /// A requirement is missing: the permission, the license or the switch.
    Missing(Requirement),
    /// The owner is a suspended user.
    UserSuspended(UserId),
    /// The owner is a service account that does not exist in the tenant.
    AccountNotFound(AccountId),
    /// The owner is a disabled service account.
    AccountDisabled(AccountId),
    /// No name follows both the pattern of the plan and that of the settings.
    NoName(NameError),
    /// The owner holds as many live keys as the policy allows.
    TooManyKeys {
        /// The limit.
        limit: u16,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        GenerateError::from(self.clone()).fmt(f)
    }
}

impl From<Obstacle> for GenerateError {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Missing(requirement) => Self::Missing(Requirements::only(requirement)),
            Obstacle::UserSuspended(user) => Self::UserSuspended(user),
            Obstacle::AccountNotFound(account) => Self::AccountNotFound(account),
            Obstacle::AccountDisabled(account) => Self::AccountDisabled(account),
            Obstacle::NoName(error) => RuleError::from(error).into(),
            Obstacle::TooManyKeys { limit } => Self::TooManyKeys { limit },
        }
    }
}

impl Obstacle {
    /// Returns the requirements that are missing.
    pub(super) fn of_requirements(
        actor: &Actor,
        owner: &Owner,
        policy: PolicyInForce<'_>,
    ) -> Vec<Self> {
        Requirements::missing_for(actor, owner, policy).iter().map(Self::Missing).collect()
    }

    /// Returns everything that prevents `actor` from generating a key for an owner with `live` live
    /// keys, in the order in which it is checked.
    pub(super) fn all(
        actor: &Actor,
        owner: &Owner,
        record: Option<&OwnerRecord>,
        live: u64,
        policy: PolicyInForce<'_>,
    ) -> Vec<Self> {
        let mut all = Self::of_requirements(actor, owner, policy);
        all.extend(Self::of_owner(owner, record));
        all.extend(policy.name_rule().err().map(Self::NoName));
        let limit = policy.max_keys_of(owner).filter(|limit| live >= u64::from(*limit));
        all.extend(limit.map(|limit| Self::TooManyKeys { limit }));
        all
    }

    /// Returns the reason for which the owner can have no new keys.
    pub(super) fn of_owner(owner: &Owner, record: Option<&OwnerRecord>) -> Option<Self> {
        NewOwnerError::of(owner, record).map(|error| match error {
            NewOwnerError::AccountNotFound(id) => Self::AccountNotFound(id),
            NewOwnerError::AccountDisabled(id) => Self::AccountDisabled(id),
            NewOwnerError::UserSuspended(id) => Self::UserSuspended(id),
            NewOwnerError::TooManyKeys { limit } => Self::TooManyKeys { limit },
        })
    }
}
