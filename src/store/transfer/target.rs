//! The target of a transfer: reading and changing the tables in PostgreSQL.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Connection, PgConnection, PgPool, Row};

use super::tables::Table;
use crate::record::event::Event;
use crate::store::postgres::{
    EventRow, Failure, OF_EVENTS, PostgresOptions, PostgresStore, SHARDS, Sql, insert_events,
};
use crate::value::id::TenantId;

const IS_IN_USE: &str = "
    SELECT NOT is_moving AND (EXISTS (SELECT 1 FROM {schema}.keys)
        OR EXISTS (SELECT 1 FROM {schema}.accounts) OR EXISTS (SELECT 1 FROM {schema}.users)
        OR EXISTS (SELECT 1 FROM {schema}.policies)
        OR EXISTS (SELECT 1 FROM {schema}.events) OR EXISTS (SELECT 1 FROM {schema}.deleted))
    FROM {schema}.state";

const IS_MOVING: &str = "SELECT is_moving FROM {schema}.state";

const MARK: &str = "UPDATE {schema}.state SET is_moving = true";

const UNMARK: &str = "UPDATE {schema}.state SET is_moving = false";

/// Inserts a commit without changes into every shard. A commit that was planned before can then not be
/// written.
const ADVANCE: &str = "
    INSERT INTO {schema}.changes (shard, epoch, mark, touched)
    SELECT shard, max(epoch) + 1, floor(random() * 2147483647)::int, '{}'
    FROM {schema}.changes GROUP BY shard ORDER BY shard
    ON CONFLICT DO NOTHING";

/// Forgets all changes but the last of each shard, so that no cache keeps entries from before.
const FORGET: &str = "
    DELETE FROM {schema}.changes AS c
    WHERE epoch < (SELECT max(epoch) FROM {schema}.changes WHERE shard = c.shard)";

const LAST_EVENT: &str = "SELECT coalesce(max(sequence), 0) FROM {schema}.events WHERE tenant = $1";

const FORGET_EVENTS: &str = "DELETE FROM {schema}.events WHERE tenant = $1 AND sequence < $2";

/// Selects the tenants that have events, with one look into the index for each.
const TENANTS_WITH_EVENTS: &str = "
    WITH RECURSIVE found (tenant) AS (
        (SELECT tenant FROM {schema}.events ORDER BY tenant LIMIT 1)
        UNION ALL
        SELECT (SELECT tenant FROM {schema}.events WHERE tenant > found.tenant ORDER BY tenant LIMIT 1)
        FROM found WHERE found.tenant IS NOT NULL
    )
    SELECT tenant FROM found WHERE tenant IS NOT NULL";

const REMOVE_EVENTS: &str = "DELETE FROM {schema}.events WHERE tenant = ANY($1)";

const READ_EVENTS: &str = "
    SELECT record FROM {schema}.events WHERE tenant = $1 AND sequence > $2
    ORDER BY sequence LIMIT $3";

/// The tables that a transfer writes to.
///
/// Every writing transaction holds the lock of transfers. So if the connection is lost during a
/// transaction, that transaction has ended or is rolled back before the next transfer reads the tables.
#[derive(Debug)]
pub(super) struct Target(pub(super) PostgresStore);

impl Target {
    /// Closes the tables for everything except a transfer. Returns `false` if they are in use.
    pub(super) async fn close(&self) -> Result<bool, Failure> {
        loop {
            let mut session = self.0.database().begin_locked().await?;
            if self.is_in_use(session.connection()).await? {
                session.commit().await?;
                return Ok(false);
            }
            if !self.advance(session.connection()).await? {
                // A commit came first, so the tables are in use now.
                continue;
            }
            // No commit is under way from here on.
            let is_in_use = self.is_in_use(session.connection()).await?;
            if !is_in_use {
                self.execute(session.connection(), MARK).await?;
            }
            session.commit().await?;
            return Ok(!is_in_use);
        }
    }

    /// Opens the tables as a store.
    pub(super) async fn open(&self) -> Result<(), Failure> {
        let mut session = self.0.database().begin_locked().await?;
        self.advance(session.connection()).await?;
        for statement in [FORGET, UNMARK] {
            self.execute(session.connection(), statement).await?;
        }
        Ok(session.commit().await?)
    }

    async fn is_in_use(&self, connection: &mut PgConnection) -> Result<bool, Failure> {
        let is_in_use = sqlx::query_scalar(self.sql(IS_IN_USE).safe()).persistent(false);
        Ok(is_in_use.fetch_one(connection).await?)
    }

    /// Returns whether every shard has a new commit.
    async fn advance(&self, connection: &mut PgConnection) -> Result<bool, Failure> {
        Ok(self.execute(connection, ADVANCE).await? == u64::from(SHARDS.unsigned_abs()))
    }

    async fn execute(
        &self,
        connection: &mut PgConnection,
        statement: &str,
    ) -> Result<u64, Failure> {
        let statement = self.sql(statement);
        let done = sqlx::query(statement.safe()).persistent(false).execute(connection).await?;
        Ok(done.rows_affected())
    }

    /// Returns whether the tables are open as a store. An attempt to open them that was sent before
    /// this call has ended.
    pub(super) async fn is_open(&self) -> Result<bool, Failure> {
        let mut session = self.0.database().begin_locked().await?;
        let is_moving: bool = sqlx::query_scalar(self.sql(IS_MOVING).safe())
            .persistent(false)
            .fetch_one(session.connection())
            .await?;
        session.commit().await?;
        Ok(!is_moving)
    }

