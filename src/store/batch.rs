//! A batch: the conditions, changes and events that a store writes in one atomic step.

use std::fmt;
use std::str::FromStr;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::user::User;
use crate::value::id::{AccountId, IdError, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// A set of conditions, changes and events that a store writes in one atomic step.
///
/// A batch touches one tenant. A key or service account of another tenant counts as absent. A store
/// refuses a batch with a change, a condition or an event that names another tenant, with
/// [`Unsupported`](super::StoreErrorKind::Unsupported). It also refuses a batch that names a
/// [`Subject`] in two changes.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::{Batch, Change, Condition, KeyStore, MemoryStore, TenantPolicy};
/// use keywright::{Settings, TenantId};
///
/// let store = MemoryStore::new();
/// let globex = TenantId::new("globex")?;
/// let settings = Some(Settings::enabled());
/// let policy = TenantPolicy { settings, version: 1, ..TenantPolicy::default() };
/// let batch = Batch {
///     conditions: vec![Condition::PolicyVersion { tenant: globex.clone(), version: 0 }],
///     changes: vec![Change::PutPolicy { tenant: globex.clone(), policy }],
///     ..Batch::of(globex.clone())
/// };
/// store.commit(batch.clone()).await?;
/// let stored = store.policies(&[globex]).await?;
/// assert_eq!(stored[0].as_ref().map(|policy| policy.version), Some(1));
///
/// // The stored policy now has version 1, so the condition no longer holds.
/// assert!(store.commit(batch).await.is_err_and(|error| error.is_conflict()));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    /// The tenant that the batch touches.
    pub tenant: TenantId,
    /// The conditions. If one of them does not hold, nothing is written.
    pub conditions: Vec<Condition>,
    /// The changes to write.
    pub changes: Vec<Change>,
    /// The audit events that record the changes. The store sets their sequence numbers.
    pub events: Vec<Event>,
}

impl Batch {
    /// Creates an empty batch of a tenant.
    ///
    /// ```
    /// use keywright::store::{Batch, Change};
    /// use keywright::{KeyId, TenantId};
    ///
    /// let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let globex = TenantId::new("globex")?;
    /// let batch = Batch { changes: vec![Change::DeleteKey(key)], ..Batch::of(globex) };
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn of(tenant: TenantId) -> Self {
        Self { tenant, conditions: Vec::new(), changes: Vec::new(), events: Vec::new() }
    }
}

/// A condition of a batch, which must hold at the moment of the commit.
///
/// ```
/// use keywright::TenantId;
/// use keywright::store::{Batch, Condition};
///
/// // The tenant has no stored policy yet.
/// let globex = TenantId::new("globex")?;
/// let unset = Condition::PolicyVersion { tenant: globex.clone(), version: 0 };
/// let batch = Batch { conditions: vec![unset], ..Batch::of(globex) };
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Condition {
    /// The account exists and has this version. Otherwise the commit fails with
    /// [`Conflict`](super::StoreErrorKind::Conflict).
    AccountVersion {
        /// The account.
        account: AccountId,
        /// The version that the caller has read.
        version: u64,
    },
    /// The key exists and belongs to this owner. Otherwise the commit fails with
    /// [`Conflict`](super::StoreErrorKind::Conflict).
    KeyOwner {
        /// The key.
        key: KeyId,
        /// The owner that the caller has read.
        owner: Owner,
    },
    /// The tenant's stored policy has this version; 0 means that there is no stored policy.
    /// Otherwise the commit fails with [`Conflict`](super::StoreErrorKind::Conflict).
    PolicyVersion {
        /// The tenant.
        tenant: TenantId,
        /// The version that the caller has read.
        version: u64,
    },
    /// The tenant's record of the user has this version; 0 means that there is no record. Otherwise
    /// the commit fails with [`Conflict`](super::StoreErrorKind::Conflict).
    UserVersion {
        /// The tenant.
        tenant: TenantId,
        /// The user.
        user: UserId,
        /// The version that the caller has read.
        version: u64,
    },
    /// Before the batch, the owner holds fewer than `limit` keys that are live at `at`. Otherwise
    /// the commit fails with [`LimitReached`](super::StoreErrorKind::LimitReached).
    LiveKeysBelow {
        /// The tenant.
        tenant: TenantId,
        /// The owner whose live keys are counted.
        owner: Owner,
        /// The number of live keys at which the condition fails.
        limit: u16,
        /// The time at which the keys' statuses are computed.
        at: Timestamp,
    },
    /// After the batch, the owner holds no key that is live at `at`. Otherwise the commit fails
    /// with [`Conflict`](super::StoreErrorKind::Conflict).
    NoLiveKeyLeft {
        /// The tenant.
        tenant: TenantId,
        /// The owner whose keys are checked.
        owner: Owner,
        /// The time at which the keys' statuses are computed.
        at: Timestamp,
    },
}

