//! What a store must guarantee, and the stores.
//!
//! Start with [`MemoryStore`] in tests and [`FileStore`] in a service of one process. A store of
//! your own implements [`KeyStore`], whose page is the contract.

mod arc;
mod batch;
#[cfg(feature = "cached")]
mod cached;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
#[cfg(feature = "file")]
mod file;
mod memory;
pub mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod resolve;
#[cfg(feature = "postgres")]
mod transfer;

use std::any::Any;
use std::fmt;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

pub use async_trait::async_trait;

pub use self::batch::{Batch, Change, Changes, Condition, Epoch, Subject};
#[cfg(feature = "cached")]
pub use self::cached::{
    CacheOptions, CacheOptionsError, CacheState, CachedStore, ChangeHints, ManualMonotonicClock,
    MonotonicClock, SystemMonotonicClock,
};
pub use self::error::{StoreError, StoreErrorKind};
#[cfg(feature = "file")]
pub use self::file::{FileOptions, FileStore};
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{
    PostgresHints, PostgresOptions, PostgresStore, SchemaName, SchemaNameError,
};
pub(crate) use self::query::sealed;
pub use self::query::{
    AccountQuery, Cursor, CursorError, DEFAULT_LIMIT, EventQuery, KeyPosition, KeyQuery, KeySort,
    ListQuery, Listed, MAX_LIMIT, Page, StoredKey,
};
pub use self::resolve::{Resolve, Resolved};
#[cfg(feature = "postgres")]
pub use self::transfer::{Transfer, TransferError, TransferProgress, TransferSource};
pub use crate::record::freshness::{Age, Found, Freshness};
pub use crate::record::key::KeyRecord;
pub use crate::record::snapshot::{Snapshot, SnapshotError};
pub use crate::record::usage::{LastBatch, Usage, UsageBatch, UsageDelta, WriterConflict};
pub use crate::value::digest::{Digest, DigestError};

/// Where keys, accounts, policies, usage and events are kept.
///
/// A store of your own implements it under `#[async_trait]`, which [`store`](self) re-exports. The rules for
/// what a batch comes to are in [`plan`], so the store is left with reading rows and writing them.
///
/// # Contract
///
/// **Atomicity.** [`commit`](Self::commit) writes all of a batch or nothing of it, and decides its
/// conditions at the moment at which it writes. No reader sees a part of a batch.
///
/// If a change and a condition both fail, either error may be given.
///
/// **Order.** Commits happen one after another; each has an [`Epoch`] greater than those before.
/// Usage has none. Each tenant's events are numbered from 1 in the order in which they were
/// written, without gaps: a tenant learns nothing from its own of what others do. Only
/// [`Change::ForgetEvents`] removes events, the oldest first, and never the newest.
///
/// **Visibility.** What was acknowledged is seen by every call that starts afterwards, of any
/// method. [`resolve`](Self::resolve) returns key, account and policy as of one moment between its
/// call and its answer. It may hand out the same [`Snapshot`] again or a new one each time. A new one costs
/// its allocations, and at its first use a lock that uses of some other keys wait for. While uses wait for a flush they hold a
/// few hundred bytes for each different key, and no snapshot. An event is visible no later than the change that it tells of.
///
/// **Durability.** What was acknowledged survives the end of the process and, if the store claims to
/// be durable, a power cut. A store that can't tell whether a write will last must not acknowledge
/// it.
///
/// **Uniqueness.** An insert refuses an id that exists or was deleted. It never replaces. A deleted id
/// is refused at least until the events of its deletion are forgotten.
///
/// **Finality.** Nothing but a delete changes a revoked key's revocation. An update can't, since it
/// must name the version that it replaces.
///
/// **Usage.** [`add_usage`](Self::add_usage) touches usage and events alone: never a record. The last
/// batch of each writer is remembered for at least 7 days and recognized when it is repeated, and a batch whose
/// writer id another process uses too is refused with a conflict: [`UsageBatch::was_added`] decides both. A
/// delta for a key that is absent is dropped.
/// [`UsageDelta::is_alert_due`] is asked for each delta, with the key's total before and after it.
///
/// **Pages.** Items come in the order of the query, each once; see [`KeyQuery`]. A page of events may
/// have fewer items than its limit, or none, and still a cursor to go on; see [`EventQuery::page`].
///
/// **Tenants.** A lookup or query in one tenant never returns anything of another.
///
/// **Failure.** A call that fails says so with a [`StoreError`]; "absent" is an answer and not a
/// failure. After [`Unavailable`](StoreErrorKind::Unavailable) a write may or may not have
/// happened; after any other kind it has not.
///
/// **Cancellation.** Dropping a future leaves the store as before the call or as after it.
///
/// **Wrappers.** A store made of another passes every call on, or keeps every rule above itself.
///
/// There are no default bodies: a wrapper that forgets a method does not compile.
#[async_trait]
pub trait KeyStore: Any + fmt::Debug + Send + Sync + 'static {
    /// The key with its account and its tenant's policy, as of one moment; `None` if there is none.
    ///
    /// On the path of every request. Answer with [`Resolve::ready`] whatever is at hand. Only a store
    /// that caches needs to look at `freshness`.
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a>;

    /// A key of the tenant, with its usage.
    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError>;

    /// A service account of the tenant.
    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError>;

    /// The tenant's stored policy.
    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError>;

    /// A page of the tenant's keys, with their usage. `at` is the time for statuses.
    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError>;

    /// A page of the tenant's service accounts.
    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError>;

    /// A page of the tenant's events.
    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError>;

    /// Writes a batch, all or nothing, and tells its epoch.
    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError>;

    /// Adds usage. Adding the same batch again changes nothing, and a batch under the writer id of another process is a
    /// conflict: see [`UsageBatch::was_added`].
    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError>;

    /// What has changed since an epoch, for caches. A store may always answer that it no longer knows.
    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError>;
}
