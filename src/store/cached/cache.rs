//! The cache itself: what it answers from memory, and what it asks the store behind it.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::entries::Entries;
use super::hints::{ChangeHints, NoHints};
use super::lease::{Bounds, Ledger};
use super::monotonic_clock::MonotonicClock;
use super::options::{CacheOptions, CacheOptionsError};
use super::single_flight::{Answer, SingleFlight};
use super::state::CacheState;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::store::{
    AccountQuery, Batch, Change, Changes, Epoch, EventQuery, Found, Freshness, KeyQuery, KeyStore,
    Page, Resolve, Resolved, Snapshot, StoreError, StoreErrorKind, StoredKey, Subject, UsageBatch,
};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// Keeps keys in memory in front of a store that other nodes write to. Clones share the cache.
///
/// * **A bound on staleness.** A change that any node acknowledged is visible here at most
///   [`max_staleness`](CacheOptions::max_staleness) later. The cache gives no older answer: it asks the
///   store, and if the store cannot be reached, the call is unavailable.
/// * **A refresh task.** It asks the store what has changed, three times within the bound.
///   [`Keywright::start`](crate::Keywright::start) runs it for a cache that the
///   [builder](crate::Keywright::builder) was given. Without it every read goes to the store, as if there
///   were no cache, and [`state`](Self::state) is [`CacheState::NotRefreshed`].
/// * **Own changes at once.** A change through this cache is visible in it when it is acknowledged.
/// * Reads that go to the store need a tokio runtime with time enabled.
///
/// The cache passes every method but [`resolve`](KeyStore::resolve) on to the store.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use keywright::Keywright;
/// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
///
/// # let database = MemoryStore::new();
/// let options = CacheOptions::new().max_staleness(Duration::from_millis(500));
/// let keywright = Keywright::builder(CachedStore::new(database, options)?).build()?;
/// let running = keywright.start()?; // refreshes the cache, and flushes
/// // ... serve ...
/// running.shutdown().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CachedStore(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) bounds: Bounds,
    patience: Duration,
    pub(super) clock: Arc<dyn MonotonicClock>,
    pub(super) entries: Entries,
    single_flight: SingleFlight,
    ledger: Mutex<Ledger>,
    /// The end of the ledger's confirmed time, packed. For hits, which take no lock.
    pub(super) confirmed: AtomicU64,
    /// When the last sync failed, packed: 0 if it succeeded.
    pub(super) failed: AtomicU64,
    /// When the last sync began, packed.
    attempted: AtomicU64,
    created: Duration,
    on_not_refreshed: Arc<dyn Fn() + Send + Sync>,
    /// Whether a read has warned since the last sync.
    has_warned: AtomicBool,
    pub(super) syncing: async_lock::Mutex<()>,
    /// Held by the refresh task that runs.
    pub(super) hints: Arc<async_lock::Mutex<Box<dyn ChangeHints>>>,
}

impl CachedStore {
    /// Creates a cache in front of a store.
    ///
    /// # Errors
    /// [`CacheOptionsError`] if a setting is out of its bounds.
    pub fn new(store: impl KeyStore, options: CacheOptions) -> Result<Self, CacheOptionsError> {
        Self::with_hints(store, options, NoHints)
    }

    /// Creates a cache that also asks what has changed whenever there is a hint: a revoke then arrives in
    /// milliseconds.
    ///
    /// # Errors
    /// [`CacheOptionsError`] if a setting is out of its bounds.
    pub fn with_hints(
        store: impl KeyStore,
        options: CacheOptions,
        hints: impl ChangeHints,
    ) -> Result<Self, CacheOptionsError> {
        let bounds = options.check()?;
        let hints: Box<dyn ChangeHints> = Box::new(hints);
        Ok(Self(Arc::new(Inner {
            store: Arc::new(store),
            bounds,
            patience: options.patience,
            created: options.clock.now(),
            clock: options.clock,
            entries: Entries::new(options.capacity),
            single_flight: SingleFlight::default(),
            ledger: Mutex::default(),
            confirmed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            attempted: AtomicU64::new(0),
            on_not_refreshed: options.on_not_refreshed,
            has_warned: AtomicBool::new(false),
            syncing: async_lock::Mutex::default(),
            hints: Arc::new(async_lock::Mutex::new(hints)),
        })))
    }

