//! Committing a batch: what it touches is read under the lock that every commit holds, decided as
//! every store decides it, and written in one statement.
//!
//! The lock is the row with the epoch. So commits happen one after another, on all nodes, and what
//! was read is what is when it is written. Should a hand other than ours change a row meanwhile, the
//! statement writes fewer rows than it should, and the commit is given up.

use std::collections::HashSet;

use sqlx::PgConnection;
use sqlx::types::Json;

use super::errors::Failure;
use super::needs::{Needs, READ, take, write_subject};
use super::rows::{AccountRow, DeletedRow, EventRow, KeyRow, PolicyRow, TenantRow};
use super::session::Session;
use super::{Inner, SchemaName, Sql};
use crate::record::key::KeyRecord;
use crate::record::usage::Usage;
use crate::store::image::{Contents, Effects, Image};
use crate::store::{Batch, Epoch, StoreError};
use crate::value::id::{AccountId, KeyId};

/// After so many commits those that are old are forgotten.
const FORGET_EVERY: u64 = 256;

/// How many of an epoch's bits are drawn.
const RANDOM_BITS: u32 = 20;

/// What every transaction that writes begins with: what was acknowledged must last, and a node that
/// stands still must not hold the lock for long.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '10s';
    SET LOCAL statement_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '5s';
    SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off';";

/// Takes the lock and counts the commit. The last 20 bits are drawn: an epoch says which commit it
/// was, and not only which number, so that a cache sees when a server has lost some of them.
const NEXT_EPOCH: &str = "
    UPDATE {schema}.state
    SET epoch = (((epoch >> 20) + 1) << 20) + floor(random() * 1048576)::bigint;";

const LOCK: &str = "SELECT 1 FROM {schema}.state FOR UPDATE;";

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
        SET name = n.name, updated_at = n.updated_at, disabled = n.disabled, revoked = n.revoked,
            version = n.version, search = n.search, record = n.record
        FROM jsonb_to_recordset($5) AS n (id text, name text, updated_at bigint, disabled boolean,
            revoked boolean, version bigint, search text, record jsonb)
        WHERE k.id = n.id AND (k.version = n.version - 1
            -- The last version, which nothing but a revocation changes.
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
    ), events AS (
        INSERT INTO {schema}.events (tenant, sequence, at, actor, kind, key, account, record)
        SELECT tenant, sequence, at, actor, kind, key, account, record
        FROM jsonb_to_recordset($9) AS n (tenant text, sequence bigint, at bigint, actor text,
            kind text, key text, account text, record jsonb)
        RETURNING 1
    ), tenants AS (
        INSERT INTO {schema}.tenants (tenant, last_event)
        SELECT tenant, last_event FROM jsonb_to_recordset($10) AS n (tenant text, last_event bigint)
        ON CONFLICT (tenant) DO UPDATE SET last_event = excluded.last_event
        RETURNING 1
    ), changes AS (
        INSERT INTO {schema}.changes (epoch, touched) VALUES ($11, $12) RETURNING 1
    ), told AS (
        SELECT pg_notify($13, $11::text)
    )
    SELECT (SELECT count(*) FROM new_accounts) + (SELECT count(*) FROM changed_accounts)
        + (SELECT count(*) FROM gone_accounts) + (SELECT count(*) FROM new_keys)
        + (SELECT count(*) FROM unused) + (SELECT count(*) FROM changed_keys)
        + (SELECT count(*) FROM gone_keys) + (SELECT count(*) FROM deleted)
        + (SELECT count(*) FROM policies) + (SELECT count(*) FROM events)
        + (SELECT count(*) FROM tenants) + (SELECT count(*) FROM changes)
        + (SELECT count(*) FROM told)";

/// Both are few commits' work: only a sweep asks for it.
const FORGET_EVENTS: &str = "DELETE FROM {schema}.events WHERE tenant = $1 AND sequence <= $2";
const FORGET_DELETED: &str = "DELETE FROM {schema}.deleted WHERE tenant = $1 AND event <= $2";

/// At least the last commit stays: its epoch is where caches stand.
const FORGET: &str = "
    DELETE FROM {schema}.changes
    WHERE at < now() - interval '1 hour' AND epoch < (SELECT epoch FROM {schema}.state)";

/// The statements of a commit.
pub(super) struct Statements {
    begin: Sql,
    begin_locked: Sql,
    begin_plain: Sql,
    read: Sql,
    write: Sql,
    forget: Sql,
    forget_events: Sql,
    forget_deleted: Sql,
}

impl Statements {
    pub(super) fn of(schema: &SchemaName) -> Self {
        Self {
            begin: schema.sql(&format!("{BEGIN}{NEXT_EPOCH}")),
            begin_locked: schema.sql(&format!("{BEGIN}{LOCK}")),
            begin_plain: schema.sql(BEGIN),
            read: schema.sql(READ),
            write: schema.sql(WRITE),
            forget: schema.sql(FORGET),
            forget_events: schema.sql(FORGET_EVENTS),
            forget_deleted: schema.sql(FORGET_DELETED),
        }
    }

    /// Begins what adds usage: under the lock if there may be events to number.
    pub(super) fn begin_usage(&self, may_tell: bool) -> &Sql {
        if may_tell { &self.begin_locked } else { &self.begin_plain }
    }
}

