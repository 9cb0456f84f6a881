//! The steps of a transfer: begin, copy, finish.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgPool};

use super::export::Export;
use super::pass::{Depth, Pass, Scope, TransferProgress};
use super::source::{Pause, TransferSource};
use super::target::{self, Target};
use crate::observe::{Activity, Ending, Work};
use crate::store::error::StoreError;
use crate::store::memory::{Journal, Stage, Touched};
use crate::store::postgres::{Failure, PostgresOptions, PostgresStore, database_error};

/// The most passes after the source is paused: one to copy the rest, one to see that nothing
/// differs, and one in reserve.
const LAST_PASSES: u32 = 3;

/// A transfer of keys from another store into PostgreSQL.
///
/// Ids, digests, usage, events and deleted ids are copied without a change, so every token keeps
/// working. The tables cannot be opened as a store before the last step of
/// [`finish`](Self::finish).
///
/// If the process is killed during a transfer, begin the transfer again: it copies only the rows
/// that are missing or differ. If the process was killed in the last step, the transfer may be
/// complete. [`begin`](Self::begin) then returns [`TransferError::InUse`], and the tables can be
/// opened as a store.
///
/// ```no_run
/// # // It needs a PostgreSQL server.
/// # async fn transfer(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::{FileStore, PostgresOptions, Transfer};
///
/// let file = FileStore::open("keys.db").await?;
/// let mut transfer = Transfer::begin(file.clone(), PostgresOptions::new(), pool).await?;
/// transfer.copy(|progress| eprintln!("{progress}")).await?;
/// // From here on, the file takes no more changes.
/// let store = transfer.finish(|progress| eprintln!("{progress}")).await?;
/// # let _ = store; Ok(()) }
/// ```
///
/// See [Moving stores](crate::guide::moving_stores) in the guide.
#[derive(Debug)]
pub struct Transfer {
    pub(super) source: TransferSource,
    pub(super) target: Target,
    /// Holds the lock that keeps other transfers out.
    lock: PgConnection,
    /// Notes the rows that changes of the source touch.
    journal: Journal,
    /// The touched rows that were taken from the journal and may not be copied yet.
    touched: Touched,
    /// Whether everything was copied once, so that only touched rows can differ.
    is_copied: bool,
}

/// A transfer could not begin or continue.
///
/// ```
/// use keywright::store::{StoreErrorKind, TransferError};
///
/// /// Returns whether another attempt can succeed without a change by an operator.
/// fn is_transient(error: &TransferError) -> bool {
///     match error {
///         TransferError::Running => true,
///         TransferError::Store(error) => error.kind() == StoreErrorKind::Unavailable,
///         _ => false,
///     }
/// }
/// assert!(!is_transient(&TransferError::InUse));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The tables already hold keys, and not those of an unfinished transfer. They are left
    /// unchanged.
    ///
    /// If a transfer was interrupted in its last step, this error means that it was completed: open
    /// the tables as a store.
    #[error(
        "the schema holds keys already: use an empty one, or open it if a transfer was interrupted in its last step"
    )]
    InUse,
    /// Another transfer into the same tables is running.
    #[error("another transfer into the same schema is running: wait until it has ended")]
    Running,
    /// The tables still differ from the source after changes were paused and copied. They stay closed.
    /// The field names the kind of rows that differ.
    #[error(
        "{0} still differ after the source was copied: stop the process that writes into the schema"
    )]
    Different(&'static str),
    /// The source or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransferError {
    /// Returns the ending of a step.
    fn ending_of<T>(done: &Result<T, Self>) -> Ending<'_> {
        done.as_ref().map_or_else(Self::ending, |_| Ending::Done)
    }

    pub(super) fn ending(&self) -> Ending<'_> {
        match self {
            Self::InUse => Ending::Refused("in_use"),
            Self::Running => Ending::Refused("running"),
            Self::Different(_) => Ending::Failed("different", self),
            Self::Store(error) => Ending::Failed(error.kind().code(), error),
        }
    }
}

impl From<Failure> for TransferError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

impl Transfer {
    /// Creates the tables and closes them for everything except this transfer.
    ///
    /// If the source records that it was moved here, the last step was interrupted before it opened
    /// the tables. The source then takes changes again.
    ///
    /// ```no_run
    /// # // It needs a PostgreSQL server.
    /// # async fn begin(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// use keywright::store::{MemoryStore, PostgresOptions, Transfer};
    ///
    /// let source = MemoryStore::new();
    /// let transfer = Transfer::begin(source.clone(), PostgresOptions::new(), pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`TransferError::InUse`] if the tables already hold keys, and not those of an unfinished
    ///   transfer.
    /// * [`TransferError::Running`] if another transfer into them is running.
    /// * [`TransferError::Store`] with an error of [`PostgresOptions::open`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables may exist and be closed. Beginning again is safe.
    pub async fn begin(
        source: impl Into<TransferSource>,
        options: PostgresOptions,
        pool: PgPool,
    ) -> Result<Self, TransferError> {
        let work = Work::begin(Activity::TransferBegin, None);
        work.run(Self::take_target(source.into(), options, pool), TransferError::ending_of).await
    }