/// A change of a [`Batch`]: the insert, update or removal of a record, or the removal of events.
///
/// ```
/// use keywright::KeyId;
/// use keywright::store::{Change, Subject};
///
/// let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// let revoke = Change::RevokeKey { key, at: "2027-01-15T08:00:00Z".parse()? };
/// assert_eq!(revoke.subject(), Subject::Key(key));
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// Adds a key.
    ///
    /// Fails with [`AlreadyExists`](super::StoreErrorKind::AlreadyExists) if the id exists or was
    /// deleted, and with [`Conflict`](super::StoreErrorKind::Conflict) if the service account that
    /// owns the key is absent.
    InsertKey(KeyRecord),
    /// Replaces the stored record of a key. The version of the stored record must be one less than
    /// the version of the new one.
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if the stored record has another
    /// version or is absent. So an update that was prepared before a revoke cannot undo the revoke.
    ///
    /// The creation time of a key never changes. If it differs, the store fails with
    /// [`Unsupported`](super::StoreErrorKind::Unsupported). The owner can change: the key then
    /// counts as a key of the new owner. If the new owner is a service account that is absent, the
    /// store fails with [`Conflict`](super::StoreErrorKind::Conflict).
    UpdateKey(KeyRecord),
    /// Revokes a key at any version: replaces the stored record with the result of
    /// [`KeyRecord::revoked`].
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if the key is absent or revoked
    /// already. So a concurrent update cannot make a revoke fail; only another revoke or a delete
    /// can.
    RevokeKey {
        /// The key.
        key: KeyId,
        /// The time of the revocation.
        at: Timestamp,
    },
    /// Removes a key at any version, with its usage.
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if the key is absent.
    DeleteKey(KeyId),
    /// Adds a service account.
    ///
    /// Fails with [`AlreadyExists`](super::StoreErrorKind::AlreadyExists) if the id exists or was
    /// deleted.
    InsertAccount(ServiceAccount),
    /// Replaces a service account. The version of the stored account must be one less than the
    /// version of the new one.
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if the stored account has another
    /// version or is absent.
    UpdateAccount(ServiceAccount),
    /// Removes a service account.
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if the account is absent, or if it
    /// owns a key that the batch neither removes nor hands to another owner.
    DeleteAccount(AccountId),
    /// Writes a tenant's record of a user. The stored version, 0 if there is no record, must be one
    /// less than the new version.
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if it is not.
    PutUser(User),
    /// Writes a tenant's policy. The stored version, 0 if there is none, must be one less than the
    /// new version.
    ///
    /// Fails with [`Conflict`](super::StoreErrorKind::Conflict) if it is not.
    PutPolicy {
        /// The tenant.
        tenant: TenantId,
        /// The new policy.
        policy: TenantPolicy,
    },
    /// Removes the tenant's oldest events, up to and including a number. It is no error if there
    /// are none.
    ///
    /// The event that was the tenant's newest before the batch stays, because the number of the
    /// next event follows from it.
    ///
    /// While the store keeps the events of a deletion, it refuses inserts of the deleted id. It may
    /// forget the id once this change has removed the last event of the batch that deleted it. If
    /// that batch had no events, the event that was then the tenant's newest counts instead.
    ForgetEvents {
        /// The tenant.
        tenant: TenantId,
        /// The number of the last event to remove. A batch removes all events up to it, so the
        /// caller chooses a number that keeps the batch small.
        through: u64,
    },
}

