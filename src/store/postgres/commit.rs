//! Commits: one transaction takes the lock, reads the rows of a batch, plans it, and writes it in one
//! statement.
//!
//! The lock is the row that holds the epoch, and every commit takes it. So the commits of all nodes
//! happen one after another, and no commit changes a row between the reading and the writing of
//! another. If another program changes a row in between, the statement writes fewer rows than planned,
//! and the transaction is rolled back.

use sqlx::PgConnection;
use sqlx::types::Json;

use super::database::Database;
use super::epoch;
use super::errors::{Failure, missing_state};
use super::reading::Reading;
use super::rows::{
    AccountRow, DeletedRow, EventRow, KeyRow, PolicyRow, TenantRow, UserRow, insert_events, json,
    put_tenants,
};
use super::schema::{SchemaName, Sql};
use crate::record::usage::Usage;
use crate::store::batch::{Batch, Epoch};
use crate::store::error::StoreError;
use crate::store::plan::{self, Effects, ReadSet, Rows};
use crate::value::id::{AccountId, KeyId};

/// The number of commits after which the changes of old ones are forgotten.
const FORGET_EVERY: u64 = 256;

const WRITE: &str = "
    WITH new_accounts AS (
        INSERT INTO {schema}.accounts (id, tenant, created_at, version, search, record)
        SELECT id, tenant, created_at, version, search, record
        FROM jsonb_to_recordset($1) AS n (id text, tenant text, created_at bigint, version bigint, search text, record jsonb)
        RETURNING 1
    ), changed_accounts AS (
        UPDATE {schema}.accounts AS a SET version = n.version, search = n.search, record = n.record
        FROM jsonb_to_recordset($2) AS n (id text, version bigint, search text, record jsonb)
        WHERE a.id = n.id AND a.version = n.version - 1
        RETURNING 1
    ), gone_accounts AS (
        DELETE FROM {schema}.accounts WHERE id = ANY($3) RETURNING 1
    ), new_keys AS (
        INSERT INTO {schema}.keys (id, tenant, owner, account, name, created_at, updated_at, not_before,
            expires_at, disabled, revoked, version, search, record)
        SELECT id, tenant, owner, account, name, created_at, updated_at, not_before,
            expires_at, disabled, revoked, version, search, record
        FROM jsonb_to_recordset($4) AS n (id text, tenant text, owner text, account text, name text,
            created_at bigint, updated_at bigint, not_before bigint, expires_at bigint, disabled boolean,
            revoked boolean, version bigint, search text, record jsonb)
        RETURNING id, tenant
    ), unused AS (
        INSERT INTO {schema}.usage (key, tenant, record)
        SELECT id, tenant, $14 FROM new_keys
        RETURNING 1
    ), changed_keys AS (
        UPDATE {schema}.keys AS k
        SET owner = n.owner, account = n.account, name = n.name, updated_at = n.updated_at, disabled = n.disabled, revoked = n.revoked,
            version = n.version, search = n.search, record = n.record
        FROM jsonb_to_recordset($5) AS n (id text, owner text, account text, name text, updated_at bigint, disabled boolean,
            revoked boolean, version bigint, search text, record jsonb)
        WHERE k.id = n.id AND (k.version = n.version - 1
            -- The last version that a bigint can hold. Only a revocation may still change the key.
            OR k.version = 9223372036854775807 AND n.version = k.version AND NOT k.revoked AND n.revoked)
        RETURNING 1
    ), gone_keys AS (
        DELETE FROM {schema}.keys WHERE id = ANY($6) RETURNING 1
    ), deleted AS (
        INSERT INTO {schema}.deleted (id, tenant, event)
        SELECT id, tenant, event
        FROM jsonb_to_recordset($7) AS n (id text, tenant text, event bigint)
        RETURNING 1
    ), policies AS (
        INSERT INTO {schema}.policies AS p (tenant, version, record)
        SELECT tenant, version, record
        FROM jsonb_to_recordset($8) AS n (tenant text, version bigint, record jsonb)
        ON CONFLICT (tenant) DO UPDATE SET version = excluded.version, record = excluded.record
        WHERE p.version = excluded.version - 1
        RETURNING 1
    ), users AS (
        INSERT INTO {schema}.users AS u (tenant, owner, version, search, record)
        SELECT tenant, owner, version, search, record
        FROM jsonb_to_recordset($15) AS n (tenant text, owner text, version bigint, search text, record jsonb)
        ON CONFLICT (tenant, owner) DO UPDATE
            SET version = excluded.version, search = excluded.search, record = excluded.record
        WHERE u.version = excluded.version - 1
        RETURNING 1
    ), events AS (
        {insert_events} RETURNING 1
    ), tenants AS (
        {put_tenants} RETURNING 1
    ), changes AS (
        INSERT INTO {schema}.changes (epoch, touched) VALUES ($11, $12) RETURNING 1
    ), told AS (
        SELECT pg_notify($13, $11::text)
    )
    SELECT (SELECT count(*) FROM new_accounts) + (SELECT count(*) FROM changed_accounts)
        + (SELECT count(*) FROM gone_accounts) + (SELECT count(*) FROM new_keys)
        + (SELECT count(*) FROM unused) + (SELECT count(*) FROM changed_keys)
        + (SELECT count(*) FROM gone_keys) + (SELECT count(*) FROM deleted)
        + (SELECT count(*) FROM policies) + (SELECT count(*) FROM users) + (SELECT count(*) FROM events)
        + (SELECT count(*) FROM tenants) + (SELECT count(*) FROM changes)
        + (SELECT count(*) FROM told)";

