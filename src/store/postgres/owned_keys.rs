//! The numbers of the keys of owners, and the newest of them, in one statement.

use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use super::database::Database;
use super::rows::stored_key;
use super::session::Attempts;
use crate::record::key::Owner;
use crate::store::error::StoreError;
use crate::store::query::OwnedKeys;
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// Each owner has one row for each of its newest keys, and at least one. Both numbers come from an
/// index.
const OWNED_KEYS: &str = "
    SELECT o.place, n.*,
        (SELECT count(*) FROM {schema}.keys WHERE tenant = $1 AND owner = o.owner) AS all_keys,
        (SELECT count(*) FROM {schema}.keys
            WHERE tenant = $1 AND owner = o.owner AND NOT revoked AND expires_at > $3) AS live_keys
    FROM unnest($2::text[]) WITH ORDINALITY AS o (owner, place)
    LEFT JOIN LATERAL (
        SELECT k.created_at, k.id, k.record AS record, u.record AS usage, a.record AS account,
            w.record AS user
        FROM {schema}.keys AS k JOIN {schema}.usage AS u ON u.key = k.id
        LEFT JOIN {schema}.accounts AS a ON a.id = k.account
        LEFT JOIN {schema}.users AS w ON w.tenant = k.tenant AND w.owner = k.owner
        WHERE k.tenant = $1 AND k.owner = o.owner
        ORDER BY k.created_at DESC, k.id DESC LIMIT $4
    ) AS n ON true
    ORDER BY o.place, n.created_at DESC, n.id DESC";

impl Database {
    pub(super) async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = self.find_owned(session.connection(), tenant, owners, most, at).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(found);
            }
        }
    }

    async fn find_owned(
        &self,
        connection: &mut PgConnection,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, Error> {
        let statement = sqlx::query(self.schema.sql(OWNED_KEYS).safe()).persistent(self.persistent);
        let rows = statement
            .bind(tenant.as_str())
            .bind(owners.iter().map(Owner::to_string).collect::<Vec<_>>())
            .bind(at.unix_micros())
            .bind(i64::from(most))
            .fetch_all(connection)
            .await?;
        let mut found: Vec<OwnedKeys> = Vec::with_capacity(owners.len());
        for row in &rows {
            let place: i64 = row.try_get("place")?;
            // The first row of the next owner.
            if usize::try_from(place).is_ok_and(|place| place > found.len()) {
                let (live, all) = (count(row, "live_keys")?, count(row, "all_keys")?);
                found.push(OwnedKeys { live, all, keys: Vec::new() });
            }
            let has_key = row.try_get::<Option<&str>, _>("id")?.is_some();
            if let Some(owned) = found.last_mut().filter(|_| has_key) {
                owned.keys.push(stored_key(row)?);
            }
        }
        Ok(found)
    }
}

fn count(row: &PgRow, column: &str) -> Result<u64, Error> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}