impl Change {
    /// Returns the tenant that the change names. A change that names only an id is looked up in the
    /// tenant of its batch.
    pub(in crate::store) fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::InsertKey(record) | Self::UpdateKey(record) => Some(&record.key().tenant),
            Self::InsertAccount(account) | Self::UpdateAccount(account) => Some(&account.tenant),
            Self::PutUser(user) => Some(&user.tenant),
            Self::PutPolicy { tenant, .. } | Self::ForgetEvents { tenant, .. } => Some(tenant),
            Self::RevokeKey { .. } | Self::DeleteKey(_) | Self::DeleteAccount(_) => None,
        }
    }

    /// Returns the subject that the change touches.
    ///
    /// ```
    /// use keywright::store::Change;
    ///
    /// let globex = "globex".parse()?;
    /// let forget = Change::ForgetEvents { tenant: globex, through: 1_000 };
    /// assert_eq!(forget.subject().to_string(), "events:globex");
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn subject(&self) -> Subject {
        match self {
            Self::InsertKey(record) | Self::UpdateKey(record) => Subject::Key(*record.id()),
            Self::RevokeKey { key, .. } | Self::DeleteKey(key) => Subject::Key(*key),
            Self::InsertAccount(account) | Self::UpdateAccount(account) => {
                Subject::Account(account.id)
            }
            Self::DeleteAccount(account) => Subject::Account(*account),
            Self::PutUser(user) => Subject::User(user.tenant.clone(), user.id.clone()),
            Self::PutPolicy { tenant, .. } => Subject::Policy(tenant.clone()),
            Self::ForgetEvents { tenant, .. } => Subject::Events(tenant.clone()),
        }
    }
}

/// A key, an account, a user, a policy or the events of a tenant, as touched by a commit.
///
/// In text: `key:ID`, `account:ID`, `user:TENANT USER`, `policy:TENANT` or `events:TENANT`.
///
/// ```
/// use keywright::store::Subject;
///
/// let subject: Subject = "policy:globex".parse()?;
/// assert_eq!(subject, Subject::Policy("globex".parse()?));
/// # Ok::<(), keywright::IdError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Subject {
    /// A key.
    Key(KeyId),
    /// A service account, and therefore all its keys.
    Account(AccountId),
    /// A tenant's record of a user, and therefore all keys that the user owns in the tenant.
    User(TenantId, UserId),
    /// A tenant's policy, and therefore all keys of the tenant.
    Policy(TenantId),
    /// The events of a tenant, whose oldest ones were removed. No key is touched.
    Events(TenantId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Account(id) => write!(f, "account:{id}"),
            Self::User(tenant, user) => write!(f, "user:{tenant} {user}"),
            Self::Policy(tenant) => write!(f, "policy:{tenant}"),
            Self::Events(tenant) => write!(f, "events:{tenant}"),
        }
    }
}

impl FromStr for Subject {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            Some(("key", id)) => id.parse().map(Self::Key),
            Some(("account", id)) => id.parse().map(Self::Account),
            Some(("user", both)) => {
                let (tenant, user) = both.split_once(' ').unwrap_or((both, ""));
                Ok(Self::User(tenant.parse()?, user.parse()?))
            }
            Some(("policy", tenant)) => tenant.parse().map(Self::Policy),
            Some(("events", tenant)) => tenant.parse().map(Self::Events),
            _ => Err(IdError::new(
                "subject",
                "expected key:ID, account:ID, user:TENANT USER, policy:TENANT or events:TENANT",
                text,
            )),
        }
    }
}
