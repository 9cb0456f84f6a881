//! A connection for the time of one call, which never goes back to the pool inside a transaction.
//!
//! A future can be dropped at any moment: while `BEGIN` is on its way, or while an answer is waited for
//! that will never come because the other end is gone. A connection in doubt is closed, and the server
//! undoes what was not committed.

use sqlx::pool::PoolConnection;
use sqlx::{Error, PgConnection, PgPool, Postgres};

use super::errors::{database, is_disconnected};
use super::schema::Sql;
use crate::store::error::StoreError;

/// How many more connections are tried: a server that was started again has broken all that the pool
/// holds, and the one after those is new.
pub(super) struct Attempts(u32);

impl Attempts {
    pub(super) fn with(pool: &PgPool) -> Self {
        Self(pool.options().get_max_connections())
    }

    /// Whether a connection was lost while nobody used it, so that nothing has happened, and the next one
    /// is to be tried.
    fn has_next(&mut self, error: &Error) -> bool {
        let has_next = self.0 > 0 && is_disconnected(error);
        self.0 = self.0.saturating_sub(1);
        has_next
    }

    /// Ends what read; `None` if the next connection is to be tried.
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

    pub(in crate::store) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(in crate::store) async fn commit(self) -> Result<(), Error> {
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
