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

/// A key could not be generated. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The tenant's plan lacks API access.
    #[error("the tenant's plan does not include API access: upgrade required")]
    UpgradeRequired,
    /// The tenant has API access turned off.
    #[error("API access is off in this tenant: its admin can turn it on")]
    AccessOff,
    /// The actor has no permission to generate keys for this owner.
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
    /// Policy or account changed at each attempt. Try again.
    #[error("policy or account changed at each of {0} attempts: try again")]
    Contended(u32),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A key could not be changed or shown. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The actor can see the key and has no permission for the operation.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The tenant has no such key that the actor can see. A key of another tenant is absent too.
    #[error("there is no key {0}")]
    NotFound(KeyId),
    /// The key's status does not allow the operation.
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
    /// The key has changed since it was read.
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
    /// The key changed at each attempt. Try again.
    #[error("the key changed at each of {0} attempts: try again")]
    Contended(u32),
    /// The store failed. After a failure of the kind `Unavailable` the change may have happened.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A service account could not be created, changed or shown. Nothing was changed.
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
    /// The account has changed since it was read.
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
    /// The account changed at each attempt. Try again.
    #[error("the account changed at each of {0} attempts: try again")]
    Contended(u32),
    /// The store failed. After a failure of the kind `Unavailable` the change may have happened.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A policy could not be set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetPolicyError {
    /// The actor may not do this.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// A field of the policy is out of its bounds.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policy has changed since it was read.
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

/// A list, a policy or a sweep was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The actor has no permission to see this.
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
