//! A pool connection for one call. It never returns to the pool inside a transaction.
//!
//! The future of a call can be dropped at any moment, for example while `BEGIN` is sent or while the
//! answer of a vanished server is awaited. The connection is then closed, and the server rolls back.

use sqlx::pool::PoolConnection;
use sqlx::{Error, PgConnection, PgPool, Postgres};

use super::errors::{Failure, database, is_disconnected};
use super::schema::Sql;
use crate::observe::{PoolWait, StoreRetry, count_store_retry};
use crate::store::error::StoreError;

/// The number of further connections to try.
///
/// A restart of the server breaks every connection in the pool. After as many attempts as the pool has
/// connections, the next one is new.
pub(super) struct Attempts(u32);

impl Attempts {
    pub(super) fn with(pool: &PgPool) -> Self {
        Self(pool.options().get_max_connections())
    }

    /// Returns whether the connection broke before it did anything and the next one can be tried.
    pub(super) fn has_next(&mut self, error: &Error) -> bool {
        let has_next = self.0 > 0 && is_disconnected(error);
        if has_next {
            count_store_retry(StoreRetry::Connection);
        }
        self.0 = self.0.saturating_sub(1);
        has_next
    }

    /// Ends a session that has read; returns `None` if the caller must try the next connection.
    pub(super) async fn end<T>(
        &mut self,
        session: Session,
        read: Result<T, Error>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Err(error) if self.has_next(&error) => Ok(None),
            read => {
                let read = read.map_err(database)?;
                session.commit().await.map_err(database)?;
                Ok(Some(read))
            }
        }
    }
}

pub(in crate::store) struct Session {
    connection: PoolConnection<Postgres>,
    is_in_transaction: bool,
    /// Whether the call has ended, so that the connection can return to the pool.
    is_over: bool,
}

impl Session {
    /// Takes a connection from the pool, outside of any transaction.
    pub(super) async fn plain(pool: &PgPool) -> Result<Self, Error> {
        let wait = PoolWait::begin();
        let acquired = pool.acquire().await;
        wait.ended();
        Ok(Self { connection: acquired?, is_in_transaction: false, is_over: false })
    }

    /// Takes a connection from the pool and begins a transaction with the given statements.
    pub(super) async fn begin(pool: &PgPool, begin: &Sql) -> Result<Self, Error> {
        let mut attempts = Attempts::with(pool);
        loop {
            let mut session = Self::plain(pool).await?;
            session.is_in_transaction = true;
            match sqlx::raw_sql(begin.safe()).execute(session.connection()).await {
                Err(error) if attempts.has_next(&error) => {}
                done => return done.map(|_| session),
            }
        }
    }

    /// Begins a transaction on a connection that is idle in the pool; `None` if there is none.
    pub(super) async fn begin_idle(pool: &PgPool, begin: &Sql) -> Option<Self> {
        let connection = pool.try_acquire()?;
        let mut session = Self { connection, is_in_transaction: true, is_over: false };
        sqlx::raw_sql(begin.safe()).execute(session.connection()).await.ok()?;
        Some(session)
    }

    pub(in crate::store) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(in crate::store) async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Rolls the transaction back. If that fails, the connection is closed, and the server rolls back.
    pub(super) async fn roll_back(self) {
        let _ = self.end("ROLLBACK").await;
    }

    /// Ends the session after a failure. A connection that may be broken is closed.
    pub(super) async fn fail(self, failure: &Failure) {
        if !matches!(failure, Failure::Database(error) if error.as_database_error().is_none()) {
            self.roll_back().await;
        }
    }

    async fn end(mut self, statement: &'static str) -> Result<(), Error> {
        if self.is_in_transaction {
            sqlx::raw_sql(statement).execute(self.connection()).await?;
        }
        self.is_over = true;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_over {
            self.connection.close_on_drop();
        }
    }
}
