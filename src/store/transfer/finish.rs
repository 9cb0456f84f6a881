//! Finishing the move of a [`MovingStore`]: catching up, and holding changes back for the last step.

use std::sync::Arc;
use std::time::Duration;

use async_lock::RwLockWriteGuardArc;
use tokio::time::{Instant, timeout, timeout_at};

use super::last_step::{LastStep, Refreshing};
use super::move_options::{MoveError, MoveOptions};
use super::moving_store::MovingStore;
use super::pass::Depth;
use super::source::Pause;
use super::steps::Transfer;
use crate::observe::{Activity, Work};
use crate::store::KeyStore;

/// The most passes that copy touched rows before the last step.
const CATCH_UPS: u32 = 16;
/// The part of the hold that the pass before the last step may take: one tenth.
const CAUGHT_UP: u32 = 10;
/// The part of the hold that is left for opening the tables: one tenth.
const OPENING: u32 = 10;
/// The time after the end of the hold in which the last step reports that it has gone back.
const GRACE: Duration = Duration::from_millis(500);

impl MovingStore {
    /// Finishes a move: from its end on, this store uses `target`.
    ///
    /// `target` is [`Transfer::database`], usually with a [`CachedStore`](crate::store::CachedStore) in front of it. If it is a
    /// `CachedStore`, this method starts its refresh task, which ends with the last clone of the
    /// cache or with [`Running::shutdown`](crate::Running::shutdown). If the cache is inside a store of your own, create it directly before this call and
    /// start its refresh task yourself.
    ///
    /// It compares all rows while the store is in use, and then copies the changes since, until few
    /// are left. Only then it holds back new changes and flushes, and waits for those in progress. It
    /// copies the rest, opens the tables, and carries out what it held back in the new store. Returns
    /// how long it held changes back.
    ///
    /// Call it inside a tokio runtime with time enabled.
    ///
    /// ```no_run
    /// # // It needs a PostgreSQL server.
    /// # async fn finish(
    /// #     store: keywright::store::MovingStore,
    /// #     pool: sqlx::PgPool,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use keywright::store::{CacheOptions, CachedStore, MoveOptions, PostgresOptions};
    ///
    /// let transfer = store.begin(PostgresOptions::new(), pool).await?;
    /// let database = transfer.database();
    /// let hints = database.hints().await?;
    /// let cache = CachedStore::with_hints(database, CacheOptions::new(), hints)?;
    /// let held = store.finish(transfer, cache, MoveOptions::new()).await?;
    /// eprintln!("changes were held back for {held:?}");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`MoveError::HoldExceeded`] if changes would have been held back for too long.
    /// * [`MoveError::Transfer`] if the source or the database fails, or if another process writes into
    ///   the tables.
    /// * [`MoveError::Unconfirmed`] if the database stops answering in the last step.
    /// * [`MoveError::AlreadyMoved`], [`MoveError::OtherSource`] or [`MoveError::Hold`] as they
    ///   describe.
    ///
    /// After an error other than `Unconfirmed` and `AlreadyMoved`, the old store is in use. The move can
    /// be begun again.
    ///
    /// # Cancel safety
    /// If the future is dropped, the old store stays in use, unless the tables are being opened. That
    /// step then continues in the background.
    pub async fn finish(
        &self,
        transfer: Transfer,
        target: impl KeyStore,
        options: MoveOptions,
    ) -> Result<Duration, MoveError> {
        let work = Work::begin(Activity::TransferFinish, None);
        let moved = Box::pin(self.catch_up_and_switch(transfer, Arc::new(target), options));
        work.run(moved, MoveError::ending_of).await
    }

    async fn catch_up_and_switch(
        &self,
        mut transfer: Transfer,
        target: Arc<dyn KeyStore>,
        options: MoveOptions,
    ) -> Result<Duration, MoveError> {
        let hold = options.hold;
        let refreshing = Refreshing::of(&*target);
        match self.prepare(&mut transfer, options).await {
            Ok(paused) => {
                let store = Arc::clone(&self.0);
                let last_step = LastStep { store, transfer, new: target };
                let until = paused.since + hold;
                let Held { changes, pause, since } = paused;
                let task = last_step.run(pause, changes, since, until, refreshing);
                let task = tokio::spawn(task);
                // Dropping the handle does not end the task.
                match timeout_at(until + GRACE, task).await {
                    Ok(Ok(ended)) => ended,
                    Ok(Err(_)) | Err(_) => Err(MoveError::Unconfirmed),
                }
            }
            Err(error) => {
                transfer.close().await;
                Err(error)
            }
        }
    }

    /// Copies everything, and returns with changes held back.
    async fn prepare(
        &self,
        transfer: &mut Transfer,
        mut options: MoveOptions,
    ) -> Result<Held, MoveError> {
        options.check()?;
        if !transfer.source.is(&self.0.source) {
            return Err(MoveError::OtherSource);
        }
        self.must_not_have_moved()?;
        transfer.copy(&mut options.on_progress).await?;
        transfer.compare(Depth::All, &mut options.on_progress).await?;
        for _ in 0..CATCH_UPS {
            let begin = Instant::now();
            transfer.copy(&mut options.on_progress).await?;
            if begin.elapsed() < options.hold / CAUGHT_UP {
                break;
            }
        }
        let mut doing = "waiting for the changes in progress";
        let (since, hold) = (Instant::now(), options.hold);
        let before = hold / OPENING * (OPENING - 1);
        let paused = timeout(before, self.hold(transfer, since, &mut doing)).await;
        paused.unwrap_or(Err(MoveError::HoldExceeded { hold, doing }))
    }

    async fn hold(
        &self,
        transfer: &mut Transfer,
        since: Instant,
        doing: &mut &'static str,
    ) -> Result<Held, MoveError> {
        let changes = self.0.writes.write_arc().await;
        self.must_not_have_moved()?;
        let pause = Pause::of(&transfer.source).await?;
        *doing = "copying the last changes";
        transfer.copy_rest().await?;
        Ok(Held { changes, pause, since })
    }

    fn must_not_have_moved(&self) -> Result<(), MoveError> {
        if self.has_moved() { Err(MoveError::AlreadyMoved) } else { Ok(()) }
    }
}

/// Changes that are held back.
struct Held {
    changes: RwLockWriteGuardArc<()>,
    pause: Pause,
    since: Instant,
}