    /// Returns whether the cache answers from memory now, and if not, why.
    pub fn state(&self) -> CacheState {
        self.0.state()
    }

    /// Returns an upper bound on the age of an answer from memory; `None` before the first sync.
    pub fn age(&self) -> Option<Duration> {
        let confirmed = self.0.ledger().confirmed()?;
        Some(self.0.clock.now().saturating_sub(confirmed))
    }

    /// Returns how many keys the cache holds.
    pub fn keys_kept(&self) -> usize {
        self.0.entries.len()
    }

    /// Returns how often the store had lost commits that it had before. The cache then forgets everything.
    ///
    /// More than zero is an alarm: a standby that lagged behind took over, or a backup was
    /// restored. The lost commits may include a revoke.
    pub fn regressions(&self) -> u64 {
        self.0.ledger().regressions()
    }
}

impl fmt::Debug for CachedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStore")
            .field("state", &self.state())
            .field("store", &self.0.store)
            .finish()
    }
}

/// Packs a moment for an atomic: its microseconds plus one, since 0 is none.
pub(super) fn pack(moment: Duration) -> u64 {
    u64::try_from(moment.as_micros()).unwrap_or(u64::MAX).saturating_add(1)
}

fn unpack(packed: u64) -> Option<Duration> {
    packed.checked_sub(1).map(Duration::from_micros)
}

impl Inner {
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> CacheState {
        let now = self.clock.now();
        let within = |moment: &AtomicU64, bound: Duration| {
            let moment = unpack(moment.load(Ordering::Acquire));
            moment.is_some_and(|moment| now.saturating_sub(moment) <= bound)
        };
        let bound = self.bounds.max_staleness;
        if within(&self.confirmed, bound) {
            return CacheState::Fresh;
        }
        let is_new = now.saturating_sub(self.created) <= bound;
        if is_new && self.failed.load(Ordering::Acquire) == 0 {
            return CacheState::Starting;
        }
        // The next sync begins a pause, shorter than the bound, after one that used up its patience.
        if within(&self.attempted, bound + self.patience) {
            CacheState::StoreUnreachable
        } else {
            CacheState::NotRefreshed
        }
    }

    pub(super) fn note_attempt(&self, began: Duration) {
        self.attempted.store(pack(began), Ordering::Release);
        self.has_warned.store(false, Ordering::Release);
    }

    /// Warns once if no task refreshes the cache. The read goes on: its answer is right, only slow.
    fn warn_if_not_refreshed(&self) {
        if self.state() == CacheState::NotRefreshed && !self.has_warned.swap(true, Ordering::AcqRel)
        {
            (self.on_not_refreshed)();
        }
    }

    /// Returns the answer from memory, if it may be given. The lease is read before the map: every key
    /// that it proves to have changed has been removed by then.
    fn at_hand(&self, key: &KeyId, freshness: Freshness) -> Option<Resolved> {
        let confirmed = unpack(self.confirmed.load(Ordering::Acquire));
        let age = self.bounds.usable(confirmed, self.clock.now(), freshness)?;
        match self.entries.get(key) {
            Some(snapshot) => Some(Ok(Some(Found { snapshot, age }))),
            None => self.entries.is_absent(key).then_some(Ok(None)),
        }
    }

    /// Returns the answer from memory while the store cannot be reached, if the host allows it.
    fn during_outage(&self, key: &KeyId, freshness: Freshness) -> Option<Found> {
        let confirmed = unpack(self.confirmed.load(Ordering::Acquire));
        let age = self.bounds.usable_during_outage(confirmed, self.clock.now(), freshness)?;
        self.entries.get(key).map(|snapshot| Found { snapshot, age })
    }

