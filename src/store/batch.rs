//! What is written to a store: a batch of conditions, changes and events, all or nothing.

use std::fmt;
use std::str::FromStr;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::value::id::{AccountId, IdError, KeyId, TenantId};
use crate::value::time::Timestamp;

/// The number of the last commit. It grows with every commit and never falls.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Epoch(pub u64);

/// One atomic write. Names each [`Subject`] in at most one change: a store refuses one
/// that names something twice as [`Unsupported`](super::StoreErrorKind::Unsupported).
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// What must hold, or nothing is written.
    pub conditions: Vec<Condition>,
    /// What is written.
    pub changes: Vec<Change>,
    /// The events that tell of it. The store gives them their sequence.
    pub events: Vec<Event>,
}

/// What must hold at the moment of a commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Condition {
    /// The account exists and has this version. Else [`Conflict`](super::StoreErrorKind::Conflict).
    AccountVersion {
        /// The account.
        account: AccountId,
        /// The version that was read.
        version: u64,
    },
    /// The tenant's stored policy has this version; 0 if there is none. Else
    /// [`Conflict`](super::StoreErrorKind::Conflict).
    PolicyVersion {
        /// The tenant.
        tenant: TenantId,
        /// The version that was read.
        version: u64,
    },
    /// Before the batch, the owner holds fewer than `limit` keys that are live at `at`. Else
    /// [`LimitReached`](super::StoreErrorKind::LimitReached).
    LiveKeysBelow {
        /// The tenant.
        tenant: TenantId,
        /// The owner whose keys count.
        owner: Owner,
        /// How many there may not be.
        limit: u16,
        /// The time at which a key counts as live.
        at: Timestamp,
    },
    /// After the batch, the owner holds no key that is live at `at`. Else
    /// [`Conflict`](super::StoreErrorKind::Conflict).
    NoLiveKeyLeft {
        /// The tenant.
        tenant: TenantId,
        /// The owner whose keys count.
        owner: Owner,
        /// The time at which a key counts as live.
        at: Timestamp,
    },
}

/// One change of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// Adds a key. Refuses an id that exists or was deleted, with
    /// [`AlreadyExists`](super::StoreErrorKind::AlreadyExists). A conflict if the service account
    /// that is to own it is absent.
    InsertKey(KeyRecord),
    /// Replaces a record whose version is one less. Else a conflict. So nothing that was read
    /// before a revoke can undo it. Tenant, owner and creation stay: callers promise it, and a store
    /// that finds otherwise refuses as [`Unsupported`](super::StoreErrorKind::Unsupported).
    UpdateKey(KeyRecord),
    /// Makes the record, whatever its version, what [`KeyRecord::revoked`] makes of it. A conflict
    /// if it is absent or revoked already. So a revoke wins against all but a revoke or a delete.
    RevokeKey {
        /// The key.
        key: KeyId,
        /// The time of the revocation.
        at: Timestamp,
    },
    /// Removes a key, whatever its version, with its usage. A conflict if it is absent.
    DeleteKey(KeyId),
    /// Adds an account. Refuses an id that exists or was deleted.
    InsertAccount(ServiceAccount),
    /// Replaces an account whose version is one less. Else a conflict. Its tenant
    /// stays.
    UpdateAccount(ServiceAccount),
    /// Removes an account. A conflict if it is absent, or owns a key that this batch does not
    /// remove too.
    DeleteAccount(AccountId),
    /// Writes a tenant's policy, whose stored version (0 if there is none) is one less. Else a
    /// conflict.
    PutPolicy {
        /// The tenant.
        tenant: TenantId,
        /// Its policy.
        policy: Policy,
    },
    /// Removes the tenant's events up to a number, and nothing if there are none. The tenant's newest
    /// event before the batch stays, so that numbers go on from it.
    ///
    /// A deleted id may be forgotten with the events of its deletion: with the event that was the
    /// tenant's newest at the end of the batch that deleted it. Until then it is refused.
    ForgetEvents {
        /// The tenant.
        tenant: TenantId,
        /// The number of the last event to remove. The caller keeps small how many there are before it.
        through: u64,
    },
}

impl Change {
    /// What it touches.
    pub fn subject(&self) -> Subject {
        match self {
            Self::InsertKey(record) | Self::UpdateKey(record) => Subject::Key(*record.id()),
            Self::RevokeKey { key, .. } | Self::DeleteKey(key) => Subject::Key(*key),
            Self::InsertAccount(account) | Self::UpdateAccount(account) => {
                Subject::Account(account.id)
            }
            Self::DeleteAccount(account) => Subject::Account(*account),
            Self::PutPolicy { tenant, .. } => Subject::Policy(tenant.clone()),
            Self::ForgetEvents { tenant, .. } => Subject::Events(tenant.clone()),
        }
    }
}

/// What a commit touched. As text: `key:ID`, `account:ID`, `policy:TENANT`, `events:TENANT`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Subject {
    /// A key.
    Key(KeyId),
    /// A service account, and so all its keys.
    Account(AccountId),
    /// A tenant's policy, and so all its keys.
    Policy(TenantId),
    /// A tenant's events, of which some were forgotten. No key is touched.
    Events(TenantId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Account(id) => write!(f, "account:{id}"),
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
            Some(("policy", tenant)) => tenant.parse().map(Self::Policy),
            Some(("events", tenant)) => tenant.parse().map(Self::Events),
            _ => Err(IdError::new("subject", "expected key:ID or the like", text)),
        }
    }
}

/// What has changed since an epoch.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The epoch up to which this tells.
    pub epoch: Epoch,
    /// What was touched, oldest first; `None` if the store no longer knows: forget everything.
    pub touched: Option<Vec<Subject>>,
}
