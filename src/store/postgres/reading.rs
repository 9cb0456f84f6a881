//! Reads the rows that a batch needs, in one statement.

use std::str::FromStr;

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::errors::{Failure, is_moving};
use super::schema::{SchemaName, Sql};
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::user::User;
use crate::store::error::StoreError;
use crate::store::plan::{ReadSet, Rows};

/// Every part of the union uses an index. An `OR` next to an `IN` would scan the whole table.
const READ: &str = "
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
    SELECT 'user', u.owner, u.version, u.record
    FROM unnest($12::text[], $13::text[]) AS w (tenant, owner)
    JOIN {schema}.users AS u ON u.tenant = w.tenant AND u.owner = w.owner
    UNION ALL
    SELECT 'deleted', id, event, NULL FROM {schema}.deleted WHERE id = ANY($9)
    UNION ALL
    SELECT 'tenant', tenant, last_event, NULL FROM {schema}.tenants WHERE tenant IN (
        SELECT unnest($10::text[])
        UNION SELECT tenant FROM {schema}.keys WHERE id = ANY($11)
        UNION SELECT tenant FROM {schema}.accounts WHERE id = ANY($6)
    )";

/// The statement that reads the rows.
pub(super) struct Reading(Sql);

impl Reading {
    pub(super) fn of(schema: &SchemaName) -> Self {
        Self(schema.sql(READ))
    }

    /// Reads the rows of a set into `rows`, and returns the current epoch; 0 if its row is missing.
    pub(super) async fn read(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        set: &ReadSet,
        rows: &mut Rows,
    ) -> Result<u64, Failure> {
        let (owners, users) = (&set.owners, &set.users);
        let found = sqlx::query(self.0.safe())
            .persistent(database.persistent)
            .bind(texts(&set.keys))
            .bind(texts(owners.iter().map(|wanted| &wanted.tenant)))
            .bind(texts(owners.iter().map(|wanted| &wanted.owner)))
            .bind(owners.iter().map(|wanted| wanted.at.unix_micros()).collect::<Vec<_>>())
            .bind(owners.iter().map(|wanted| i64::from(wanted.most)).collect::<Vec<_>>())
            .bind(texts(&set.emptied_accounts))
            .bind(texts(&set.accounts))
            .bind(texts(&set.policies))
            .bind(texts(&set.deleted))
            .bind(texts(&set.tenants))
            .bind(texts(&set.numbered_keys))
            .bind(texts(users.iter().map(|(tenant, _)| tenant)))
            .bind(texts(users.iter().map(|(_, user)| Owner::User(user.clone()))))
            .fetch_all(connection)
            .await?;
        let mut epoch = 0;
        for row in &found {
            take(row, rows, &mut epoch)?;
        }
        Ok(epoch)
    }
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn take(row: &PgRow, rows: &mut Rows, epoch: &mut u64) -> Result<(), Failure> {
    let what: &str = row.try_get("what")?;
    match what {
        "epoch" => *epoch = number(row)?,
        "moving" => return Err(is_moving().into()),
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
            rows.policies.insert(id(row)?, row.try_get::<Json<TenantPolicy>, _>("record")?.0);
        }
        "deleted" => {
            rows.deleted.insert(id(row)?);
        }
        "tenant" => {
            rows.last_events.insert(id(row)?, number(row)?);
        }
        _ => return Err(StoreError::corrupt(format!("unexpected row of kind {what:?}")).into()),
    }
    Ok(())
}

/// Returns the number of a commit or event, which is never negative.
fn number(row: &PgRow) -> Result<u64, Failure> {
    let number: i64 = row.try_get("number")?;
    let negative = |_| {
        StoreError::corrupt(format!(
            "the number of a commit or event must not be negative, got {number}"
        ))
    };
    Ok(u64::try_from(number).map_err(negative)?)
}

fn id<T: FromStr>(row: &PgRow) -> Result<T, Failure> {
    let name: &str = row.try_get("name")?;
    name.parse().map_err(|_| StoreError::corrupt(format!("{name:?} is not an id")).into())
}
