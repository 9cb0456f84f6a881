//! Hints that something was committed, from the server itself.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgListener;
use tokio::time::sleep;

use super::PostgresStore;
use super::errors::database;
use crate::store::{ChangeHints, StoreError};

/// Between attempts to listen again.
const PAUSE: Duration = Duration::from_millis(500);

/// Hears from the server when any node has committed, over a connection of its own.
///
/// When the connection is lost it makes another one; what was missed meanwhile is one hint more.
pub struct PostgresHints(PgListener);

impl PostgresStore {
    /// Listens for commits: for [`CachedStore::keeper_with`](crate::store::CachedStore::keeper_with).
    ///
    /// Takes one connection out of the pool for as long as it lives. Behind a pooler that gives a
    /// connection for a transaction at a time nothing is heard: use the keeper without hints there.
    ///
    /// # Errors
    /// `Unavailable` if the server can't be reached.
    pub async fn hints(&self) -> Result<PostgresHints, StoreError> {
        let mut listener = PgListener::connect_with(&self.0.pool).await.map_err(database)?;
        listener.listen(&self.0.channel).await.map_err(database)?;
        Ok(PostgresHints(listener))
    }
}

#[async_trait]
impl ChangeHints for PostgresHints {
    async fn next(&mut self) {
        // `None` is a connection that was lost: who knows what was said meanwhile.
        while self.0.try_recv().await.is_err() {
            sleep(PAUSE).await;
        }
    }
}

impl fmt::Debug for PostgresHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresHints")
    }
}
