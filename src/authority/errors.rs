//! The errors of management: one enum for each family of operations.

use std::time::Duration;

use crate::record::actor::PermissionDenied;
use crate::record::edit::EditError;
use crate::record::key::{Owner, RotateError, WrongStatus};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy_error::PolicyError;
use crate::record::requirement::Requirements;
use crate::record::role::RoleName;
use crate::record::rules::RuleError;
use crate::store::{MAX_LIMIT, StoreError};
use crate::value::id::{AccountId, KeyId, UserId};
use crate::value::random::RandomError;
use crate::value::time::in_words;

/// A key could not be generated.
///
/// Nothing was stored, except as [`Store`](Self::Store) describes.
///
/// ```
/// use keywright::{GenerateError, Requirement};
/// # use keywright::{Actor, Keywright, NewKey, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// match authority.generate(&alice, NewKey::named("prod-main-app")?).await {
///     Ok(issued) => println!("your token: {}", issued.token.expose()),
///     Err(GenerateError::Missing(missing)) if missing.contains(Requirement::Switch) => {
///         println!("ask an admin to turn API access on")
///     }
///     Err(GenerateError::TooManyKeys { limit }) => println!("you already have {limit} keys"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The actor has no permission, the plan lacks API access, the actor has no license, or the
    /// tenant's switch is off. The value has all that are missing.
    #[error("no key can be generated: {0}")]
    Missing(Requirements),
    /// The user for whom the key would be generated is suspended.
    #[error("user {0} is suspended; restore the user first")]
    UserSuspended(UserId),
    /// The tenant has no such service account.
    #[error("service account {0} was not found")]
    AccountNotFound(AccountId),
    /// The service account that would own the key is disabled.
    #[error("service account {0} is disabled; enable it first")]
    AccountDisabled(AccountId),
    /// The new key breaks a rule of the policy.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The owner holds as many live keys as the policy allows.
    #[error("the owner already holds {limit} live keys, the limit in the policy; revoke one first")]
    TooManyKeys {
        /// The limit in the policy, 1 to 1,000.
        limit: u16,
    },
    /// The actor has generated a key with the same ticket before. Nothing was generated now.
    #[error("the form was sent before: key {key} was generated with its ticket")]
    TicketUsed {
        /// The key that was generated with the ticket. It may have been deleted since.
        key: KeyId,
    },
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The policy or the account changed during every attempt, so nothing was stored. The field
    /// holds the number of attempts.
    #[error(
        "the policy or account changed during each of {0} attempts; nothing was stored, try again"
    )]
    Contended(u32),
    /// The store failed. After the kind `Unavailable` there may be a key whose token was never
    /// shown: find it in the listing and revoke it.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A key could not be changed or shown.
///
/// Nothing was changed, except as [`Store`](Self::Store) describes.
///
/// ```
/// use keywright::KeyError;
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// authority.revoke(&alice, &issued.key.id).await?;
/// match authority.enable(&alice, &issued.key.id).await {
///     Err(KeyError::WrongStatus(error)) => println!("the key is {}", error.status), // revoked
///     result => drop(result?),
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The actor can see the key, but has no permission for the operation.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The tenant has no such key, or the actor cannot see it.
    #[error("key {0} was not found")]
    NotFound(KeyId),
    /// The key's status does not allow the operation.
    #[error(transparent)]
    WrongStatus(#[from] WrongStatus),
    /// The overlap is longer than the policy allows.
    #[error(
        "the overlap must be at most {}, the limit in the tenant's policy, got {}",
        in_words(*.max),
        in_words(*.overlap)
    )]
    OverlapTooLong {
        /// The overlap that the caller asked for.
        overlap: Duration,
        /// The longest overlap that the policy allows.
        max: Duration,
    },
    /// The key is disabled and the rotation has an overlap. A disabled key can only be rotated
    /// without an overlap, so that its old secret does not work again after the key is enabled.
    #[error("the overlap must be 0 s while the key is disabled, got {}", in_words(*.overlap))]
    OverlapWhileDisabled {
        /// The overlap that the caller asked for.
        overlap: Duration,
    },
    /// The change breaks a rule of the policy.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The new owner cannot take the key.
    #[error(transparent)]
    NewOwner(#[from] NewOwnerError),
    /// The key has changed since it was read.
    #[error("the key has changed to version {current}, the change expects {given}; read it again")]
    Stale {
        /// The version that the change names.
        given: u64,
        /// The version that the key has.
        current: u64,
    },
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The key changed during every attempt, so nothing was changed by this call. The field holds
    /// the number of attempts.
    #[error("the key changed during each of {0} attempts; nothing was changed, try again")]
    Contended(u32),
    /// The store failed. After the kind `Unavailable` the change may have been made.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A service account could not be created, changed or shown.
///
/// Nothing was changed, except as [`Store`](Self::Store) describes.
///
/// ```
/// use keywright::{AccountError, NewAccount};
/// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let new = NewAccount::new("nightly-report".parse()?, "accountant".parse()?);
/// match authority.create_account(&ada, new).await {
///     Err(AccountError::UnknownRole(role)) => println!("add the role {role} to the plan first"),
///     result => drop(result?),
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The actor has no permission for the operation.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The tenant has no such service account.
    #[error("service account {0} was not found")]
    NotFound(AccountId),
    /// The tenant's plan has no such role.
    #[error("role {0} is not in the tenant's plan; choose one of the plan's roles")]
    UnknownRole(RoleName),
    /// The actor has created an account with the same ticket before. Nothing was created now.
    #[error("the form was sent before: service account {account} was created with its ticket")]
    TicketUsed {
        /// The account that was created with the ticket. It may have been deleted since.
        account: AccountId,
    },
    /// The account has changed since it was read.
    #[error(
        "the account has changed to version {current}, the edit expects {given}; read it again"
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
    /// The account changed during every attempt, so nothing was changed by this call. The field
    /// holds the number of attempts.
    #[error("the account changed during each of {0} attempts; nothing was changed, try again")]
    Contended(u32),
    /// The store failed. After the kind `Unavailable` the change may have been made.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// The plan could not be set, or the settings could not be changed.
///
/// Nothing was changed, except as [`Store`](Self::Store) describes.
///
/// ```
/// use keywright::{SetPolicyError, SettingsEdit};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let edit = SettingsEdit::new().max_keys_per_user(Some(0));
/// match authority.edit_settings(&ada, edit).await {
///     Err(SetPolicyError::Policy(error)) => println!("{error}"), // a field is out of its bounds
///     Err(SetPolicyError::Stale { .. }) => println!("the settings have changed, look again"),
///     result => drop(result?),
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetPolicyError {
    /// The actor has no permission for the operation.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// A field of the plan or of the settings is out of its bounds, or a setting is beyond the plan.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The plan or the settings have changed since they were read.
    #[error(
        "plan or settings have changed to version {current}, the change expects {given}; read again"
    )]
    Stale {
        /// The version that the caller passed.
        given: u64,
        /// The version of the stored plan or settings.
        current: u64,
    },
    /// The store failed. After the kind `Unavailable` the change may have been made.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Records or a policy could not be read, or a sweep failed.
