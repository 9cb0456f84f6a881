//! Where keys are kept: the [`KeyStore`] trait, the stores of this crate, and queries with pages.
//!
//! Use [`MemoryStore`] in tests and `FileStore` in a service of one process. For several processes,
//! use `PostgresStore` with a `CachedStore` in front of it. To write a store for another database,
//! implement [`KeyStore`]. Its documentation is the contract, and the functions of [`plan`] decide
//! what a commit changes.

mod arc;
mod batch;
#[cfg(feature = "cached")]
mod cached;
mod changes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod epoch;
mod error;
#[cfg(feature = "file")]
mod file;
mod key_index;
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
use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::Owner;
use crate::record::user::User;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

pub use async_trait::async_trait;

#[cfg(feature = "cached")]
pub(crate) use self::arc::find as find_store;
pub use self::batch::{Batch, Change, Condition, Subject};
#[cfg(feature = "cached")]
pub use self::cached::{
    CacheOptions, CacheOptionsError, CacheState, CachedStore, ChangeHints, ManualMonotonicClock,
    MonotonicClock, SystemMonotonicClock,
};
pub use self::changes::{Changes, Marker};
pub use self::error::{StoreError, StoreErrorKind};
#[cfg(feature = "file")]
pub use self::file::{FileOptions, FileStore, GenerationFile, Generations};
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{
    PostgresHints, PostgresOptions, PostgresStore, SchemaName, SchemaNameError,
};
pub(crate) use self::query::sealed;
pub use self::query::{
    AccountQuery, Cursor, CursorError, DEFAULT_LIMIT, EventQuery, KeyPosition, KeyQuery, KeySort,
    ListQuery, Listed, MAX_LIMIT, OwnedKeys, Page, StoredKey, TenantEntry, TenantQuery,
};
pub use self::resolve::{FoundRef, Look, Resolve, Resolved};
#[cfg(feature = "postgres")]
pub use self::transfer::{
    MoveError, MoveOptions, MovingStore, Transfer, TransferError, TransferProgress, TransferSource,
};
pub use crate::record::freshness::{Age, Found, Freshness};
pub use crate::record::key::KeyRecord;
pub use crate::record::owner_record::OwnerRecord;
pub use crate::record::policy::TenantPolicy;
pub use crate::record::snapshot::{Snapshot, SnapshotError};
pub use crate::record::usage::{
    AlertDue, LastBatch, Usage, UsageBatch, UsageDelta, UseKind, WriterConflict,
};
pub use crate::value::digest::{Digest, DigestError};

