//! Hints that something was committed, from the server itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgListener;
use sqlx::{Error, Executor, PgPool};
use tokio::time::{sleep, timeout};

use super::errors::database as database_error;
use super::store::PostgresStore;
use crate::store::cached::ChangeHints;
use crate::store::error::StoreError;

/// Between attempts to listen again.
const PAUSE: Duration = Duration::from_millis(500);
/// After so long the server is asked whether it is there: a connection whose other end is gone without
/// a word is as silent as one on which nothing is said.
const SILENCE: Duration = Duration::from_secs(5);
/// How long the server is waited for then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Hears from the server when any node has committed, over a connection of its own.
///
/// When the connection is lost it makes another one; what was missed meanwhile is one hint more. Where
/// the server is gone without a word that takes a few seconds.
pub struct PostgresHints {
    server: Server,
    /// Kept from one call to the next, since a call that is dropped may be on the way to a new connection.
    hearing: Pin<Box<dyn Future<Output = PgListener> + Send>>,
}

#[derive(Clone)]
struct Server {
    pool: PgPool,
    channel: Arc<str>,
}

impl PostgresStore {
    /// Listens for commits, for [`CachedStore::with_hints`](crate::store::CachedStore::with_hints).
    ///
    /// The hints keep one connection out of the pool. Behind a pooler that lends a connection for one
    /// transaction no hint arrives: use a cache without hints there.
    ///
    /// # Errors
    /// `Unavailable` if the server can't be reached.
    pub async fn hints(&self) -> Result<PostgresHints, StoreError> {
        let database = self.database();
        let (pool, channel) = (database.pool.clone(), Arc::clone(&database.channel));
        let server = Server { pool, channel };
        let listener = server.listen().await.map_err(database_error)?;
        let hearing = Box::pin(server.clone().hear(listener));
        Ok(PostgresHints { server, hearing })
    }
}

impl Server {
    async fn listen(&self) -> Result<PgListener, Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(&self.channel).await?;
        Ok(listener)
    }

    /// Waits for the next hint, and gives back what heard it or what took its place.
    async fn hear(self, mut listener: PgListener) -> PgListener {
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                // `None` is a connection that was lost: who knows what was said meanwhile.
                Ok(Ok(_)) => return listener,
                Ok(Err(_)) => sleep(PAUSE).await,
                Err(_) => match timeout(PATIENCE, listener.execute("SELECT 1")).await {
                    Ok(Ok(_)) => {}
                    _ => return self.listen_again().await,
                },
            }
        }
    }

    async fn listen_again(&self) -> PgListener {
        loop {
            match timeout(PATIENCE, self.listen()).await {
                Ok(Ok(listener)) => return listener,
                _ => sleep(PAUSE).await,
            }
        }
    }
}

#[async_trait]
impl ChangeHints for PostgresHints {
    async fn next(&mut self) {
        let listener = self.hearing.as_mut().await;
        self.hearing = Box::pin(self.server.clone().hear(listener));
    }
}

impl fmt::Debug for PostgresHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresHints")
    }
}
