//! The list of tenants, which only an operator of the host reads.

use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, QueryBuilder, Row};

use super::database::Database;
use super::session::Attempts;
use crate::store::error::StoreError;
use crate::store::query::{Page, TenantEntry, TenantQuery};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// Counts the records of each tenant on the page. The bound value is the time.
const COUNT: &str = "
    SELECT t.tenant, t.last_event,
        (SELECT count(*) FROM {schema}.keys AS k WHERE k.tenant = t.tenant) AS keys,
        (SELECT count(*) FROM {schema}.accounts AS a WHERE a.tenant = t.tenant) AS accounts,
        (SELECT count(*) FROM {schema}.keys AS k
            WHERE k.tenant = t.tenant AND NOT k.revoked AND k.expires_at > ";

impl Database {
    pub(super) async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = self.find_tenants(session.connection(), query, at).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(query.page(found));
            }
        }
    }

    async fn find_tenants(
        &self,
        connection: &mut PgConnection,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Vec<TenantEntry>, Error> {
        // PostgreSQL cannot store a NUL, so no tenant's id has one.
        if query.prefix.as_ref().is_some_and(|prefix| prefix.contains('\0')) {
            return Ok(Vec::new());
        }
        let mut statement = QueryBuilder::new(self.schema.sql(COUNT).as_str());
        statement.push_bind(at.unix_micros());
        statement.push(self.schema.sql(") AS live_keys FROM {schema}.tenants AS t").as_str());
        statement.push(" WHERE t.last_event > 0");
        if let Some(prefix) = &query.prefix {
            // The comparison lets the index find the first row.
            statement.push(" AND t.tenant >= ").push_bind(prefix);
            statement.push(" AND starts_with(t.tenant, ").push_bind(prefix).push(")");
        }
        if let Some(after) = &query.after {
            statement.push(" AND t.tenant > ").push_bind(after.as_str());
        }
        let limit = query.page_size() + 1;
        statement.push(" ORDER BY t.tenant LIMIT ");
        statement.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = statement.build().persistent(self.persistent).fetch_all(connection).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &PgRow) -> Result<TenantEntry, Error> {
    let count = |column| Ok::<u64, Error>(row.try_get::<i64, _>(column)?.cast_unsigned());
    let tenant: &str = row.try_get("tenant")?;
    let tenant: TenantId = tenant.parse().map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(TenantEntry {
        tenant,
        live_keys: count("live_keys")?,
        keys: count("keys")?,
        accounts: count("accounts")?,
        last_event: count("last_event")?,
    })
}
