//! The refresh task, which asks the store for changes often enough to keep the lease valid.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::cache::{CachedStore, Inner, pack};
use super::hints::{ChangeHints, NoHints};
use super::lease::Forget;
use crate::observe::{Activity, CacheEvent, Work, tell};
use crate::store::StoreError;

/// The number of syncs within the bound. If one fails, the next is still in time.
const SYNCS_WITHIN_BOUND: u32 = 3;
/// The shortest pause between syncs. One sync answers all hints that arrive during it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause after a failure. It is short even for a long bound, because a key that is not in
/// memory cannot be checked until a sync succeeds.
const LONGEST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

impl CachedStore {
    /// Returns the refresh task as a future.
    ///
    /// The task asks the store what has changed, three times within
    /// [`max_staleness`](super::CacheOptions::max_staleness) and after each hint. It ends when the last
    /// clone of the cache is dropped. [`Keywright::start`](crate::Keywright::start) runs it; without
    /// that, spawn it on tokio. A second task of the same cache waits until the first one has ended,
    /// then takes its place.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::store::{CacheOptions, CacheState, CachedStore, MemoryStore};
    /// let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
    /// let refreshing = tokio::spawn(cache.refresh_task());
    /// # while cache.state() != CacheState::Fresh { tokio::task::yield_now().await; }
    /// // ... serve ...
    /// assert_eq!(cache.state(), CacheState::Fresh);
    /// refreshing.abort();
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Cancel safety
    /// The task can be dropped at any time. The cache then answers from memory until its bound has
    /// passed.
    pub fn refresh_task(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        refresh(Arc::downgrade(&self.0), Arc::clone(&self.0.hints))
    }

    /// Drops the hints and their resources, such as a connection of the caller's pool, unless a refresh
    /// task uses them.
    #[cfg(feature = "tokio")]
    pub(crate) fn drop_hints(&self) {
        if let Some(mut hints) = self.0.hints.try_lock() {
            *hints = Box::new(NoHints);
        }
    }

    /// Asks the store once what has changed.
    ///
    /// The cache then knows every change that was acknowledged before this call. The refresh task calls
    /// this in time; tests call it themselves.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId};
    /// # use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// # let policy = || Ok::<_, keywright::Error>(Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?));
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let database = MemoryStore::new();
    /// # let options = CacheOptions::new().clock(keywright::store::ManualMonotonicClock::new());
    /// # let cache = CachedStore::new(database.clone(), options)?;
    /// # let here = Keywright::builder(cache.clone()).default_policy(policy()?).build()?.verifier();
    /// # let other_node = Keywright::builder(database).default_policy(policy()?).build()?.authority();
    /// # let issued = other_node.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let (token, id) = (issued.token.expose(), issued.key.id);
    /// cache.sync().await?;
    /// assert!(here.verify(token).await.is_ok()); // `here` uses the cache
    /// other_node.revoke(&alice, &id).await?;
    /// assert!(here.verify(token).await.is_ok()); // from memory, for at most `max_staleness`
    /// cache.sync().await?;
    /// assert!(here.verify(token).await.is_err());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store fails, or does not answer within
    /// [`store_timeout`](super::CacheOptions::store_timeout).
    ///
    /// # Cancel safety
    /// If the future is dropped, the cache knows what it knew before.
    pub async fn sync(&self) -> Result<(), StoreError> {
        self.0.sync_observed().await
    }
}

async fn refresh(cache: Weak<Inner>, hints: Arc<async_lock::Mutex<Box<dyn ChangeHints>>>) {
    let mut hints = hints.lock().await;
    while let Some(inner) = cache.upgrade() {
        let usual = inner.bounds.max_staleness / SYNCS_WITHIN_BOUND;
        // `sync` records the failure in the cache. Here it only shortens the pause.
        let has_failed = inner.sync_observed().await.is_err();
        let pause = if has_failed { usual.min(LONGEST_PAUSE_AFTER_FAILURE) } else { usual };
        drop(inner);
        sleep(SHORTEST_PAUSE).await;
        let _ = timeout(pause.saturating_sub(SHORTEST_PAUSE), pin!(hints.next())).await;
    }
}

impl Inner {
    async fn sync_observed(&self) -> Result<(), StoreError> {
        let sync = Work::begin(Activity::CacheSync, None);
        sync.run(self.sync(), StoreError::ending_of).await
    }

    async fn sync(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.syncing.lock().await;
        let began = self.clock.now();
        self.note_attempt(began);
        let sync = self.ledger().begin_sync(began);
        let changes = match self.within_timeout(self.store.changes(&sync.since)).await {
            Ok(changes) => changes,
            Err(error) => {
                let before = self.failed.swap(pack(self.clock.now()), Ordering::AcqRel);
                if before == 0 {
                    tell(&CacheEvent::Unreachable(&error));
                }
                return Err(error);
            }
        };
        let forget = {
            if changes.has_lost {
                tell(&CacheEvent::LostCommits);
            }
            let mut ledger = self.ledger();
            let forget = ledger.end_sync(&sync, changes);
            if let Forget::These(keys) = &forget {
                self.entries.remove(keys);
            }
            let confirmed = ledger.confirmed().map_or(0, pack);
            self.confirmed.store(confirmed, Ordering::Release);
            forget
        };
        if forget == Forget::Everything {
            self.entries.clear();
        }
        if self.failed.swap(0, Ordering::AcqRel) != 0 {
            tell(&CacheEvent::Reachable);
        }
        Ok(())
    }
}
