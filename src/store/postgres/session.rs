//! A connection for the time of one call, which never goes back to the pool inside a transaction.
//!
//! A future can be dropped at any moment: while `BEGIN` is on its way, or while an answer is waited for
//! that will never come because the other end is gone. A connection in doubt is closed, and the server
//! undoes what was not committed.

use sqlx::pool::PoolConnection;
use sqlx::{Error, PgConnection, PgPool, Postgres};

use super::Sql;
use super::errors::is_disconnected;

/// How many connections are tried that turn out to be lost: a server that was started again has broken
/// all that the pool holds.
pub(super) const ATTEMPTS: u32 = 4;

pub(super) struct Session {
    connection: PoolConnection<Postgres>,
    is_in_transaction: bool,
    /// Whether the call is over, and nothing is on its way.
    is_over: bool,
}

impl Session {
    /// A connection outside of any transaction.
    pub(super) async fn plain(pool: &PgPool) -> Result<Self, Error> {
        let connection = pool.acquire().await?;
        Ok(Self { connection, is_in_transaction: false, is_over: false })
    }

    /// A connection in the transaction that these statements begin.
    pub(super) async fn begin(pool: &PgPool, begin: &Sql) -> Result<Self, Error> {
        let mut attempts = 1;
        loop {
            let mut session = Self::plain(pool).await?;
            session.is_in_transaction = true;
            match sqlx::raw_sql(begin.safe()).execute(session.connection()).await {
                Ok(_) => return Ok(session),
                // It was lost while nobody used it, and nothing has happened: the next one is tried.
                Err(error) if attempts < ATTEMPTS && is_disconnected(&error) => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Undoes what was done. If that fails the connection is closed, which does the same.
    pub(super) async fn roll_back(self) {
        let _ = self.end("ROLLBACK").await;
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
