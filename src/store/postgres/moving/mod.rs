//! Moving another store into the database, while it is in use.
//!
//! One step is repeated: both sides are gone through in the order of their ids, and what differs is
//! made as the source has it. It copies everything at first, takes up where it was killed, follows
//! the source while it is used, and shows in the end that nothing differs.

mod pass;
mod tables;
mod target;

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgPool};

use self::pass::{Depth, Pass};
use super::errors::{Failure, database};
use super::session::Session;
use super::{Inner, PostgresOptions, PostgresStore};
use crate::store::image::MoveStage;
use crate::store::{MoveSource, StoreError};

pub use self::pass::MoveProgress;

/// How often the source is gone through after it stands still, before it is given up: once to bring the
/// rest over, once to see that nothing differs, and once to spare.
const LAST_PASSES: u32 = 3;

const IS_IN_USE: &str = "
    SELECT NOT is_moving AND (EXISTS (SELECT 1 FROM {schema}.keys)
        OR EXISTS (SELECT 1 FROM {schema}.accounts) OR EXISTS (SELECT 1 FROM {schema}.policies)
        OR EXISTS (SELECT 1 FROM {schema}.events) OR EXISTS (SELECT 1 FROM {schema}.deleted))
    FROM {schema}.state";

const MARK: &str = "UPDATE {schema}.state SET is_moving = true";

/// The epoch moves on, so that no cache takes the tables for those before.
const UNMARK: &str = "
    UPDATE {schema}.state SET is_moving = false,
        epoch = (((epoch >> 20) + 1) << 20) + floor(random() * 1048576)::bigint";

/// A move that has not ended: another store's keys on their way into PostgreSQL.
///
/// Ids, digests, usage, events and what was deleted come over as they are, so every token goes on
/// working. Until the last step of [`finish`](Self::finish), the tables can't be opened as a store. A move
/// that was killed is begun again, and goes on with what is not yet there. If it was killed in that last
/// step, it may have ended: [`begin`](Self::begin) answers [`MoveError::InUse`] then, and the tables open.
///
/// ```no_run
/// # async fn keys_move(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::{FileStore, Move, PostgresOptions};
///
/// let file = FileStore::open("keys.db").await?;
/// let mut keys = Move::begin(file.clone(), PostgresOptions::new(), pool).await?;
/// keys.copy(|progress| eprintln!("{progress}")).await?;
/// // From here on the file takes no changes any more.
/// let store = keys.finish(|progress| eprintln!("{progress}")).await?;
/// # let _ = store; Ok(()) }
/// ```
#[derive(Debug)]
pub struct Move {
    source: MoveSource,
    target: PostgresStore,
    /// Holds the lock that keeps other moves out.
    _lock: PgConnection,
}

/// A move can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The tables hold keys and no move into them is unfinished: they are not touched. A move that was
    /// cut off in its last step has ended; its tables are opened as a store.
    #[error(
        "the schema holds keys already: move into an empty one, or open it if a move was cut off as it ended"
    )]
    InUse,
    /// Another move into the same tables is running.
    #[error("another move into the same schema is running")]
    Running,
    /// Something differs though the source stands still. The tables stay closed.
    #[error("{0} still differ after the source was copied: something else writes into the schema")]
    Different(&'static str),
    /// The source or the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for MoveError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

impl Move {
    /// Makes the tables and closes them for all but this move.
    ///
    /// # Errors
    /// [`MoveError::InUse`] if the tables hold keys and no move into them is unfinished,
    /// [`MoveError::Running`] if one is running, [`MoveError::Store`] as [`PostgresOptions::open`].
    pub async fn begin(
        source: impl Into<MoveSource>,
        options: PostgresOptions,
        pool: PgPool,
    ) -> Result<Self, MoveError> {
        let lock = options.lock_for_move(&pool).await.map_err(database)?;
        let Some(lock) = lock else { return Err(MoveError::Running) };
        let target = options.open_tables(pool).await?;
        if !target.0.close().await? {
            return Err(MoveError::InUse);
        }
        Ok(Self { source: source.into(), target, _lock: lock })
    }

    /// Brings over what differs, while the source is in use. Call it as often as you like: what changed
    /// meanwhile comes over with the next call.
    ///
    /// # Errors
    /// [`MoveError::Store`] if either side fails. What has come over stays.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn copy(&mut self, progress: impl FnMut(MoveProgress)) -> Result<(), MoveError> {
        Pass {
            from: &self.source,
            to: &self.target.0,
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
    /// [`MoveError::Different`] if something else writes into the tables, [`MoveError::Store`] if either
    /// side fails, or another move of the same source is in this step. The move can be begun again. The tables stay closed
    /// and the source takes changes again if it did before, unless the database went away during the very last step, which
    /// opens the tables: then the move may have ended, which [`begin`](Self::begin) tells, and the source stays as it is.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn finish(
        self,
        mut progress: impl FnMut(MoveProgress),
    ) -> Result<PostgresStore, MoveError> {
        let before = self.source.0.stand_still().await?;
        let still = Standstill(Some((&self.source, before)));
        let (from, to) = (&self.source, &self.target.0);
        let mut differs = None;
        for _ in 0..LAST_PASSES {
            let pass = Pass { from, to, depth: Depth::All, progress: &mut progress, differs: None };
            differs = pass.run().await?;
            if differs.is_none() {
                // Before the tables are open: whether they are is what decides who has the uses from here on.
                still.end_with(self.target.clone());
                to.open().await?;
                return Ok(self.target);
            }
        }
        Err(MoveError::Different(differs.unwrap_or_default()))
    }
}

/// A source that stands still, and its stage before. If the move ends here it goes back to that: a store that was moved
/// before takes no changes again.
struct Standstill<'a>(Option<(&'a MoveSource, MoveStage)>);

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
            source.0.set_move(before);
        }
    }
}

impl PostgresOptions {
    /// A connection of its own that holds the lock of moves, or `None` if another one does.
    async fn lock_for_move(&self, pool: &PgPool) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let query = sqlx::query_scalar(
            "SELECT pg_try_advisory_lock(hashtextextended('keywright move ' || $1, 0))",
        );
        let query = query.persistent(false).bind(self.schema.as_str());
        let is_held: bool = query.fetch_one(&mut connection).await?;
        Ok(is_held.then_some(connection))
    }
}

impl Inner {
    /// Begins a transaction of a move, under the lock that every commit holds. So one that was cut off
    /// while it ended has ended, or is undone, before the next move looks.
    async fn move_session(&self) -> Result<Session, sqlx::Error> {
        Session::begin(&self.pool, self.commits.begin_usage(true)).await
    }

    /// Closes the tables for all but a move. `false` if they are in use.
    async fn close(&self) -> Result<bool, Failure> {
        let mut session = self.move_session().await?;
        let is_in_use: bool = sqlx::query_scalar(self.schema.sql(IS_IN_USE).safe())
            .persistent(false)
            .fetch_one(session.connection())
            .await?;
        if !is_in_use {
            sqlx::query(self.schema.sql(MARK).safe())
                .persistent(false)
                .execute(session.connection())
                .await?;
        }
        session.commit().await?;
        Ok(!is_in_use)
    }

    /// Opens the tables as a store.
    async fn open(&self) -> Result<(), Failure> {
        let mut session = self.move_session().await?;
        sqlx::query(self.schema.sql(UNMARK).safe())
            .persistent(false)
            .execute(session.connection())
            .await?;
        Ok(session.commit().await?)
    }
}
