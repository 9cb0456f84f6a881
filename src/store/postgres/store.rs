//! The store: it reads in one statement and passes writes on to [`Commits`] and [`UsageWrites`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row};

use super::commit::ATTEMPTS;
use super::database::Database;
use super::errors::{self, Failure, database as database_error, is_given_up, missing_state};
use super::groups::Groups;
use super::migrate;
use super::options::PostgresOptions;
use super::rows::{owner_of, stored_key};
use super::schema::Sql;
use super::shard::Commit;
use super::usage::UsageWrites;
use crate::observe::{StoreRetry, count_store_retry};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Freshness;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::snapshot::Snapshot;
use crate::record::usage::UsageBatch;
use crate::record::user::User;
use crate::store::KeyStore;
use crate::store::batch::Batch;
use crate::store::changes::{Changes, Marker};
use crate::store::error::StoreError;
use crate::store::query::{
    AccountQuery, EventQuery, KeyQuery, OwnedKeys, Page, StoredKey, TenantEntry, TenantQuery,
};
use crate::store::resolve::{Look, Resolve, Resolved};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

const IS_MOVING: &str = "SELECT 1 FROM {schema}.state WHERE is_moving";

/// Reads a key for a verification, with the last commit of its tenant's shard. A deleted id has a shard
/// too. An id that was never used has none, and no lost commit could make it less absent.
const RESOLVE: &str = "
    SELECT c.shard, c.epoch, c.mark, k.record AS key, a.record AS account, w.record AS user,
        p.record AS policy
    FROM (VALUES ($1)) AS i (id)
    LEFT JOIN {schema}.keys AS k ON k.id = i.id
    LEFT JOIN {schema}.accounts AS a ON a.id = k.account
    LEFT JOIN {schema}.users AS w ON w.tenant = k.tenant AND w.owner = k.owner
    LEFT JOIN {schema}.policies AS p ON p.tenant = k.tenant
    LEFT JOIN LATERAL (
        SELECT shard, epoch, mark FROM {schema}.changes
        WHERE shard = coalesce(k.shard, (SELECT shard FROM {schema}.deleted WHERE id = 'key:' || i.id))
        ORDER BY epoch DESC LIMIT 1
    ) AS c ON true";

const KEY: &str = "
    SELECT k.record AS record, u.record AS usage, a.record AS account, w.record AS user
    FROM {schema}.keys AS k JOIN {schema}.usage AS u ON u.key = k.id
    LEFT JOIN {schema}.accounts AS a ON a.id = k.account
    LEFT JOIN {schema}.users AS w ON w.tenant = k.tenant AND w.owner = k.owner
    WHERE k.id = $1 AND k.tenant = $2";

const ACCOUNT: &str = "SELECT record FROM {schema}.accounts WHERE id = $1 AND tenant = $2";

/// Reads a user's record, which the owner `user:ID` names.
const USER: &str = "SELECT record FROM {schema}.users WHERE tenant = $1 AND owner = 'user:' || $2";

/// A store in PostgreSQL 13 or later, for any number of nodes.
///
/// Clones share the store.
///
/// * **Your own pool.** The store uses a [`PgPool`] of sqlx 0.9. It returns the connection after each
///   call.
/// * **One order for each tenant.** The commits of all nodes in a tenant happen one after another, so
///   limits and conditions hold exactly. Commits of different tenants rarely wait for each other: the
///   tenants share 64 shards.
/// * **Groups.** Commits that wait on one node share a statement, also those of several tenants. If it
///   fails for one of them, each is written apart.
/// * **Durable** as the server is. The store overrules `synchronous_commit = off` for its own writes.
/// * **Not cached.** Each verification costs one round trip. Put a
///   [`CachedStore`](crate::store::CachedStore) in front of the store.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::PostgresStore;
/// use sqlx::postgres::PgPoolOptions;
///
/// // By default sqlx tests a connection before each use, which costs a round trip. The store does
/// // not need that: it tries the next connection if one is broken.
/// let pool = PgPoolOptions::new().test_before_acquire(false);
/// let pool = pool.connect("postgres://keys@db.internal/app").await?;
/// let store = PostgresStore::open(pool).await?;
/// # Ok(()) }
/// ```
///
/// See [Many nodes](crate::guide::nodes) in the guide.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    database: Arc<Database>,
    groups: Arc<Groups>,
    usage: UsageWrites,
    resolve: Sql,
    key: Sql,
    account: Sql,
    user: Sql,
}

impl PostgresStore {
    /// Opens the store in the schema `keywright`, and creates or upgrades its tables.
    ///
    /// Use [`PostgresOptions`] for other settings.
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// # use keywright::store::PostgresStore;
    /// let pool = sqlx::PgPool::connect("postgres://keys@db.internal/app").await?;
    /// let store = PostgresStore::open(pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The errors of [`PostgresOptions::open`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables are as before or as after the call.
    pub async fn open(pool: PgPool) -> Result<Self, StoreError> {
        PostgresOptions::new().open(pool).await
    }

    /// Returns the pool that the store uses.
    ///
    /// ```no_run
    /// # async fn check(store: keywright::store::PostgresStore) -> Result<(), sqlx::Error> {
    /// sqlx::query("SELECT 1").execute(store.pool()).await?; // a health check of the database
    /// # Ok(()) }
    /// ```
    pub fn pool(&self) -> &PgPool {
        &self.0.database.pool
    }

