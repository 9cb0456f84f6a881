//! Adding usage: the rows of all keys of a batch are locked, added to as every store adds, and
//! written in one statement.

use std::collections::HashMap;

use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::errors::Failure;
use super::needs::number;
use super::rows::{EventRow, TenantRow, UsageRow};
use super::session::Session;
use super::{Inner, SchemaName, Sql};
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::record::usage::{LastBatch, Usage};
use crate::store::{StoreError, UsageBatch};
use crate::value::id::{KeyId, TenantId};
use crate::value::serde_strict::MAX_COUNT;

/// After so many batches of a writer those that are gone are forgotten.
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

/// A day more than a writer must be known. By the server's clock, which all nodes share.
const FORGET: &str = "
    DELETE FROM {schema}.writers WHERE at < now() - interval '8 days' AND writer <> $1";

/// In the order of the keys, so that no two nodes wait for each other.
const READ: &str = "
    SELECT key, record FROM {schema}.usage WHERE key = ANY($1) ORDER BY key FOR UPDATE";

const READ_KEYS: &str = "SELECT record FROM {schema}.keys WHERE id = ANY($1)";

const READ_TENANTS: &str = "SELECT tenant, last_event FROM {schema}.tenants WHERE tenant = ANY($1)";

const WRITE: &str = "
    UPDATE {schema}.usage AS u SET last_used_at = n.last_used_at, record = n.record
    FROM jsonb_to_recordset($1) AS n (key text, last_used_at bigint, record jsonb)
    WHERE u.key = n.key";

const TELL: &str = "
    WITH tenants AS (
        INSERT INTO {schema}.tenants (tenant, last_event)
        SELECT tenant, last_event FROM jsonb_to_recordset($1) AS n (tenant text, last_event bigint)
        ON CONFLICT (tenant) DO UPDATE SET last_event = excluded.last_event
    )
    INSERT INTO {schema}.events (tenant, sequence, at, actor, kind, key, account, record)
    SELECT tenant, sequence, at, actor, kind, key, account, record
    FROM jsonb_to_recordset($2) AS n (tenant text, sequence bigint, at bigint, actor text,
        kind text, key text, account text, record jsonb)";

/// The statements that add usage.
pub(super) struct Statements {
    claim: Sql,
    last_batch: Sql,
    forget: Sql,
    read: Sql,
    read_keys: Sql,
    read_tenants: Sql,
    write: Sql,
    tell: Sql,
}

impl Statements {
    pub(super) fn of(schema: &SchemaName) -> Self {
        Self {
            claim: schema.sql(CLAIM),
            last_batch: schema.sql(LAST_BATCH),
            forget: schema.sql(FORGET),
            read: schema.sql(READ),
            read_keys: schema.sql(READ_KEYS),
            read_tenants: schema.sql(READ_TENANTS),
            write: schema.sql(WRITE),
            tell: schema.sql(TELL),
        }
    }
}

impl Inner {
    pub(super) async fn try_add_usage(&self, batch: &UsageBatch) -> Result<(), Failure> {
        // Events have numbers, and whoever numbers them holds the lock; it comes first, as in a commit.
        let may_tell = batch.deltas.iter().any(|delta| delta.alert_every.is_some());
        let mut session = Session::begin(&self.pool, self.commits.begin_usage(may_tell)).await?;
        match self.write_usage(session.connection(), batch).await {
            Ok(()) => Ok(session.commit().await?),
            Err(failure) => {
                session.roll_back().await;
                Err(failure)
            }
        }
    }

    async fn write_usage(
        &self,
        connection: &mut PgConnection,
        batch: &UsageBatch,
    ) -> Result<(), Failure> {
        if !self.claim(connection, batch).await? {
            return Ok(());
        }
        let mut usage = self.locked_usage(connection, batch).await?;
        let mut alerts = Vec::new();
        for delta in &batch.deltas {
            let Some(total) = usage.get_mut(&delta.key) else { continue };
            let before = total.uses();
            total.add(delta);
            if delta.is_alert_due(before, total.uses()) {
                alerts.push((delta.key, total.uses()));
            }
        }
        let usage: Vec<_> = usage.into_iter().collect();
        sqlx::query(self.usage.write.safe())
            .persistent(self.persistent)
            .bind(Json(usage.iter().map(UsageRow::of).collect::<Vec<_>>()))
            .execute(&mut *connection)
            .await?;
        if !alerts.is_empty() {
            self.tell(connection, &alerts, batch).await?;
        }
        Ok(())
    }

