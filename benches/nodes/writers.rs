//! Many writers at once, beside bare transactions of two rows, and beside flushes.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use keywright::store::{CacheOptions, CachedStore};
use keywright::{PepperRing, SettingsEdit, UseAlert};
use kit::{Figure, Lane, Target, Unit, World};
use sqlx::PgPool;

use crate::Database;
use crate::populate::populate;

const TENANTS: &str = "16 writers of 64 tenants / bare two-row transactions";
const ONE_TENANT: &str = "16 writers of one tenant / bare two-row transactions";
const STATEMENT: &str = "16 writers of 64 tenants / bare two-row statements";
const ONE_WRITER: &str = "generate, postgres / bare two-row transaction";
const FLUSH: &str = "16 writers beside flushes of 10,000 keys / without";

const WRITERS: usize = 16;

pub(crate) fn measure(database: &Database<'_>) {
    if database.run.wants_one(&[TENANTS, ONE_TENANT, STATEMENT]) {
        beside_bare(database);
    }
    if database.run.wants(ONE_WRITER) {
        one_writer(database);
    }
    if database.run.wants(FLUSH) {
        beside_flushes(database);
    }
}

/// Returns the calls per second of 16 tasks that repeat the work for `time`. The work gets a number
/// that counts up.
fn rate<F: Future<Output = ()> + Send + 'static>(
    database: &Database<'_>,
    time: Duration,
    work: impl Fn(usize) -> F + Clone + Send + Sync + 'static,
) -> f64 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = Instant::now();
    let task = |_| {
        let work = work.clone();
        database.runtime.spawn(async move {
            let mut calls = 0_u32;
            while start.elapsed() < time {
                work(NEXT.fetch_add(1, Ordering::Relaxed)).await;
                calls += 1;
            }
            calls
        })
    };
    let tasks: Vec<_> = (0..WRITERS).map(task).collect();
    let calls: u32 = tasks.into_iter().map(|task| block_on(task).expect("no call panics")).sum();
    f64::from(calls) / start.elapsed().as_secs_f64()
}

/// Returns work that generates a key in one of the worlds after the other.
fn generate(
    worlds: &[World],
) -> impl Fn(usize) -> futures_lite::future::Boxed<()> + Clone + Send + Sync + 'static {
    let worlds: Arc<[World]> = worlds.into();
    move |number| {
        let worlds = Arc::clone(&worlds);
        Box::pin(async move {
            let world = &worlds[number % worlds.len()];
            let new = world.numbered(10_000_000 + number);
            world.authority.generate(&world.admin, new).await.expect("a key");
        })
    }
}

fn beside_bare(database: &Database<'_>) {
    let run = database.run;
    let worlds = World::tenants(database.store("tenants"), 64, PepperRing::none());
    let one = [World::new(database.store("one_tenant"), PepperRing::none())];
    database.execute(BARE_TABLES);
    let time = run.time(Duration::from_secs(1));
    let (many, one) = (generate(&worlds), generate(&one));
    let transaction = {
        let pool = database.pool.clone();
        move |_| bare_transaction(pool.clone())
    };
    let statement = {
        let pool = database.pool.clone();
        move |_| bare_statement(pool.clone())
    };
    let [many, one, transaction, statement] = run.long_rounds([
        Lane::measured(|| rate(database, time, many.clone())),
        Lane::measured(|| rate(database, time, one.clone())),
        Lane::measured(|| rate(database, time, transaction.clone())),
        Lane::measured(|| rate(database, time, statement.clone())),
    ]);
    let figure = |name, ours: &[f64], reference: &[f64]| {
        Figure::beside(name, Unit::PerSecond, ours, reference)
    };
    run.show(&figure(TENANTS, &many, &transaction).target(Target::Least(0.5)));
    run.show(&figure(ONE_TENANT, &one, &transaction).target(Target::Least(0.15)));
    run.show(&figure(STATEMENT, &many, &statement));
}

/// Measures one commit after the other.
fn one_writer(database: &Database<'_>) {
    let world = World::new(database.store("one_writer"), PepperRing::none());
    database.execute(BARE_TABLES);
    let mut number = 0;
    let [ours, reference] = database.run.rounds([
        Lane::calls(20, || {
            number += 1;
            world.generate_numbered(number);
        }),
        Lane::calls(20, || block_on(bare_transaction(database.pool.clone()))),
    ]);
    database.run.show(&Figure::beside(ONE_WRITER, Unit::Seconds, &ours, &reference));
}

