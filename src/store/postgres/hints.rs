//! Hints from the database server, which passes on what nodes tell after their commits.

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
use crate::observe::{CacheEvent, tell};
use crate::store::cached::ChangeHints;
use crate::store::error::StoreError;

/// The pause between attempts to connect again.
const PAUSE: Duration = Duration::from_millis(500);
/// The time without a notification after which the server is probed. A connection whose other end has
/// vanished is as silent as one without notifications.
const SILENCE: Duration = Duration::from_secs(5);
/// The time that the server has to answer the probe, or to accept a new connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// The hints of a [`PostgresStore`].
///
/// A node sends one after its commits, at most every 20 ms.
///
/// The source uses one connection of its own. If that is lost, it connects again and gives one hint for
/// the commits that it may have missed. If the server vanishes without closing the connection, it
/// notices within 7 seconds.
///
/// ```no_run
/// # async fn start(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::Keywright;
/// use keywright::store::{CacheOptions, CachedStore, PostgresHints, PostgresStore};
///
/// let database = PostgresStore::open(pool).await?;
/// let hints: PostgresHints = database.hints().await?;
/// let cache = CachedStore::with_hints(database, CacheOptions::new(), hints)?;
/// let running = Keywright::builder(cache).build()?.start()?;
/// # Ok(()) }
/// ```
pub struct PostgresHints {
    server: Server,
    /// The future of the next hint. It outlives a call of `next` that is dropped, since it may be about
    /// to connect again.
    hearing: Pin<Box<dyn Future<Output = PgListener> + Send>>,
}

#[derive(Clone)]
struct Server {
    pool: PgPool,
    channel: Arc<str>,
}

impl PostgresStore {
    /// Starts to listen for commits, for
    /// [`CachedStore::with_hints`](crate::store::CachedStore::with_hints).
    ///
    /// The hints occupy one connection of the pool. They do not arrive through a pooler in transaction
    /// mode; create the cache with [`CachedStore::new`](crate::store::CachedStore::new) there.
    ///
    /// ```no_run
    /// # async fn listen(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// # use keywright::store::{CacheOptions, CachedStore, PostgresStore};
    /// # let database = PostgresStore::open(pool).await?;
    /// let hints = database.hints().await?;
    /// let cache = CachedStore::with_hints(database, CacheOptions::new(), hints)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A [`StoreError`] of the kind `Unavailable` if the server cannot be reached.
    ///
    /// # Cancel safety
    /// If the future is dropped, its connection is closed or returned to the pool.
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

    /// Waits for the next hint, and returns the listener, which is a new one if the connection was lost.
    async fn hear(self, mut listener: PgListener) -> PgListener {
        let mut outage = Outage::default();
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(_))) => return listener,
                // The connection was lost and replaced. Commits may have been missed, so that is a hint too.
                Ok(Ok(None)) => {
                    outage.begin();
                    outage.end();
                    return listener;
                }
                Ok(Err(_)) => {
                    outage.begin();
                    sleep(PAUSE).await;
                }
                Err(_) => {
                    let probed = timeout(PATIENCE, listener.execute("SELECT 1")).await;
                    if !matches!(probed, Ok(Ok(_))) {
                        outage.begin();
                        let listener = self.listen_again().await;
                        outage.end();
                        return listener;
                    }
                    outage.end();
                }
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

/// A time without hints, of which the operator is told once when it begins and once when it ends.
#[derive(Default)]
struct Outage(bool);

impl Outage {
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.0, true) {
            tell(&CacheEvent::HintsLost);
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.0) {
            tell(&CacheEvent::HintsRestored);
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
