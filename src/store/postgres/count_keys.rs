//! The number of the keys that match a query, in one statement.

use sqlx::{Postgres, QueryBuilder, Row};

use super::database::Database;
use super::errors::database;
use super::filters::{KIND_AND_ID, can_match, narrow_keys, pattern, push_shown_names};
use super::session::Attempts;
use crate::store::error::StoreError;
use crate::store::query::KeyQuery;
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

impl Database {
    pub(super) async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        if !can_match(query) {
            return Ok(0);
        }
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut statement = self.counting(tenant, query, at);
            let mut session = self.session().await?;
            let row = statement.build().persistent(self.is_kept(query));
            let row = row.fetch_one(session.connection()).await;
            if let Some(row) = attempts.end(session, row).await? {
                return Ok(row.try_get::<i64, _>("keys").map_err(database)?.cast_unsigned());
            }
        }
    }

    fn counting(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> QueryBuilder<Postgres> {
        let keys = self.schema.sql("SELECT count(*) AS keys FROM {schema}.keys AS k");
        let mut statement = QueryBuilder::new(keys.as_str());
        if query.unused_since.is_some() || query.never_used {
            statement.push(self.schema.sql(" JOIN {schema}.usage AS u ON u.key = k.id").as_str());
        }
        statement.push(" WHERE k.tenant = ").push_bind(tenant.to_string());
        narrow_keys(&mut statement, &self.schema, Some(tenant), query, at);
        if let Some(text) = &query.search {
            statement.push(" AND (");
            push_search(&mut statement, text);
            push_shown_names(&mut statement, &self.schema, Some(tenant), text);
            statement.push(")");
        }
        statement
    }
}

/// Adds the conditions under which a search finds a text of the key itself, each with an `OR` behind
/// it. Without them, the conditions of a search are met by more keys than it finds; those of all
/// other filters are exact.
///
/// The lines of the column are the name, the id, the id of the owner, the contact if there is one, and the
/// lines of the description.
fn push_search(statement: &mut QueryBuilder<Postgres>, text: &str) {
    const NAME: &str = "split_part(k.search, chr(10), 1)";
    const ID: &str = "split_part(k.search, chr(10), 2)";
    const OWNER: &str = "split_part(k.search, chr(10), 3)";
    const CONTACT: &str = "split_part(k.search, chr(10), 4)";
    let behind_owner = format!("length({NAME}) + length({ID}) + length({OWNER}) + 4");
    if text.contains('\n') {
        // Only a description has more than one line.
        let contact = format!(
            "CASE WHEN k.record #>> '{{key,contact}}' IS NULL THEN 0 ELSE length({CONTACT}) + 1 END"
        );
        let description = format!("substr(k.search, {behind_owner} + {contact}) LIKE ");
        statement.push(description).push_bind(pattern(text)).push(" OR ");
        return;
    }
    let owner = if text.contains(':') { KIND_AND_ID } else { OWNER };
    let notes = format!("substr(k.search, {behind_owner})");
    for part in [NAME, ID, owner, &notes] {
        statement.push(part).push(" LIKE ").push_bind(pattern(text)).push(" OR ");
    }
    // A display prefix is found from its start, with at least one character of the id.
    let prefix = "(k.record #>> '{key,prefix}') || '_'";
    statement.push(format_args!("(starts_with({prefix} || {ID}, ")).push_bind(text.to_owned());
    statement.push(") AND length(").push_bind(text.to_owned());
    statement.push(format_args!(") > length({prefix})) OR "));
}
