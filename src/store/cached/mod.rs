//! A cache in front of a store that other nodes write to: answers from memory, and a bound on their age.
//!
//! The rule stands in [`lease`]. A hit reads the clock and one number, and looks into a map: no lock
//! and no allocation. Whatever is known to have changed is taken out of the map before the lease that
//! proves it is renewed.

mod entries;
mod flights;
mod keeper;
mod lease;
mod ticks;

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::entries::Entries;
use self::flights::{Answer, Flights};
use self::lease::{Bounds, Ledger};
use super::{
    AccountQuery, Batch, Change, Changes, Epoch, EventQuery, Found, Freshness, KeyQuery, KeyStore,
    Page, Resolve, Resolved, Snapshot, StoreError, StoreErrorKind, StoredKey, Subject, UsageBatch,
};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

pub use self::keeper::ChangeHints;
pub use self::ticks::{ManualMonotonicClock, MonotonicClock, SystemMonotonicClock};

/// How a [`CachedStore`] keeps what it knows.
#[derive(Clone)]
#[must_use = "setters take and return by value"]
pub struct CacheOptions {
    max_staleness: Duration,
    outage: Option<Duration>,
    patience: Duration,
    capacity: usize,
    ticks: Arc<dyn MonotonicClock>,
}

/// A setting of [`CacheOptions`] is not possible.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheOptionsError {
    /// The bound on the age.
    #[error("an answer may be 10 ms to 1 hour old, not {0:?}")]
    MaxStaleness(Duration),
    /// The bound during an outage is not larger than the usual one, or longer than 7 days.
    #[error("during an outage an answer may be older than usual, and at most 7 days, not {0:?}")]
    Outage(Duration),
    /// How long the store is waited for.
    #[error("a store is waited for 1 ms to 1 minute, not {0:?}")]
    Patience(Duration),
    /// How many keys are kept.
    #[error("a cache keeps one key at least")]
    Capacity,
}

impl CacheOptions {
    /// Answers of at most one second, a store that answers within two, and 1,000,000 keys.
    pub fn new() -> Self {
        Self {
            max_staleness: Duration::from_secs(1),
            outage: None,
            patience: Duration::from_secs(2),
            capacity: 1_000_000,
            ticks: Arc::new(SystemMonotonicClock),
        }
    }

    /// How old an answer may be, 10 ms to 1 hour: after a revoke was acknowledged anywhere, no node
    /// accepts the key for longer than this.
    ///
    /// The store is asked what has changed three times in this time, whether keys are used or not.
    pub fn max_staleness(self, bound: Duration) -> Self {
        Self { max_staleness: bound, ..self }
    }

    /// **Accepts keys that were revoked**: while the store can't be reached, for as long as this since it
    /// last could. Their grants say so with [`Age::is_during_outage`](super::Age::is_during_outage).
    ///
    /// Without it, a node that has lost the store accepts nobody once what it knows is too old.
    pub fn danger_accept_revoked_keys_during_an_outage(self, bound: Duration) -> Self {
        Self { outage: Some(bound), ..self }
    }

    /// How long the store is waited for, 1 ms to 1 minute, before it is unavailable.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How many keys are kept, at least 1. Each takes about a kilobyte.
    pub fn capacity(self, keys: usize) -> Self {
        Self { capacity: keys, ..self }
    }

    /// Another clock for the age of what is known.
    pub fn ticks(self, ticks: impl MonotonicClock) -> Self {
        Self { ticks: Arc::new(ticks), ..self }
    }

