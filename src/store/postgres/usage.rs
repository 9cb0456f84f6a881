//! Usage: one transaction locks the usage rows of a batch, plans the batch, and writes it.
//!
//! Only alerts belong to a commit, as their events have numbers. The transaction makes that commit last.
//! So a commit waits for the usage only if it removes a key of the batch.

use std::collections::{BTreeMap, HashSet};

use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::errors::{Failure, is_moving};
use super::reading::Wanted;
use super::rows::{UsageRow, json};
use super::schema::{SchemaName, Sql};
use super::shard::{Commit, shard_of};
use crate::record::usage::{LastBatch, Usage, UsageBatch};
use crate::store::error::StoreError;
use crate::store::plan::{self, Effects, Rows};
use crate::value::id::{KeyId, TenantId};

/// The number of batches of a writer after which writers that have ended are forgotten.
const FORGET_EVERY: u64 = 1_024;

const CLAIM: &str = "
    INSERT INTO {schema}.writers AS w (writer, sequence, fingerprint, at)
    SELECT $1, $2, $3, now() FROM {schema}.state WHERE NOT is_moving
    ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence,
        fingerprint = excluded.fingerprint, at = excluded.at
    WHERE w.sequence < excluded.sequence";

const LAST_BATCH: &str = "
    SELECT s.is_moving, w.sequence, w.fingerprint
    FROM {schema}.state AS s LEFT JOIN {schema}.writers AS w ON w.writer = $1";

/// A store must remember a writer for 7 days; this adds one. The clock is the server's, which all nodes
/// share.
const FORGET: &str = "
    DELETE FROM {schema}.writers WHERE at < now() - interval '8 days' AND writer <> $1";

/// Locks rows in the order of their keys, so that two nodes cannot deadlock.
const READ: &str = "
    SELECT key, record FROM {schema}.usage WHERE key = ANY($1) ORDER BY key FOR UPDATE";

const WRITE: &str = "
    UPDATE {schema}.usage AS u SET last_used_at = n.last_used_at, record = n.record
    FROM jsonb_to_recordset($1) AS n (key text, last_used_at bigint, record jsonb)
    WHERE u.key = n.key";

/// Finds the tenants of keys, which never change.
const TENANTS: &str = "SELECT id, tenant FROM {schema}.keys WHERE id = ANY($1)";

/// The statements that add usage.
pub(super) struct UsageWrites {
    claim: Sql,
    last_batch: Sql,
    forget: Sql,
    read: Sql,
    write: Sql,
    tenants: Sql,
}

impl UsageWrites {
    pub(super) fn of(schema: &SchemaName) -> Self {
        Self {
            claim: schema.sql(CLAIM),
            last_batch: schema.sql(LAST_BATCH),
            forget: schema.sql(FORGET),
            read: schema.sql(READ),
            write: schema.sql(WRITE),
            tenants: schema.sql(TENANTS),
        }
    }

    pub(super) async fn write(
        &self,
        database: &Database,
        batch: &UsageBatch,
    ) -> Result<(), Failure> {
        let mut session = database.begin_writing().await?;
        match self.write_batch(database, session.connection(), batch).await {
            Ok(commits) => {
                session.commit().await?;
                for (last, commit) in commits {
                    database.note(last, commit);
                }
                Ok(())
            }
            Err(failure) => {
                session.fail(&failure).await;
                Err(failure)
            }
        }
    }

    /// Writes a batch, and returns the commits of its alerts, each after the one before it.
    async fn write_batch(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        batch: &UsageBatch,
    ) -> Result<Vec<(Commit, Commit)>, Failure> {
        let mut rows = Rows::default();
        if let Some(last) = self.claim(database, connection, batch).await? {
            // A repeated batch must not wait for locks on the rows of keys.
            if batch.was_added(Some(&last)).map_err(StoreError::from)? {
                return Ok(Vec::new());
            }
            rows.last_batches.insert(batch.writer, last);
        }
        self.lock_usage(database, connection, batch, &mut rows).await?;
        let Some(effects) = plan::usage(&rows, batch)? else { return Ok(Vec::new()) };
        self.write_usage(database, connection, &effects).await?;
        let due = plan::alerts_due(&rows, batch);
        let mut commits = Vec::new();
        // A transaction that holds several shards takes them in their order, so that two cannot deadlock.
        for (shard, (keys, tenants)) in self.shards_of(database, connection, due).await? {
            let batch = &of_keys(batch, &keys);
            let wanted = Wanted::of_alerts(shard, keys, tenants);
            rows.keys.clear();
            let alerts = |rows: &Rows| {
                let effects = plan::usage(rows, batch)?.unwrap_or_default();
                let Effects { events, last_events, .. } = effects;
                Ok(Effects { events, last_events, ..Effects::default() })
            };
            let wanted = (shard, &wanted);
            commits.push(database.add_alerts(connection, wanted, &mut rows, alerts).await?);
        }
        Ok(commits)
    }