    pub(in crate::store) fn database(&self) -> &Database {
        &self.0.database
    }
}

impl PostgresOptions {
    /// Opens the store, and creates or upgrades its tables.
    ///
    /// Several nodes can call this at the same time.
    ///
    /// ```no_run
    /// # async fn open(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// # use keywright::store::{PostgresOptions, SchemaName};
    /// let schema = SchemaName::new("api_keys")?;
    /// let store = PostgresOptions::new().schema(schema).open(pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A [`StoreError`] of the kind
    /// * `Unavailable` if the database cannot be reached, its user lacks a privilege, a transfer into the
    ///   tables has not finished, or the tables are missing or old and the store must not migrate them;
    /// * `Unsupported` if the database encoding is not UTF-8, or the tables come from a newer version of
    ///   keywright.
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables are as before or as after the call.
    pub async fn open(self, pool: PgPool) -> Result<PostgresStore, StoreError> {
        let store = self.open_tables(pool).await?;
        let is_moving = store.0.database.schema.sql(IS_MOVING);
        if store.0.database.read_one(&is_moving, &[]).await?.is_some() {
            return Err(errors::is_moving());
        }
        Ok(store)
    }

    /// Opens the store also if a transfer into the tables has not finished.
    pub(in crate::store) async fn open_tables(
        self,
        pool: PgPool,
    ) -> Result<PostgresStore, StoreError> {
        if self.keeps_tables {
            migrate::check(&pool, &self.schema).await?;
        } else {
            migrate::migrate(&pool, &self.schema).await?;
        }
        let schema = self.schema;
        let database = Arc::new(Database::new(pool, schema.clone(), !self.is_pooled)?);
        Ok(PostgresStore(Arc::new(Inner {
            groups: Arc::new(Groups::of(Arc::clone(&database))),
            usage: UsageWrites::of(&schema),
            resolve: schema.sql(RESOLVE),
            key: schema.sql(KEY),
            account: schema.sql(ACCOUNT),
            user: schema.sql(USER),
            database,
        })))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.0.database.schema.as_str()).finish()
    }
}

impl Inner {
    async fn resolve(&self, key: KeyId) -> Resolved {
        let row = self.database.read_one(&self.resolve, &[key.as_str()]).await?;
        let row = row.ok_or_else(|| missing_state(&self.database.schema))?;
        let read = || {
            let key: Option<Json<KeyRecord>> = row.try_get("key")?;
            let policy: Option<Json<TenantPolicy>> = row.try_get("policy")?;
            let seen = match row.try_get("shard")? {
                Some(shard) => {
                    let (epoch, mark) = (row.try_get("epoch")?, row.try_get("mark")?);
                    Some(Commit { shard, epoch, mark })
                }
                None => None,
            };
            Ok((key.map(|row| row.0), owner_of(&row)?, policy.map(|row| row.0), seen))
        };
        let (record, owner, policy, seen) = read().map_err(database_error)?;
        match seen {
            Some(seen) => self.database.seen.note(seen),
            None if record.is_some() => return Err(missing_state(&self.database.schema)),
            None => {}
        }
        let Some(record) = record else { return Ok(None) };
        let snapshot = Snapshot::new(record, owner, policy.map(Arc::new))?;
        Ok(Some(Arc::new(snapshot).into()))
    }
}

#[async_trait]
impl KeyStore for PostgresStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        Resolve::boxed(self.0.resolve(*key))
    }

    fn peek(&self, _: &KeyId, _: Freshness, _: &mut Look<'_>) -> bool {
        false
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let row = self.0.database.read_one(&self.0.key, &[key.as_str(), tenant.as_str()]).await?;
        row.map(|row| stored_key(&row)).transpose().map_err(database_error)
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let row =
            self.0.database.read_one(&self.0.account, &[account.as_str(), tenant.as_str()]).await?;
        let read = |row: PgRow| Ok(row.try_get::<Json<ServiceAccount>, _>("record")?.0);
        row.map(read).transpose().map_err(database_error)
    }

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        let row = self.0.database.read_one(&self.0.user, &[tenant.as_str(), user.as_str()]).await?;
        let read = |row: PgRow| Ok(row.try_get::<Json<User>, _>("record")?.0);
        row.map(read).transpose().map_err(database_error)
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        self.0.database.policies(tenants).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.database.keys(tenant, query, at).await
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        self.0.database.owned_keys(tenant, owners, most, at).await
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.0.database.count_keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.0.database.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.0.database.events(tenant, query).await
    }

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.database.keys_of_all_tenants(query, at).await
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        self.0.database.tenants(query, at).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.0.groups.commit(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        for attempt in 1.. {
            match self.0.usage.write(&self.0.database, batch).await {
                Err(Failure::Database(error)) if attempt < ATTEMPTS && is_given_up(&error) => {
                    count_store_retry(StoreRetry::Overtaken);
                }
                Err(failure) => return Err(failure.into()),
                Ok(()) => break,
            }
        }
        self.0.database.forget_soon();
        Ok(())
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        self.0.database.changes(since).await
    }
}