/// The interface to a database that holds keys, accounts, users, policies, usage and audit events.
///
/// Implement it under `#[async_trait]`, which [`store`](self) re-exports. The module [`plan`]
/// decides what each batch changes, so a store only has to read and write rows. The crate's example
/// `custom_store` is a complete store and a program that uses it, in 125 lines of code.
///
/// The feature `conformance` adds a test suite that checks a store against this contract. It cannot
/// check that acknowledged writes survive a power cut (Durability 2). It checks that a batch of usage
/// is remembered for 7 days (Usage 2) only as far as the store measures them by
/// [`UsageBatch::at`].
///
/// An `Arc<dyn KeyStore>` is a store too, so a host can choose its store at run time:
///
/// ```
/// use std::sync::Arc;
/// use keywright::Keywright;
/// use keywright::store::{KeyStore, MemoryStore};
///
/// let store: Arc<dyn KeyStore> = Arc::new(MemoryStore::new());
/// let keywright = Keywright::builder(store).build()?;
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// A wrapper passes calls on to the store inside it. This one refuses changes of keys, accounts and
/// policies during maintenance:
///
/// ```
/// # use keywright::store::{AccountQuery, Changes, EventQuery, KeyQuery, Marker, Page, StoredKey, UsageBatch};
/// # use keywright::store::{TenantEntry, TenantQuery};
/// # use keywright::store::{OwnedKeys, TenantPolicy};
/// # use keywright::{AccountId, Event, Owner, ServiceAccount, TenantId, Timestamp, User, UserId};
/// # use std::sync::Arc;
/// use keywright::KeyId;
/// use keywright::store::{
///     Batch, Freshness, KeyStore, Look, MemoryStore, Resolve, StoreError, async_trait,
/// };
///
/// #[derive(Debug)]
/// struct Maintenance<S>(S);
///
/// #[async_trait]
/// impl<S: KeyStore> KeyStore for Maintenance<S> {
///     fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
///         self.0.resolve(key, freshness)
///     }
///
///     fn peek(&self, key: &KeyId, freshness: Freshness, look: &mut Look<'_>) -> bool {
///         self.0.peek(key, freshness, look)
///     }
///
///     async fn commit(&self, _: Batch) -> Result<(), StoreError> {
///         Err(StoreError::unavailable("the service is in maintenance; try again later"))
///     }
///
///     // The other methods pass their call on, as `resolve` does.
///     # async fn key(&self, t: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
///     #     self.0.key(t, key).await
///     # }
///     # async fn account(&self, t: &TenantId, a: &AccountId) -> Result<Option<ServiceAccount>, StoreError> {
///     #     self.0.account(t, a).await
///     # }
///     # async fn user(&self, t: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
///     #     self.0.user(t, user).await
///     # }
///     # async fn policies(&self, t: &[TenantId]) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
///     #     self.0.policies(t).await
///     # }
///     # async fn keys(&self, t: &TenantId, q: &KeyQuery, at: Timestamp) -> Result<Page<StoredKey>, StoreError> {
///     #     self.0.keys(t, q, at).await
///     # }
///     # async fn owned_keys(&self, t: &TenantId, o: &[Owner], most: u16, at: Timestamp) -> Result<Vec<OwnedKeys>, StoreError> {
///     #     self.0.owned_keys(t, o, most, at).await
///     # }
///     # async fn count_keys(&self, t: &TenantId, q: &KeyQuery, at: Timestamp) -> Result<u64, StoreError> {
///     #     self.0.count_keys(t, q, at).await
///     # }
///     # async fn accounts(&self, t: &TenantId, q: &AccountQuery) -> Result<Page<ServiceAccount>, StoreError> {
///     #     self.0.accounts(t, q).await
///     # }
///     # async fn events(&self, t: &TenantId, q: &EventQuery) -> Result<Page<Event>, StoreError> {
///     #     self.0.events(t, q).await
///     # }
///     # async fn keys_of_all_tenants(&self, q: &KeyQuery, at: Timestamp) -> Result<Page<StoredKey>, StoreError> {
///     #     self.0.keys_of_all_tenants(q, at).await
///     # }
///     # async fn tenants(&self, q: &TenantQuery, at: Timestamp) -> Result<Page<TenantEntry>, StoreError> {
///     #     self.0.tenants(q, at).await
///     # }
///     # async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
///     #     self.0.add_usage(batch).await
///     # }
///     # async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
///     #     self.0.changes(since).await
///     # }
/// }
/// # futures_lite::future::block_on(async {
/// let store = Maintenance(MemoryStore::new());
/// assert!(store.commit(Batch::of(TenantId::default())).await.is_err());
/// # });
/// ```
///
/// See [A store of your own](crate::guide::custom_store) in the guide.
///
/// # Blocking the thread
///
/// A method may block the thread that polls its future: the contract does not forbid it. All other
/// requests on that thread then wait too, and no timeout can end the call. So block only for as long
/// as a read from memory takes. Wait for a disk, or for a lock that is held during disk writes, on
/// another thread.
///
/// # Contract
///
/// A store must keep all of these rules. They are numbered within each section, so that a review
/// can cite them as, for example, `Order 2`.
///
/// ## Atomicity
///
/// 1. [`commit`](Self::commit) writes all of a batch or nothing of it.
/// 2. The store checks the conditions of a batch at the moment of the write. No other write happens
///    between the check and the write.
/// 3. No reader sees a part of a batch.
/// 4. If both a change and a condition fail, the store may return either error.
///
/// ## Order
///
/// 1. The commits of one tenant happen one after another. Commits of different tenants need no order.
///    In a store for many nodes, they should rarely wait for each other.
/// 2. The events of each tenant are numbered from 1, in the order in which they were written,
///    without gaps. Each tenant has its own numbers, so they reveal nothing about other tenants.
/// 3. Only [`Change::ForgetEvents`] removes events. It removes the oldest events first, and never
///    the newest event of a tenant.
///
/// ## Visibility
///
/// 1. A call sees every write that was acknowledged before the call started, whichever methods are
///    involved.
/// 2. [`resolve`](Self::resolve) returns the key, its owner and its policy as they were together
///    at one moment between the call and the answer. A cache may return an older state, within the
///    limit of [`Freshness`]. It then sets an upper bound on the age in [`Found::age`].
/// 3. [`resolve`](Self::resolve) may return the same [`Snapshot`] again or a new one each time. The
///    same one is faster: a new one needs allocations, and its first use takes a lock that some
///    other keys share. The counts of uses do not keep a snapshot alive.
/// 4. An event is visible no later than the change that it records.
/// 5. All answers of one call of [`policies`](Self::policies) or [`owned_keys`](Self::owned_keys),
///    numbers and keys alike, are those of one moment between the call and the answer.
///
/// ## Durability
///
/// 1. An acknowledged write survives the end of the process. [`MemoryStore`] is the exception, and
///    its documentation says that it is not durable.
/// 2. In a store that claims to be durable, an acknowledged write also survives a power cut.
/// 3. A store must not acknowledge a write if it cannot tell whether the write is durable.
///
/// ## Uniqueness
///
/// 1. An insert is refused if its id exists or was deleted. An insert never replaces a record.
/// 2. A deleted id is refused at least until the events of its deletion are forgotten.
///
/// ## Finality
///
/// 1. A revoked key stays revoked until it is deleted. A second revoke is refused, and the time of
///    the first one stays.
/// 2. An update that was prepared before a revoke names an outdated version, and the store refuses
///    it.
///
/// ## Usage
///
/// 1. [`add_usage`](Self::add_usage) changes usage and adds events. It never changes a record.
/// 2. The store remembers the last batch of each writer for at least 7 days, measured by
///    [`UsageBatch::at`] or by a clock of the store. A repeated batch changes nothing.
/// 3. A batch is refused as a conflict if another process uses the same writer id.
///    [`UsageBatch::was_added`] recognizes repeated batches and such conflicts.
/// 4. A delta for an absent key is dropped, and the rest of the batch is added.
/// 5. Each delta is added with [`Usage::add`], in order. If it returns an alert, the store writes
///    [`Event::of_alert`] in the same step. [`plan::usage`] does this. The stored usage keeps the
///    periods that `Usage` holds, so each key, kind and period has at most one event.
///
/// ## Pages
///
/// 1. The pages hold the items in the order of the query, and each item once; see [`KeyQuery`].
/// 2. A page of events may have fewer items than its limit, or none, and still have a next page;
///    see [`EventQuery::page`].
/// 3. The last page of keys, accounts or tenants has no next query, also if it is full.
/// 4. [`count_keys`](Self::count_keys) returns the number of keys on all pages of the query.
///
/// ## Changes
///
/// 1. A [`Marker`] stands for a set of commits. The marker of an answer includes every commit that was
///    acknowledged before the call.
/// 2. [`changes`](Self::changes) returns every subject that was touched by a commit that the new marker
///    includes and the given one does not. A store that does not know them all returns `None` in
///    [`Changes::touched`].
/// 3. A commit that the marker includes is visible to every call that starts after the answer.
/// 4. A store that knows that it has lost commits of the given marker sets [`Changes::has_lost`]. It
///    never sets it for [`Marker::default`].
/// 5. The marker of another store is no error: the answer is `None` in [`Changes::touched`].
///
/// ## Tenants
///
/// 1. A lookup or query in one tenant never returns anything of another tenant.
/// 2. [`keys_of_all_tenants`](Self::keys_of_all_tenants) obeys a query as [`keys`](Self::keys) does,
///    in one order over the keys of all tenants.
/// 3. [`tenants`](Self::tenants) lists every tenant that has an event, in the order of the ids by
///    bytes, each once. The numbers of an entry are those of the tenant's records at one moment.
/// 4. [`owned_keys`](Self::owned_keys) and [`count_keys`](Self::count_keys) count only the keys of
///    their tenant, also if an owner of another tenant has the same id.
/// 5. A batch touches only its own tenant, [`Batch::tenant`]. A key or account of another tenant counts
///    as absent, except that its id cannot be inserted again. A batch that names another tenant is
///    refused as [`Unsupported`](StoreErrorKind::Unsupported). [`plan::batch`] checks this.
///
/// ## Failure
///
/// 1. A call that fails returns a [`StoreError`]. "Absent" is an answer and not a failure.
/// 2. After [`Unavailable`](StoreErrorKind::Unavailable), a write may or may not have happened.
///    After any other kind of error, it has not happened.
///
/// ## Cancellation
///
/// 1. Dropping a future leaves the store in the state before the call or in the state after it,
///    never in between.
///
/// ## Wrappers
///
/// 1. A store that wraps another store passes every call on, or keeps all of these rules without
///    it.
/// 2. The trait has no default bodies, so a wrapper that forgets a method does not compile.
#[async_trait]
pub trait KeyStore: Any + fmt::Debug + Send + Sync + 'static {
    /// Returns a key of any tenant for a verification, with the record of its owner and its tenant's
    /// policy at one moment.
    ///
    /// Returns `None` if there is no such key.
    ///
    /// Every request calls this method. Return [`Resolve::ready`] where no waiting is needed. Only
    /// a store that caches needs to look at `freshness`.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt). The
    /// verifier then returns an error and accepts no token.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a>;

    /// Calls `look` with the answer of [`resolve`](Self::resolve) if the store has it in memory, and
    /// returns whether it called.
    ///
    /// A verification peeks first. It compares the secret, and takes a reference of its own to the
    /// snapshot only if the key is accepted. A store calls `look` once, with an answer that
    /// `resolve` could give at this moment, or returns `false` without a call. The caller then
    /// calls `resolve`. A store that asks a database for each key always returns `false`.
    ///
    /// `look` reads the host's [`Clock`](crate::Clock), which may use the store itself. Hold no lock
    /// during the call.
    fn peek(&self, key: &KeyId, freshness: Freshness, look: &mut Look<'_>) -> bool;

    /// Returns a key of the tenant, with its usage and the record of its owner; `None` if the tenant
    /// has no such key.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError>;

    /// Returns a service account of the tenant; `None` if the tenant has no such account.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError>;

    /// Returns a tenant's record of a user; `None` if there is none.
    ///
    /// The host keeps its users itself. A record exists only after the host gave a display name or
    /// the user was suspended.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError>;

    /// Returns the stored policies of tenants, in the order of `tenants`.
    ///
    /// The answer for a tenant is `None` if no policy was ever set. All answers are those of one
    /// moment. The authority passes at most [`MAX_LIMIT`] tenants.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError>;

    /// Returns a page of the tenant's keys, with their usage and the records of their owners.
    ///
    /// The store computes statuses at the time `at`.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError>;

    /// Returns the numbers of the keys of owners, and the newest `most` keys of each, in the order of
    /// `owners`.
    ///
    /// An owner without keys has zeros, and an owner that comes twice has two equal answers. The
    /// store counts live keys at the time `at`. All answers are those of one moment. The authority
    /// passes at most [`MAX_LIMIT`] owners. If `most` is 0, only the numbers are needed.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError>;

    /// Returns the number of the tenant's keys that pass the filters of a query.
    ///
    /// The cursor, the order and the limit of the query do not count. The store computes statuses at
    /// the time `at`.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Returns a page of the tenant's service accounts.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError>;

    /// Returns a page of the tenant's events.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError>;

    /// Returns a page of the keys of all tenants in one order, with their usage.
    ///
    /// Only an [`Operator`](crate::Operator) reads it. The store computes statuses at the time `at`.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError>;

    /// Returns a page of the tenants that have an event, with their numbers.
    ///
    /// Only an [`Operator`](crate::Operator) reads it. The store counts live keys at the time `at`.
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError>;

    /// Writes a batch, all of it or nothing.
    ///
    /// # Errors
    /// * [`Conflict`](StoreErrorKind::Conflict), [`AlreadyExists`](StoreErrorKind::AlreadyExists)
    ///   or [`LimitReached`](StoreErrorKind::LimitReached) as [`Condition`] and [`Change`]
    ///   describe.
    /// * [`Unsupported`](StoreErrorKind::Unsupported) if the batch names another tenant than its own,
    ///   or one subject in two changes, if an update changes the creation time of a key, or if a
    ///   version is above 2⁶³ − 1.
    /// * [`Corrupt`](StoreErrorKind::Corrupt) if the stored data is damaged.
    /// * [`Unavailable`](StoreErrorKind::Unavailable) if the store cannot write now. After this
    ///   kind of error only, the batch may have been written.
    ///
    /// # Cancel safety
    /// If the future is dropped, the batch is written in whole or not at all. It may be written
    /// after the drop.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Adds a batch of usage to the totals.
    ///
    /// Adding the same batch again changes nothing.
    ///
    /// # Errors
    /// * [`Conflict`](StoreErrorKind::Conflict) if another process uses the same writer id; see
    ///   [`UsageBatch::was_added`].
    /// * [`Corrupt`](StoreErrorKind::Corrupt) if the stored data is damaged.
    /// * [`Unavailable`](StoreErrorKind::Unavailable) if the store cannot write now. The batch may
    ///   have been added; the writer sends it again.
    ///
    /// # Cancel safety
    /// If the future is dropped, the batch is added in whole or not at all. Sending it again is
    /// safe.
    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError>;

    /// Returns the subjects that commits have touched since a marker, for caches.
    ///
    /// A store that does not record changes may always return [`Marker::default`] and `None` in
    /// [`Changes::touched`].
    ///
    /// # Errors
    /// [`Unavailable`](StoreErrorKind::Unavailable) or [`Corrupt`](StoreErrorKind::Corrupt).
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the store.
    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError>;
}
