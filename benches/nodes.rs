//! The cost of many nodes: the cache beside the store in memory, PostgreSQL beside bare statements, and a
//! move of a million keys. Starts a server of its own, with the settings that it comes with.
//!
//! ```text
//! cargo bench -p keywright-benches --bench nodes [-- FILTER]
//! ```
//!
//! FILTER is cache, miss, writes, idle or million. The figures have the form of the benchmark
//! `figures`.

#[path = "kit/mod.rs"]
mod kit;

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use keywright::store::{
    CacheOptions, CachedStore, Freshness, KeyQuery, KeyStore, MemoryStore, PostgresOptions,
    PostgresStore, SchemaName, Transfer, UsageBatch, UsageDelta, UseKind,
};
use keywright::{AccessRequest, Clock, KeyId, PepperRing, SystemClock, Verifier};
use rand::seq::SliceRandom;
use sqlx::{AssertSqlSafe, PgPool};

use crate::kit::{World, figure, head, ready};
use common::database::Server;
use common::needs::Need;

const MANY: usize = 1_000_000;
/// The number of keys in one flush.
const FLUSHED: usize = 1_000;
/// The number of tokens that are verified before, during and after a transfer.
const SAMPLED: usize = 1_000;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = |name: &str| filter.as_deref().is_none_or(|filter| name.contains(filter));
    head();
    if wanted("cache") {
        cache();
    }
    if let Some(reason) = Need::Postgres.missing() {
        return println!("skipped the other benchmarks: {reason}");
    }
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _context = runtime.enter();
    let pool = block_on(server.pool("postgres", 10));
    if wanted("miss") {
        miss(&pool);
    }
    if wanted("writes") {
        writes(&pool);
    }
    if wanted("idle") {
        idle(&pool);
    }
    if wanted("million") {
        million(&pool);
    }
}

fn store(pool: &PgPool, schema: &str) -> PostgresStore {
    let schema = SchemaName::new(schema).expect("a name");
    block_on(PostgresOptions::new().schema(schema).open(pool.clone())).expect("a store")
}

/// Measures the same check from the cache and from the store in memory.
fn cache() {
    let plain = World::new(MemoryStore::new(), PepperRing::none());
    let store = MemoryStore::new();
    let options = CacheOptions::new().max_staleness(Duration::from_secs(3_600));
    let cached = CachedStore::new(store, options).expect("a cache");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _context = runtime.enter();
    block_on(cached.sync()).expect("the store answers");
    let world = World::new(cached, PepperRing::none());
    let [ours, theirs] = [&world, &plain].map(|world| world.generate("hot").token);
    block_on(world.verifier.verify(ours.expose())).expect("it is fetched once");
    let request = AccessRequest::token(ours.expose()).write().scope(&world.scope);
    let other = AccessRequest::token(theirs.expose()).write().scope(&plain.scope);
    figure(
        "verify hot, cached / in memory",
        2_000,
        || {
            black_box(ready(world.verifier.verify_request(black_box(&request))).expect("accepted"));
        },
        || {
            black_box(ready(plain.verifier.verify_request(black_box(&other))).expect("accepted"));
        },
    );
}

/// A read that the cache does not have, beside one bare row by its primary key.
fn miss(pool: &PgPool) {
    let store = store(pool, "miss");
    let world = World::new(store.clone(), PepperRing::none());
    let id = world.generate("missed").key.id;
    let text = id.to_string();
    let bare = || {
        let row: (String,) = block_on(
            sqlx::query_as("SELECT record::text FROM miss.keys WHERE id = $1")
                .bind(&text)
                .fetch_one(pool),
        )
        .expect("a row");
        black_box(row);
    };
    figure(
        "miss / one bare row",
        100,
        || {
            black_box(block_on(store.resolve(&id, Freshness::StoreDefault)).expect("it answers"));
        },
        bare,
    );
}

