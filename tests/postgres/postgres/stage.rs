//! Shared parts of these tests: a database for each test, records to write, and a call of every
//! store method.

use std::sync::LazyLock;
use std::time::Duration;

use keywright::store::{
    AccountQuery, Batch, Change, EventQuery, Freshness, KeyQuery, KeyRecord, KeyStore, Marker,
    MemoryStore, PostgresOptions, PostgresStore, StoreError, StoreErrorKind, TenantQuery,
    UsageBatch, UsageDelta, UseKind,
};
use keywright::{
    AccountId, Event, KeyId, Name, NewAccount, Owner, RoleName, ServiceAccount, TenantId, Timestamp,
};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use common::database::Server;
use common::{World, admin, block_on, start, tenant};

/// An empty database on the server that all tests share.
pub(crate) struct Stage {
    pub(crate) server: &'static Server,
    database: &'static str,
}

impl Stage {
    pub(crate) async fn new(database: &'static str) -> Self {
        let server = Server::shared();
        server.create(database).await;
        Self { server, database }
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.options(self.database)
    }

    pub(crate) async fn pool(&self, connections: u32) -> PgPool {
        self.server.pool(self.database, connections).await
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::open(self.pool(8).await).await.expect("a store")
    }
}

/// Returns a pool that connects on first use.
pub(crate) fn patient(options: PgConnectOptions, connections: u32) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
    pool.connect_lazy_with(options)
}

/// Returns a pool with a short timeout, for a server that is unreachable.
pub(crate) fn impatient(options: PgConnectOptions, connections: u32) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
    pool.acquire_timeout(Duration::from_millis(250)).connect_lazy_with(options)
}

