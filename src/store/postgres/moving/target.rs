//! The side of the database: what stands in the tables, and how a move changes it.

use serde_json::Value;
use sqlx::Row;
use sqlx::types::Json;

use super::super::Inner;
use super::super::errors::Failure;
use super::super::rows::EventRow;
use super::super::session::Session;
use super::tables::Table;
use crate::record::event::Event;
use crate::value::id::TenantId;

const LAST_EVENT: &str = "SELECT coalesce(max(sequence), 0) FROM {schema}.events WHERE tenant = $1";

const FORGET_EVENTS: &str = "DELETE FROM {schema}.events WHERE tenant = $1 AND sequence < $2";

const READ_EVENTS: &str = "
    SELECT record FROM {schema}.events WHERE tenant = $1 AND sequence > $2
    ORDER BY sequence LIMIT $3";

const WRITE_EVENTS: &str = "
    INSERT INTO {schema}.events (tenant, sequence, at, actor, kind, key, account, record)
    SELECT tenant, sequence, at, actor, kind, key, account, record
    FROM jsonb_to_recordset($1) AS n (tenant text, sequence bigint, at bigint, actor text,
        kind text, key text, account text, record jsonb)";

impl Inner {
    /// The rows of a table from behind an id up to another one, as they are compared.
    pub(super) async fn stored(
        &self,
        table: &Table,
        behind: &str,
        upto: Option<&str>,
    ) -> Result<std::collections::HashMap<String, Value>, Failure> {
        let mut session = self.session().await?;
        let rows = sqlx::query(self.schema.sql(table.read).safe())
            .persistent(self.persistent)
            .bind(behind)
            .bind(upto)
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        rows.iter()
            .map(|row| Ok((row.try_get("id")?, row.try_get::<Json<Value>, _>("compared")?.0)))
            .collect()
    }

    /// Writes rows, and takes others away, all or nothing.
    pub(super) async fn make(
        &self,
        table: &Table,
        rows: &[Value],
        surplus: &[String],
    ) -> Result<(), Failure> {
        let mut session = self.move_session().await?;
        if !surplus.is_empty() {
            sqlx::query(self.schema.sql(table.remove).safe())
                .persistent(self.persistent)
                .bind(surplus)
                .execute(session.connection())
                .await?;
        }
        if !rows.is_empty() {
            sqlx::query(self.schema.sql(table.write).safe())
                .persistent(self.persistent)
                .bind(Json(rows))
                .execute(session.connection())
                .await?;
        }
        Ok(session.commit().await?)
    }

    pub(super) async fn last_event(&self, tenant: &TenantId) -> Result<u64, Failure> {
        let mut session = self.session().await?;
        let last: i64 = sqlx::query_scalar(self.schema.sql(LAST_EVENT).safe())
            .persistent(self.persistent)
            .bind(tenant.as_str())
            .fetch_one(session.connection())
            .await?;
        session.commit().await?;
        Ok(last.cast_unsigned())
    }

    /// Whether there were events of the tenant before this one, which are gone now.
    pub(super) async fn forget_events_before(
        &self,
        tenant: &TenantId,
        first: u64,
    ) -> Result<bool, Failure> {
        let mut session = Session::begin(&self.pool, self.commits.begin_usage(false)).await?;
        let gone = sqlx::query(self.schema.sql(FORGET_EVENTS).safe())
            .persistent(self.persistent)
            .bind(tenant.as_str())
            .bind(first.cast_signed())
            .execute(session.connection())
            .await?;
        session.commit().await?;
        Ok(gone.rows_affected() > 0)
    }

    pub(super) async fn stored_events(
        &self,
        tenant: &TenantId,
        behind: u64,
        most: usize,
    ) -> Result<Vec<Event>, Failure> {
        let mut session = self.session().await?;
        let events: Vec<Json<Event>> = sqlx::query_scalar(self.schema.sql(READ_EVENTS).safe())
            .persistent(self.persistent)
            .bind(tenant.as_str())
            .bind(behind.cast_signed())
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        Ok(events.into_iter().map(|event| event.0).collect())
    }

    pub(super) async fn write_events(&self, events: &[Event]) -> Result<(), Failure> {
        let mut session = self.move_session().await?;
        sqlx::query(self.schema.sql(WRITE_EVENTS).safe())
            .persistent(self.persistent)
            .bind(Json(events.iter().map(EventRow::of).collect::<Vec<_>>()))
            .execute(session.connection())
            .await?;
        Ok(session.commit().await?)
    }
}
