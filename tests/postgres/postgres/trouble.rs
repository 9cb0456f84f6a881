//! Servers that stop, become read-only or give up; connections that are killed; locks that other
//! clients hold. No failure is reported as an absent record, and a commit happens or does not.

use keywright::store::{Change, KeyStore, PostgresStore, StoreError, StoreErrorKind, UsageBatch};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Acquire, PgPool};
use tokio::task::JoinHandle;

use crate::proxy::{Fate, Proxy};
use crate::stage::{
    METHODS, Stage, batch, call, delta, every_method, id, impatient, insert, key, next, number,
    patient, run, texts, traces, until, until_one_waits, usage,
};
use common::database::Server;
use common::{HOUR, start, tenant};

fn is_unavailable<T>(ended: Result<T, StoreError>) -> bool {
    ended.is_err_and(|error| error.kind() == StoreErrorKind::Unavailable)
}

/// Retries until the call succeeds, because a server takes an unknown time to come back.
async fn back(mut attempt: impl AsyncFnMut() -> Result<(), StoreError>) {
    for _ in 0..100 {
        if attempt().await.is_ok() {
            return;
        }
    }
    attempt().await.expect("it is back");
}

#[common::test(postgres)]
async fn t_m12_server_outage_is_unavailable_then_recovers() {
    let server = Server::start(&["fsync = off"]);
    let pool = impatient(server.options("postgres"), 4);
    server.down("fast");
    assert!(is_unavailable(PostgresStore::open(pool.clone()).await));
    server.up();
    back(async || PostgresStore::open(pool.clone()).await.map(drop)).await;
    fill_again(&pool).await;
    let store = PostgresStore::open(pool).await.expect("a store");
    store.commit(insert(1)).await.expect("a commit");
    for (round, mode) in [(1, "fast"), (2, "immediate")] {
        server.down(mode);
        for (method, end) in every_method(&store, 10 * round).await {
            assert_eq!(end, Err(StoreErrorKind::Unavailable), "{method}, after {mode}");
        }
        server.up();
        back(async || call(&store, "resolve", 0).await).await;
        fill_again(store.pool()).await;
        // The unacknowledged calls have had no effect, because the server was down.
        for (method, end) in every_method(&store, 10 * round).await {
            assert_eq!(end, Ok(()), "{method}, after {mode}");
        }
    }
}

#[common::test(postgres)]
async fn t_m12_standby_is_readonly_until_promoted() {
    let server = Server::start(&["fsync = off"]);
    let first = PostgresStore::open(server.pool("postgres", 4).await).await.expect("a store");
    first.commit(insert(1)).await.expect("a commit");
    let standby = server.standby(&[]);
    let pool = standby.pool("postgres", 4).await;
    until(&pool, "EXISTS (SELECT FROM pg_class WHERE relname = 'keys')").await;
    until(&pool, "EXISTS (SELECT FROM keywright.keys)").await;
    let store = PostgresStore::open(pool).await.expect("every table exists");
    let writes = ["commit", "add_usage"];
    for (method, end) in every_method(&store, 2).await {
        let expected =
            if writes.contains(&method) { Err(StoreErrorKind::Unavailable) } else { Ok(()) };
        assert_eq!(end, expected, "{method}");
    }
    let error = store.commit(insert(2)).await.expect_err("it is read-only");
    assert!(error.to_string().contains("standby"), "{error}");
    server.down("immediate");
    standby.promote();
    for (method, end) in every_method(&store, 2).await {
        assert_eq!(end, Ok(()), "{method}");
    }
}

/// Ends all connections to the database except those of `pool`.
async fn kill_all(pool: &PgPool) {
    let victims = "FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'victim'";
    let all = texts(pool, format!("SELECT pid::text {victims}")).await.join(", ");
    if !all.is_empty() {
        let these = format!("FROM pg_stat_activity WHERE pid IN ({all})");
        number(pool, format!("SELECT count(pg_terminate_backend(pid)) {these}")).await;
        until(pool, &format!("NOT EXISTS ({})", these.replace("FROM", "SELECT FROM"))).await;
    }
}

/// Opens a store with a full pool of connections under a name that other tests can recognize.
async fn victim(stage: &Stage, connections: u32) -> PostgresStore {
    let options = stage.options().application_name("victim");
    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
    PostgresStore::open(pool.connect_with(options).await.expect("a pool")).await.expect("a store")
}

async fn fill(pool: &PgPool) {
    let mut all = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        all.push(pool.acquire().await.expect("a connection"));
    }
}

