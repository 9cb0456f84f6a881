//! The keeper: asks the store what has changed, often enough that the lease does not end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{sleep, timeout};

use super::{CachedStore, StoreError};

/// So often within the bound: one question may fail, and the next one is in time.
const SYNCS_WITHIN_BOUND: u32 = 3;
/// Hints that come faster than this are answered together.
const LEAST_PAUSE: Duration = Duration::from_millis(2);

/// While the store can't be reached every key that is not in memory is refused, so it is tried again
/// soon, however seldom it is asked usually.
const MOST_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Says that something may have changed, sooner than the keeper would find out.
///
/// A hint may be wrong, late, lost or given twice: the bound holds without any.
#[async_trait]
pub trait ChangeHints: Send + 'static {
    /// Waits for the next hint. One that has none any more waits for ever.
    ///
    /// # Cancel safety
    /// A call that is dropped has lost at most hints.
    async fn next(&mut self);
}

/// No hints.
struct Silence;

#[async_trait]
impl ChangeHints for Silence {
    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl CachedStore {
    /// Asks the store what has changed, three times within the bound, for as long as the cache is in
    /// use. Spawn it on tokio, once.
    pub fn keeper(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.keeper_with(Silence)
    }

    /// The same, and whenever there is a hint.
    pub fn keeper_with<H: ChangeHints>(
        &self,
        mut hints: H,
    ) -> impl Future<Output = ()> + Send + 'static + use<H> {
        let inner = Arc::downgrade(&self.0);
        async move {
            while let Some(inner) = inner.upgrade() {
                let usually = inner.bounds.max_staleness / SYNCS_WITHIN_BOUND;
                // A failure is noted where it is of use: with the next question.
                let has_failed = inner.sync().await.is_err();
                let pause = if has_failed { usually.min(MOST_AFTER_FAILURE) } else { usually };
                drop(inner);
                sleep(LEAST_PAUSE).await;
                let _ = timeout(pause.saturating_sub(LEAST_PAUSE), pin!(hints.next())).await;
            }
        }
    }

    /// Asks the store once what has changed. After that, what is known is as of the call.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't say.
    pub async fn sync(&self) -> Result<(), StoreError> {
        self.0.sync().await
    }
}
