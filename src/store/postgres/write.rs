//! Writes the effects of a group of batches, in one statement.
//!
//! For each shard, the statement inserts the commit's row into `changes`, after the row that the shard's
//! batches were planned on. If another commit has inserted that row first, the statement writes nothing of
//! the shard. So nothing in the shard has changed since the rows were read, and no lock is held while the
//! batches are planned. Every other part of the statement takes its rows from an object with a member for
//! each shard, and only those of the shards that have their row.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::Row;
use sqlx::types::Json;
use sqlx::{Error, PgConnection};

use super::database::Database;
use super::parts::Parts;
use super::rows::{
    AccountRow, DeletedRow, EventRow, KeyRow, OF_EVENTS, OF_TENANTS, PolicyRow, TenantRow, UserRow,
    insert_events, put_tenants,
};
use super::shard::Commit;
use crate::record::usage::Usage;
use crate::store::plan::{DeletedId, Effects};
use crate::value::id::{KeyId, TenantId};

/// How the statement makes the rows of the commits its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claim {
    /// It inserts them, and waits for another transaction at most for the given time.
    Insert { patience: &'static str },
    /// The transaction has inserted the row of the one shard already.
    Held,
}

/// The next commit of a shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next<'a> {
    /// The commit that it follows.
    pub(super) last: Commit,
    pub(super) mark: i32,
    pub(super) effects: &'a Effects,
}

impl Next<'_> {
    pub(super) fn commit(self) -> Commit {
        Commit { shard: self.last.shard, epoch: self.last.epoch + 1, mark: self.mark }
    }
}

/// The values of a commit's row.
#[derive(Serialize)]
struct ClaimRow {
    shard: i16,
    epoch: i64,
    before: i32,
    mark: i32,
    touched: Vec<String>,
}

/// A part of the statement, which writes rows of one kind. Its rows are called `n`.
struct Part<'a> {
    name: &'static str,
    /// The text up to the rows.
    write: &'a str,
    /// The text after the rows.
    of: &'a str,
    returning: &'static str,
}

const NEW_ACCOUNTS: Part<'_> = Part {
    name: "new_accounts",
    write: "
        INSERT INTO {schema}.accounts (id, tenant, created_at, version, search, record)
        SELECT n.* FROM claimed, jsonb_to_recordset(",
    of: ") AS n (id text, tenant text, created_at bigint, version bigint, search text, record jsonb)",
    returning: "1",
};

const CHANGED_ACCOUNTS: Part<'_> = Part {
    name: "changed_accounts",
    write: "
        UPDATE {schema}.accounts AS a SET version = n.version, search = n.search, record = n.record
        FROM claimed, jsonb_to_recordset(",
    of: ") AS n (id text, version bigint, search text, record jsonb)
        WHERE a.id = n.id AND a.version = n.version - 1 AND a.id = ANY",
    returning: "1",
};

const NEW_KEYS: Part<'_> = Part {
    name: "new_keys",
    write: "
        INSERT INTO {schema}.keys (id, tenant, shard, owner, account, name, created_at, updated_at,
            not_before, expires_at, disabled, revoked, version, search, record)
        SELECT n.* FROM claimed, jsonb_to_recordset(",
    of: ") AS n (id text, tenant text, shard smallint, owner text, account text, name text,
        created_at bigint, updated_at bigint, not_before bigint, expires_at bigint, disabled boolean,
        revoked boolean, version bigint, search text, record jsonb)",
    returning: "id, tenant",
};

const CHANGED_KEYS: Part<'_> = Part {
    name: "changed_keys",
    write: "
        UPDATE {schema}.keys AS k
        SET owner = n.owner, account = n.account, name = n.name, updated_at = n.updated_at,
            disabled = n.disabled, revoked = n.revoked, version = n.version, search = n.search,
            record = n.record
        FROM claimed, jsonb_to_recordset(",
    of: ") AS n (id text, owner text, account text, name text, updated_at bigint, disabled boolean,
        revoked boolean, version bigint, search text, record jsonb)
        WHERE k.id = n.id AND (k.version = n.version - 1
            -- The last version that a bigint can hold. Only a revocation may still change the key.
            OR k.version = 9223372036854775807 AND n.version = k.version
                AND NOT k.revoked AND n.revoked) AND k.id = ANY",
    returning: "1",
};

const DELETED: Part<'_> = Part {
    name: "deleted",
    write: "
        INSERT INTO {schema}.deleted (id, tenant, shard, event)
        SELECT n.* FROM claimed, jsonb_to_recordset(",
    of: ") AS n (id text, tenant text, shard smallint, event bigint)",
    returning: "1",
};