    fn check(&self) -> Result<(), CacheOptionsError> {
        let within = |duration: Duration, least, most| (least..=most).contains(&duration);
        if !within(self.max_staleness, Duration::from_millis(10), Duration::from_hours(1)) {
            return Err(CacheOptionsError::MaxStaleness(self.max_staleness));
        }
        if let Some(outage) = self.outage
            && !within(outage, self.max_staleness, Duration::from_hours(7 * 24))
        {
            return Err(CacheOptionsError::Outage(outage));
        }
        if !within(self.patience, Duration::from_millis(1), Duration::from_mins(1)) {
            return Err(CacheOptionsError::Patience(self.patience));
        }
        if self.capacity == 0 {
            return Err(CacheOptionsError::Capacity);
        }
        Ok(())
    }
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("max_staleness", &self.max_staleness)
            .field("outage", &self.outage)
            .field("patience", &self.patience)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// Keeps keys in memory in front of a store that other nodes write to. Clones share the cache.
///
/// * **A bound.** What another node was told is done is known here after
///   [`max_staleness`](CacheOptions::max_staleness) at the latest. What is older than that is never an
///   answer: then the store is asked, and if it can't be, the call is unavailable.
/// * **A keeper.** Spawn [`keeper`](Self::keeper): it asks the store what has changed, three times within
///   the bound. Without it every key is asked for, as if there were no cache.
/// * **Own changes at once.** What goes through this cache is known in it when it is acknowledged.
/// * Waiting for the store needs a tokio runtime with time enabled.
///
/// Everything but [`resolve`](KeyStore::resolve) is passed on.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
/// use std::time::Duration;
///
/// # let store = MemoryStore::new();
/// let options = CacheOptions::new().max_staleness(Duration::from_millis(500));
/// let store = CachedStore::new(store, options)?;
/// tokio::spawn(store.keeper());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CachedStore(Arc<Inner>);

struct Inner {
    store: Arc<dyn KeyStore>,
    bounds: Bounds,
    patience: Duration,
    ticks: Arc<dyn MonotonicClock>,
    entries: Entries,
    flights: Flights,
    ledger: Mutex<Ledger>,
    /// The ledger's moment in microseconds, and one more: 0 if there is none. For hits, which take no lock.
    confirmed: AtomicU64,
    /// When the last sync failed, in the same way: 0 if it succeeded.
    failed: AtomicU64,
    syncing: async_lock::Mutex<()>,
}

impl CachedStore {
    /// A cache in front of a store.
    ///
    /// # Errors
    /// [`CacheOptionsError`] if a setting is out of its bounds.
    pub fn new(store: impl KeyStore, options: CacheOptions) -> Result<Self, CacheOptionsError> {
        options.check()?;
        Ok(Self(Arc::new(Inner {
            store: Arc::new(store),
            bounds: Bounds { max_staleness: options.max_staleness, outage: options.outage },
            patience: options.patience,
            ticks: options.ticks,
            entries: Entries::new(options.capacity),
            flights: Flights::default(),
            ledger: Mutex::default(),
            confirmed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            syncing: async_lock::Mutex::default(),
        })))
    }

    /// How old what is known is now; `None` before the store was asked for the first time.
    pub fn age(&self) -> Option<Duration> {
        let confirmed = self.0.ledger().confirmed()?;
        Some(self.0.ticks.ticks().saturating_sub(confirmed))
    }

    /// How many keys are kept.
    pub fn keys_kept(&self) -> usize {
        self.0.entries.len()
    }

    /// How often the store had lost commits that it had before, and everything was forgotten for it.
    ///
    /// More than zero is an alarm: a server was replaced by one that lagged behind, or a backup was
    /// restored. What was lost may be a revoke.
    pub fn regressions(&self) -> u64 {
        self.0.ledger().regressions()
    }
}

impl fmt::Debug for CachedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachedStore").field(&self.0.store).finish()
    }
}

/// A moment as an atomic has it.
fn pack(moment: Duration) -> u64 {
    u64::try_from(moment.as_micros()).unwrap_or(u64::MAX).saturating_add(1)
}

fn unpack(packed: u64) -> Option<Duration> {
    packed.checked_sub(1).map(Duration::from_micros)
}

