//! Why management is refused: one enum for each family of operations.

use std::time::Duration;

use crate::record::account::ServiceAccount;
use crate::record::actor::PermissionDenied;
use crate::record::edit::EditError;
use crate::record::key::{RotateError, WrongStatus};
use crate::record::policy::{PolicyError, RoleName};
use crate::record::rules::RuleError;
use crate::store::{MAX_LIMIT, StoreError};
use crate::value::id::{AccountId, KeyId};
use crate::value::random::RandomError;
use crate::value::time::in_words;

/// Why no key was generated. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The tenant's plan lacks API access.
    #[error("the tenant's plan does not include API access: upgrade required")]
    UpgradeRequired,
    /// The tenant has API access turned off.
    #[error("API access is off in this tenant: its admin can turn it on")]
    AccessOff,
    /// The actor may not make keys for this owner.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The tenant has no such service account.
    #[error("there is no service account {0}")]
    AccountNotFound(AccountId),
    /// The service account that is to own the key is disabled.
    #[error("service account {0} is disabled: enable it first")]
    AccountDisabled(AccountId),
    /// The key does not meet the rules.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The owner holds as many live keys as the policy allows.
    #[error("the owner holds {limit} live keys, the most that the policy allows: revoke one first")]
    TooManyKeys {
        /// The limit in the policy.
        limit: u16,
    },
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Others changed policy or account each time, too often to go on.
    #[error("policy or account changed at each of {0} attempts: try again")]
    Contended(u32),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Why a key was not changed. Nothing was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The actor can see the key and may not do this with it.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The tenant has no such key that the actor can see. A key of another tenant is absent too.
    #[error("there is no key {0}")]
    NotFound(KeyId),
    /// The key's status is in the way.
    #[error(transparent)]
    WrongStatus(#[from] WrongStatus),
    /// The overlap is longer than the policy allows.
    #[error("the overlap is longer than the {} that the tenant's policy allows", in_words(*.max))]
    OverlapTooLong {
        /// The longest overlap in the policy.
        max: Duration,
    },
    /// The change does not meet the rules.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Somebody else has changed the key since it was read.
    #[error("the key has version {current} by now, not {given}: read it again and repeat the edit")]
    Stale {
        /// The version that the edit names.
        given: u64,
        /// The version that the key has.
        current: u64,
    },
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Others changed the key each time, too often to go on.
    #[error("the key changed at each of {0} attempts: try again")]
    Contended(u32),
    /// The store failed. After a failure of the kind `Unavailable` the change may have happened.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Why a service account was not made or changed. Nothing was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The actor may not do this.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The tenant has no such account. One of another tenant is absent too.
    #[error("there is no service account {0}")]
    NotFound(AccountId),
    /// The tenant's policy has no such role.
    #[error("the tenant's policy has no role {0}: add it there first")]
    UnknownRole(RoleName),
    /// Somebody else has changed the account since it was read.
    #[error(
        "the account has version {current} by now, not {given}: read it again and repeat the edit"
    )]
    Stale {
        /// The version that the edit names.
        given: u64,
        /// The version that the account has.
        current: u64,
    },
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Others changed the account each time, too often to go on.
    #[error("the account changed at each of {0} attempts: try again")]
    Contended(u32),
    /// The store failed. After a failure of the kind `Unavailable` the change may have happened.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Why a policy was not set. It is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetPolicyError {
    /// The actor may not do this.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The policy leaves its limits.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Somebody else has set the policy since it was read.
    #[error(
        "the policy has version {current} by now, not {given}: read it again and repeat the change"
    )]
    Stale {
        /// The version that was given.
        given: u64,
        /// The version in force.
        current: u64,
    },
    /// The store failed. After a failure of the kind `Unavailable` the change may have happened.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The actor may not see this.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// A page of no or too many items was asked for.
    #[error("a page of {0} items is not possible: from 1 to {max}", max = MAX_LIMIT)]
    Limit(u16),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl ServiceAccount {
    pub(super) fn must_be_enabled(&self) -> Result<(), GenerateError> {
        if self.enabled { Ok(()) } else { Err(GenerateError::AccountDisabled(self.id)) }
    }
}

impl From<EditError> for KeyError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::WrongStatus(error) => error.into(),
            EditError::Rule(error) => error.into(),
        }
    }
}

impl From<RotateError> for KeyError {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::WrongStatus(error) => error.into(),
            RotateError::OverlapTooLong { max } => Self::OverlapTooLong { max },
        }
    }
}
