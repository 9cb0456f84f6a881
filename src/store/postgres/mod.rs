//! A store in PostgreSQL: for a service of many nodes.
//!
//! A commit is one transaction that holds one row from its beginning to its end; see [`commit`].
//! Nothing is remembered between calls, so any number of processes may use one database.

mod commit;
mod errors;
mod hints;
mod lists;
mod migrate;
mod moving;
mod needs;
mod rows;
mod schema;
mod session;
mod usage;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row};

use self::errors::{Failure, database, is_given_up};
use self::needs::read_subject;
use self::schema::Sql;
use self::session::{Attempts, Session};
use super::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    Resolved, Snapshot, StoreError, StoredKey, UsageBatch,
};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::record::policy::Policy;
use crate::record::usage::Usage;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

pub use self::hints::PostgresHints;
pub use self::moving::{Move, MoveError, MoveProgress};
pub use self::schema::{SchemaName, SchemaNameError};

/// How often a transaction that the database gave up for another is tried again.
const ATTEMPTS: u32 = 8;

/// Before anything was read.
const NOTHING_SEEN: i64 = i64::MIN;

const RESOLVE: &str = "
    SELECT s.epoch, k.record AS key, a.record AS account, p.record AS policy
    FROM {schema}.state AS s
    LEFT JOIN {schema}.keys AS k ON k.id = $1
    LEFT JOIN {schema}.accounts AS a ON a.id = k.account
    LEFT JOIN {schema}.policies AS p ON p.tenant = k.tenant";

const KEY: &str = "
    SELECT k.record AS record, u.record AS usage
    FROM {schema}.keys AS k JOIN {schema}.usage AS u ON u.key = k.id
    WHERE k.id = $1 AND k.tenant = $2";

const ACCOUNT: &str = "SELECT record FROM {schema}.accounts WHERE id = $1 AND tenant = $2";

const POLICY: &str = "SELECT record FROM {schema}.policies WHERE tenant = $1";

/// An epoch that no commit has is one of a server that is no more, or older than what is kept. So is
/// the last one that anything here was seen of: it may be newer than what the caller knows.
const CHANGES: &str = "
    SELECT s.epoch, CASE WHEN (
        SELECT bool_and(e = s.epoch OR EXISTS (SELECT 1 FROM {schema}.changes WHERE epoch = e))
        FROM unnest(ARRAY[$1, $2]::bigint[]) AS e
    ) THEN ARRAY(
        SELECT unnest(c.touched) FROM {schema}.changes AS c WHERE c.epoch > $1 ORDER BY c.epoch
    ) END AS touched
    FROM {schema}.state AS s";

/// Keeps everything in PostgreSQL, 13 or later, for any number of nodes. Clones share the store.
///
/// * **The host's own pool.** The store takes a [`PgPool`] of sqlx 0.9 and keeps no connection.
/// * **One order.** Commits of all nodes happen one after another; a limit or a condition holds exactly.
/// * **Durable** as the server is: `synchronous_commit = off` is overruled for changes of keys and usage.
/// * **Nothing cached.** Each verify is one round trip. Put [`CachedStore`](super::CachedStore) in front.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::PostgresStore;
/// use sqlx::postgres::PgPoolOptions;
///
/// // A connection that is checked before each use costs a round trip more: see the guide.
/// let pool = PgPoolOptions::new().test_before_acquire(false);
/// let pool = pool.connect("postgres://keys@db.internal/app").await?;
/// let store = PostgresStore::open(pool).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    pool: PgPool,
    schema: SchemaName,
    /// The channel on which commits are told.
    channel: Arc<str>,
    /// Whether the server may remember statements from one call to the next.
    persistent: bool,
    /// The last epoch that an answer here rested on.
    seen: AtomicI64,
    commits: commit::Statements,
    usage: usage::Statements,
    begin_reading: Sql,
    resolve: Sql,
    key: Sql,
    account: Sql,
    policy: Sql,
    changes: Sql,
    is_moving: Sql,
}

