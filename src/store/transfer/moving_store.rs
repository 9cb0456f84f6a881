//! A store that can be moved to PostgreSQL while it is in use.
//!
//! The store has two inner stores: the old one and, once the move is complete, the new one. The new
//! one is set once and never taken back, so a call reads one atomic pointer and takes no lock.
//!
//! # Why no change is lost or undone
//!
//! * **Writes.** Every write that goes to the old store holds `writes` for reading until it ends. The
//!   last step takes `writes` for writing. So when it copies the rest, all writes before it have
//!   ended, and the writes after it wait. They then read the pointer again.
//! * **Writes that were dropped or go around this store.** The source itself is paused in the last
//!   step. It waits for the write under way, and refuses the others.
//! * **Reads.** A read that found no new store may read the old one after the switch. It returns the
//!   last state of the old store at the latest. That was the state of both stores at the moment of
//!   the switch, which is later than the beginning of the read. So no read returns less than what was
//!   acknowledged before it began.
//! * **Caches above.** The new store does not know the markers of the old one. So a cache forgets
//!   everything at its next sync. A fill that began before this sync is dropped by the cache, as with any
//!   change.
//! * **Caches below.** A cache in front of the new tables may have read them before they were
//!   complete. It forgets everything between the opening of the tables and the switch.
//! * **Usage.** The last batch of each writer is copied with the totals. A batch that is sent again
//!   after the switch is recognized by the new store as it is by the old one.
//! * **The end of the process.** The source records that it was moved before the tables are opened.
//!   So there is no moment at which both of them take changes after a restart.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_lock::RwLock;
use async_trait::async_trait;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::source::TransferSource;
use super::steps::{Transfer, TransferError};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Freshness;
use crate::record::key::Owner;
use crate::record::policy::TenantPolicy;
use crate::record::usage::UsageBatch;
use crate::record::user::User;
use crate::store::KeyStore;
use crate::store::arc::find;
use crate::store::batch::Batch;
use crate::store::cached::CachedStore;
use crate::store::changes::{Changes, Marker};
use crate::store::error::StoreError;
use crate::store::postgres::PostgresOptions;
use crate::store::query::{
    AccountQuery, EventQuery, KeyQuery, OwnedKeys, Page, StoredKey, TenantEntry, TenantQuery,
};
use crate::store::resolve::{Look, Resolve};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// A store that can be moved to PostgreSQL while the service uses it.
///
/// It passes every call on to a [`MemoryStore`](crate::store::MemoryStore) or
/// [`FileStore`](crate::store::FileStore) until a move is complete, and then to the new store. The
/// running [`Keywright`](crate::Keywright), its authorities and verifiers, the counted uses and the
/// rates stay as they are. Clones share the store.
///
/// * **Reads** continue during the whole move.
/// * **Changes and flushes** continue too. Only the last step holds them back, for at most
///   [`MoveOptions::hold`](crate::store::MoveOptions::hold), and then carries them out.
/// * **A move that fails** leaves the old store in use, with everything in it.
///
/// ```no_run
/// # // It needs a PostgreSQL server.
/// # async fn serve(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::Keywright;
/// use keywright::store::{
///     CacheOptions, CachedStore, FileStore, MoveOptions, MovingStore, PostgresOptions,
/// };
///
/// let store = MovingStore::new(FileStore::open("keys.db").await?);
/// let keywright = Keywright::builder(store.clone()).build()?;
/// // ... serve; then, one day, in the same process:
/// let mut transfer = store.begin(PostgresOptions::new(), pool).await?;
/// transfer.copy(|progress| eprintln!("{progress}")).await?;
/// let cache = CachedStore::new(transfer.database(), CacheOptions::new())?;
/// let held = store.finish(transfer, cache, MoveOptions::new()).await?;
/// eprintln!("the keys are in PostgreSQL; changes were held back for {held:?}");
/// # drop(keywright); Ok(()) }
/// ```
///
/// See [Moving stores](crate::guide::moving_stores) in the guide.
#[derive(Clone)]
pub struct MovingStore(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) old: Arc<dyn KeyStore>,
    pub(super) source: TransferSource,
    /// The new store, from the end of the move on.
    pub(super) new: OnceLock<Arc<dyn KeyStore>>,
    /// Locked for reading by each write to the old store, and for writing by the last step.
    pub(super) writes: Arc<RwLock<()>>,
    /// The refresh task of the new store's cache.
    refreshing: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    pub(super) fn keep_refreshing(&self, task: Option<JoinHandle<()>>) {
        *self.refreshing.lock().unwrap_or_else(PoisonError::into_inner) = task;
    }
}