///
/// ```
/// use keywright::{ListError, store::EventQuery};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// match authority.events(&alice, &EventQuery::new()).await {
///     Err(ListError::PermissionDenied(_)) => println!("only admins can read the audit trail"),
///     result => println!("{} events", result?.items.len()),
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The actor has no permission to see these records, or to sweep.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// The page limit of the query is 0 or greater than [`MAX_LIMIT`].
    #[error("the page limit must be between 1 and {max}, got {0}", max = MAX_LIMIT)]
    Limit(u16),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// The error of an operation on a user.
///
/// ```
/// use keywright::UserError;
///
/// # use keywright::{Actor, Keywright, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// # let authority = keywright.authority();
/// let alice = Actor::developer(UserId::new("alice")?);
/// let refused = authority.suspend_user(&alice, &UserId::new("bob")?).await;
/// assert!(matches!(refused, Err(UserError::PermissionDenied(_))));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// The actor has no permission.
    #[error(transparent)]
    PermissionDenied(#[from] PermissionDenied),
    /// Each attempt met a concurrent change. Nothing was changed.
    #[error("the user changed during each of {0} attempts; nothing was changed, try again")]
    Contended(u32),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// The reason for which an owner cannot take a key.
///
/// ```
/// use keywright::{KeyError, NewOwnerError, Owner};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let bob = UserId::new("bob")?;
/// authority.suspend_user(&ada, &bob).await?;
/// let refused = authority.transfer_key(&ada, &issued.key.id, &Owner::User(bob)).await;
/// assert!(matches!(refused, Err(KeyError::NewOwner(NewOwnerError::UserSuspended(_)))));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NewOwnerError {
    /// There is no such service account in the tenant.
    #[error("service account {0} was not found")]
    AccountNotFound(AccountId),
    /// The service account is disabled.
    #[error("service account {0} is disabled; enable it first")]
    AccountDisabled(AccountId),
    /// The user is suspended.
    #[error("user {0} is suspended; restore the user first")]
    UserSuspended(UserId),
    /// The owner would hold more live keys than the policy allows.
    #[error("the new owner can hold at most {limit} live keys, the limit in the policy")]
    TooManyKeys {
        /// The limit.
        limit: u16,
    },
}

impl NewOwnerError {
    /// Returns the reason for which an owner can have no new keys.
    pub(super) fn of(owner: &Owner, record: Option<&OwnerRecord>) -> Option<Self> {
        let is_enabled = record.is_none_or(OwnerRecord::is_enabled);
        match owner {
            Owner::Account(id) if record.is_none() => Some(Self::AccountNotFound(*id)),
            Owner::Account(id) if !is_enabled => Some(Self::AccountDisabled(*id)),
            Owner::User(id) if !is_enabled => Some(Self::UserSuspended(id.clone())),
            _ => None,
        }
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
            RotateError::OverlapTooLong { overlap, max } => Self::OverlapTooLong { overlap, max },
            RotateError::OverlapWhileDisabled { overlap } => Self::OverlapWhileDisabled { overlap },
        }
    }
}