/// Measures durable writes next to plain inserts and updates of the same rows, each in one
/// transaction.
fn writes(pool: &PgPool) {
    let store = store(pool, "writes");
    let world = World::new(store.clone(), PepperRing::none());
    run(pool, BARE_TABLES);
    let mut number = 0;
    let mut bare = 0_i64;
    figure(
        "generate / bare insert of its rows",
        20,
        || {
            number += 1;
            black_box(world.generate(&format!("u{number}")));
        },
        || {
            bare += 1;
            block_on(bare_insert(pool, bare)).expect("inserted");
        },
    );

    let ids: Vec<KeyId> =
        (0..FLUSHED).map(|n| world.generate(&format!("u{}", 1_000_000 + n)).key.id).collect();
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut sequence = 0;
    figure(
        "flush of 1,000 keys / bare update of them",
        3,
        || {
            sequence += 1;
            let at = SystemClock.now();
            let delta = |key: &KeyId| UsageDelta {
                key: *key,
                kind: UseKind::Accepted { secret_number: 1 },
                uses: 3,
                last_used_at: at,
                alert: None,
            };
            let deltas = ids.iter().map(delta).collect();
            let batch = UsageBatch { writer: [7; 16], sequence, at, deltas };
            block_on(store.add_usage(&batch)).expect("added");
        },
        || {
            let update = "UPDATE writes.usage AS u SET last_used_at = u.last_used_at + 1, record = u.record \
                FROM unnest($1::text[]) AS n (key) WHERE u.key = n.key";
            block_on(sqlx::query(update).bind(&names).execute(pool)).expect("updated");
        },
    );
}

const BARE_TABLES: &str = "
    CREATE SCHEMA bare;
    CREATE TABLE bare.keys (LIKE writes.keys INCLUDING ALL);
    CREATE TABLE bare.usage (LIKE writes.usage INCLUDING ALL);
    CREATE TABLE bare.events (LIKE writes.events INCLUDING ALL);
    CREATE TABLE bare.changes (LIKE writes.changes INCLUDING ALL);";

