//! Usage: one transaction locks the usage rows of a batch, plans the batch, and writes it in one
//! statement.

use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::errors::{Failure, is_moving};
use super::reading::Reading;
use super::rows::{EventRow, TenantRow, UsageRow, insert_events, json, put_tenants};
use super::schema::{SchemaName, Sql};
use crate::record::usage::{LastBatch, Usage, UsageBatch};
use crate::store::error::StoreError;
use crate::store::plan::{self, Effects, ReadSet, Rows};

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

/// The statements that add usage.
pub(super) struct UsageWrites {
    reading: Reading,
    claim: Sql,
    last_batch: Sql,
    forget: Sql,
    read: Sql,
    write: Sql,
    tell: Sql,
}

impl UsageWrites {
    pub(super) fn of(schema: &SchemaName) -> Self {
        let tell = format!("WITH tenants AS ({}) {}", put_tenants("$1"), insert_events("$2"));
        Self {
            reading: Reading::of(schema),
            claim: schema.sql(CLAIM),
            last_batch: schema.sql(LAST_BATCH),
            forget: schema.sql(FORGET),
            read: schema.sql(READ),
            write: schema.sql(WRITE),
            tell: schema.sql(&tell),
        }
    }

    pub(super) async fn write(
        &self,
        database: &Database,
        batch: &UsageBatch,
    ) -> Result<(), Failure> {
        // A transaction that may number events must hold the lock of commits. It takes that lock first,
        // as a commit does, so that the two cannot deadlock.
        let may_tell = batch.deltas.iter().any(|delta| delta.alert.is_some());
        let session =
            if may_tell { database.begin_locked().await } else { database.begin_writing().await };
        let mut session = session?;
        match self.write_batch(database, session.connection(), batch).await {
            Ok(()) => Ok(session.commit().await?),
            Err(failure) => {
                session.roll_back().await;
                Err(failure)
            }
        }
    }

    async fn write_batch(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        batch: &UsageBatch,
    ) -> Result<(), Failure> {
        let mut rows = Rows::default();
        if let Some(last) = self.claim(database, connection, batch).await? {
            // A repeated batch must not wait for locks on the rows of keys.
            if batch.was_added(Some(&last)).map_err(StoreError::from)? {
                return Ok(());
            }
            rows.last_batches.insert(batch.writer, last);
        }
        self.lock_usage(database, connection, batch, &mut rows).await?;
        let alerts = ReadSet::of_alerts(&rows, batch);
        if !alerts.keys.is_empty() {
            self.reading.read(database, connection, &alerts, &mut rows).await?;
        }
        match plan::usage(&rows, batch)? {
            Some(effects) => self.write_down(database, connection, &effects).await,
            None => Ok(()),
        }
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
            let not_an_id = |_| StoreError::corrupt(format!("{key:?} is not a key id"));
            let key = key.parse().map_err(not_an_id)?;
            rows.usage.insert(key, row.try_get::<Json<Usage>, _>("record")?.0);
        }
        Ok(())
    }

    async fn write_down(
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
        if !effects.events.is_empty() {
            sqlx::query(self.tell.safe())
                .persistent(database.persistent)
                .bind(json(&effects.last_events, TenantRow::of))
                .bind(json(&effects.events, EventRow::of))
                .execute(connection)
                .await?;
        }
        Ok(())
    }
}