/// Opens every connection of a pool with a short timeout again. A slow machine can need several
/// attempts.
async fn fill_again(pool: &PgPool) {
    let mut all = Vec::new();
    let most = pool.options().get_max_connections() as usize;
    for _ in 0..100 {
        all.extend(pool.acquire().await);
        if all.len() == most {
            return;
        }
    }
    panic!("the server does not give {most} connections");
}

#[common::test(postgres)]
async fn t_m12_killed_idle_connections_are_replaced() {
    let stage = Stage::new("killed_idle").await;
    let pool = stage.pool(2).await;
    for connections in [1, 6] {
        let store = victim(&stage, connections).await;
        let _ = store.commit(insert(1)).await;
        for (new, method) in (100 * u64::from(connections)..).zip(METHODS) {
            fill(store.pool()).await;
            kill_all(&pool).await;
            let end = call(&store, method, new).await;
            end.unwrap_or_else(|error| panic!("{method}, {connections} connections: {error:?}"));
        }
    }
}

/// Runs a statement that takes locks, which are held until the transaction is dropped.
async fn hold(pool: &PgPool, row: &'static str) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut held = pool.begin().await.expect("a transaction");
    let connection = held.acquire().await.expect("a connection");
    sqlx::raw_sql(row).execute(connection).await.expect("a row");
    held
}

/// Inserts the row of the next commit into every shard.
const NEXT: &str = "INSERT INTO keywright.changes (shard, epoch, mark, touched)
    SELECT shard, max(epoch) + 1, 1, '{}' FROM keywright.changes GROUP BY shard";

fn committing(store: &PostgresStore, number: u64) -> JoinHandle<Result<(), StoreError>> {
    let store = store.clone();
    tokio::spawn(async move { store.commit(insert(number)).await.map(drop) })
}

#[common::test(postgres)]
async fn t_m12_commit_killed_while_waiting_is_atomic() {
    let stage = Stage::new("killed_waiting").await;
    let pool = stage.pool(4).await;
    let store = victim(&stage, 2).await;
    let held = hold(&pool, NEXT).await;
    let commit = committing(&store, 1);
    until_one_waits(&pool).await;
    kill_all(&pool).await;
    // The statement that was killed may have been the end of the commit, so it is not sent again.
    assert!(is_unavailable(commit.await.expect("no panic")));
    held.rollback().await.expect("the row is free");
    assert_eq!(traces(&pool, 1).await, [0; 4]);
    store.commit(insert(1)).await.expect("the lock went with the connection");
    assert_eq!(traces(&pool, 1).await, [1; 4]);
}

#[common::test(postgres)]
async fn t_m12_commit_killed_while_writing_is_undone() {
    let stage = Stage::new("killed_writing").await;
    let pool = stage.pool(4).await;
    let store = victim(&stage, 4).await;
    store.commit(insert(1)).await.expect("a commit");
    let held = hold(&pool, "SELECT 1 FROM keywright.keys FOR UPDATE").await;
    let mut both = insert(2);
    both.changes.push(Change::UpdateKey(next(&key(1), |key| key["name"] = "new".into())));
    let commit = tokio::spawn({
        let store = store.clone();
        async move { store.commit(both).await }
    });
    until_one_waits(&pool).await;
    kill_all(&pool).await;
    assert!(is_unavailable(commit.await.expect("no panic")));
    held.rollback().await.expect("the row is free");
    assert_eq!(traces(&pool, 2).await, [0; 4]);
    let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
    assert_eq!(stored.record.version(), 1);
    store.commit(insert(2)).await.expect("the lock went with the connection");
}

#[common::test(postgres)]
async fn t_m15_long_foreign_lock_is_unavailable() {
    let stage = Stage::new("locked").await;
    let pool = stage.pool(4).await;
    let store = stage.store().await;
    store.commit(insert(1)).await.expect("a commit");
    let held = hold(&pool, NEXT).await;
    let error = store.commit(insert(2)).await.expect_err("the lock is held");
    assert!(error.to_string().contains("another change held the lock"), "{error}");
    assert!(is_unavailable(Err::<(), _>(error)));
    assert_eq!(traces(&pool, 2).await, [0; 4]);
    // Usage batches and reads need no lock.
    store.add_usage(&usage(2, 1, vec![delta(1, 7, start())])).await.expect("no lock");
    let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
    assert_eq!(stored.usage.uses(), 7);
    held.rollback().await.expect("the row is free");
    store.commit(insert(2)).await.expect("the lock is free");
}

fn alerting(sequence: u64, uses: u64) -> UsageBatch {
    let mut one = delta(1, uses, start());
    // Each sequence has an hour of its own.
    one.last_used_at = start().saturating_add(HOUR * u32::try_from(sequence).expect("small"));
    one.alert = "4/3600s".parse().ok();
    usage(1, sequence, vec![one])
}