    /// Notes the batch as added. False if it was added before.
    async fn claim(
        &self,
        connection: &mut PgConnection,
        batch: &UsageBatch,
    ) -> Result<bool, Failure> {
        if batch.sequence % FORGET_EVERY == 1 {
            sqlx::query(self.usage.forget.safe())
                .persistent(self.persistent)
                .bind(&batch.writer[..])
                .execute(&mut *connection)
                .await?;
        }
        let sequence = i64::try_from(batch.sequence)
            .map_err(|_| StoreError::unsupported("a batch of usage has a number beyond 2^63"))?;
        let claimed = sqlx::query(self.usage.claim.safe())
            .persistent(self.persistent)
            .bind(&batch.writer[..])
            .bind(sequence)
            .bind(&batch.fingerprint()[..])
            .execute(&mut *connection)
            .await?;
        if claimed.rows_affected() == 1 {
            return Ok(true);
        }
        let row = sqlx::query(self.usage.last_batch.safe())
            .persistent(self.persistent)
            .bind(&batch.writer[..])
            .fetch_one(connection)
            .await?;
        if row.try_get("is_moving")? {
            return Err(super::is_moving().into());
        }
        let fingerprint: Vec<u8> = row.try_get("fingerprint")?;
        let last = LastBatch {
            sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
            fingerprint: fingerprint
                .try_into()
                .map_err(|_| StoreError::corrupt("the fingerprint of a batch has not 16 bytes"))?,
        };
        Ok(!batch.was_added(Some(&last)).map_err(StoreError::from)?)
    }

    async fn locked_usage(
        &self,
        connection: &mut PgConnection,
        batch: &UsageBatch,
    ) -> Result<HashMap<KeyId, Usage>, Failure> {
        let keys: Vec<_> = batch.deltas.iter().map(|delta| delta.key.to_string()).collect();
        let rows = sqlx::query(self.usage.read.safe())
            .persistent(self.persistent)
            .bind(&keys)
            .fetch_all(connection)
            .await?;
        rows.iter()
            .map(|row| {
                let key: &str = row.try_get("key")?;
                let key =
                    key.parse().map_err(|_| StoreError::corrupt(format!("{key:?} is no key")))?;
                Ok((key, row.try_get::<Json<Usage>, _>("record")?.0))
            })
            .collect()
    }

    /// Writes an event for each of these keys, with the uses that it has then.
    async fn tell(
        &self,
        connection: &mut PgConnection,
        alerts: &[(KeyId, u64)],
        batch: &UsageBatch,
    ) -> Result<(), Failure> {
        let ids: Vec<_> = alerts.iter().map(|(key, _)| key.to_string()).collect();
        let records: Vec<Json<KeyRecord>> = sqlx::query_scalar(self.usage.read_keys.safe())
            .persistent(self.persistent)
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let keys: HashMap<_, _> =
            records.iter().map(|record| (record.0.id(), record.0.key())).collect();
        let tenants: Vec<_> = keys.values().map(|key| key.tenant.to_string()).collect();
        let rows = sqlx::query(self.usage.read_tenants.safe())
            .persistent(self.persistent)
            .bind(&tenants)
            .fetch_all(&mut *connection)
            .await?;
        let mut last_events = HashMap::<TenantId, u64>::new();
        for row in &rows {
            let tenant: &str = row.try_get("tenant")?;
            let tenant = tenant
                .parse()
                .map_err(|_| StoreError::corrupt(format!("{tenant:?} is no tenant")))?;
            last_events.insert(tenant, number(row.try_get("last_event")?)?);
        }
        let mut events = Vec::new();
        for (key, uses) in alerts {
            let Some(key) = keys.get(key) else { continue };
            let last = last_events.entry(key.tenant.clone()).or_default();
            if *last >= MAX_COUNT {
                let message = format!("tenant {} has no number for another event", key.tenant);
                return Err(StoreError::corrupt(message).into());
            }
            *last += 1;
            let event = Event::extensive_use(key, *uses, batch.at);
            events.push(Event { sequence: *last, ..event });
        }
        let tenants: Vec<_> = last_events
            .iter()
            .map(|(tenant, last_event)| TenantRow { tenant, last_event: *last_event })
            .collect();
        sqlx::query(self.usage.tell.safe())
            .persistent(self.persistent)
            .bind(Json(tenants))
            .bind(Json(events.iter().map(EventRow::of).collect::<Vec<_>>()))
            .execute(connection)
            .await?;
        Ok(())
    }
}
