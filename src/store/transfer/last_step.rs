//! The last step of a move: from the record in the source to the switch to the new store.
//!
//! The source records first that it was moved. Then the tables are opened. If the answer of the
//! database is lost, the step asks until it knows whether they are open. In between, neither store
//! takes changes.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_lock::RwLockWriteGuardArc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::move_options::MoveError;
use super::moving_store::Inner;
use super::source::Pause;
use super::steps::Transfer;
use crate::store::KeyStore;
use crate::store::arc::find;
use crate::store::cached::CachedStore;
use crate::store::error::StoreError;
use crate::store::memory::Stage;

/// The time that the database has for each attempt to open the tables or to tell whether they are
/// open.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// The last step of a move. It runs in a task of its own, so that no caller can interrupt it.
pub(super) struct LastStep {
    pub(super) store: Arc<Inner>,
    pub(super) transfer: Transfer,
    pub(super) new: Arc<dyn KeyStore>,
}

impl LastStep {
    /// Runs the step, and returns how long changes were held back. `changes` are held back until its
    /// end, and at most until a moment.
    pub(super) async fn run(
        self,
        pause: Pause,
        changes: RwLockWriteGuardArc<()>,
        since: Instant,
        until: Instant,
        refreshing: Refreshing,
    ) -> Result<Duration, MoveError> {
        let (ended, held) = {
            let mut ending = pin!(self.end(pause));
            let ended = timeout_at(until, ending.as_mut()).await;
            // If the hold has run out, the source stays paused: changes fail until the database
            // answers.
            drop(changes);
            let held = since.elapsed();
            (if let Ok(ended) = ended { ended } else { ending.await }, held)
        };
        let Self { transfer, .. } = self;
        transfer.close().await;
        ended?;
        self.store.keep_refreshing(refreshing.keep());
        Ok(held)
    }

    async fn end(&self, pause: Pause) -> Result<(), MoveError> {
        let source = &self.transfer.source.0;
        let target = &self.transfer.target;
        // If this task is dropped because the runtime ends, the source stays paused.
        let before = pause.keep();
        if let Err(error) = source.set_moved_to(Some(target.place())).await {
            source.stage().set(before);
            return Err(error.into());
        }
        let opened = timeout(PATIENCE, target.open()).await;
        let error = match opened {
            Ok(Ok(())) => {
                self.switch();
                return Ok(());
            }
            Ok(Err(failure)) => MoveError::from(failure),
            Err(_) => MoveError::from(StoreError::unavailable(format!(
                "the database did not open the tables within {PATIENCE:?}; try again later"
            ))),
        };
        loop {
            match timeout(PATIENCE, target.is_open()).await {
                Ok(Ok(true)) => {
                    self.switch();
                    return Ok(());
                }
                Ok(Ok(false)) => break,
                Ok(Err(_)) | Err(_) => sleep(PAUSE).await,
            }
        }
        // If the record cannot be removed, the file takes no changes until it is opened again, and
        // the next transfer to this place removes the record.
        let forgotten = source.set_moved_to(None).await;
        source.stage().set(before);
        forgotten?;
        Err(error)
    }

    /// Puts the new store in use.
    fn switch(&self) {
        if let Some(cache) = find::<CachedStore>(&*self.new) {
            cache.forget_everything();
        }
        let to = Arc::clone(&self.new);
        let place = self.transfer.target.place().into();
        // Only one transfer can pause the source, so nothing was set before.
        let _ = self.store.new.set(Arc::clone(&to));
        self.store.source.0.stage().set(Stage::Transferred { to, place });
    }
}

/// The refresh task of the new store's cache. It ends on drop, unless it is kept.
pub(super) struct Refreshing(Option<JoinHandle<()>>);

impl Refreshing {
    /// Starts the refresh task, if the store is a cache.
    pub(super) fn of(store: &dyn KeyStore) -> Self {
        Self(find::<CachedStore>(store).map(|cache| tokio::spawn(cache.refresh_task())))
    }

    /// Returns the task, which then does not end on drop.
    fn keep(mut self) -> Option<JoinHandle<()>> {
        self.0.take()
    }
}

impl Drop for Refreshing {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}
