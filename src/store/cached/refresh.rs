//! Refreshing: asks the store what has changed, often enough that the lease does not end.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::cache::{CachedStore, Inner, pack};
use super::hints::{ChangeHints, NoHints};
use crate::store::StoreError;

/// Syncs within the bound: one may fail, and the next one is in time.
const SYNCS_WITHIN_BOUND: u32 = 3;
/// The shortest pause: hints that come faster than this are answered together.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause after a failure, however long the bound: while the store cannot be reached, every
/// key that is not in memory is refused.
const LONGEST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

impl CachedStore {
    /// Returns the refresh task: it asks the store what has changed, three times within the bound and
    /// after each hint, for as long as the cache is in use.
    ///
    /// [`Keywright::start`](crate::Keywright::start) runs it. A host that does not use that spawns it on
    /// tokio. A second task of the same cache waits until the first one has ended and takes its place.
    pub fn refresh_task(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        refresh(Arc::downgrade(&self.0), Arc::clone(&self.0.hints))
    }

    /// Lets go of the hints and what they hold, such as a connection of the host's pool, unless a refresh task
    /// listens to them.
    #[cfg(feature = "tokio")]
    pub(crate) fn drop_hints(&self) {
        if let Some(mut hints) = self.0.hints.try_lock() {
            *hints = Box::new(NoHints);
        }
    }

    /// Asks the store once what has changed. Answers from memory are then as old as this call.
    ///
    /// The refresh task does it in time; tests call it by hand.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not answer.
    pub async fn sync(&self) -> Result<(), StoreError> {
        self.0.sync().await
    }
}

async fn refresh(cache: Weak<Inner>, hints: Arc<async_lock::Mutex<Box<dyn ChangeHints>>>) {
    let mut hints = hints.lock().await;
    while let Some(inner) = cache.upgrade() {
        let usual = inner.bounds.max_staleness / SYNCS_WITHIN_BOUND;
        // The cache notes a failure itself; the next sync comes sooner.
        let has_failed = inner.sync().await.is_err();
        let pause = if has_failed { usual.min(LONGEST_PAUSE_AFTER_FAILURE) } else { usual };
        drop(inner);
        sleep(SHORTEST_PAUSE).await;
        let _ = timeout(pause.saturating_sub(SHORTEST_PAUSE), pin!(hints.next())).await;
    }
}

impl Inner {
    async fn sync(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.syncing.lock().await;
        let began = self.clock.now();
        self.note_attempt(began);
        let sync = self.ledger().begin_sync(began);
        let changes = match self.within_patience(self.store.changes(sync.since)).await {
            Ok(changes) => changes,
            Err(error) => {
                self.failed.store(pack(self.clock.now()), Ordering::Release);
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