    /// Returns the name of the place, for people.
    pub(super) fn place(&self) -> String {
        let database = self.0.database();
        let options = database.pool.connect_options();
        let name = options.get_database().unwrap_or_else(|| options.get_username());
        let (host, port) = (options.get_host(), options.get_port());
        format!("schema {} of the PostgreSQL database {name} at {host}:{port}", database.schema)
    }

    /// Returns the values to compare of a table's rows, after one id and up to another.
    pub(super) async fn stored(
        &self,
        table: &Table,
        behind: &str,
        upto: Option<&str>,
    ) -> Result<HashMap<String, Value>, Failure> {
        let mut session = self.0.database().session().await?;
        let rows = sqlx::query(self.sql(&table.read_range()).safe())
            .persistent(self.0.database().persistent)
            .bind(behind)
            .bind(upto)
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        compared(&rows)
    }

    /// Returns the values to compare of the rows with these ids.
    pub(super) async fn stored_of(
        &self,
        table: &Table,
        ids: &[String],
    ) -> Result<HashMap<String, Value>, Failure> {
        let mut session = self.0.database().session().await?;
        let rows = sqlx::query(self.sql(&table.read_ids()).safe())
            .persistent(self.0.database().persistent)
            .bind(ids)
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        compared(&rows)
    }

    /// Writes rows and removes others, all or nothing.
    pub(super) async fn write(
        &self,
        table: &Table,
        rows: &[Value],
        surplus: &[String],
    ) -> Result<(), Failure> {
        let mut session = self.0.database().begin_locked().await?;
        if !surplus.is_empty() {
            sqlx::query(self.sql(table.remove).safe())
                .persistent(self.0.database().persistent)
                .bind(surplus)
                .execute(session.connection())
                .await?;
        }
        if !rows.is_empty() {
            sqlx::query(self.sql(table.write).safe())
                .persistent(self.0.database().persistent)
                .bind(Json(rows))
                .execute(session.connection())
                .await?;
        }
        Ok(session.commit().await?)
    }

    /// Returns the number of a tenant's newest event; 0 if there is none.
    pub(super) async fn last_event(&self, tenant: &TenantId) -> Result<u64, Failure> {
        let mut session = self.0.database().session().await?;
        let last: i64 = sqlx::query_scalar(self.sql(LAST_EVENT).safe())
            .persistent(self.0.database().persistent)
            .bind(tenant.as_str())
            .fetch_one(session.connection())
            .await?;
        session.commit().await?;
        Ok(last.cast_unsigned())
    }

    /// Removes the tenant's events before a number. Returns whether there were any.
    pub(super) async fn forget_events_before(
        &self,
        tenant: &TenantId,
        first: u64,
    ) -> Result<bool, Failure> {
        let mut session = self.0.database().begin_writing().await?;
        let gone = sqlx::query(self.sql(FORGET_EVENTS).safe())
            .persistent(self.0.database().persistent)
            .bind(tenant.as_str())
            .bind(first.cast_signed())
            .execute(session.connection())
            .await?;
        session.commit().await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Returns the tenants that have events.
    pub(super) async fn tenants_with_events(&self) -> Result<Vec<String>, Failure> {
        let mut session = self.0.database().session().await?;
        let tenants = sqlx::query_scalar(self.sql(TENANTS_WITH_EVENTS).safe())
            .persistent(self.0.database().persistent)
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        Ok(tenants)
    }

    /// Removes all events of these tenants.
    pub(super) async fn remove_events(&self, tenants: &[String]) -> Result<(), Failure> {
        let mut session = self.0.database().begin_locked().await?;
        sqlx::query(self.sql(REMOVE_EVENTS).safe())
            .persistent(self.0.database().persistent)
            .bind(tenants)
            .execute(session.connection())
            .await?;
        Ok(session.commit().await?)
    }

    /// Returns up to `most` events of a tenant after a number, oldest first.
    pub(super) async fn stored_events(
        &self,
        tenant: &TenantId,
        behind: u64,
        most: usize,
    ) -> Result<Vec<Event>, Failure> {
        let mut session = self.0.database().session().await?;
        let events: Vec<Json<Event>> = sqlx::query_scalar(self.sql(READ_EVENTS).safe())
            .persistent(self.0.database().persistent)
            .bind(tenant.as_str())
            .bind(behind.cast_signed())
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        Ok(events.into_iter().map(|event| event.0).collect())
    }

    /// Writes events with their sequence numbers.
    pub(super) async fn write_events(&self, events: &[Event]) -> Result<(), Failure> {
        let mut session = self.0.database().begin_locked().await?;
        let insert = format!("{}$1{OF_EVENTS}", insert_events(""));
        sqlx::query(self.sql(&insert).safe())
            .persistent(self.0.database().persistent)
            .bind(Json(events.iter().map(EventRow::of).collect::<Vec<_>>()))
            .execute(session.connection())
            .await?;
        Ok(session.commit().await?)
    }

    fn sql(&self, template: &str) -> Sql {
        self.0.database().schema.sql(template)
    }
}

fn compared(rows: &[PgRow]) -> Result<HashMap<String, Value>, Failure> {
    rows.iter()
        .map(|row| Ok((row.try_get("id")?, row.try_get::<Json<Value>, _>("compared")?.0)))
        .collect()
}

/// Opens a separate connection that holds the lock of transfers. Returns `None` if another transfer
/// holds it.
pub(super) async fn lock(
    options: &PostgresOptions,
    pool: &PgPool,
) -> Result<Option<PgConnection>, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let query = sqlx::query_scalar(
        "SELECT pg_try_advisory_lock(hashtextextended('keywright move ' || $1, 0))",
    );
    let query = query.persistent(false).bind(options.schema.as_str());
    let is_held: bool = query.fetch_one(&mut connection).await?;
    Ok(is_held.then_some(connection))
}
