//! The database behind a store: the caller's pool, the schema, and the statements that begin a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::postgres::PgRow;
use sqlx::{Error, PgPool};

use super::epoch;
use super::errors::database;
use super::schema::{SchemaName, Sql};
use super::session::{Attempts, Session};
use crate::store::error::StoreError;

/// The value of `seen` before any epoch was read.
const NOTHING_SEEN: i64 = i64::MIN;

/// The beginning of every transaction that writes. An acknowledged write must be durable, and a node
/// that hangs must not hold the lock for long.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '10s';
    SET LOCAL statement_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '5s';
    SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off';";

/// Takes the lock of commits.
const LOCK: &str = "SELECT 1 FROM {schema}.state FOR UPDATE;";

pub(in crate::store) struct Database {
    pub(in crate::store) pool: PgPool,
    pub(in crate::store) schema: SchemaName,
    /// The name of the notification channel that announces commits.
    pub(super) channel: Arc<str>,
    /// Whether the server may keep prepared statements from one call to the next.
    pub(in crate::store) persistent: bool,
    /// The highest epoch that this store has seen.
    seen: AtomicI64,
    begin_reading: Sql,
    begin_writing: Sql,
    begin_locked: Sql,
    begin_commit: Sql,
}

impl Database {
    pub(super) fn new(pool: PgPool, schema: SchemaName, persistent: bool) -> Self {
        // The update also takes the lock.
        let next_epoch = format!("UPDATE {{schema}}.state SET {};", epoch::advance());
        Self {
            pool,
            channel: format!("keywright_{schema}").into(),
            persistent,
            seen: AtomicI64::new(NOTHING_SEEN),
            begin_reading: schema.sql("BEGIN READ ONLY"),
            begin_writing: schema.sql(BEGIN),
            begin_locked: schema.sql(&format!("{BEGIN}{LOCK}")),
            begin_commit: schema.sql(&format!("{BEGIN}{next_epoch}")),
            schema,
        }
    }

    /// Returns a connection for reading. Behind a pooler it is in a transaction, since only then do all
    /// statements reach the same server connection.
    pub(in crate::store) async fn session(&self) -> Result<Session, StoreError> {
        let session = if self.persistent {
            Session::plain(&self.pool).await
        } else {
            Session::begin(&self.pool, &self.begin_reading).await
        };
        session.map_err(database)
    }

    /// Reads at most one row.
    pub(super) async fn read_one(
        &self,
        sql: &Sql,
        bound: &[&str],
    ) -> Result<Option<PgRow>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let mut query = sqlx::query(sql.safe()).persistent(self.persistent);
            for text in bound {
                query = query.bind(*text);
            }
            let found = query.fetch_optional(session.connection()).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(found);
            }
        }
    }

    /// Begins a transaction that writes without the lock of commits.
    pub(in crate::store) async fn begin_writing(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_writing).await
    }

    /// Begins a transaction that holds the lock of commits.
    pub(in crate::store) async fn begin_locked(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_locked).await
    }

    /// Begins a transaction that holds the lock of commits and has a new epoch.
    pub(super) async fn begin_commit(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_commit).await
    }

    /// Returns the highest epoch that this store has seen, if any.
    pub(super) fn seen(&self) -> Option<i64> {
        let seen = self.seen.load(Ordering::SeqCst);
        (seen != NOTHING_SEEN).then_some(seen)
    }

    /// Notes an epoch that this store has seen.
    pub(super) fn saw(&self, epoch: i64) {
        self.seen.fetch_max(epoch, Ordering::SeqCst);
    }

    /// Replaces the highest epoch after the server has lost commits, unless another call has moved it.
    pub(super) fn unsee(&self, seen: Option<i64>, epoch: i64) {
        let seen = seen.unwrap_or(NOTHING_SEEN);
        let _ = self.seen.compare_exchange(seen, epoch, Ordering::SeqCst, Ordering::SeqCst);
    }
}
