//! Reads the rows that a group of batches needs, in one statement.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::errors::{Failure, is_moving, missing_state};
use super::parts::Parts;
use super::shard::Commit;
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::user::User;
use crate::store::batch::{Batch, Change};
use crate::store::error::StoreError;
use crate::store::plan::{OwnerKeys, ReadSet, Rows};
use crate::value::id::{KeyId, TenantId};

/// The rows to read, and the shards whose last commits to read with them.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    shards: Vec<i16>,
    set: ReadSet,
    /// The tenants whose last event to read.
    tenants: Vec<TenantId>,
    /// The keys whose accounts to read.
    owned: Vec<KeyId>,
    /// The keys that the batches delete.
    pub(super) deleted_keys: Vec<KeyId>,
}

/// The answer beside the rows.
pub(super) struct Read {
    /// The last commit of each shard, in the order of the question.
    pub(super) last: Vec<Commit>,
    /// Whether the statement ran in the isolation level that writing needs.
    pub(super) is_committed: bool,
}

impl Wanted {
    /// Returns the rows that a group of batches needs.
    ///
    /// The batches of a shard are planned one after another, each on the rows that those before it leave
    /// behind. A key that any of them names is among [`ReadSet::keys`], so the live keys that are read for
    /// an owner are those that no batch of the group changes.
    pub(super) fn of<'b>(shares: impl IntoIterator<Item = (i16, &'b [Batch])>) -> Self {
        let mut wanted = Self::default();
        let mut owners: HashMap<(TenantId, Owner), OwnerKeys> = HashMap::new();
        for (shard, batches) in shares {
            wanted.shards.push(shard);
            for batch in batches {
                wanted.add(batch, &mut owners);
            }
        }
        wanted.set.owners = owners.into_values().collect();
        wanted.tenants.sort_unstable();
        wanted.tenants.dedup();
        wanted
    }

    fn add(&mut self, batch: &Batch, owners: &mut HashMap<(TenantId, Owner), OwnerKeys>) {
        let mut set = ReadSet::of(batch);
        for owner in set.owners.drain(..) {
            match owners.entry((owner.tenant.clone(), owner.owner.clone())) {
                Entry::Vacant(place) => drop(place.insert(owner)),
                Entry::Occupied(known) => {
                    let known = known.into_mut();
                    known.at = known.at.min(owner.at);
                    known.most = known.most.max(owner.most);
                }
            }
        }
        let mut inserted = HashSet::new();
        for change in &batch.changes {
            match change {
                Change::InsertKey(key) => drop(inserted.insert(*key.id())),
                Change::DeleteKey(key) => self.deleted_keys.push(*key),
                _ => {}
            }
        }
        self.owned.extend(set.keys.iter().filter(|id| !inserted.contains(id)));
        self.tenants.extend(set.numbered.take());
        let all = &mut self.set;
        all.keys.append(&mut set.keys);
        all.accounts.append(&mut set.accounts);
        all.emptied_accounts.append(&mut set.emptied_accounts);
        all.users.append(&mut set.users);
        all.policies.append(&mut set.policies);
        all.deleted.append(&mut set.deleted);
    }

    /// Returns the rows that the alerts of a shard need.
    pub(super) fn of_alerts(shard: i16, keys: Vec<KeyId>, mut tenants: Vec<TenantId>) -> Self {
        tenants.sort_unstable();
        tenants.dedup();
        let set = ReadSet { keys, ..ReadSet::default() };
        Self { shards: vec![shard], set, tenants, ..Self::default() }
    }

    /// Reads the rows into `rows`, and the last commits of the shards.
    pub(super) async fn read(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        rows: &mut Rows,
    ) -> Result<Read, Failure> {
        let found = self.statement(database).query()?.fetch_all(connection).await?;
        let (mut last, mut is_committed) = (HashMap::new(), true);
        for row in &found {
            match row.try_get("what")? {
                "moving" => return Err(is_moving().into()),
                what @ ("commit" | "isolated") => {
                    let mark = row.try_get::<Json<i32>, _>("record")?.0;
                    let shard = id(row)?;
                    let commit = Commit { shard, epoch: row.try_get("number")?, mark };
                    last.insert(shard, commit);
                    is_committed &= what == "commit";
                }
                what => take(row, what, rows)?,
            }
        }
        let last: Option<Vec<_>> = self.shards.iter().map(|shard| last.remove(shard)).collect();
        Ok(Read { last: last.ok_or_else(|| missing_state(&database.schema))?, is_committed })
    }

    /// Builds the statement of the parts that have something to read. Every part uses an index. An `OR`
    /// next to an `IN` would scan the whole table.
    fn statement<'a>(&self, database: &'a Database) -> Parts<'a> {
        let set = &self.set;
        let mut sql = Parts::of(database);
        sql.text(
            "SELECT CASE WHEN s.is_moving THEN 'moving'
                    WHEN current_setting('transaction_isolation') <> 'read committed' THEN 'isolated'
                    ELSE 'commit' END AS what,
                k.shard::text AS name, c.epoch AS number, to_jsonb(c.mark) AS record
            FROM {schema}.state AS s CROSS JOIN unnest(",
        );
        sql.numbers(self.shards.iter().copied().map(i64::from)).text(
            ") AS k (shard) CROSS JOIN LATERAL (
                SELECT epoch, mark FROM {schema}.changes WHERE shard = k.shard::smallint
                ORDER BY epoch DESC LIMIT 1
            ) AS c",
        );
        if !set.keys.is_empty() {
            sql.text(" UNION ALL SELECT 'key', id, 0, record FROM {schema}.keys WHERE id = ANY");
            sql.texts(&set.keys);
        }
        if !set.owners.is_empty() {
            let owners = &set.owners;
            sql.text(" UNION ALL SELECT 'key', k.id, 0, k.record FROM unnest(");
            sql.texts(owners.iter().map(|wanted| &wanted.tenant)).text(", ");
            sql.texts(owners.iter().map(|wanted| &wanted.owner)).text(", ");
            sql.numbers(owners.iter().map(|wanted| wanted.at.unix_micros())).text(", ");
            // Two batches may count the keys of an owner at two times. The keys that expire last are
            // live at both.
            sql.numbers(owners.iter().map(|wanted| i64::from(wanted.most))).text(
                ") AS o (tenant, owner, at, most) CROSS JOIN LATERAL (
                    SELECT id, record FROM {schema}.keys
                    WHERE tenant = o.tenant AND owner = o.owner AND NOT revoked AND expires_at > o.at
                        AND id <> ALL",
            );
            sql.texts(&set.keys).text(" ORDER BY expires_at DESC LIMIT o.most) AS k");
        }
        if !set.emptied_accounts.is_empty() {
            sql.text(" UNION ALL SELECT 'key', k.id, 0, k.record FROM unnest(");
            sql.texts(&set.emptied_accounts).text(
                ") AS a (id) CROSS JOIN LATERAL (
                    SELECT id, record FROM {schema}.keys WHERE account = a.id AND id <> ALL",
            );
            sql.texts(&set.keys).text(" LIMIT 1) AS k");
        }
        if !set.accounts.is_empty() {
            sql.text(
                " UNION ALL SELECT 'account', id, 0, record FROM {schema}.accounts WHERE id = ANY",
            );
            sql.texts(&set.accounts);
        }
        if !self.owned.is_empty() {
            sql.text(
                " UNION ALL SELECT 'account', a.id, 0, a.record FROM {schema}.keys AS k
                JOIN {schema}.accounts AS a ON a.id = k.account WHERE k.id = ANY",
            );
            sql.texts(&self.owned);
        }
        if !set.policies.is_empty() {
            sql.text(
                " UNION ALL SELECT 'policy', tenant, version, record FROM {schema}.policies
                WHERE tenant = ANY",
            );
            sql.texts(&set.policies);
        }
        if !set.users.is_empty() {
            sql.text(" UNION ALL SELECT 'user', u.owner, u.version, u.record FROM unnest(");
            sql.texts(set.users.iter().map(|(tenant, _)| tenant)).text(", ");
            sql.texts(set.users.iter().map(|(_, user)| Owner::User(user.clone()))).text(
                ") AS w (tenant, owner)
                JOIN {schema}.users AS u ON u.tenant = w.tenant AND u.owner = w.owner",
            );
        }
        if !set.deleted.is_empty() {
            sql.text(
                " UNION ALL SELECT 'deleted', id, event, NULL FROM {schema}.deleted WHERE id = ANY",
            );
            sql.texts(&set.deleted);
        }
        if !self.tenants.is_empty() {
            sql.text(
                " UNION ALL SELECT 'tenant', tenant, last_event, NULL FROM {schema}.tenants
                WHERE tenant = ANY",
            );
            sql.texts(&self.tenants);
        }
        sql
    }
}