/// How a [`PostgresStore`] is opened.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct PostgresOptions {
    schema: SchemaName,
    keeps_tables: bool,
    is_pooled: bool,
}

impl PostgresOptions {
    /// The schema `keywright`, whose tables are made and brought up to date.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another schema.
    pub fn schema(self, schema: SchemaName) -> Self {
        Self { schema, ..self }
    }

    /// Leaves the tables as they are: [`SchemaName::migrations`] is run by somebody else before.
    pub fn without_migrations(self) -> Self {
        Self { keeps_tables: true, ..self }
    }

    /// For a pooler that gives a connection for a transaction at a time, such as PgBouncer in the
    /// mode `transaction`, and does not track prepared statements.
    ///
    /// Every call is a transaction of its own then, and costs more round trips. Hints do not pass
    /// through such a pooler: see [`PostgresStore::hints`].
    pub fn behind_transaction_pooler(self) -> Self {
        Self { is_pooled: true, ..self }
    }

    /// Opens the store, and makes its tables or brings them up to date.
    ///
    /// Any number of nodes may do so at once.
    ///
    /// # Errors
    /// A [`StoreError`] of the kind
    /// * `Unavailable` if the database can't be reached, its user may not do what is needed, or the
    ///   tables are to be left as they are and are not of this version;
    /// * `Unsupported` if the database does not keep text as UTF-8, or the tables were made by a newer
    ///   version.
    pub async fn open(self, pool: PgPool) -> Result<PostgresStore, StoreError> {
        let store = self.open_tables(pool).await?;
        if store.0.read_one(&store.0.is_moving, &[]).await?.is_some() {
            return Err(is_moving());
        }
        Ok(store)
    }

    /// The same, whether a move has ended or not.
    async fn open_tables(self, pool: PgPool) -> Result<PostgresStore, StoreError> {
        if self.keeps_tables {
            migrate::check(&pool, &self.schema).await?;
        } else {
            migrate::migrate(&pool, &self.schema).await?;
        }
        let schema = self.schema;
        Ok(PostgresStore(Arc::new(Inner {
            pool,
            channel: format!("keywright_{schema}").into(),
            persistent: !self.is_pooled,
            seen: AtomicI64::new(NOTHING_SEEN),
            commits: commit::Statements::of(&schema),
            usage: usage::Statements::of(&schema),
            begin_reading: schema.sql("BEGIN READ ONLY"),
            resolve: schema.sql(RESOLVE),
            key: schema.sql(KEY),
            account: schema.sql(ACCOUNT),
            policy: schema.sql(POLICY),
            changes: schema.sql(CHANGES),
            is_moving: schema.sql("SELECT 1 FROM {schema}.state WHERE is_moving"),
            schema,
        })))
    }
}

impl PostgresStore {
    /// Opens the store in the schema `keywright`, as [`PostgresOptions::open`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn open(pool: PgPool) -> Result<Self, StoreError> {
        PostgresOptions::new().open(pool).await
    }

    /// The pool that the store was given.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }
}

fn is_moving() -> StoreError {
    StoreError::unavailable("keys are being moved into these tables: finish the move first")
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.0.schema.as_str()).finish()
    }
}

impl Inner {
    /// A connection to read with. Behind a pooler it is one server's as long as a transaction lasts.
    async fn session(&self) -> Result<Session, StoreError> {
        let session = if self.persistent {
            Session::plain(&self.pool).await
        } else {
            Session::begin(&self.pool, &self.begin_reading).await
        };
        session.map_err(database)
    }