/// A key and its event, as large as those of the store.
const BARE_TABLES: &str = "
    CREATE SCHEMA IF NOT EXISTS bare;
    CREATE TABLE IF NOT EXISTS bare.keys (id bigint PRIMARY KEY, record jsonb NOT NULL);
    CREATE TABLE IF NOT EXISTS bare.events (id bigint PRIMARY KEY, record jsonb NOT NULL);";
const BARE_ROW: &str = r#"{"id": "4fQ2xk9ZrT7bWm1c", "tenant": "tenant-17", "owner": "user:user-4711",
    "name": "service-key-00047110", "scopes": "jobs:run", "created_at": "2027-01-15T08:00:00.000000Z",
    "created_by": "ada", "expires_at": "2027-06-15T08:00:00.000000Z", "version": 1, "digest":
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "prefix": "acme_live"}"#;

fn next_id() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn bare_transaction(pool: PgPool) {
    let id = next_id();
    let mut transaction = pool.begin().await.expect("a transaction");
    for insert in [
        "INSERT INTO bare.keys VALUES ($1, $2::text::jsonb)",
        "INSERT INTO bare.events VALUES ($1, $2::text::jsonb)",
    ] {
        let insert = sqlx::query(insert).bind(id).bind(BARE_ROW);
        insert.execute(&mut *transaction).await.expect("inserted");
    }
    transaction.commit().await.expect("committed");
}

async fn bare_statement(pool: PgPool) {
    let insert = "WITH key AS (INSERT INTO bare.keys VALUES ($1, $2::text::jsonb)) \
        INSERT INTO bare.events VALUES ($1, $2::text::jsonb)";
    let insert = sqlx::query(insert).bind(next_id()).bind(BARE_ROW);
    insert.execute(&pool).await.expect("inserted");
}

/// Measures the writers while another task uses 10,000 keys of the same tenants and flushes them,
/// with alerts on.
fn beside_flushes(database: &Database<'_>) {
    let run = database.run;
    let store = database.store("flushes");
    let (worlds, tokens) = populate(&store, 64, run.size(10_000, 640));
    let alert = UseAlert::new(1_000, Duration::from_secs(3_600)).expect("an alert");
    for world in &worlds {
        let edit = SettingsEdit::new().extensive_use(Some(alert));
        block_on(world.authority.edit_settings(&world.admin, edit)).expect("the settings");
    }
    let options = CacheOptions::new().max_staleness(Duration::from_secs(3_600));
    let cached = CachedStore::new(store, options).expect("a cache");
    block_on(cached.sync()).expect("the store answers");
    let node = World::setup(cached, PepperRing::none()).build().expect("a setup").verifier();
    let tokens = Arc::new(tokens);
    let flush = {
        let (node, tokens) = (node.clone(), Arc::clone(&tokens));
        move || {
            let (node, tokens) = (node.clone(), Arc::clone(&tokens));
            async move {
                for token in tokens.iter() {
                    node.verify(token).await.expect("accepted");
                }
                node.flush().await.expect("it is flushed");
            }
        }
    };
    block_on(flush());
    let time = run.time(Duration::from_secs(3));
    let work = generate(&worlds);
    let mut flushes = 0;
    let [beside, without] = run.long_rounds([
        Lane::measured(|| {
            let is_over = Arc::new(AtomicBool::new(false));
            let (flush, stop) = (flush.clone(), Arc::clone(&is_over));
            let task = database.runtime.spawn(async move {
                let mut flushes = 0;
                while !stop.load(Ordering::Relaxed) {
                    flush().await;
                    flushes += 1;
                    // A host flushes every few seconds.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                flushes
            });
            let rate = rate(database, time, work.clone());
            is_over.store(true, Ordering::Relaxed);
            flushes += block_on(task).expect("no flush panics");
            rate
        }),
        Lane::measured(|| rate(database, time, work.clone())),
    ]);
    let figure = Figure::beside(FLUSH, Unit::PerSecond, &beside, &without);
    run.show(&figure.target(Target::Least(0.8)));
    run.note(format!("{flushes} flushes in {} rounds", beside.len() + 1));
}
