//! The database behind a store: the host's pool, the schema, and how calls begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::postgres::PgRow;
use sqlx::{Error, PgPool};

use super::epoch;
use super::errors::database;
use super::schema::{SchemaName, Sql};
use super::session::{Attempts, Session};
use crate::store::error::StoreError;

/// Before anything was read.
const NOTHING_SEEN: i64 = i64::MIN;

/// What every transaction that writes begins with: what was acknowledged must last, and a node that
/// stands still must not hold the lock for long.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '10s';
    SET LOCAL statement_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '5s';
    SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off';";

/// Takes the lock that every commit holds.
const LOCK: &str = "SELECT 1 FROM {schema}.state FOR UPDATE;";

pub(in crate::store) struct Database {
    pub(in crate::store) pool: PgPool,
    pub(in crate::store) schema: SchemaName,
    /// The channel on which commits are told.
    pub(super) channel: Arc<str>,
    /// Whether the server may remember statements from one call to the next.
    pub(in crate::store) persistent: bool,
    /// The last epoch that an answer here rested on.
    seen: AtomicI64,
    begin_reading: Sql,
    begin_writing: Sql,
    begin_locked: Sql,
    begin_commit: Sql,
}

impl Database {
    pub(super) fn new(pool: PgPool, schema: SchemaName, persistent: bool) -> Self {
        // Takes the lock and counts the commit.
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

    /// A connection to read with. Behind a pooler it is one server's as long as a transaction lasts.
    pub(in crate::store) async fn session(&self) -> Result<Session, StoreError> {
        let session = if self.persistent {
            Session::plain(&self.pool).await
        } else {
            Session::begin(&self.pool, &self.begin_reading).await
        };
        session.map_err(database)
    }

    /// Reads one row or none.
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

    /// A transaction that writes, and does not wait for commits.
    pub(in crate::store) async fn begin_writing(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_writing).await
    }

    /// A transaction under the lock that every commit holds.
    pub(in crate::store) async fn begin_locked(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_locked).await
    }

    /// A transaction under that lock, with an epoch of its own.
    pub(super) async fn begin_commit(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_commit).await
    }

    /// The last epoch that an answer here rested on, if there was one.
    pub(super) fn seen(&self) -> Option<i64> {
        let seen = self.seen.load(Ordering::SeqCst);
        (seen != NOTHING_SEEN).then_some(seen)
    }

    pub(super) fn saw(&self, epoch: i64) {
        self.seen.fetch_max(epoch, Ordering::SeqCst);
    }

    /// Forgets what was seen of commits that are no more.
    pub(super) fn unsee(&self, seen: Option<i64>, epoch: i64) {
        let seen = seen.unwrap_or(NOTHING_SEEN);
        let _ = self.seen.compare_exchange(seen, epoch, Ordering::SeqCst, Ordering::SeqCst);
    }
}