impl MovingStore {
    /// Creates a store that uses `source` until it is moved.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::TenantId;
    /// use keywright::store::{KeyStore, MemoryStore, MovingStore};
    ///
    /// let store = MovingStore::new(MemoryStore::new());
    /// assert_eq!(store.policies(&[TenantId::default()]).await?, [None]);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new(source: impl Into<TransferSource>) -> Self {
        let source = source.into();
        Self::of(source.0.clone(), source)
    }

    /// Creates a store that uses `wrapper` until it is moved: a store of your own around `source`.
    ///
    /// ```
    /// use keywright::store::{MemoryStore, MovingStore};
    /// # fn metered(store: MemoryStore) -> impl keywright::store::KeyStore { store }
    ///
    /// let source = MemoryStore::new();
    /// // `metered` wraps the store in one that counts calls.
    /// let store = MovingStore::wrapped(metered(source.clone()), source);
    /// assert!(!store.has_moved());
    /// ```
    pub fn wrapped(wrapper: impl KeyStore, source: impl Into<TransferSource>) -> Self {
        Self::of(Arc::new(wrapper), source.into())
    }

    /// Returns the store to which this one was moved.
    pub(crate) fn new_store(&self) -> Option<&dyn KeyStore> {
        self.0.new.get().map(|new| &**new)
    }

    fn of(old: Arc<dyn KeyStore>, source: TransferSource) -> Self {
        let (new, writes) = (OnceLock::new(), Arc::default());
        Self(Arc::new(Inner { old, source, new, writes, refreshing: Mutex::default() }))
    }

    /// Begins a transfer of this store's keys: creates the tables and closes them for everything
    /// else.
    ///
    /// ```no_run
    /// # // It needs a PostgreSQL server.
    /// # async fn begin(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// use keywright::store::{MemoryStore, MovingStore, PostgresOptions};
    ///
    /// let store = MovingStore::new(MemoryStore::new());
    /// let mut transfer = store.begin(PostgresOptions::new(), pool).await?;
    /// transfer.copy(|progress| eprintln!("{progress}")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Transfer::begin`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables may exist and be closed. Beginning again is safe.
    pub async fn begin(
        &self,
        options: PostgresOptions,
        pool: PgPool,
    ) -> Result<Transfer, TransferError> {
        Transfer::begin(self.0.source.clone(), options, pool).await
    }

    /// Returns whether a move is complete, so that the new store is in use.
    ///
    /// ```
    /// use keywright::store::{MemoryStore, MovingStore};
    ///
    /// assert!(!MovingStore::new(MemoryStore::new()).has_moved());
    /// ```
    pub fn has_moved(&self) -> bool {
        self.0.new.get().is_some()
    }

    /// Ends the refresh task of the new store's cache, and drops its hints, which hold a connection
    /// of the caller's pool.
    pub(crate) async fn stop_refreshing(&self) {
        let task = self.0.refreshing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
        if let Some(cache) = self.0.new.get().and_then(|new| find::<CachedStore>(&**new)) {
            cache.drop_hints();
        }
    }
}

impl fmt::Debug for MovingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("MovingStore");
        match self.0.new.get() {
            Some(new) => shown.field("new", new).finish(),
            None => shown.field("old", &self.0.old).finish(),
        }
    }
}

/// Calls a method that reads. If the old store fails because it was closed after the switch, the new
/// one answers.
macro_rules! read {
    ($self:ident, $store:ident => $call:expr) => {{
        if let Some($store) = $self.0.new.get() {
            return $call.await;
        }
        let $store = &$self.0.old;
        match ($call.await, $self.0.new.get()) {
            (Err(_), Some($store)) => $call.await,
            (answer, _) => answer,
        }
    }};
}

/// Calls a method that writes. The last step of a move waits until the call ends, or the call waits
/// until that step has ended.
macro_rules! write {
    ($self:ident, $store:ident => $call:expr) => {{
        if let Some($store) = $self.0.new.get() {
            return $call.await;
        }
        let _in_progress = $self.0.writes.read().await;
        let $store = $self.0.new.get().unwrap_or(&$self.0.old);
        $call.await
    }};
}

#[async_trait]
impl KeyStore for MovingStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        if let Some(new) = self.0.new.get() {
            return new.resolve(key, freshness);
        }
        let found = self.0.old.resolve(key, freshness);
        match self.0.new.get() {
            Some(new) if found.has_failed() => new.resolve(key, freshness),
            _ => found,
        }
    }

    fn peek(&self, key: &KeyId, freshness: Freshness, look: &mut Look<'_>) -> bool {
        self.0.new.get().unwrap_or(&self.0.old).peek(key, freshness, look)
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        read!(self, store => store.key(tenant, key))
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        read!(self, store => store.account(tenant, account))
    }

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        read!(self, store => store.user(tenant, user))
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        read!(self, store => store.policies(tenants))
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        read!(self, store => store.keys(tenant, query, at))
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        read!(self, store => store.owned_keys(tenant, owners, most, at))
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        read!(self, store => store.count_keys(tenant, query, at))
    }

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        read!(self, store => store.keys_of_all_tenants(query, at))
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        read!(self, store => store.tenants(query, at))
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        read!(self, store => store.accounts(tenant, query))
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        read!(self, store => store.events(tenant, query))
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        write!(self, store => store.commit(batch))
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        write!(self, store => store.add_usage(batch))
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        read!(self, store => store.changes(since))
    }
}
