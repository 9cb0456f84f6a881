//! What a batch looks at: asked for in one statement, and taken from its rows.

use std::str::FromStr;

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use super::errors::Failure;
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::store::image::{DeletedId, Effects, Tombstone};
use crate::store::{Batch, Change, Condition, StoreError, Subject};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// Each part finds its rows by an index: `IN` over a union, and no `OR` beside it, which reads all.
pub(super) const READ: &str = "
    SELECT CASE WHEN is_moving THEN 'moving' ELSE 'epoch' END AS what, NULL AS name,
        epoch AS number, NULL::jsonb AS record
    FROM {schema}.state
    UNION ALL
    SELECT 'key', id, 0, record FROM {schema}.keys WHERE id = ANY($1)
    UNION ALL
    SELECT 'key', k.id, 0, k.record
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS o (tenant, owner, at, most)
    CROSS JOIN LATERAL (
        SELECT id, record FROM {schema}.keys
        WHERE tenant = o.tenant AND owner = o.owner AND NOT revoked AND expires_at > o.at AND id <> ALL($1)
        LIMIT o.most
    ) AS k
    UNION ALL
    SELECT 'key', k.id, 0, k.record
    FROM unnest($6::text[]) AS a (id)
    CROSS JOIN LATERAL (
        SELECT id, record FROM {schema}.keys WHERE account = a.id AND id <> ALL($1) LIMIT 1
    ) AS k
    UNION ALL
    SELECT 'account', id, 0, record FROM {schema}.accounts WHERE id IN (
        SELECT unnest($7::text[])
        UNION SELECT account FROM {schema}.keys WHERE id = ANY($1)
    )
    UNION ALL
    SELECT 'policy', tenant, version, record FROM {schema}.policies WHERE tenant = ANY($8)
    UNION ALL
    SELECT 'deleted', id, event, to_jsonb(tenant) FROM {schema}.deleted WHERE id = ANY($9)
    UNION ALL
    SELECT 'tenant', tenant, last_event, NULL FROM {schema}.tenants WHERE tenant IN (
        SELECT unnest($10::text[])
        UNION SELECT tenant FROM {schema}.keys WHERE id = ANY($11)
        UNION SELECT tenant FROM {schema}.accounts WHERE id = ANY($6)
    )";

/// What a batch looks at, as the statement takes it.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) keys: Vec<String>,
    /// Keys that are deleted: the tenant's events say how long their ids are remembered.
    pub(super) gone: Vec<String>,
    pub(super) owners: Owners,
    /// Accounts that are deleted, and must own no other key.
    pub(super) emptied: Vec<String>,
    pub(super) accounts: Vec<String>,
    pub(super) policies: Vec<String>,
    pub(super) deleted: Vec<String>,
    pub(super) tenants: Vec<String>,
}

/// Of an owner's live keys, so many.
#[derive(Default)]
pub(super) struct Owners {
    pub(super) tenants: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) at: Vec<i64>,
    pub(super) most: Vec<i64>,
}

impl Needs {
    pub(super) fn of(batch: &Batch) -> Self {
        let mut needs = Self::default();
        for condition in &batch.conditions {
            needs.add_condition(condition);
        }
        for change in &batch.changes {
            needs.add_change(change);
        }
        needs.tenants.extend(batch.events.iter().map(|event| event.tenant.to_string()));
        needs
    }