#[common::test(postgres)]
async fn t_m15_stalled_flush_is_ended() {
    let stage = Stage::new("frozen").await;
    let proxy = Proxy::to(stage.server.port()).await;
    let far = patient(stage.options().port(proxy.port()), 2);
    let frozen = PostgresStore::open(far).await.expect("a store");
    let store = stage.store().await;
    store.commit(insert(1)).await.expect("a commit");
    // The transaction holds the usage of the key.
    proxy.at("jsonb_to_recordset", Fate::Frozen);
    let standing = tokio::spawn(async move { frozen.add_usage(&alerting(1, 5)).await });
    let pool = stage.pool(2).await;
    let idle = "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND state = 'idle in transaction')";
    until(&pool, idle).await;
    // The commit waits until the server ends the frozen transaction, which takes less than the lock
    // timeout.
    let delete = Change::DeleteKey(id(1));
    store.commit(batch([delete])).await.expect("the server has ended the other one");
    assert!(!standing.is_finished(), "it has not noticed yet");
    standing.abort();
}

/// Makes the server fail the first writes to a table, at the row or at the end of the transaction.
async fn give_up(pool: &PgPool, table: &str, kind: &str, code: &str, times: u32) {
    let end = if kind.contains("CONSTRAINT") { "DEFERRABLE INITIALLY DEFERRED" } else { "" };
    let sql = format!(
        "DROP TRIGGER IF EXISTS give_up ON keywright.{table};
        CREATE SEQUENCE IF NOT EXISTS keywright.attempts; ALTER SEQUENCE keywright.attempts RESTART;
        CREATE OR REPLACE FUNCTION keywright.give_up() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
            IF nextval('keywright.attempts') <= {times} THEN
                RAISE EXCEPTION 'given up' USING ERRCODE = '{code}';
            END IF;
            RETURN NEW;
        END $do$;
        CREATE {kind} INSERT ON keywright.{table} {end}
            FOR EACH ROW EXECUTE FUNCTION keywright.give_up();"
    );
    run(pool, sql).await;
}

async fn attempts(pool: &PgPool) -> i64 {
    number(pool, "SELECT last_value FROM keywright.attempts").await
}

const GIVEN_UP: [(&str, &str); 3] = [
    ("TRIGGER give_up BEFORE", "40001"),
    ("TRIGGER give_up BEFORE", "40P01"),
    ("CONSTRAINT TRIGGER give_up AFTER", "40001"),
];

#[common::test(postgres)]
async fn t_m15_deadlock_victim_is_retried_and_done_once() {
    let stage = Stage::new("given_up").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    for (n, (kind, code)) in (1..).zip(GIVEN_UP) {
        give_up(&pool, "changes", kind, code, 3).await;
        store.commit(insert(n)).await.expect("at the fourth attempt");
        assert_eq!(attempts(&pool).await, 4, "{kind} {code}");
        assert_eq!(traces(&pool, n).await, [1; 4]);
        // The alert below is a commit too.
        run(&pool, "DROP TRIGGER give_up ON keywright.changes").await;
        give_up(&pool, "writers", kind, code, 3).await;
        let new_writer =
            UsageBatch { writer: [u8::try_from(n).expect("few"); 16], ..alerting(n, 5) };
        store.add_usage(&new_writer).await.expect("at the fourth attempt");
        assert_eq!(attempts(&pool).await, 4, "{kind} {code}");
        let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
        assert_eq!(stored.usage.uses(), 5 * n);
        run(&pool, "DROP TRIGGER give_up ON keywright.writers").await;
    }
    let told = "SELECT record #>> '{details,uses}' FROM keywright.events WHERE kind = 'key.extensive_use' ORDER BY sequence";
    assert_eq!(texts(&pool, told).await, ["5", "5", "5"]);
}

#[common::test(postgres)]
async fn t_m15_endless_deadlocks_end_as_unavailable() {
    let stage = Stage::new("given_up_for_ever").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    store.commit(insert(1)).await.expect("a commit");
    for (kind, code) in GIVEN_UP {
        give_up(&pool, "changes", kind, code, 1_000).await;
        assert!(is_unavailable(store.commit(insert(2)).await));
        assert_eq!(attempts(&pool).await, 8, "{kind} {code}");
        give_up(&pool, "writers", kind, code, 1_000).await;
        assert!(is_unavailable(store.add_usage(&alerting(1, 5)).await));
        assert_eq!(attempts(&pool).await, 8, "{kind} {code}");
    }
    assert_eq!(traces(&pool, 2).await, [0; 4]);
    let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
    assert_eq!(stored.usage.uses(), 0);
}