const POLICIES: Part<'_> = Part {
    name: "policies",
    write: "
        INSERT INTO {schema}.policies AS p (tenant, version, record)
        SELECT n.* FROM claimed, jsonb_to_recordset(",
    of: ") AS n (tenant text, version bigint, record jsonb)
        ON CONFLICT (tenant) DO UPDATE SET version = excluded.version, record = excluded.record
        WHERE p.version = excluded.version - 1",
    returning: "1",
};

const USERS: Part<'_> = Part {
    name: "users",
    write: "
        INSERT INTO {schema}.users AS u (tenant, owner, version, search, record)
        SELECT n.* FROM claimed, jsonb_to_recordset(",
    of: ") AS n (tenant text, owner text, version bigint, search text, record jsonb)
        ON CONFLICT (tenant, owner) DO UPDATE
            SET version = excluded.version, search = excluded.search, record = excluded.record
        WHERE u.version = excluded.version - 1",
    returning: "1",
};

/// Writes the next commits of some shards. Returns those that it has written. Of a shard whose commit is not
/// among them, another commit came first, and nothing was written.
///
/// If a row is no longer as it was read, another program has changed it. The statement then divides by
/// zero, so that nothing is written.
pub(super) async fn write(
    database: &Database,
    connection: &mut PgConnection,
    claim: Claim,
    next: &[Next<'_>],
) -> Result<Vec<Commit>, Error> {
    let written = Statement::of(database, claim, next).sql.query()?.fetch_all(connection).await?;
    let shards = written.iter().map(|row| row.try_get("shard"));
    let shards: Vec<i16> = shards.collect::<Result<_, _>>()?;
    let next = next.iter().filter(|next| shards.contains(&next.last.shard));
    Ok(next.map(|next| next.commit()).collect())
}

/// The statement, and the parts whose rows it counts.
struct Statement<'a> {
    sql: Parts<'a>,
    next: &'a [Next<'a>],
    counted: Vec<&'static str>,
    /// The number of rows of each shard.
    expected: BTreeMap<i16, usize>,
}

impl<'a> Statement<'a> {
    fn of(database: &'a Database, claim: Claim, next: &'a [Next<'a>]) -> Self {
        let (sql, expected) = (Parts::of(database), BTreeMap::new());
        let mut statement = Self { sql, next, counted: Vec::new(), expected };
        match claim {
            Claim::Insert { patience } => statement.claim(patience),
            Claim::Held => statement.take_claimed(),
        }
        statement.put(&NEW_ACCOUNTS, |effects| &effects.new_accounts, AccountRow::of);
        let changed = |effects: &'a Effects| &effects.changed_accounts;
        statement.update(&CHANGED_ACCOUNTS, changed, AccountRow::of, |account| account.id);
        statement.delete("gone_accounts", "accounts", |effects| &effects.deleted_accounts);
        statement.add_keys();
        statement.put(&DELETED, |effects| &effects.tombstones, DeletedRow::of);
        statement.put(&POLICIES, |effects| &effects.policies, PolicyRow::of);
        statement.put(&USERS, |effects| &effects.users, UserRow::of);
        statement.add_events();
        statement.end();
        statement
    }

    /// Inserts the rows of the commits. Locks the usage of deleted keys before, as a flush does, so that
    /// the two cannot deadlock. For the same reason the shards have an order.
    fn claim(&mut self, patience: &'static str) {
        let deleted = |next: &Next<'_>| next.effects.deleted_keys.clone();
        let deleted: Vec<String> =
            self.next.iter().flat_map(deleted).map(|key| key.to_string()).collect();
        let rows = self.next.iter().map(|next| ClaimRow {
            shard: next.last.shard,
            epoch: next.last.epoch,
            before: next.last.mark,
            mark: next.mark,
            touched: next.effects.subjects().map(|subject| subject.to_string()).collect(),
        });
        let sql = &mut self.sql;
        // An acknowledged write must be durable.
        sql.text("WITH settings AS MATERIALIZED (SELECT set_config('lock_timeout', ")
            .value(patience);
        sql.text(
            ", true), CASE WHEN current_setting('synchronous_commit') = 'off'
                THEN set_config('synchronous_commit', 'on', true) END)",
        );
        if !deleted.is_empty() {
            sql.text(
                ", held AS MATERIALIZED (
                    SELECT u.key FROM settings CROSS JOIN {schema}.usage AS u WHERE u.key = ANY(",
            );
            sql.value(deleted.clone()).text(") ORDER BY u.key FOR UPDATE OF u)");
        }
        sql.text(
            ", claimed AS (
                INSERT INTO {schema}.changes (shard, epoch, mark, touched)
                SELECT n.shard, n.epoch + 1, n.mark, n.touched FROM settings CROSS JOIN ",
        );
        if !deleted.is_empty() {
            sql.text("(SELECT count(*) FROM held) AS h CROSS JOIN ");
        }
        // The row that was read must still be there. A client that was suspended for long could otherwise
        // follow a commit that was forgotten meanwhile, or one of a server that has lost its commits.
        sql.text("jsonb_to_recordset(").value(Json(rows.collect::<Vec<_>>())).text(
            ") AS n (shard smallint, epoch bigint, before int, mark int, touched text[])
                CROSS JOIN LATERAL (
                    SELECT FROM {schema}.changes AS b
                    WHERE b.shard = n.shard AND b.epoch = n.epoch AND b.mark = n.before OFFSET 0
                ) AS b
                ORDER BY n.shard ON CONFLICT DO NOTHING RETURNING shard
            )",
        );
    }