    async fn take_target(
        source: TransferSource,
        options: PostgresOptions,
        pool: PgPool,
    ) -> Result<Self, TransferError> {
        let journal = source.0.begin_journal()?;
        let lock = target::lock(&options, &pool).await.map_err(database_error)?;
        let Some(lock) = lock else { return Err(TransferError::Running) };
        let target = Target(options.open_tables(pool).await?);
        if !target.close().await? {
            return Err(TransferError::InUse);
        }
        // The tables are closed and no other transfer can open them. So if the source was moved here,
        // the last step was interrupted before it opened them.
        let place = target.place();
        if source.0.moved_to().is_some_and(|moved_to| moved_to == place) {
            source.0.set_moved_to(None).await?;
        }
        source.0.stage().take_back_from(&place);
        Ok(Self { source, target, lock, journal, touched: Touched::default(), is_copied: false })
    }

    /// Returns the store in the tables of this transfer.
    ///
    /// Use it to create the cache that [`MovingStore::finish`](crate::store::MovingStore::finish)
    /// needs. Until the transfer has finished, the store refuses changes, and its reads return only
    /// what has been copied.
    ///
    /// ```no_run
    /// # // It needs a PostgreSQL server.
    /// # fn prepare(transfer: &keywright::store::Transfer) -> Result<(), keywright::Error> {
    /// use keywright::store::{CacheOptions, CachedStore};
    ///
    /// let cache = CachedStore::new(transfer.database(), CacheOptions::new())?;
    /// # drop(cache); Ok(()) }
    /// ```
    pub fn database(&self) -> PostgresStore {
        self.target.0.clone()
    }

    /// Copies the rows that differ, while the source stays in use.
    ///
    /// The first call compares everything and copies what differs. Each further call copies only the
    /// rows that were changed since the call before it, so that [`finish`](Self::finish) has less to copy. `progress` is called after every
    /// 1,000 rows of a table and every 500 events.
    ///
    /// ```no_run
    /// # // It needs a PostgreSQL server.
    /// # async fn copy(mut transfer: keywright::store::Transfer) -> Result<(), keywright::Error> {
    /// // The second call has little left to copy, so `finish` pauses changes only briefly.
    /// for _ in 0..2 {
    ///     transfer.copy(|progress| eprintln!("{progress}")).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`TransferError::Store`] if the source or the database fails. The copied rows stay.
    ///
    /// # Cancel safety
    /// If the future is dropped, the copied rows stay. Copying again is safe.
    pub async fn copy(
        &mut self,
        progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        let work = Work::begin(Activity::TransferCopy, None);
        work.run(self.copy_changes(progress), TransferError::ending_of).await
    }

    async fn copy_changes(
        &mut self,
        progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        if self.is_copied {
            self.copy_touched(progress).await
        } else {
            self.compare(Depth::Numbers, progress).await
        }
    }

    /// Compares all rows, and copies those that differ.
    pub(super) async fn compare(
        &mut self,
        depth: Depth,
        progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        self.is_copied = false;
        // The rows that were touched until now are among those that the pass lists.
        self.touched = Touched::default();
        drop(self.journal.take());
        let export = self.source.0.export().await?;
        self.run(export, Scope::All, depth, progress).await?;
        self.is_copied = true;
        Ok(())
    }

    /// Copies the rows that changes have touched since they were copied last.
    pub(super) async fn copy_touched(
        &mut self,
        progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        let export = self.export_touched().await?;
        self.run(export, Scope::Touched, Depth::Numbers, progress).await?;
        self.touched = Touched::default();
        Ok(())
    }

    /// Copies the touched rows of a paused source, and compares them again.
    pub(super) async fn copy_rest(&mut self) -> Result<(), TransferError> {
        let mut differs = None;
        for _ in 0..LAST_PASSES {
            let export = self.export_touched().await?;
            differs = self.run(export, Scope::Touched, Depth::Numbers, |_| {}).await?;
            if differs.is_none() {
                return Ok(());
            }
        }
        Err(TransferError::Different(differs.unwrap_or_default()))
    }