    /// Records the batch as the last one of its writer. If the writer already has one with this number
    /// or a higher one, changes nothing and returns that, which may be the same batch.
    async fn claim(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        batch: &UsageBatch,
    ) -> Result<Option<LastBatch>, Failure> {
        if batch.sequence % FORGET_EVERY == 1 {
            sqlx::query(self.forget.safe())
                .persistent(database.persistent)
                .bind(&batch.writer[..])
                .execute(&mut *connection)
                .await?;
        }
        let sequence = i64::try_from(batch.sequence).map_err(|_| {
            let sequence = batch.sequence;
            StoreError::unsupported(format!(
                "the sequence of a usage batch must be less than 2^63, got {sequence}"
            ))
        })?;
        let claimed = sqlx::query(self.claim.safe())
            .persistent(database.persistent)
            .bind(&batch.writer[..])
            .bind(sequence)
            .bind(&batch.fingerprint()[..])
            .execute(&mut *connection)
            .await?;
        if claimed.rows_affected() == 1 {
            return Ok(None);
        }
        let row = sqlx::query(self.last_batch.safe())
            .persistent(database.persistent)
            .bind(&batch.writer[..])
            .fetch_one(connection)
            .await?;
        if row.try_get("is_moving")? {
            return Err(is_moving().into());
        }
        let fingerprint: Vec<u8> = row.try_get("fingerprint")?;
        Ok(Some(LastBatch {
            sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
            fingerprint: fingerprint.try_into().map_err(|wrong: Vec<u8>| {
                let len = wrong.len();
                StoreError::corrupt(format!("a batch fingerprint must have 16 bytes, got {len}"))
            })?,
        }))
    }

    async fn lock_usage(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        batch: &UsageBatch,
        rows: &mut Rows,
    ) -> Result<(), Failure> {
        let keys: Vec<_> = batch.deltas.iter().map(|delta| delta.key.to_string()).collect();
        let found = sqlx::query(self.read.safe())
            .persistent(database.persistent)
            .bind(&keys)
            .fetch_all(connection)
            .await?;
        for row in &found {
            let key: &str = row.try_get("key")?;
            rows.usage.insert(key_id(key)?, row.try_get::<Json<Usage>, _>("record")?.0);
        }
        Ok(())
    }

    async fn write_usage(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        effects: &Effects,
    ) -> Result<(), Failure> {
        sqlx::query(self.write.safe())
            .persistent(database.persistent)
            .bind(json(&effects.usage, UsageRow::of))
            .execute(&mut *connection)
            .await?;
        Ok(())
    }

    /// Returns the keys of each shard, with their tenants.
    async fn shards_of(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        keys: Vec<KeyId>,
    ) -> Result<BTreeMap<i16, (Vec<KeyId>, Vec<TenantId>)>, Failure> {
        let mut shards: BTreeMap<i16, (Vec<_>, Vec<_>)> = BTreeMap::new();
        if keys.is_empty() {
            return Ok(shards);
        }
        let found = sqlx::query(self.tenants.safe())
            .persistent(database.persistent)
            .bind(keys.iter().map(KeyId::to_string).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        for row in &found {
            let (key, tenant): (&str, &str) = (row.try_get("id")?, row.try_get("tenant")?);
            let tenant: TenantId = tenant
                .parse()
                .map_err(|_| StoreError::corrupt(format!("{tenant:?} is not a tenant id")))?;
            let (keys, tenants) = shards.entry(shard_of(&tenant)).or_default();
            keys.push(key_id(key)?);
            tenants.push(tenant);
        }
        Ok(shards)
    }
}

/// Returns the part of a batch that is about these keys.
fn of_keys(batch: &UsageBatch, keys: &[KeyId]) -> UsageBatch {
    let keys: HashSet<&KeyId> = keys.iter().collect();
    let deltas = batch.deltas.iter().filter(|delta| keys.contains(&delta.key)).copied().collect();
    UsageBatch { deltas, ..*batch }
}

fn key_id(text: &str) -> Result<KeyId, StoreError> {
    text.parse().map_err(|_| StoreError::corrupt(format!("{text:?} is not a key id")))
}