    /// Whether the last sync failed within the bound. Then reads do not wait for the store.
    fn is_unreachable(&self) -> bool {
        let failed = unpack(self.failed.load(Ordering::Acquire));
        let since = |failed| self.clock.now().saturating_sub(failed);
        failed.is_some_and(|failed| since(failed) <= self.bounds.max_staleness)
    }

    async fn ask(&self, key: KeyId, freshness: Freshness) -> Resolved {
        if freshness == Freshness::Usual {
            self.warn_if_not_refreshed();
        }
        let asked = match freshness {
            Freshness::Usual if self.is_unreachable() => Err(StoreError::unavailable(
                "the store behind the cache cannot be reached, and the cached state is too old",
            )),
            Freshness::Usual => self.ask_together(key).await,
            // A shared question may have been asked before this call.
            Freshness::AtMost(_) => self.ask_alone(key, freshness).await.map(as_of_now),
        };
        match asked {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.during_outage(&key, freshness).map_or(Err(error), |found| Ok(Some(found)))
            }
            asked => asked,
        }
    }

    async fn ask_together(&self, key: KeyId) -> Resolved {
        let called = self.clock.now();
        let fill = self.ledger().begin_fill();
        let waiter = self.single_flight.join(key, fill);
        let mut answer = waiter.question.answer.lock().await;
        let now = self.clock.now();
        let bound = self.bounds.max_staleness;
        let shared = answer.as_ref().and_then(|answer| answer.for_caller(called, now, bound));
        if let Some(shared) = shared {
            return shared;
        }
        let asked = self.within_patience(self.store.resolve(&key, Freshness::Usual)).await;
        let asked = asked.map(|found| found.map(|found| found.snapshot));
        if let Ok(found) = &asked {
            let ledger = self.ledger();
            if ledger.admits(fill) {
                self.entries.keep(key, found.as_ref());
            }
        }
        *answer = Some(Answer::of(now, &asked));
        waiter.close();
        asked.map(as_of_now)
    }

    async fn ask_alone(
        &self,
        key: KeyId,
        freshness: Freshness,
    ) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let fill = self.ledger().begin_fill();
        let found = self.within_patience(self.store.resolve(&key, freshness)).await?;
        let found = found.map(|found| found.snapshot);
        let ledger = self.ledger();
        if ledger.admits(fill) {
            self.entries.keep(key, found.as_ref());
        }
        Ok(found)
    }

    pub(super) async fn within_patience<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = |_| StoreError::unavailable("the store behind the cache did not answer in time");
        tokio::time::timeout(self.patience, answer).await.map_err(late)?
    }
}

fn as_of_now(found: Option<Arc<Snapshot>>) -> Option<Found> {
    found.map(Found::from)
}

/// A change of this node itself. The cache forgets its subjects when the call ends, however it ends: a call
/// without an answer may have changed them.
struct OwnChange<'a> {
    inner: &'a Inner,
    subjects: Vec<Subject>,
}

impl Drop for OwnChange<'_> {
    fn drop(&mut self) {
        let mut ledger = self.inner.ledger();
        ledger.note_own_change();
        self.inner.entries.forget_these(&self.subjects);
    }
}

#[async_trait]
impl KeyStore for CachedStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        match self.0.at_hand(key, freshness) {
            Some(found) => Resolve::ready(found),
            None => Resolve::boxed(self.0.ask(*key, freshness)),
        }
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.store.key(tenant, key).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.0.store.account(tenant, account).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.0.store.policy(tenant).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.store.keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.0.store.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.0.store.events(tenant, query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        let subjects = batch.changes.iter().map(Change::subject).collect();
        let _own = OwnChange { inner: &self.0, subjects };
        self.0.store.commit(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.0.store.add_usage(batch).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.0.store.changes(since).await
    }
}