    /// Reads one row or none.
    async fn read_one(&self, sql: &Sql, bound: &[&str]) -> Result<Option<PgRow>, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let mut query = sqlx::query(sql.safe()).persistent(self.persistent);
            for text in bound {
                query = query.bind(*text);
            }
            let found = query.fetch_optional(session.connection()).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(found);
            }
        }
    }

    async fn changes_since(&self, since: i64, seen: i64) -> Result<PgRow, StoreError> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let changes = sqlx::query(self.changes.safe()).persistent(self.persistent);
            let changes = changes.bind(since).bind(seen);
            let found = changes.fetch_one(session.connection()).await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(found);
            }
        }
    }

    fn saw(&self, epoch: i64) {
        self.seen.fetch_max(epoch, Ordering::SeqCst);
    }

    async fn resolve(&self, key: KeyId) -> Resolved {
        let row = self.read_one(&self.resolve, &[key.as_str()]).await?;
        let missing = || StoreError::corrupt("the row is missing that every commit holds");
        let row = row.ok_or_else(missing)?;
        let read = || {
            self.saw(row.try_get("epoch")?);
            let key: Option<Json<KeyRecord>> = row.try_get("key")?;
            let account: Option<Json<ServiceAccount>> = row.try_get("account")?;
            let policy: Option<Json<Policy>> = row.try_get("policy")?;
            Ok((key.map(|row| row.0), account.map(|row| row.0), policy.map(|row| row.0)))
        };
        let (record, account, policy) = read().map_err(database)?;
        let Some(record) = record else { return Ok(None) };
        let snapshot = Snapshot::new(record, account.map(Arc::new), policy.map(Arc::new))?;
        Ok(Some(Arc::new(snapshot).into()))
    }
}

#[async_trait]
impl KeyStore for PostgresStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        Resolve::boxed(self.0.resolve(*key))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let row = self.0.read_one(&self.0.key, &[key.as_str(), tenant.as_str()]).await?;
        let read = |row: PgRow| {
            let record: Json<KeyRecord> = row.try_get("record")?;
            let usage: Json<Usage> = row.try_get("usage")?;
            Ok(StoredKey { record: record.0, usage: usage.0 })
        };
        row.map(read).transpose().map_err(database)
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let row = self.0.read_one(&self.0.account, &[account.as_str(), tenant.as_str()]).await?;
        let read = |row: PgRow| Ok(row.try_get::<Json<ServiceAccount>, _>("record")?.0);
        row.map(read).transpose().map_err(database)
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        let row = self.0.read_one(&self.0.policy, &[tenant.as_str()]).await?;
        let read = |row: PgRow| Ok(row.try_get::<Json<Policy>, _>("record")?.0);
        row.map(read).transpose().map_err(database)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.0.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.0.events(tenant, query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        for _ in 1..ATTEMPTS {
            match self.0.try_commit(batch.clone()).await {
                Err(Failure::Database(error)) if is_given_up(&error) => {}
                ended => return Ok(ended?),
            }
        }
        Ok(self.0.try_commit(batch).await?)
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        for _ in 1..ATTEMPTS {
            match self.0.try_add_usage(batch).await {
                Err(Failure::Database(error)) if is_given_up(&error) => {}
                ended => return Ok(ended?),
            }
        }
        Ok(self.0.try_add_usage(batch).await?)
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        // A number that no bigint has is no epoch of ours.
        let since = i64::try_from(since.0).unwrap_or(-1);
        let seen = self.0.seen.load(Ordering::SeqCst);
        let row =
            self.0.changes_since(since, if seen == NOTHING_SEEN { since } else { seen }).await?;
        let epoch: i64 = row.try_get("epoch").map_err(database)?;
        let touched: Option<Vec<String>> = row.try_get("touched").map_err(database)?;
        if touched.is_none() {
            // Whatever was seen of commits that are no more, the caller forgets now.
            let _ = self.0.seen.compare_exchange(seen, epoch, Ordering::SeqCst, Ordering::SeqCst);
        }
        self.0.saw(epoch);
        let read = |touched: Vec<String>| touched.iter().map(|text| read_subject(text)).collect();
        let touched = touched.map(read).transpose()?;
        Ok(Changes { epoch: Epoch(epoch.cast_unsigned()), touched })
    }
}
