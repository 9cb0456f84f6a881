//! The policies of tenants, in one statement.

use std::sync::Arc;

use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use super::database::Database;
use super::session::Attempts;
use crate::record::policy::TenantPolicy;
use crate::store::error::StoreError;
use crate::value::id::TenantId;

/// The list is a subquery, so that the server does not plan the statement again for each short list.
const POLICIES: &str = "
    SELECT p.record
    FROM unnest((SELECT $1::text[])) WITH ORDINALITY AS t (tenant, place)
    LEFT JOIN {schema}.policies AS p ON p.tenant = t.tenant
    ORDER BY t.place";

impl Database {
    pub(super) async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = self.find_policies(session.connection(), tenants).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(found);
            }
        }
    }

    async fn find_policies(
        &self,
        connection: &mut PgConnection,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, Error> {
        let tenants: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
        let statement = sqlx::query(self.schema.sql(POLICIES).safe()).persistent(self.persistent);
        let rows = statement.bind(tenants).fetch_all(connection).await?;
        let record =
            |row| Ok(Row::try_get::<Option<Json<_>>, _>(row, "record")?.map(|r| Arc::new(r.0)));
        rows.iter().map(record).collect()
    }
}