impl Inner {
    pub(super) async fn try_commit(&self, batch: Batch) -> Result<Epoch, Failure> {
        let mut session = Session::begin(&self.pool, &self.commits.begin).await?;
        match self.write_batch(session.connection(), batch).await {
            Ok(epoch) => {
                session.commit().await?;
                self.saw(epoch.0.cast_signed());
                Ok(epoch)
            }
            Err(failure) => {
                session.roll_back().await;
                Err(failure)
            }
        }
    }

    async fn write_batch(
        &self,
        connection: &mut PgConnection,
        batch: Batch,
    ) -> Result<Epoch, Failure> {
        let found = self.read_for(connection, &batch).await?;
        let epoch = found.effects.epoch;
        if epoch == 0 {
            // Nobody holds anything then.
            return Err(StoreError::corrupt("the row is missing that every commit holds").into());
        }
        let known = Known::of(&found.effects);
        // The numbers of epochs are the table's, and not the image's, which counts by one.
        let effects = Effects { epoch, ..Image::load(found)?.plan(batch)? };
        self.forget_events(connection, &effects).await?;
        self.write_down(connection, &effects, &known).await?;
        if (epoch >> RANDOM_BITS).is_multiple_of(FORGET_EVERY) {
            let forget = sqlx::query(self.commits.forget.safe()).persistent(self.persistent);
            forget.execute(connection).await?;
        }
        Ok(Epoch(epoch))
    }

    /// Everything that the batch's conditions and changes look at.
    async fn read_for(
        &self,
        connection: &mut PgConnection,
        batch: &Batch,
    ) -> Result<Contents, Failure> {
        let needs = Needs::of(batch);
        let rows = sqlx::query(self.commits.read.safe())
            .persistent(self.persistent)
            .bind(&needs.keys)
            .bind(&needs.owners.tenants)
            .bind(&needs.owners.names)
            .bind(&needs.owners.at)
            .bind(&needs.owners.most)
            .bind(&needs.emptied)
            .bind(&needs.accounts)
            .bind(&needs.policies)
            .bind(&needs.deleted)
            .bind(&needs.tenants)
            .bind(&needs.gone)
            .fetch_all(connection)
            .await?;
        let mut contents = Contents::default();
        for row in &rows {
            take(row, &mut contents.effects)?;
        }
        Ok(contents)
    }

    async fn forget_events(
        &self,
        connection: &mut PgConnection,
        effects: &Effects,
    ) -> Result<(), Failure> {
        for (tenant, through) in &effects.forgotten {
            for statement in [&self.commits.forget_events, &self.commits.forget_deleted] {
                sqlx::query(statement.safe())
                    .persistent(self.persistent)
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
        connection: &mut PgConnection,
        effects: &Effects,
        known: &Known,
    ) -> Result<(), Failure> {
        let (changed_keys, new_keys): (Vec<_>, Vec<_>) =
            effects.keys.iter().partition(|record| known.keys.contains(record.id()));
        let (changed_accounts, new_accounts): (Vec<_>, Vec<_>) =
            effects.accounts.iter().partition(|account| known.accounts.contains(&account.id));
        let gone_accounts: Vec<_> =
            effects.deleted_accounts.iter().map(AccountId::as_str).collect();
        let gone_keys: Vec<_> = effects.deleted_keys.iter().map(KeyId::as_str).collect();
        let touched: Vec<_> = effects.subjects().map(|subject| write_subject(&subject)).collect();
        let last_events: Vec<_> = effects
            .last_events
            .iter()
            .map(|(tenant, last_event)| TenantRow { tenant, last_event: *last_event })
            .collect();
        let rows = effects.accounts.len()
            + gone_accounts.len()
            + 2 * new_keys.len()
            + changed_keys.len()
            + gone_keys.len()
            + effects.tombstones.len()
            + effects.policies.len()
            + effects.events.len()
            + last_events.len()
            // The line that tells caches, and the word that there is one.
            + 2;
        let written: i64 = sqlx::query_scalar(self.commits.write.safe())
            .persistent(self.persistent)
            .bind(json(new_accounts, AccountRow::of))
            .bind(json(changed_accounts, AccountRow::of))
            .bind(&gone_accounts)
            .bind(json(new_keys, KeyRow::of))
            .bind(json(changed_keys, KeyRow::of))
            .bind(&gone_keys)
            .bind(json(&effects.tombstones, DeletedRow::of))
            .bind(json(&effects.policies, PolicyRow::of))
            .bind(json(&effects.events, EventRow::of))
            .bind(Json(last_events))
            .bind(effects.epoch.cast_signed())
            .bind(&touched)
            .bind(&*self.channel)
            .bind(Json(Usage::default()))
            .fetch_one(connection)
            .await?;
        if usize::try_from(written) == Ok(rows) {
            return Ok(());
        }
        Err(StoreError::conflict("the tables were changed by another hand meanwhile").into())
    }
}

/// Rows for a statement.
fn json<T, R>(records: impl IntoIterator<Item = T>, row: impl FnMut(T) -> R) -> Json<Vec<R>> {
    Json(records.into_iter().map(row).collect())
}

/// What is there already, to tell what is new from what is changed.
struct Known {
    keys: HashSet<KeyId>,
    accounts: HashSet<AccountId>,
}

impl Known {
    fn of(found: &Effects) -> Self {
        Self {
            keys: found.keys.iter().map(KeyRecord::id).copied().collect(),
            accounts: found.accounts.iter().map(|account| account.id).collect(),
        }
    }
}