fn take(row: &PgRow, what: &str, rows: &mut Rows) -> Result<(), Failure> {
    match what {
        "key" => {
            let record = row.try_get::<Json<KeyRecord>, _>("record")?.0;
            rows.keys.insert(*record.id(), record);
        }
        "account" => {
            let account = row.try_get::<Json<ServiceAccount>, _>("record")?.0;
            rows.accounts.insert(account.id, account);
        }
        "user" => {
            let user = row.try_get::<Json<User>, _>("record")?.0;
            rows.users.insert((user.tenant.clone(), user.id.clone()), user);
        }
        "policy" => {
            let policy = row.try_get::<Json<TenantPolicy>, _>("record")?.0;
            rows.policies.insert(id(row)?, policy);
        }
        "deleted" => drop(rows.deleted.insert(id(row)?)),
        "tenant" => drop(rows.last_events.insert(id(row)?, number(row)?)),
        _ => return Err(StoreError::corrupt(format!("unexpected row of kind {what:?}")).into()),
    }
    Ok(())
}

/// Returns the number of an event, which is never negative.
fn number(row: &PgRow) -> Result<u64, Failure> {
    let number: i64 = row.try_get("number")?;
    let negative = |_| {
        StoreError::corrupt(format!("the number of an event must not be negative, got {number}"))
    };
    Ok(u64::try_from(number).map_err(negative)?)
}

fn id<T: FromStr>(row: &PgRow) -> Result<T, Failure> {
    let name: &str = row.try_get("name")?;
    name.parse().map_err(|_| StoreError::corrupt(format!("{name:?} is not an id")).into())
}