impl Inner {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in memory, if it may be given. The lease is read before the map: what it proves to have
    /// changed has been taken out by then.
    fn at_hand(&self, key: &KeyId, freshness: Freshness) -> Option<Resolved> {
        let confirmed = unpack(self.confirmed.load(Ordering::Acquire));
        let age = self.bounds.usable(confirmed, self.ticks.ticks(), freshness)?;
        match self.entries.get(key) {
            Some(snapshot) => Some(Ok(Some(Found { snapshot, age }))),
            None => self.entries.is_absent(key).then_some(Ok(None)),
        }
    }

    /// The same where the store can't be asked, if the host has said so.
    fn during_outage(&self, key: &KeyId, freshness: Freshness) -> Option<Found> {
        let confirmed = unpack(self.confirmed.load(Ordering::Acquire));
        let age = self.bounds.usable_during_outage(confirmed, self.ticks.ticks(), freshness)?;
        self.entries.get(key).map(|snapshot| Found { snapshot, age })
    }

    /// Whether the keeper could not reach the store just now. Then nobody else waits for it.
    fn is_unreachable(&self) -> bool {
        let failed = unpack(self.failed.load(Ordering::Acquire));
        let since = |failed| self.ticks.ticks().saturating_sub(failed);
        failed.is_some_and(|failed| since(failed) <= self.bounds.max_staleness)
    }

    async fn ask(&self, key: KeyId, freshness: Freshness) -> Resolved {
        let asked = match freshness {
            Freshness::Usual if self.is_unreachable() => Err(StoreError::unavailable(
                "the store behind the cache can't be reached, and what the cache knows is too old",
            )),
            Freshness::Usual => self.ask_together(key).await,
            // Somebody else's question may have been asked before this one.
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
        let called = self.ticks.ticks();
        let fill = self.ledger().begin_fill();
        let seat = self.flights.join(key, fill);
        let mut answer = seat.flight.answer.lock().await;
        let now = self.ticks.ticks();
        let told = answer.as_ref().and_then(|a| a.tell(called, now, self.bounds.max_staleness));
        if let Some(told) = told {
            return told;
        }
        let asked = self.within(self.store.resolve(&key, Freshness::Usual)).await;
        let asked = asked.map(|found| found.map(|found| found.snapshot));
        if let Ok(found) = &asked {
            let ledger = self.ledger();
            if ledger.admits(fill) {
                self.entries.keep(key, found.as_ref());
            }
        }
        *answer = Some(Answer::of(now, &asked));
        seat.close();
        asked.map(as_of_now)
    }

    async fn ask_alone(
        &self,
        key: KeyId,
        freshness: Freshness,
    ) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let fill = self.ledger().begin_fill();
        let found = self.within(self.store.resolve(&key, freshness)).await?;
        let found = found.map(|found| found.snapshot);
        let ledger = self.ledger();
        if ledger.admits(fill) {
            self.entries.keep(key, found.as_ref());
        }
        Ok(found)
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = |_| StoreError::unavailable("the store behind the cache did not answer in time");
        tokio::time::timeout(self.patience, answer).await.map_err(late)?
    }

    async fn sync(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.syncing.lock().await;
        let began = self.ticks.ticks();
        let sync = self.ledger().begin_sync(began);
        let changes = match self.within(self.store.changes(sync.since)).await {
            Ok(changes) => changes,
            Err(error) => {
                self.failed.store(pack(self.ticks.ticks()), Ordering::Release);
                return Err(error);
            }
        };
        let mut ledger = self.ledger();
        let forget = ledger.end_sync(sync, changes);
        self.entries.forget(&forget);
        let confirmed = ledger.confirmed().map_or(0, pack);
        self.confirmed.store(confirmed, Ordering::Release);
        self.failed.store(0, Ordering::Release);
        Ok(())
    }
}

fn as_of_now(found: Option<Arc<Snapshot>>) -> Option<Found> {
    found.map(Found::from)
}

/// What this node itself changes. Forgotten when the call ends, however it does: what was not answered
/// may have been done.
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
