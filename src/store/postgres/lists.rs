//! Pages of keys, accounts and events.
//!
//! The database filters coarsely, orders, and starts after the cursor. The query itself decides which
//! rows match and builds the page, as it does for every store.

use sqlx::types::Json;
use sqlx::{Error, PgConnection, Postgres, QueryBuilder, Row};

use super::database::Database;
use super::filters::{can_be_stored, can_match, narrow_keys, pattern};
use super::rows::stored_key;
use super::schema::{SchemaName, Sql};
use super::session::Attempts;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::store::error::StoreError;
use crate::store::query::{
    AccountQuery, EventQuery, KeyPosition, KeyQuery, KeySort, Page, StoredKey,
};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

fn select(schema: &SchemaName, template: &str) -> QueryBuilder<Postgres> {
    QueryBuilder::new(schema.sql(template).as_str())
}

impl Database {
    pub(super) async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.page_of_keys(Some(tenant), query, at).await
    }

    pub(super) async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.page_of_keys(None, query, at).await
    }

    /// Returns a page of the keys of one tenant, or of all tenants.
    async fn page_of_keys(
        &self,
        tenant: Option<&TenantId>,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = self.find_keys(session.connection(), tenant, query, at).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(
                    query.page(found.iter().map(|s| (&s.record, s.usage, s.owner.clone())), at)
                );
            }
        }
    }

    async fn find_keys(
        &self,
        connection: &mut PgConnection,
        tenant: Option<&TenantId>,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Vec<StoredKey>, Error> {
        let wanted = query.page_size() + 1;
        let mut found = Vec::new();
        let mut behind = query.begin().cloned();
        while found.len() < wanted && can_match(query) {
            let mut statement = select(
                &self.schema,
                "SELECT k.record AS record, u.record AS usage, a.record AS account, w.record AS user \
                 FROM {schema}.keys AS k JOIN {schema}.usage AS u ON u.key = k.id \
                 LEFT JOIN {schema}.accounts AS a ON a.id = k.account \
                 LEFT JOIN {schema}.users AS w ON w.tenant = k.tenant AND w.owner = k.owner \
                 WHERE ",
            );
            match tenant {
                Some(tenant) => statement.push("k.tenant = ").push_bind(tenant.as_str()),
                None => statement.push("true"),
            };
            narrow_keys(&mut statement, &self.schema, tenant, query, at);
            order_keys(&mut statement, query, behind.as_ref());
            let limit = wanted - found.len();
            statement.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = statement.build().persistent(self.is_kept(query));
            let rows = rows.fetch_all(&mut *connection).await?;
            for row in &rows {
                let stored = stored_key(row)?;
                behind = Some(query.position(&stored.record, &stored.usage));
                if query.matches(&stored.record, &stored.usage, stored.owner.as_ref(), at) {
                    found.push(stored);
                }
            }
            if rows.len() < limit {
                break;
            }
        }
        Ok(found)
    }

    pub(super) async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = self.find_accounts(session.connection(), tenant, query).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(query.page(&found));
            }
        }
    }

    async fn find_accounts(
        &self,
        connection: &mut PgConnection,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Vec<ServiceAccount>, Error> {
        let wanted = query.page_size() + 1;
        let mut found: Vec<ServiceAccount> = Vec::new();
        let mut behind = query.after;
        while found.len() < wanted && can_be_stored(&query.search) {
            let mut statement =
                select(&self.schema, "SELECT record FROM {schema}.accounts WHERE tenant = ");
            statement.push_bind(tenant.as_str());
            if let Some(text) = &query.search {
                statement.push(" AND search LIKE ").push_bind(pattern(text));
            }
            if let Some((created_at, id)) = behind {
                statement.push(" AND (created_at, id) > (").push_bind(created_at.unix_micros());
                statement.push(", ").push_bind(id.to_string()).push(")");
            }
            let limit = wanted - found.len();
            statement.push(" ORDER BY created_at, id LIMIT ");
            statement.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows: Vec<Json<ServiceAccount>> = statement
                .build_query_scalar()
                .persistent(self.persistent)
                .fetch_all(&mut *connection)
                .await?;
            let is_last = rows.len() < limit;
            behind = rows.last().map(|account| (account.0.created_at, account.0.id));
            found
                .extend(rows.into_iter().map(|row| row.0).filter(|account| query.matches(account)));
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    pub(super) async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = self.find_events(session.connection(), tenant, query).await;
            if let Some((found, beyond)) = attempts.end(session, found).await? {
                let page = query.page(found.into_iter().map(Ok::<_, StoreError>))?;
                let next = page.next.or_else(|| beyond.map(|number| query.clone().from(number)));
                return Ok(Page { items: page.items, next });
            }
        }
    }

    /// Returns the events that match and, if the page reaches its maximum of examined events, the
    /// number of the first event that it did not examine.
    ///
    /// Events that an index excludes are not examined. The other filters examine each event.
    async fn find_events(
        &self,
        connection: &mut PgConnection,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<(Vec<Event>, Option<u64>), Error> {
        let direction = if query.is_oldest_first() { "ASC" } else { "DESC" };
        let examined = i64::try_from(EventQuery::MAX_EXAMINED).unwrap_or(i64::MAX);
        let events = self.schema.sql("{schema}.events WHERE tenant = ");
        let mut statement = QueryBuilder::new("");
        let EventQuery { actor, kind, since, until, .. } = query;
        if actor.is_some() || kind.is_some() || since.is_some() || until.is_some() {
            statement.push("(SELECT NULL::jsonb AS record, sequence FROM ");
            narrow_events(&mut statement, &events, tenant, query);
            statement.push(format_args!(" ORDER BY sequence {direction} OFFSET "));
            statement.push_bind(examined).push(" LIMIT 1) UNION ALL ");
        }
        statement.push("(SELECT record, sequence FROM (SELECT * FROM ");
        narrow_events(&mut statement, &events, tenant, query);
        statement.push(format_args!(" ORDER BY sequence {direction} LIMIT "));
        statement.push_bind(examined);
        statement.push(") AS e WHERE true");
        if let Some(actor) = &query.actor {
            statement.push(" AND actor = ").push_bind(actor.to_string());
        }
        if let Some(kind) = query.kind {
            statement.push(" AND kind = ").push_bind(kind.to_string());
        }
        if let Some(since) = query.since {
            statement.push(" AND at >= ").push_bind(since.unix_micros());
        }
        if let Some(until) = query.until {
            statement.push(" AND at < ").push_bind(until.unix_micros());
        }
        statement.push(format_args!(" ORDER BY sequence {direction} LIMIT "));
        let limit = query.page_size() + 1;
        statement.push_bind(i64::try_from(limit).unwrap_or(i64::MAX)).push(")");
        let rows = statement.build().persistent(self.persistent).fetch_all(connection).await?;
        let (mut found, mut beyond) = (Vec::new(), None);
        for row in &rows {
            match row.try_get::<Option<Json<Event>>, _>("record")? {
                Some(event) => found.push(event.0),
                None => beyond = Some(row.try_get::<i64, _>("sequence")?.cast_unsigned()),
            }
        }
        Ok((found, beyond))
    }
}

/// Adds the rows that an index can find in the order of the events' numbers. An account has two
/// indexes, whose rows the server merges.
fn narrow_events(
    statement: &mut QueryBuilder<Postgres>,
    events: &Sql,
    tenant: &TenantId,
    query: &EventQuery,
) {
    statement.push("(SELECT * FROM ").push(events.as_str());
    narrow_range(statement, tenant, query);
    if let Some(account) = query.account {
        let account = account.to_string();
        statement.push(" AND account = ").push_bind(account.clone());
        statement.push(" UNION ALL SELECT * FROM ").push(events.as_str());
        narrow_range(statement, tenant, query);
        statement.push(" AND previous_account = ").push_bind(account.clone());
        statement.push(" AND account IS DISTINCT FROM ").push_bind(account);
    }
    statement.push(") AS found");
}

fn narrow_range(statement: &mut QueryBuilder<Postgres>, tenant: &TenantId, query: &EventQuery) {
    let range = query.sequences();
    let bound = |sequence: u64| i64::try_from(sequence).unwrap_or(i64::MAX);
    statement.push_bind(tenant.to_string());
    statement.push(" AND sequence >= ").push_bind(bound(*range.start()));
    statement.push(" AND sequence <= ").push_bind(bound(*range.end()));
    if let Some(key) = query.key {
        statement.push(" AND key = ").push_bind(key.to_string());
    }
}

fn order_keys(
    statement: &mut QueryBuilder<Postgres>,
    query: &KeyQuery,
    behind: Option<&KeyPosition>,
) {
    let (sort, descending) = query.order();
    let column = match sort {
        KeySort::Created => "k.created_at",
        KeySort::Updated => "k.updated_at",
        KeySort::Name => "k.name",
        KeySort::Expires => "k.expires_at",
        KeySort::LastUsed => "u.last_used_at",
    };
    // The id must come from the table whose index has the order.
    let id = if sort == KeySort::LastUsed { "u.key" } else { "k.id" };
    if sort == KeySort::LastUsed {
        statement.push(" AND u.tenant = k.tenant");
    }
    if let Some(position) = behind {
        let comparison = if descending { "<" } else { ">" };
        statement.push(format_args!(" AND ({column}, {id}) {comparison} ("));
        match position.text() {
            Some(text) => statement.push_bind(text.to_owned()),
            None => statement.push_bind(position.number()),
        };
        statement.push(", ").push_bind(position.id().to_string()).push(")");
    }
    let direction = if descending { "DESC" } else { "ASC" };
    statement.push(format_args!(" ORDER BY {column} {direction}, {id} {direction}"));
}
