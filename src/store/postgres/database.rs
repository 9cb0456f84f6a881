//! The database behind a store: the caller's pool, the schema, and the statements that begin a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::postgres::PgRow;
use sqlx::{Error, PgPool};

use super::errors::database;
use super::retention::Retention;
use super::schema::{SchemaName, Sql};
use super::seen::Seen;
use super::session::{Attempts, Session};
use crate::store::error::StoreError;

/// The beginning of a transaction that writes. An acknowledged write must be durable, and a node that
/// hangs must not hold a lock for long.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '10s';
    SET LOCAL statement_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '5s';
    SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off';";

/// Takes the lock of transfers.
const LOCK: &str = "SELECT 1 FROM {schema}.state FOR UPDATE;";

pub(in crate::store) struct Database {
    pub(in crate::store) pool: PgPool,
    pub(in crate::store) schema: SchemaName,
    /// The name of the notification channel that announces commits.
    pub(super) channel: Arc<str>,
    /// Whether the server may keep prepared statements from one call to the next.
    pub(in crate::store) persistent: bool,
    pub(super) seen: Seen,
    pub(super) retention: Retention,
    /// Whether statements that write need a transaction that is begun for them: behind a pooler, and if the
    /// host has chosen another isolation level.
    needs_begin: AtomicBool,
    begin_reading: Sql,
    begin_writing: Sql,
    begin_locked: Sql,
}

impl Database {
    pub(super) fn new(
        pool: PgPool,
        schema: SchemaName,
        persistent: bool,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            pool,
            channel: format!("keywright_{schema}").into(),
            persistent,
            seen: Seen::new()?,
            retention: Retention::default(),
            needs_begin: AtomicBool::new(!persistent),
            begin_reading: schema.sql("BEGIN READ ONLY"),
            begin_writing: schema.sql(BEGIN),
            begin_locked: schema.sql(&format!("{BEGIN}{LOCK}")),
            schema,
        })
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

    /// Begins a transaction that writes.
    pub(in crate::store) async fn begin_writing(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_writing).await
    }

    /// Returns a connection for statements that write. Usually each is a transaction of its own.
    pub(super) async fn writing_session(&self) -> Result<Session, Error> {
        if self.needs_begin.load(Ordering::Relaxed) {
            return self.begin_writing().await;
        }
        Session::plain(&self.pool).await
    }

    /// Returns a connection that nothing else needs now, in a transaction that writes; `None` if there is
    /// none.
    pub(super) async fn idle_session(&self) -> Option<Session> {
        Session::begin_idle(&self.pool, &self.begin_writing).await
    }

    /// Notes that the host has chosen an isolation level in which a statement does not see what was written
    /// while it waited. Sessions that write then begin a transaction with the level that they need.
    pub(super) fn note_isolation(&self) {
        self.needs_begin.store(true, Ordering::Relaxed);
    }

    /// Begins a transaction that holds the lock of transfers.
    pub(in crate::store) async fn begin_locked(&self) -> Result<Session, Error> {
        Session::begin(&self.pool, &self.begin_locked).await
    }
}