/// Inserts the rows of a generated key: the key, its usage, its event, and the change for caches.
async fn bare_insert(pool: &PgPool, number: i64) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    for statement in [
        "INSERT INTO bare.keys SELECT $1::text, tenant, owner, NULL, name, created, updated, not_before, \
            expires, disabled, revoked, version, search, record FROM writes.keys LIMIT 1",
        "INSERT INTO bare.usage SELECT $1::text, tenant, last_used_at, record FROM writes.usage LIMIT 1",
        "INSERT INTO bare.events SELECT 'bare', $1::text::bigint, at, actor, kind, key, account, record \
            FROM writes.events LIMIT 1",
        "INSERT INTO bare.changes SELECT $1::text::bigint, now(), touched FROM writes.changes LIMIT 1",
    ] {
        sqlx::query(statement).bind(number.to_string()).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

fn run(pool: &PgPool, sql: &'static str) {
    block_on(sqlx::raw_sql(sql).execute(pool)).expect("it runs");
}

/// The queries of an idle node, as the database counts them.
fn idle(pool: &PgPool) {
    const SECONDS: u64 = 20;
    let cached = CachedStore::new(store(pool, "idle"), CacheOptions::new()).expect("a cache");
    let transactions = || -> i64 {
        // The database counts a connection's work a second later, or when it ends.
        std::thread::sleep(Duration::from_secs(2));
        let count = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
        block_on(sqlx::query_scalar(count).fetch_one(pool)).expect("a count")
    };
    let quiet = transactions();
    let noise = transactions() - quiet;
    let task = tokio::spawn(cached.refresh_task());
    let before = transactions();
    std::thread::sleep(Duration::from_secs(SECONDS));
    let asked = transactions() - before - noise;
    task.abort();
    let seconds = SECONDS + 2;
    println!("idle node, max_staleness of 1 s: {asked} statements in {seconds} s");
}

/// Transfers a million keys while they are used, then lists them.
fn million(pool: &PgPool) {
    let source = MemoryStore::new();
    let world = World::new(source.clone(), PepperRing::none());
    let mut tokens: Vec<String> = (0..MANY)
        .map(|n| world.generate(&format!("u{}", n / 10)).token.expose().to_owned())
        .collect();
    tokens.shuffle(&mut rand::rng());
    tokens.truncate(SAMPLED);
    assert_eq!(accepted(&world.verifier, &tokens), SAMPLED, "before");
    let before = peak_memory();

    let is_over = Arc::new(AtomicBool::new(false));
    let beside = std::thread::spawn({
        let (verifier, tokens, is_over) =
            (world.verifier.clone(), tokens.clone(), Arc::clone(&is_over));
        move || {
            let mut rounds = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(accepted(&verifier, &tokens), SAMPLED, "during");
                rounds += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            rounds
        }
    });
    let schema = SchemaName::new("million").expect("a name");
    let options = PostgresOptions::new().schema(schema);
    let start = Instant::now();
    let mut moving = block_on(Transfer::begin(source, options, pool.clone())).expect("a move");
    block_on(moving.copy(|_| {})).expect("it is copied");
    let copied = start.elapsed();
    let store = block_on(moving.finish(|_| {})).expect("it has moved");
    let finished = start.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let rounds = beside.join().expect("every token was accepted");
    let more = peak_memory().saturating_sub(before) / 1_024;
    println!(
        "transfer of 1,000,000 keys: copied in {copied:.0?}, compared and open after {finished:.0?}, {more} MiB more \
         than the source, {SAMPLED} tokens verified {rounds} times meanwhile"
    );
    let after = World::verifier_of(store.clone());
    assert_eq!(accepted(&after, &tokens), SAMPLED, "after");
    run(pool, "VACUUM ANALYZE million.keys");
    run(pool, "VACUUM ANALYZE million.usage");
    listing(pool, &store, &world);
}

/// Measures a page of 50 from the middle of a million.
fn listing(pool: &PgPool, store: &PostgresStore, world: &World) {
    let tenant = world.admin.tenant();
    let now = SystemClock.now();
    let first = block_on(store.keys(tenant, &KeyQuery::new().limit(50), now)).expect("a page");
    let middle = "SELECT created, id FROM million.keys ORDER BY created, id OFFSET 500000 LIMIT 1";
    let (created, id): (i64, String) =
        block_on(sqlx::query_as(middle).fetch_one(pool)).expect("a row");
    let cursor = first.next_cursor().expect("there is more").to_string();
    let mut parts: Vec<&str> = cursor.split('.').collect();
    let created_text = created.to_string();
    (parts[2], parts[3]) = (&id, &created_text);
    let cursor = parts.join(".").parse().expect("a cursor");
    let query = KeyQuery::new().limit(50).after(&cursor).expect("a cursor");
    let bare = "SELECT record::text FROM million.keys WHERE tenant = $1 AND (created, id) > ($2, $3) \
        ORDER BY created, id LIMIT 51";
    figure(
        "page of 50 of 1M / bare indexed query",
        20,
        || {
            let page = block_on(store.keys(tenant, &query, now)).expect("a page");
            assert_eq!(black_box(page).items.len(), 50);
        },
        || {
            let query = sqlx::query(AssertSqlSafe(bare)).bind(tenant.as_str()).bind(created);
            let rows = block_on(query.bind(&id).fetch_all(pool)).expect("rows");
            assert_eq!(black_box(rows).len(), 51);
        },
    );
    let searched = KeyQuery::new().search(&id[2..14]);
    let bare = "SELECT record::text FROM million.keys WHERE id = $1";
    figure(
        "search for a part of an id / one bare row",
        10,
        || {
            let page = block_on(store.keys(tenant, &searched, now)).expect("a page");
            assert_eq!(black_box(page).items.len(), 1);
        },
        || {
            let query = sqlx::query(AssertSqlSafe(bare)).bind(&id);
            black_box(block_on(query.fetch_one(pool)).expect("a row"));
        },
    );
}

/// Returns the number of accepted tokens.
fn accepted(verifier: &Verifier, tokens: &[String]) -> usize {
    tokens.iter().filter(|token| block_on(verifier.verify(token)).is_ok()).count()
}

/// Returns the peak memory of the process, in kibibytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