/// These two statements are separate because only a sweep forgets events.
const FORGET_EVENTS: &str = "DELETE FROM {schema}.events WHERE tenant = $1 AND sequence <= $2";
const FORGET_DELETED: &str = "DELETE FROM {schema}.deleted WHERE tenant = $1 AND event <= $2";

/// The last commit always stays, because up-to-date caches ask for the changes since its epoch.
const FORGET: &str = "
    DELETE FROM {schema}.changes
    WHERE at < now() - interval '1 hour' AND epoch < (SELECT epoch FROM {schema}.state)";

/// The statements of a commit.
pub(super) struct Commits {
    reading: Reading,
    write: Sql,
    forget: Sql,
    forget_events: Sql,
    forget_deleted: Sql,
}

impl Commits {
    pub(super) fn of(schema: &SchemaName) -> Self {
        let write = WRITE.replace("{insert_events}", &insert_events("$9"));
        let write = write.replace("{put_tenants}", &put_tenants("$10"));
        Self {
            reading: Reading::of(schema),
            write: schema.sql(&write),
            forget: schema.sql(FORGET),
            forget_events: schema.sql(FORGET_EVENTS),
            forget_deleted: schema.sql(FORGET_DELETED),
        }
    }

    pub(super) async fn write(&self, database: &Database, batch: Batch) -> Result<Epoch, Failure> {
        let mut session = database.begin_commit().await?;
        match self.write_batch(database, session.connection(), batch).await {
            Ok(epoch) => {
                session.commit().await?;
                database.saw(epoch.cast_signed());
                Ok(Epoch(epoch))
            }
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
        batch: Batch,
    ) -> Result<u64, Failure> {
        let mut rows = Rows::default();
        let wanted = ReadSet::of(&batch);
        let epoch = self.reading.read(database, connection, &wanted, &mut rows).await?;
        if epoch == 0 {
            // Without the row there was no lock either.
            return Err(missing_state(&database.schema).into());
        }
        let effects = plan::batch(&rows, batch)?;
        self.forget_events(database, connection, &effects).await?;
        self.write_down(database, connection, epoch, &effects).await?;
        if epoch::count(epoch).is_multiple_of(FORGET_EVERY) {
            let forget = sqlx::query(self.forget.safe()).persistent(database.persistent);
            forget.execute(connection).await?;
        }
        Ok(epoch)
    }

    async fn forget_events(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        effects: &Effects,
    ) -> Result<(), Failure> {
        for (tenant, through) in &effects.forgotten_events {
            for statement in [&self.forget_events, &self.forget_deleted] {
                sqlx::query(statement.safe())
                    .persistent(database.persistent)
                    .bind(tenant.as_str())
                    .bind(i64::try_from(*through).unwrap_or(i64::MAX))
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Ok(())
    }

    async fn write_down(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        epoch: u64,
        effects: &Effects,
    ) -> Result<(), Failure> {
        let gone_accounts: Vec<_> =
            effects.deleted_accounts.iter().map(AccountId::as_str).collect();
        let gone_keys: Vec<_> = effects.deleted_keys.iter().map(KeyId::as_str).collect();
        let touched: Vec<_> = effects.subjects().map(|subject| subject.to_string()).collect();
        let rows = effects.written_accounts().count()
            + gone_accounts.len()
            + 2 * effects.new_keys.len()
            + effects.changed_keys.len()
            + gone_keys.len()
            + effects.tombstones.len()
            + effects.policies.len()
            + effects.users.len()
            + effects.events.len()
            + effects.last_events.len()
            // The row in `changes` and the call of `pg_notify`.
            + 2;
        let written: i64 = sqlx::query_scalar(self.write.safe())
            .persistent(database.persistent)
            .bind(json(&effects.new_accounts, AccountRow::of))
            .bind(json(&effects.changed_accounts, AccountRow::of))
            .bind(&gone_accounts)
            .bind(json(&effects.new_keys, KeyRow::of))
            .bind(json(&effects.changed_keys, KeyRow::of))
            .bind(&gone_keys)
            .bind(json(&effects.tombstones, DeletedRow::of))
            .bind(json(&effects.policies, PolicyRow::of))
            .bind(json(&effects.events, EventRow::of))
            .bind(json(&effects.last_events, TenantRow::of))
            .bind(epoch.cast_signed())
            .bind(&touched)
            .bind(&*database.channel)
            .bind(Json(Usage::default()))
            .bind(json(&effects.users, UserRow::of))
            .fetch_one(connection)
            .await?;
        if usize::try_from(written) == Ok(rows) {
            return Ok(());
        }
        Err(StoreError::conflict(
            "another process changed these rows during the commit; nothing was written",
        )
        .into())
    }
}