    /// Lists the touched rows. If the pass over them fails, they stay for the next one.
    async fn export_touched(&mut self) -> Result<Export, StoreError> {
        self.source.0.export_touched(&self.journal, &mut self.touched).await
    }

    async fn run(
        &self,
        export: Export,
        scope: Scope,
        depth: Depth,
        progress: impl FnMut(TransferProgress),
    ) -> Result<Option<&'static str>, Failure> {
        let (from, to) = (&self.source, &self.target);
        Pass { from, to, scope, depth, progress, differs: None }.run(export).await
    }

    /// Releases the lock, so that the next transfer can begin at once.
    pub(super) async fn close(self) {
        // If this fails, the server releases the lock when it notices that the connection is gone.
        let _ = self.lock.close().await;
    }

    /// Pauses changes of the source, copies the rest, checks that nothing differs, and opens the
    /// tables.
    ///
    /// It is for a source that is not in use; see
    /// [`MovingStore::finish`](crate::store::MovingStore::finish) for one that is. The source takes no
    /// changes from this call on, and keeps answering reads. A file records that it was moved, and does
    /// not open again. Its verifiers keep counting uses. When the tables are open, the source passes every flush of usage on to them.
    /// So no use is lost while the host still verifies with the source. Flush the old verifiers
    /// once more after the host has changed to the returned store.
    ///
    /// ```no_run
    /// # // It needs a PostgreSQL server.
    /// # async fn finish(transfer: keywright::store::Transfer, old: keywright::Verifier) -> Result<(), keywright::Error> {
    /// let store = transfer.finish(|progress| eprintln!("{progress}")).await?;
    /// let keywright = keywright::Keywright::builder(store).build()?;
    /// // The uses that the old verifier has counted are added to the new store.
    /// old.flush().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`TransferError::Different`] if another process writes into the tables.
    /// * [`TransferError::Store`] if the source or the database fails, or if another transfer has
    ///   paused the same source.
    ///
    /// After an error, the tables stay closed, and the source takes changes again if it did before.
    /// The transfer can be begun again.
    ///
    /// There is one exception: if the database stops answering in the last step, which opens the
    /// tables, the transfer may be complete. The source then takes no changes. Call
    /// [`begin`](Self::begin) to find out: it returns [`TransferError::InUse`] if the transfer is
    /// complete.
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables stay closed and the source takes changes again, unless
    /// the tables are being opened. That step then continues in the background. Call
    /// [`begin`](Self::begin) to find out.
    pub async fn finish(
        self,
        progress: impl FnMut(TransferProgress),
    ) -> Result<PostgresStore, TransferError> {
        let work = Work::begin(Activity::TransferFinish, None);
        work.run(self.copy_and_open(progress), TransferError::ending_of).await
    }

    async fn copy_and_open(
        self,
        mut progress: impl FnMut(TransferProgress),
    ) -> Result<PostgresStore, TransferError> {
        let pause = Pause::of(&self.source).await?;
        let mut differs = None;
        for _ in 0..LAST_PASSES {
            let export = self.source.0.export().await?;
            differs = self.run(export, Scope::All, Depth::All, &mut progress).await?;
            if differs.is_none() {
                // Dropping the handle does not end the task.
                return tokio::spawn(self.open(pause)).await.unwrap_or_else(|_| {
                    Err(StoreError::unavailable(
                        "the last step of the transfer was interrupted: begin it again",
                    )
                    .into())
                });
            }
        }
        Err(TransferError::Different(differs.unwrap_or_default()))
    }

    /// Ends the use of the source, then opens the tables. It runs in a task of its own, so that no
    /// caller can interrupt it.
    async fn open(self, pause: Pause) -> Result<PostgresStore, TransferError> {
        let (source, place) = (&self.source.0, self.target.place());
        // This comes before the tables are opened, so that the source never takes changes again once
        // they are open, also after a restart.
        let before = pause.keep();
        let to = Arc::new(self.target.0.clone());
        source.stage().set(Stage::Transferred { to, place: place.as_str().into() });
        if let Err(error) = source.set_moved_to(Some(place)).await {
            source.stage().set(before);
            return Err(error.into());
        }
        if let Err(failure) = self.target.open().await {
            // The answer may be lost although the tables are open. Without another answer it stays
            // unknown, and the source takes no changes.
            match self.target.is_open().await {
                Ok(true) => {}
                Ok(false) => {
                    let forgotten = source.set_moved_to(None).await;
                    source.stage().set(before);
                    forgotten?;
                    return Err(failure.into());
                }
                Err(_) => return Err(failure.into()),
            }
        }
        Ok(self.target.0)
    }
}