    fn take_claimed(&mut self) {
        for next in self.next {
            let touched: Vec<_> =
                next.effects.subjects().map(|subject| subject.to_string()).collect();
            let Commit { shard, epoch, mark } = next.commit();
            let sql = &mut self.sql;
            sql.text("WITH claimed AS (UPDATE {schema}.changes SET touched = ").value(touched);
            sql.text(" WHERE shard = ").value(shard).text(" AND epoch = ").value(epoch);
            sql.text(" AND mark = ").value(mark).text(" RETURNING shard)");
        }
    }

    /// Returns a row for each record, by shard; `None` if there are none.
    fn rows<C: IntoIterator, R>(
        &self,
        records: impl Fn(&'a Effects) -> C,
        row: impl Fn(C::Item) -> R,
    ) -> Option<ByShard<R>> {
        let of_shard = |next: &Next<'a>| {
            let rows: Vec<R> = records(next.effects).into_iter().map(&row).collect();
            (!rows.is_empty()).then_some((next.last.shard, rows))
        };
        let rows: ByShard<R> = self.next.iter().filter_map(of_shard).collect();
        (!rows.is_empty()).then_some(rows)
    }

    /// Begins a part that has as many rows as these.
    fn begin<R>(&mut self, name: &'static str, rows: &ByShard<R>) -> &mut Parts<'a> {
        self.counted.push(name);
        for (shard, rows) in rows {
            *self.expected.entry(*shard).or_default() += rows.len();
        }
        self.sql.text(&format!(", {name} AS ("))
    }

    /// Adds a part, unless it has no rows. Returns whether it has.
    fn put<C: IntoIterator, R: Serialize>(
        &mut self,
        part: &Part<'_>,
        records: impl Fn(&'a Effects) -> C,
        row: impl Fn(C::Item) -> R,
    ) -> bool {
        let Some(rows) = self.rows(records, row) else { return false };
        let sql = self.begin(part.name, &rows);
        sql.text(part.write).value(Json(rows)).text(" -> claimed.shard::text").text(part.of);
        sql.text(" RETURNING ").text(part.returning).text(")");
        true
    }

    /// Adds a part that changes rows, unless there are none.
    ///
    /// The text of the part ends before the ids of the rows. The server expects many more rows of JSON than
    /// a commit has. Without the ids, it would find their rows by a scan of the whole table.
    fn update<T, R: Serialize, I: ToString>(
        &mut self,
        part: &Part<'_>,
        records: impl Fn(&'a Effects) -> &'a Vec<T>,
        row: impl Fn(&'a T) -> R,
        id: impl Fn(&'a T) -> I,
    ) where
        T: 'a,
    {
        let Some(rows) = self.rows(&records, row) else { return };
        let ids: Vec<I> = self.next.iter().flat_map(|next| records(next.effects)).map(id).collect();
        let sql = self.begin(part.name, &rows);
        sql.text(part.write).value(Json(rows)).text(" -> claimed.shard::text").text(part.of);
        sql.texts(ids).text(" RETURNING ").text(part.returning).text(")");
    }

    /// Adds a part that deletes the rows with these ids.
    fn delete<I: ToString + 'a>(
        &mut self,
        name: &'static str,
        table: &str,
        ids: impl Fn(&'a Effects) -> &'a Vec<I>,
    ) {
        if let Some(ids) = self.rows(ids, I::to_string) {
            let sql = self.begin(name, &ids);
            delete_of_claimed(sql, table, "id", ids);
            sql.text(" RETURNING 1)");
        }
    }

    fn add_keys(&mut self) {
        if self.put(&NEW_KEYS, |effects| &effects.new_keys, KeyRow::of)
            && let Some(new) = self.rows(|effects| &effects.new_keys, |_| ())
        {
            let sql = self.begin("unused", &new);
            sql.text("INSERT INTO {schema}.usage (key, tenant, record) SELECT id, tenant, ");
            sql.value(Json(Usage::default())).text(" FROM new_keys RETURNING 1)");
        }
        let changed = |effects: &'a Effects| &effects.changed_keys;
        self.update(&CHANGED_KEYS, changed, KeyRow::of, |key| *key.id());
        self.delete("gone_keys", "keys", |effects| &effects.deleted_keys);
        if let Some(gone) = self.rows(|effects| &effects.deleted_keys, KeyId::to_string) {
            // A key without a row of usage is not counted: another program may have deleted that row.
            self.sql.text(", gone_usage AS (");
            delete_of_claimed(&mut self.sql, "usage", "key", gone);
            self.sql.text(")");
        }
    }

    fn add_events(&mut self) {
        for (number, (shard, tenant, through)) in forgotten_events(self.next).enumerate() {
            let through = i64::try_from(through).unwrap_or(i64::MAX);
            for (table, column) in [("events", "sequence"), ("deleted", "event")] {
                let sql = &mut self.sql;
                sql.text(&format!(
                    ", forgotten_{table}_{number} AS (
                        DELETE FROM {{schema}}.{table} USING claimed WHERE claimed.shard = "
                ));
                sql.value(shard).text(" AND tenant = ").value(tenant.to_string());
                sql.text(&format!(" AND {column} <= ")).value(through).text(")");
            }
        }
        let write = &insert_events("claimed, ");
        let events = Part { name: "events", write, of: OF_EVENTS, returning: "1" };
        self.put(&events, |effects| &effects.events, EventRow::of);
        let write = &put_tenants("claimed, ");
        let tenants = Part { name: "tenants", write, of: OF_TENANTS, returning: "1" };
        self.put(&tenants, |effects| &effects.last_events, TenantRow::of);
    }

    /// Adds the result: the shards that have their rows.
    fn end(&mut self) {
        let new_keys = |next: &Next<'a>| next.effects.new_keys.iter().map(|key| *key.id());
        let new_accounts = |next: &Next<'a>| next.effects.new_accounts.iter().map(|a| a.id);
        let new_keys = self.next.iter().flat_map(new_keys).map(DeletedId::Key);
        let new_accounts = self.next.iter().flat_map(new_accounts).map(DeletedId::Account);
        let new: Vec<String> = new_keys.chain(new_accounts).map(|id| id.to_string()).collect();
        let count = |part| format!("(SELECT count(*) FROM {part})");
        let counts: Vec<_> = self.counted.iter().map(count).collect();
        let sum = if counts.is_empty() { "0".to_owned() } else { counts.join(" + ") };
        let sql = &mut self.sql;
        sql.text(" SELECT shard, 1 / (CASE WHEN ").text(&sum);
        sql.text(" = (SELECT coalesce(sum((").value(Json(&self.expected));
        sql.text(" -> shard::text)::bigint), 0) FROM claimed) THEN ");
        if new.is_empty() {
            sql.text("1");
        } else {
            // The rows are inserted here. So a transaction that has deleted one of these ids has ended, and
            // the function sees what it has written.
            sql.text("(SELECT {schema}.check_new_ids(").value(new).text("))");
        }
        sql.text(" ELSE 0 END) AS is_written FROM claimed");
    }
}

/// Rows, by shard.
type ByShard<R> = BTreeMap<i16, Vec<R>>;

/// Adds a statement that deletes the rows of the claimed shards with these ids, through an index.
fn delete_of_claimed(sql: &mut Parts<'_>, table: &str, column: &str, ids: ByShard<String>) {
    sql.text(&format!("DELETE FROM {{schema}}.{table} WHERE {column} = ANY("));
    sql.text("ARRAY(SELECT jsonb_array_elements_text(").value(Json(ids));
    sql.text(" -> claimed.shard::text) FROM claimed))");
}

/// Returns the tenants whose oldest events are forgotten, each with its shard and the last number.
fn forgotten_events<'a>(next: &'a [Next<'a>]) -> impl Iterator<Item = (i16, &'a TenantId, u64)> {
    let of_shard = |next: &'a Next<'a>| {
        let forgotten = next.effects.forgotten_events.iter();
        forgotten.map(|(tenant, through)| (next.last.shard, tenant, *through))
    };
    next.iter().flat_map(of_shard)
}
