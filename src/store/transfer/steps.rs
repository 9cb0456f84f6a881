//! The steps of a transfer: begin, copy, finish.

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgConnection;

use super::pass::{Depth, Pass, TransferProgress};
use super::source::TransferSource;
use super::target::{self, Target};
use crate::store::error::StoreError;
use crate::store::memory::Stage;
use crate::store::postgres::{Failure, PostgresOptions, PostgresStore, database_error};

/// How often the source is gone through after it stands still, before it is given up: once to bring the
/// rest over, once to see that nothing differs, and once to spare.
const LAST_PASSES: u32 = 3;

/// A transfer that has not ended: another store's keys on their way into PostgreSQL.
///
/// Ids, digests, usage, events and what was deleted come over as they are, so every token goes on
/// working. Until the last step of [`finish`](Self::finish), the tables can't be opened as a store. A transfer
/// that was killed is begun again, and goes on with what is not yet there. If it was killed in that last
/// step, it may have ended: [`begin`](Self::begin) answers [`TransferError::InUse`] then, and the tables open.
///
/// ```no_run
/// # async fn transfer(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::{FileStore, PostgresOptions, Transfer};
///
/// let file = FileStore::open("keys.db").await?;
/// let mut transfer = Transfer::begin(file.clone(), PostgresOptions::new(), pool).await?;
/// transfer.copy(|progress| eprintln!("{progress}")).await?;
/// // From here on the file takes no changes any more.
/// let store = transfer.finish(|progress| eprintln!("{progress}")).await?;
/// # let _ = store; Ok(()) }
/// ```
#[derive(Debug)]
pub struct Transfer {
    source: TransferSource,
    target: Target,
    /// Holds the lock that keeps other transfers out.
    _lock: PgConnection,
}

/// A transfer can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The tables hold keys and no transfer into them is unfinished: they are not touched. A transfer that was
    /// cut off in its last step has ended; its tables are opened as a store.
    #[error(
        "the schema holds keys already: move into an empty one, or open it if a move was cut off as it ended"
    )]
    InUse,
    /// Another transfer into the same tables is running.
    #[error("another move into the same schema is running")]
    Running,
    /// Something differs though the source stands still. The tables stay closed.
    #[error("{0} still differ after the source was copied: something else writes into the schema")]
    Different(&'static str),
    /// The source or the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for TransferError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

impl Transfer {
    /// Makes the tables and closes them for all but this transfer.
    ///
    /// # Errors
    /// [`TransferError::InUse`] if the tables hold keys and no transfer into them is unfinished,
    /// [`TransferError::Running`] if one is running, [`TransferError::Store`] as [`PostgresOptions::open`].
    pub async fn begin(
        source: impl Into<TransferSource>,
        options: PostgresOptions,
        pool: PgPool,
    ) -> Result<Self, TransferError> {
        let lock = target::lock(&options, &pool).await.map_err(database_error)?;
        let Some(lock) = lock else { return Err(TransferError::Running) };
        let target = Target(options.open_tables(pool).await?);
        if !target.close().await? {
            return Err(TransferError::InUse);
        }
        Ok(Self { source: source.into(), target, _lock: lock })
    }

    /// Brings over what differs, while the source is in use. Call it as often as you like: what changed
    /// meanwhile comes over with the next call.
    ///
    /// # Errors
    /// [`TransferError::Store`] if either side fails. What has come over stays.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn copy(
        &mut self,
        progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        Pass {
            from: &self.source,
            to: &self.target,
            depth: Depth::Numbers,
            progress,
            differs: None,
        }
        .run()
        .await?;
        Ok(())
    }

    /// Makes the source stand still, brings over the rest, sees that nothing differs, and opens the
    /// tables.
    ///
    /// From the call on the source takes no changes, and goes on answering. Its verifiers go on counting: once the tables are
    /// open, the source passes on to them what a flush brings, so no use is lost between this call and the moment at
    /// which you use the store that it returns. Flush the old verifiers once more then.
    ///
    /// # Errors
    /// [`TransferError::Different`] if something else writes into the tables, [`TransferError::Store`] if either
    /// side fails, or another transfer of the same source is in this step. The transfer can be begun again. The tables stay closed
    /// and the source takes changes again if it did before, unless the database went away during the very last step, which
    /// opens the tables: then the transfer may have ended, which [`begin`](Self::begin) tells, and the source stays as it is.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn finish(
        self,
        mut progress: impl FnMut(TransferProgress),
    ) -> Result<PostgresStore, TransferError> {
        let before = self.source.0.stand_still().await?;
        let still = Standstill(Some((&self.source, before)));
        let (from, to) = (&self.source, &self.target);
        let mut differs = None;
        for _ in 0..LAST_PASSES {
            let pass = Pass { from, to, depth: Depth::All, progress: &mut progress, differs: None };
            differs = pass.run().await?;
            if differs.is_none() {
                // Before the tables are open: whether they are is what decides who has the uses from here on.
                still.end_with(self.target.0.clone());
                to.open().await?;
                return Ok(self.target.0);
            }
        }
        Err(TransferError::Different(differs.unwrap_or_default()))
    }
}

/// A source that stands still, and its stage before. If the transfer ends here it goes back to that: a store that was moved
/// before takes no changes again.
struct Standstill<'a>(Option<(&'a TransferSource, Stage)>);

impl Standstill<'_> {
    /// The source stays as it is, and passes on the uses that are still counted there.
    fn end_with(mut self, target: PostgresStore) {
        if let Some((source, _)) = self.0.take() {
            source.0.hand_over(Arc::new(target));
        }
    }
}

impl Drop for Standstill<'_> {
    fn drop(&mut self) {
        if let Some((source, before)) = self.0.take() {
            source.0.set_stage(before);
        }
    }
}
