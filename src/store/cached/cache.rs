//! The cache, which answers from memory where it may and otherwise asks the store behind it.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::entries::Entries;
use super::hints::{ChangeHints, NoHints};
use super::lease::{Bounds, Fill, Ledger};
use super::monotonic_clock::MonotonicClock;
use super::options::{CacheOptions, CacheOptionsError};
use super::single_flight::{Answer, SingleFlight};
use super::stamps::{Places, Stamps};
use super::state::CacheState;
use crate::observe::{CacheEvent, tell};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::Owner;
use crate::record::policy::TenantPolicy;
use crate::record::user::User;
use crate::store::{
    AccountQuery, Batch, Change, Changes, EventQuery, Found, FoundRef, Freshness, KeyQuery,
    KeyStore, Look, Marker, OwnedKeys, Page, Resolve, Resolved, Snapshot, StoreError,
    StoreErrorKind, StoredKey, Subject, TenantEntry, TenantQuery, UsageBatch,
};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// A cache of keys in memory, in front of a store that other nodes write to.
///
/// Clones share the cache.
///
/// * **Bounded staleness.** A change that any node has acknowledged is visible here after at most
///   [`max_staleness`](CacheOptions::max_staleness). The cache gives no older answer unless you
///   [opt in](CacheOptions::danger_accept_revoked_keys_during_an_outage). It asks the store instead, and
///   if the store cannot be reached, the call fails with [`Unavailable`](StoreErrorKind::Unavailable).
/// * **A refresh task.** The task asks the store what has changed, three times within the bound.
///   [`Keywright::start`](crate::Keywright::start) runs it for a cache that was passed to the
///   [builder](crate::Keywright::builder). Without the task every read goes to the store, and
///   [`state`](Self::state) returns [`CacheState::NotRefreshed`].
/// * **Own changes at once.** A change through this cache is visible in it as soon as it is acknowledged.
/// * **Tokio.** Reads that go to the store need a tokio runtime with time enabled.
///
/// The cache answers [`resolve`](KeyStore::resolve), the lookup of every verification. It passes all
/// other methods on to the store.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use std::time::Duration;
///
/// use keywright::Keywright;
/// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
///
/// # let database = MemoryStore::new();
/// let options = CacheOptions::new().max_staleness(Duration::from_millis(500));
/// let keywright = Keywright::builder(CachedStore::new(database, options)?).build()?;
/// let running = keywright.start()?; // refreshes the cache and flushes usage
/// // ... serve ...
/// running.shutdown().await?;
/// # Ok(()) }) }
/// ```
///
/// See [Many nodes](crate::guide::nodes) in the guide.
#[derive(Clone)]
pub struct CachedStore(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) bounds: Bounds,
    store_timeout: Duration,
    pub(super) clock: Arc<dyn MonotonicClock>,
    pub(super) entries: Entries,
    stamps: Arc<Stamps>,
    single_flight: SingleFlight,
    ledger: Mutex<Ledger>,
    /// A packed copy of the ledger's confirmed moment, so that a hit takes no lock.
    pub(super) confirmed: AtomicU64,
    /// The packed moment at which the last sync failed; 0 if it succeeded.
    pub(super) failed: AtomicU64,
    /// The packed moment at which the last sync began.
    attempted: AtomicU64,
    created: Duration,
    on_not_refreshed: Arc<dyn Fn() + Send + Sync>,
    /// Whether a read has warned since the last sync.
    has_warned: AtomicBool,
    pub(super) syncing: async_lock::Mutex<()>,
    /// The source of hints. The running refresh task holds the lock.
    pub(super) hints: Arc<async_lock::Mutex<Box<dyn ChangeHints>>>,
}

impl CachedStore {
    /// Creates a cache in front of `store`.
    ///
    /// ```
    /// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    ///
    /// # let database = MemoryStore::new();
    /// let cache = CachedStore::new(database, CacheOptions::new().capacity(50_000))?;
    /// assert_eq!(cache.keys_kept(), 0);
    /// # Ok::<(), keywright::store::CacheOptionsError>(())
    /// ```
    ///
    /// # Errors
    /// [`CacheOptionsError`] if a setting is out of bounds.
    pub fn new(store: impl KeyStore, options: CacheOptions) -> Result<Self, CacheOptionsError> {
        Self::with_hints(store, options, NoHints)
    }