    fn add_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::AccountVersion { account, .. } => self.accounts.push(account.to_string()),
            Condition::PolicyVersion { tenant, .. } => self.policies.push(tenant.to_string()),
            Condition::LiveKeysBelow { tenant, owner, limit, at } => {
                self.add_owner(tenant, owner, *at, (*limit).into());
            }
            Condition::NoLiveKeyLeft { tenant, owner, at } => self.add_owner(tenant, owner, *at, 1),
        }
    }

    fn add_owner(&mut self, tenant: &TenantId, owner: &Owner, at: Timestamp, most: i64) {
        self.accounts.extend(owner.account().map(|id| id.to_string()));
        self.owners.tenants.push(tenant.to_string());
        self.owners.names.push(owner.to_string());
        self.owners.at.push(at.unix_micros());
        self.owners.most.push(most);
    }

    fn add_change(&mut self, change: &Change) {
        match change {
            Change::InsertKey(record) => {
                self.keys.push(record.id().to_string());
                self.deleted.push(DeletedId::Key(*record.id()).to_string());
                self.accounts.extend(record.key().owner.account().map(|id| id.to_string()));
            }
            Change::UpdateKey(record) => {
                self.keys.push(record.id().to_string());
                self.accounts.extend(record.key().owner.account().map(|id| id.to_string()));
            }
            Change::RevokeKey { key, .. } => self.keys.push(key.to_string()),
            Change::DeleteKey(key) => {
                self.keys.push(key.to_string());
                self.gone.push(key.to_string());
            }
            Change::InsertAccount(account) => {
                self.accounts.push(account.id.to_string());
                self.deleted.push(DeletedId::Account(account.id).to_string());
            }
            Change::UpdateAccount(account) => self.accounts.push(account.id.to_string()),
            Change::DeleteAccount(account) => {
                self.accounts.push(account.to_string());
                self.emptied.push(account.to_string());
            }
            Change::PutPolicy { tenant, .. } => self.policies.push(tenant.to_string()),
            Change::ForgetEvents { tenant, .. } => self.tenants.push(tenant.to_string()),
        }
    }
}

/// Takes a row of what a batch looks at.
pub(super) fn take(row: &PgRow, found: &mut Effects) -> Result<(), Failure> {
    let what: &str = row.try_get("what")?;
    let number = || number(row.try_get("number")?);
    match what {
        "epoch" => found.epoch = number()?,
        "moving" => return Err(super::is_moving().into()),
        "key" => found.keys.push(row.try_get::<Json<KeyRecord>, _>("record")?.0),
        "account" => found.accounts.push(row.try_get::<Json<ServiceAccount>, _>("record")?.0),
        "policy" => {
            found.policies.push((parse(row)?, row.try_get::<Json<Policy>, _>("record")?.0));
        }
        "tenant" => {
            found.last_events.insert(parse(row)?, number()?);
        }
        _ => found.tombstones.push(Tombstone {
            id: parse(row)?,
            tenant: row.try_get::<Json<TenantId>, _>("record")?.0,
            event: number()?,
        }),
    }
    Ok(())
}

/// A number that counts up: it is never below 0.
pub(super) fn number(number: i64) -> Result<u64, Failure> {
    let negative = |_| StoreError::corrupt(format!("{number} is no number of a commit or event"));
    Ok(u64::try_from(number).map_err(negative)?)
}

fn parse<T: FromStr>(row: &PgRow) -> Result<T, Failure> {
    let name: &str = row.try_get("name")?;
    name.parse().map_err(|_| StoreError::corrupt(format!("{name:?} is no id")).into())
}

pub(super) fn write_subject(subject: &Subject) -> String {
    match subject {
        Subject::Key(id) => format!("key:{id}"),
        Subject::Account(id) => format!("account:{id}"),
        Subject::Policy(tenant) => format!("policy:{tenant}"),
        Subject::Events(tenant) => format!("events:{tenant}"),
    }
}

pub(super) fn read_subject(text: &str) -> Result<Subject, StoreError> {
    let subject = text.split_once(':').and_then(|(kind, id)| match kind {
        "key" => Some(Subject::Key(id.parse().ok()?)),
        "account" => Some(Subject::Account(id.parse().ok()?)),
        "policy" => Some(Subject::Policy(id.parse().ok()?)),
        "events" => Some(Subject::Events(id.parse().ok()?)),
        _ => None,
    });
    subject.ok_or_else(|| StoreError::corrupt(format!("{text:?} is nothing that a commit touches")))
}
