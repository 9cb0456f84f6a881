//! Deleting the oldest changes of shards, apart from all commits.

use std::sync::Arc;

use super::database::Database;

/// Deletes the oldest changes of shards, never the last: up-to-date caches ask for the changes since it.
/// A commit of a forgotten epoch has none of the later ones, so no epoch between two others is missing.
const FORGET: &str = "
    DELETE FROM {schema}.changes AS c USING (
        SELECT s.shard, least((
            SELECT max(epoch) - 1 FROM {schema}.changes WHERE shard = s.shard
        ), (
            SELECT max(epoch) FROM (
                SELECT epoch, at FROM {schema}.changes WHERE shard = s.shard ORDER BY epoch LIMIT 1024
            ) AS oldest
            WHERE at < now() - interval '1 hour'
        )) AS through
        FROM unnest($1::smallint[]) AS s (shard) OFFSET 0
    ) AS old
    WHERE c.shard = old.shard AND c.epoch <= old.through";

impl Database {
    /// Deletes old changes soon if it is time for it. Returns at once.
    pub(super) fn forget_soon(self: &Arc<Self>) {
        if !self.retention.due().is_empty() {
            drop(tokio::spawn(Arc::clone(self).forget()));
        }
    }

    /// Deletes old changes on a connection that no commit waits for. If there is none, or if it fails, a
    /// later commit tries again.
    async fn forget(self: Arc<Self>) {
        let Some(mut session) = self.idle_session().await else { return };
        let due = std::mem::take(&mut *self.retention.due());
        let shards: Vec<i16> = due.iter().copied().collect();
        let forget = self.schema.sql(FORGET);
        let forget = sqlx::query(forget.safe()).persistent(self.persistent).bind(shards);
        if forget.execute(session.connection()).await.is_err() || session.commit().await.is_err() {
            self.retention.due().extend(due);
        }
    }
}