    /// Creates a cache that also asks `store` for changes after each hint.
    ///
    /// With hints a revocation usually arrives within milliseconds. The bound on staleness does not
    /// depend on them.
    ///
    /// ```no_run
    /// # async fn open(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// use keywright::store::{CacheOptions, CachedStore, PostgresStore};
    ///
    /// let database = PostgresStore::open(pool).await?;
    /// let hints = database.hints().await?; // the nodes announce their commits
    /// let cache = CachedStore::with_hints(database, CacheOptions::new(), hints)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CacheOptionsError`] if a setting is out of bounds.
    pub fn with_hints(
        store: impl KeyStore,
        options: CacheOptions,
        hints: impl ChangeHints,
    ) -> Result<Self, CacheOptionsError> {
        let bounds = options.check()?;
        let hints: Box<dyn ChangeHints> = Box::new(hints);
        let stamps = (options.capacity / KEYS_PER_STAMP).clamp(FEWEST_STAMPS, MOST_STAMPS);
        let stamps = Arc::new(Stamps::new(stamps));
        Ok(Self(Arc::new(Inner {
            store: Arc::new(store),
            bounds,
            store_timeout: options.store_timeout,
            created: options.clock.now(),
            clock: options.clock,
            entries: Entries::new(options.capacity, Arc::clone(&stamps)),
            single_flight: SingleFlight::default(),
            ledger: Mutex::new(Ledger::new(Arc::clone(&stamps))),
            stamps,
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
    ///
    /// ```
    /// # use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// use keywright::store::CacheState;
    ///
    /// # let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
    /// let is_healthy = matches!(cache.state(), CacheState::Starting | CacheState::Fresh);
    /// assert!(is_healthy);
    /// # Ok::<(), keywright::store::CacheOptionsError>(())
    /// ```
    pub fn state(&self) -> CacheState {
        self.0.state()
    }

    /// Returns an upper bound on the age of an answer from memory; `None` before the first sync.
    ///
    /// The age grows beyond [`max_staleness`](CacheOptions::max_staleness) while the store cannot be
    /// reached. By default the cache then gives no answers from memory.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::store::{CacheOptions, CachedStore, ManualMonotonicClock, MemoryStore};
    /// # use std::time::Duration;
    /// # let clock = ManualMonotonicClock::new();
    /// # let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new().clock(clock.clone()))?;
    /// assert_eq!(cache.age(), None);
    /// cache.sync().await?;
    /// clock.advance(Duration::from_millis(300));
    /// assert_eq!(cache.age(), Some(Duration::from_millis(300)));
    /// # Ok(()) }) }
    /// ```
    pub fn age(&self) -> Option<Duration> {
        let confirmed = self.0.ledger().confirmed()?;
        Some(self.0.clock.now().saturating_sub(confirmed))
    }

    /// Returns the number of keys that the cache holds.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId};
    /// # use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// # let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(cache.clone()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// verifier.verify(issued.token.expose()).await?; // the first use reads the key from the store
    /// assert_eq!(cache.keys_kept(), 1);
    /// # Ok(()) }) }
    /// ```
    pub fn keys_kept(&self) -> usize {
        self.0.entries.len()
    }

    /// Returns how many times the store turned out to have lost commits.
    ///
    /// The cache forgets everything each time. Raise an alarm if the number is not 0: a standby that
    /// lagged behind took over, or a backup was restored. The lost commits may include a revocation.
    ///
    /// The number counts since the cache was created. The value 0 does not prove that nothing is lost:
    /// a loss is not counted if the store accepts new commits beyond the lost ones before the cache
    /// asks.
    ///
    /// ```
    /// # use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// # let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
    /// if cache.regressions() > 0 {
    ///     eprintln!("the key database has lost commits: check whether revoked keys are active again");
    /// }
    /// # Ok::<(), keywright::store::CacheOptionsError>(())
    /// ```
    pub fn regressions(&self) -> u64 {
        self.0.ledger().regressions()
    }
}

#[cfg(feature = "postgres")]
impl CachedStore {
    /// Returns the store behind the cache.
    pub(crate) fn behind(&self) -> &dyn KeyStore {
        &*self.0.store
    }

    /// Forgets all entries, and drops the answers that are being read.
    pub(in crate::store) fn forget_everything(&self) {
        self.0.ledger().note_everything();
        self.0.entries.clear();
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

/// The number of keys for each stamp, at the capacity of the cache.
const KEYS_PER_STAMP: usize = 16;
/// The bounds on the number of stamps of keys, and of owners, and of tenants. Each takes 8 bytes.
const FEWEST_STAMPS: usize = 64;
const MOST_STAMPS: usize = 65_536;

/// Packs a moment for an atomic as its microseconds plus one. 0 means that there is no moment.
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
        // A sync takes at most `store_timeout`, and the pause before the next one is shorter than the bound.
        if within(&self.attempted, bound + self.store_timeout) {
            CacheState::StoreUnreachable
        } else {
            CacheState::NotRefreshed
        }
    }

    pub(super) fn note_attempt(&self, began: Duration) {
        self.attempted.store(pack(began), Ordering::Release);
        self.has_warned.store(false, Ordering::Release);
    }

    /// Warns once if no task refreshes the cache. The read continues: its answer is correct but slow.
    fn warn_if_not_refreshed(&self) {
        if self.state() == CacheState::NotRefreshed && !self.has_warned.swap(true, Ordering::AcqRel)
        {
            tell(&CacheEvent::NotRefreshed);
            (self.on_not_refreshed)();
        }
    }

    /// Shows `look` the answer from memory, if the lease and `freshness` allow one, and returns its
    /// result.
    ///
    /// The lease is read before the map and the stamps. A sync removes every changed key and moves
    /// every stamp before it renews the lease, so a lease that is read as valid never comes with an
    /// outdated entry.
    fn look<T>(
        &self,
        key: &KeyId,
        freshness: Freshness,
        look: impl FnOnce(Option<FoundRef<'_>>) -> T,
    ) -> Option<T> {
        let confirmed = unpack(self.confirmed.load(Ordering::Acquire));
        let age = self.bounds.usable(confirmed, self.clock.now(), freshness)?;
        self.entries.look(key, |found| look(found.map(|snapshot| FoundRef { snapshot, age })))
    }

    /// Returns the answer from memory while the store cannot be reached, if the host allows it.
    fn during_outage(&self, key: &KeyId, freshness: Freshness) -> Option<Found> {
        let confirmed = unpack(self.confirmed.load(Ordering::Acquire));
        let age = self.bounds.usable_during_outage(confirmed, self.clock.now(), freshness)?;
        self.entries.look(key, |found| found.map(|snapshot| FoundRef { snapshot, age }.into()))?
    }

    /// Returns whether the last sync failed, no longer ago than the bound. Reads then do not wait for
    /// the store.
    fn is_unreachable(&self) -> bool {
        let failed = unpack(self.failed.load(Ordering::Acquire));
        let since = |failed| self.clock.now().saturating_sub(failed);
        failed.is_some_and(|failed| since(failed) <= self.bounds.max_staleness)
    }

    async fn ask(&self, key: KeyId, freshness: Freshness) -> Resolved {
        if freshness == Freshness::StoreDefault {
            self.warn_if_not_refreshed();
        }
        let asked = match freshness {
            Freshness::StoreDefault if self.is_unreachable() => Err(StoreError::unavailable(
                "the store behind the cache cannot be reached, and the cached answer is too old; try again later",
            )),
            Freshness::StoreDefault => self.ask_shared(key).await,
            // A shared request may have been sent before this call began.
            Freshness::AtMost(_) => self.ask_unshared(key, freshness).await.map(just_read),
        };
        match asked {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.during_outage(&key, freshness).map_or(Err(error), |found| Ok(Some(found)))
            }
            asked => asked,
        }
    }

    async fn ask_shared(&self, key: KeyId) -> Resolved {
        let called = self.clock.now();
        let fill = self.ledger().begin_fill();
        let is_outdated = |fill: Fill| !self.stamps.has_kept_key(&key, fill.0);
        let waiter = self.single_flight.join(key, fill, is_outdated);
        let mut answer = waiter.question.answer.lock().await;
        let now = self.clock.now();
        let bound = self.bounds.max_staleness;
        // A change that became known while the answer was read may have been known to this caller.
        let current =
            answer.as_ref().filter(|answer| self.admits(answer.fill, &key, answer.found()));
        if let Some(shared) = current.and_then(|answer| answer.for_caller(called, now, bound)) {
            return shared;
        }
        let fill = self.ledger().begin_fill();
        let asked = self.within_timeout(self.store.resolve(&key, Freshness::StoreDefault)).await;
        let asked = asked.map(|found| found.map(|found| found.snapshot));
        if let Ok(found) = &asked {
            self.keep(fill, key, found.as_ref());
        }
        *answer = Some(Answer::of(fill, now, &asked));
        waiter.close();
        asked.map(just_read)
    }

    async fn ask_unshared(
        &self,
        key: KeyId,
        freshness: Freshness,
    ) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let fill = self.ledger().begin_fill();
        let found = self.within_timeout(self.store.resolve(&key, freshness)).await?;
        let found = found.map(|found| found.snapshot);
        self.keep(fill, key, found.as_ref());
        Ok(found)
    }

    /// Keeps the answer of a fill, unless a change of the key became known in the meantime.
    fn keep(&self, fill: Fill, key: KeyId, found: Option<&Arc<Snapshot>>) {
        let places = found.map(|found| self.places(found));
        // The lock excludes changes between the check and the insert.
        let ledger = self.ledger();
        if ledger.admits(fill, &key, places) {
            self.entries.keep(key, fill, found.zip(places));
        }
    }

    fn admits(&self, fill: Fill, key: &KeyId, found: Option<&Arc<Snapshot>>) -> bool {
        self.ledger().admits(fill, key, found.map(|found| self.places(found)))
    }

    fn places(&self, snapshot: &Snapshot) -> Places {
        let key = snapshot.record().key();
        self.stamps.places(&key.tenant, &key.owner)
    }

    pub(super) async fn within_timeout<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = |_| {
            let store_timeout = self.store_timeout;
            StoreError::unavailable(format!(
                "the store behind the cache did not answer within {store_timeout:?}; try again later"
            ))
        };
        tokio::time::timeout(self.store_timeout, answer).await.map_err(late)?
    }
}

fn just_read(found: Option<Arc<Snapshot>>) -> Option<Found> {
    found.map(Found::from)
}

/// A change that goes through this cache.
///
/// The cache forgets the subjects of the change when the call ends, also if it fails or is dropped:
/// such a call may have changed them.
struct OwnChange<'a> {
    inner: &'a Inner,
    subjects: Vec<Subject>,
}

impl Drop for OwnChange<'_> {
    fn drop(&mut self) {
        let mut ledger = self.inner.ledger();
        let keys = ledger.note(&self.subjects);
        self.inner.entries.remove(&keys);
    }
}

#[async_trait]
impl KeyStore for CachedStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        match self.0.look(key, freshness, |found| found.map(Found::from)) {
            Some(found) => Resolve::ready(Ok(found)),
            None => Resolve::boxed(self.0.ask(*key, freshness)),
        }
    }

    fn peek(&self, key: &KeyId, freshness: Freshness, look: &mut Look<'_>) -> bool {
        self.0.look(key, freshness, look).is_some()
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

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        self.0.store.user(tenant, user).await
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        self.0.store.policies(tenants).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.store.keys(tenant, query, at).await
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        self.0.store.owned_keys(tenant, owners, most, at).await
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.0.store.count_keys(tenant, query, at).await
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

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.store.keys_of_all_tenants(query, at).await
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        self.0.store.tenants(query, at).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let subjects = batch.changes.iter().map(Change::subject).collect();
        let _own = OwnChange { inner: &self.0, subjects };
        self.0.store.commit(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.0.store.add_usage(batch).await
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        self.0.store.changes(since).await
    }
}