/// Runs SQL statements.
pub(crate) async fn run(pool: &PgPool, sql: impl Into<String>) {
    let sql = sql.into();
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(pool).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Returns the rows of a query with one text column.
pub(crate) async fn texts(pool: &PgPool, sql: impl Into<String>) -> Vec<String> {
    let sql = sql.into();
    let found = sqlx::query_scalar(AssertSqlSafe(sql.clone())).persistent(false).fetch_all(pool);
    found.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Returns the result of a query for one number.
pub(crate) async fn number(pool: &PgPool, sql: impl Into<String>) -> i64 {
    let sql = format!("SELECT ({})::bigint", sql.into());
    let found = sqlx::query_scalar(AssertSqlSafe(sql.clone())).persistent(false).fetch_one(pool);
    found.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Waits until a query returns true.
pub(crate) async fn until(pool: &PgPool, sql: &str) {
    for _ in 0..1_500 {
        if number(pool, format!("SELECT ({sql})::int")).await == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the query never became true: {sql}");
}

/// Waits until another connection to the pool's database waits for a lock.
pub(crate) async fn until_one_waits(pool: &PgPool) {
    let waits = "EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    until(pool, waits).await;
}

/// A key and an account as the authority generates them.
static MADE: LazyLock<(Value, Value)> = LazyLock::new(|| {
    block_on(async {
        let store = MemoryStore::new();
        let world = World::on(store.clone());
        let issued = world.key().await;
        let role = RoleName::new("analyst").expect("a role");
        let account = NewAccount::new(Name::new("nightly").expect("a name"), role);
        let account =
            world.authority.create_account(&admin(), account).await.expect("an account").account;
        let stored = store.key(&tenant(), &issued.key.id).await.expect("it works").expect("a key");
        let json = |value| serde_json::to_value(value).expect("a record serializes");
        (json(&stored.record), serde_json::to_value(account).expect("an account serializes"))
    })
});

/// Returns the id with this number.
pub(crate) fn id(number: u64) -> KeyId {
    format!("{number:016}").parse().expect("an id")
}

/// Returns the key with this number, after a change.
pub(crate) fn key_with(number: u64, change: impl FnOnce(&mut Value)) -> KeyRecord {
    let mut record = MADE.0.clone();
    record["key"]["id"] = json!(id(number));
    change(&mut record["key"]);
    serde_json::from_value(record).expect("a record")
}

pub(crate) fn key(number: u64) -> KeyRecord {
    key_with(number, |_| {})
}

/// Returns the next version of a record, after a change.
pub(crate) fn next(record: &KeyRecord, change: impl FnOnce(&mut Value)) -> KeyRecord {
    let mut json = serde_json::to_value(record).expect("a record serializes");
    json["key"]["version"] = json!(record.version() + 1);
    change(&mut json["key"]);
    serde_json::from_value(json).expect("a record")
}

/// Returns the account with this number, after a change.
pub(crate) fn account_with(number: u64, change: impl FnOnce(&mut Value)) -> ServiceAccount {
    let mut account = MADE.1.clone();
    account["id"] = json!(account_id(number));
    change(&mut account);
    serde_json::from_value(account).expect("an account")
}

pub(crate) fn account_id(number: u64) -> AccountId {
    format!("{number:016}").parse().expect("an id")
}

/// Returns a key with this number that an account owns.
pub(crate) fn key_of_account(number: u64, account: u64) -> KeyRecord {
    key_with(number, |key| key["owner"] = json!(Owner::Account(account_id(account))))
}

/// Returns an event with this name in its details.
pub(crate) fn event(name: &str) -> Event {
    event_with(|event| event["details"]["name"] = json!(name))
}

/// Returns an event, after a change.
pub(crate) fn event_with(change: impl FnOnce(&mut Value)) -> Event {
    let mut event = json!({
        "sequence": 0, "tenant": tenant(), "at": start(), "actor": "system", "kind": "key.rename",
        "key": null, "account": null, "previous_account": null, "source_address": null,
        "outcome": "done", "details": {},
    });
    change(&mut event);
    serde_json::from_value(event).expect("an event")
}

pub(crate) fn batch(changes: impl IntoIterator<Item = Change>) -> Batch {
    Batch { changes: changes.into_iter().collect(), ..Batch::of(tenant()) }
}

/// Returns a batch of another tenant, which adds a key and an event that names it.
pub(crate) fn insert_in(tenant: &TenantId, number: u64) -> Batch {
    let key = key_with(number, |key| key["tenant"] = json!(tenant));
    let event = event_with(|event| {
        event["tenant"] = json!(tenant);
        event["details"]["name"] = json!(id(number));
    });
    let changes = vec![Change::InsertKey(key)];
    Batch { changes, events: vec![event], ..Batch::of(tenant.clone()) }
}

/// Returns the shard of a tenant that has a key.
pub(crate) async fn shard(pool: &PgPool, tenant: &TenantId) -> i64 {
    number(pool, format!("SELECT max(shard) FROM keywright.keys WHERE tenant = '{tenant}'")).await
}

/// Returns a batch that adds a key and an event that names it.
pub(crate) fn insert(number: u64) -> Batch {
    let events = vec![event(id(number).as_str())];
    Batch { events, ..batch([Change::InsertKey(key(number))]) }
}

pub(crate) fn delta(number: u64, uses: u64, last_used_at: Timestamp) -> UsageDelta {
    UsageDelta {
        key: id(number),
        kind: UseKind::Accepted { secret_number: 1 },
        uses,
        last_used_at,
        alert: None,
    }
}

pub(crate) fn usage(writer: u8, sequence: u64, deltas: Vec<UsageDelta>) -> UsageBatch {
    UsageBatch { writer: [writer; 16], sequence, at: start(), deltas }
}

/// Returns the number of rows that mention this key in each of the four tables: one in each, or
/// none if the key was never written.
pub(crate) async fn traces(pool: &PgPool, number: u64) -> [i64; 4] {
    let id = id(number);
    // One statement sees one snapshot.
    let sql = format!(
        "SELECT ARRAY[(SELECT count(*) FROM keywright.keys WHERE id = '{id}'),
            (SELECT count(*) FROM keywright.usage WHERE key = '{id}'),
            (SELECT count(*) FROM keywright.events WHERE record #>> '{{details,name}}' = '{id}'),
            (SELECT count(*) FROM keywright.changes WHERE 'key:{id}' = ANY(touched))]"
    );
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(pool).await;
    let found: Vec<i64> = found.expect("four numbers");
    found.try_into().expect("four numbers")
}

/// Calls every method of the store once and returns the results. Key 1 must exist, and key `new` is
/// added.
pub(crate) async fn every_method(
    store: &PostgresStore,
    new: u64,
) -> [(&'static str, Result<(), StoreErrorKind>); METHODS.len()] {
    let mut ended = METHODS.map(|method| (method, Ok(())));
    for (method, end) in &mut ended {
        *end = call(store, method, new).await.map_err(|error| error.kind());
    }
    ended
}

pub(crate) const METHODS: [&str; 15] = [
    "resolve",
    "key",
    "account",
    "user",
    "policies",
    "keys",
    "owned_keys",
    "count_keys",
    "accounts",
    "events",
    "keys_of_all_tenants",
    "tenants",
    "commit",
    "add_usage",
    "changes",
];

/// Calls a method. Panics if an existing record is reported as absent.
pub(crate) async fn call(store: &PostgresStore, method: &str, new: u64) -> Result<(), StoreError> {
    let tenant = tenant();
    match method {
        "resolve" => {
            let found = store.resolve(&id(1), Freshness::StoreDefault).await?;
            found.map(drop).expect("the key is there");
        }
        "key" => store.key(&tenant, &id(1)).await?.map(drop).expect("the key is there"),
        "account" => drop(store.account(&tenant, &account_id(1)).await?),
        "user" => drop(store.user(&tenant, &common::user("alice")).await?),
        "policies" => drop(store.policies(&[tenant]).await?),
        "keys" => {
            let page = store.keys(&tenant, &KeyQuery::new(), start()).await?;
            assert!(!page.items.is_empty(), "the key is there");
        }
        "owned_keys" => {
            let owners = [Owner::Organization, Owner::User(common::user("alice"))];
            let found = store.owned_keys(&tenant, &owners, 5, start()).await?;
            assert_eq!(found.len(), owners.len(), "each owner has an answer");
        }
        "count_keys" => {
            let keys = store.count_keys(&tenant, &KeyQuery::new(), start()).await?;
            assert!(keys > 0, "the key is there");
        }
        "accounts" => drop(store.accounts(&tenant, &AccountQuery::new()).await?),
        "events" => drop(store.events(&tenant, &EventQuery::new()).await?),
        "keys_of_all_tenants" => {
            let page = store.keys_of_all_tenants(&KeyQuery::new(), start()).await?;
            assert!(!page.items.is_empty(), "the key is there");
        }
        "tenants" => drop(store.tenants(&TenantQuery::new(), start()).await?),
        "commit" => drop(store.commit(insert(new)).await?),
        "add_usage" => store.add_usage(&usage(1, new, vec![delta(1, 1, start())])).await?,
        "changes" => drop(store.changes(&Marker::default()).await?),
        other => panic!("there is no method {other}"),
    }
    Ok(())
}

/// Opens the store with and without migrations, and returns both results.
pub(crate) async fn opened_both_ways(pool: &PgPool) -> [Result<PostgresStore, StoreError>; 2] {
    let options = PostgresOptions::new();
    [
        options.clone().open(pool.clone()).await,
        options.without_migrations().open(pool.clone()).await,
    ]
}
