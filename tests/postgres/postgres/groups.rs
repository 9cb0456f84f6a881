//! Groups of commits: those of several tenants share a statement, and none fails or waits for a reason that
//! is not its own.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use keywright::TenantId;
use keywright::store::{
    Batch, Change, Condition, KeyStore, PostgresStore, StoreError, StoreErrorKind, TenantPolicy,
};
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::order::tenants_apart;
use crate::proxy::{Fate, Proxy};
use crate::stage::{
    Stage, batch, id, insert, insert_in, key_with, number, patient, run, shard, traces,
};
use common::tenant;

/// Occurs in the values of the statement that writes a key, and in nothing else that is sent.
const WRITE: &str = "created_by";
/// The name of a key. Occurs in the statement that writes it, and in nothing else that is sent.
const NAME: &str = "written-together";
const PATIENCE: Duration = Duration::from_secs(30);
/// The number of tasks of a store that write at the same time.
const TASKS: u64 = 4;

type Committing = JoinHandle<Result<(), StoreError>>;

fn committing(store: &PostgresStore, batch: Batch) -> Committing {
    let store = store.clone();
    tokio::spawn(async move { store.commit(batch).await })
}

/// A store with two connections, and tenants in different shards.
struct Together {
    pool: PgPool,
    proxy: Proxy,
    store: PostgresStore,
    elsewhere: PostgresStore,
    tenants: Vec<TenantId>,
}

impl Together {
    async fn new(name: &'static str) -> Self {
        let stage = Stage::new(name).await;
        let (pool, elsewhere) = (stage.pool(4).await, stage.store().await);
        let tenants = tenants_apart(&elsewhere, &pool, 8).await;
        let proxy = Proxy::to(stage.server.port()).await;
        let two = patient(stage.options().port(proxy.port()), 2);
        let store = PostgresStore::open(two).await.expect("a store");
        Self { pool, proxy, store, elsewhere, tenants }
    }

    /// Commits keys 1 and 2 of the first two tenants in one group, the second with the name [`NAME`].
    async fn commit(&self) -> [Committing; 2] {
        // While the tasks wait for a connection, the next commits form a group.
        let connection = async || self.store.pool().acquire().await.expect("a connection");
        let taken = [connection().await, connection().await];
        let others = (2..2 + TASKS).zip(&self.tenants[2..]);
        for (number, tenant) in others {
            drop(committing(&self.store, insert_in(tenant, 10 + number)));
        }
        let first = insert_in(&self.tenants[0], 1);
        let tenant = self.tenants[0].clone();
        let conditions = vec![Condition::PolicyVersion { tenant, version: 0 }];
        let first = Batch { conditions, ..first };
        let named = key_with(2, |key| {
            key["tenant"] = self.tenants[1].to_string().into();
            key["name"] = NAME.into();
        });
        let changes = vec![Change::InsertKey(named)];
        let second = Batch { changes, ..insert_in(&self.tenants[1], 2) };
        let group = [first, second].map(|batch| committing(&self.store, batch));
        tokio::task::yield_now().await;
        drop(taken);
        group
    }

    /// Returns the number of transactions that have written keys 1 and 2.
    async fn transactions(&self) -> i64 {
        let these = format!("ARRAY['key:{}', 'key:{}']", id(1), id(2));
        let count = format!(
            "SELECT count(DISTINCT xmin::text) FROM keywright.changes WHERE touched && {these}"
        );
        number(&self.pool, count).await
    }
}

async fn ended(commit: Committing) -> Result<(), StoreErrorKind> {
    commit.await.expect("no panic").map_err(|error| error.kind())
}

#[common::test(postgres)]
async fn waiting_tenants_share_a_statement() {
    let together = Together::new("together_all").await;
    for commit in together.commit().await {
        assert_eq!(ended(commit).await, Ok(()));
    }
    assert_eq!(together.transactions().await, 1);
    for number in [1, 2] {
        assert_eq!(traces(&together.pool, number).await, [1; 4]);
    }
}

#[common::test(postgres)]
async fn overtaken_tenant_is_retried_alone() {
    let together = Together::new("together_lost").await;
    for (number, policy) in [(3, false), (4, true)] {
        together.proxy.at(NAME, Fate::Held);
        let [overtaken, other] = together.commit().await;
        while together.proxy.is_armed() {
            sleep(Duration::from_millis(1)).await;
        }
        let tenant = &together.tenants[0];
        let meanwhile = if policy {
            let policy = TenantPolicy { version: 1, ..TenantPolicy::default() };
            let change = Change::PutPolicy { tenant: tenant.clone(), policy };
            Batch { changes: vec![change], ..Batch::of(tenant.clone()) }
        } else {
            insert_in(tenant, 20 + number)
        };
        together.elsewhere.commit(meanwhile).await.expect("a commit");
        together.proxy.release();
        let expected = if policy { Err(StoreErrorKind::Conflict) } else { Ok(()) };
        assert_eq!((ended(overtaken).await, ended(other).await), (expected, Ok(())));
        assert_eq!(traces(&together.pool, 1).await, [i64::from(!policy); 4]);
        assert_eq!(traces(&together.pool, 2).await, [1; 4]);
        assert_eq!(together.transactions().await, if policy { 1 } else { 2 });
        // Another process removes all traces, so that the next round can use the same ids.
        let these = format!("('{}', '{}')", id(1), id(2));
        let remove = format!(
            "DELETE FROM keywright.keys WHERE id IN {these};
            DELETE FROM keywright.usage WHERE key IN {these};
            UPDATE keywright.changes SET touched = '{{}}';
            DELETE FROM keywright.events; DELETE FROM keywright.tenants;
            DELETE FROM keywright.keys WHERE id < '0000000000009001';
            DELETE FROM keywright.usage WHERE key < '0000000000009001';"
        );
        run(&together.pool, remove).await;
    }
}

#[common::test(postgres)]
async fn held_tenant_delays_only_its_own_commit() {
    let together = Together::new("together_held").await;
    let shard = shard(&together.pool, &together.tenants[0]).await;
    let mut row = together.pool.begin().await.expect("a transaction");
    let next = format!(
        "INSERT INTO keywright.changes (shard, epoch, mark, touched)
        SELECT shard, max(epoch) + 1, 1, '{{}}' FROM keywright.changes WHERE shard = {shard} GROUP BY shard"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(next)).execute(&mut *row).await.expect("the row");
    let [held, other] = together.commit().await;
    assert_eq!(timeout(Duration::from_secs(5), ended(other)).await, Ok(Ok(())));
    assert!(!held.is_finished());
    row.rollback().await.expect("the row is free");
    assert_eq!(ended(held).await, Ok(()));
    assert_eq!(together.transactions().await, 2);
}

/// The database refuses one key of a group.
#[common::test(postgres)]
async fn refused_row_fails_its_own_commit_only() {
    let together = Together::new("together_refused").await;
    let refuse = format!("ALTER TABLE keywright.keys ADD CHECK (id <> '{}')", id(1));
    run(&together.pool, refuse).await;
    let [refused, other] = together.commit().await;
    assert_eq!(ended(refused).await, Err(StoreErrorKind::Unavailable));
    assert_eq!(ended(other).await, Ok(()));
    assert_eq!(traces(&together.pool, 1).await, [0; 4]);
    assert_eq!(traces(&together.pool, 2).await, [1; 4]);
}

/// A server that vanishes during a commit keeps the commits behind it waiting for a bounded time.
#[common::test(postgres)]
async fn frozen_connection_is_given_up() {
    let stage = Stage::new("frozen_write").await;
    let proxy = Proxy::to(stage.server.port()).await;
    let store = PostgresStore::open(patient(stage.options().port(proxy.port()), 3)).await;
    let store = store.expect("a store");
    proxy.at(WRITE, Fate::Frozen);
    let frozen = committing(&store, insert(1));
    while proxy.is_armed() {
        sleep(Duration::from_millis(1)).await;
    }
    let behind = [2, 3].map(|number| committing(&store, insert(number)));
    let other = TenantId::new("globex-2").expect("a tenant");
    let another = timeout(PATIENCE, store.commit(insert_in(&other, 4))).await;
    another.expect("another tenant does not wait").expect("a commit");
    assert!(behind.iter().all(|commit| !commit.is_finished()));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(41)).await;
    tokio::time::resume();
    let error = frozen.await.expect("no panic").expect_err("no answer came");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("may have been written"), "{error}");
    for commit in behind {
        assert_eq!(ended(commit).await, Ok(()));
    }
}

/// A caller can keep its future without polling it, for example in a `select!` that does something else.
#[common::test(postgres)]
async fn unpolled_caller_blocks_no_other_commit() {
    let stage = Stage::new("unpolled").await;
    let store = stage.store().await;
    let mut unpolled = pin!(store.commit(insert(1)));
    let polled = std::future::poll_fn(|context| Poll::Ready(unpolled.as_mut().poll(context)));
    assert!(polled.await.is_pending());
    let other = timeout(PATIENCE, store.commit(insert(2))).await;
    other.expect("it does not wait").expect("a commit");
    unpolled.await.expect("it was written meanwhile");
}

/// Each of the commits that wait would otherwise wait for a connection in its own turn.
#[common::test(postgres)]
async fn exhausted_pool_fails_waiting_commits_at_once() {
    let stage = Stage::new("exhausted").await;
    let limit = Duration::from_secs(1);
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(limit);
    let pool = pool.connect_with(stage.options()).await.expect("a pool");
    let store = PostgresStore::open(pool).await.expect("a store");
    let taken = store.pool().acquire().await.expect("the connection");
    let start = Instant::now();
    let commits: Vec<_> = (1..=5).map(|number| committing(&store, insert(number))).collect();
    for commit in commits {
        assert_eq!(ended(commit).await, Err(StoreErrorKind::Unavailable));
    }
    assert!(start.elapsed() < 2 * limit, "{:?}", start.elapsed());
    drop(taken);
    store.commit(insert(1)).await.expect("a commit");
}

#[common::test(postgres)]
async fn hints_tell_of_written_commits_only() {
    let stage = Stage::new("told").await;
    let (store, pool) = (stage.store().await, stage.pool(2).await);
    let mut listener = PgListener::connect_with(&pool).await.expect("a connection");
    listener.listen("keywright_keywright").await.expect("a channel");
    let is_told = async |listener: &mut PgListener, within| {
        timeout(within, listener.recv()).await.is_ok_and(|hint| hint.is_ok())
    };
    let refused = batch([Change::DeleteKey(id(1))]);
    store.commit(refused).await.expect_err("there is no such key");
    assert!(!is_told(&mut listener, Duration::from_millis(150)).await);
    {
        let mut dropped = pin!(store.commit(insert(1)));
        let polled = std::future::poll_fn(|context| Poll::Ready(dropped.as_mut().poll(context)));
        assert!(polled.await.is_pending());
        // The task takes the batch.
        tokio::task::yield_now().await;
    }
    assert!(is_told(&mut listener, PATIENCE).await, "although the future was dropped");
    assert_eq!(traces(&pool, 1).await, [1; 4]);
}

/// Two serialization failures, as those of other nodes, lead to the attempt that cannot lose.
#[common::test(postgres)]
async fn serialization_failures_lead_to_the_claim() {
    let stage = Stage::new("unserializable").await;
    let (store, pool) = (stage.store().await, stage.pool(2).await);
    let fail = "CREATE FUNCTION keywright.fail() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
            IF NEW.touched <> '{}' THEN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END IF;
            RETURN NEW;
        END $do$;
        CREATE TRIGGER fail BEFORE INSERT ON keywright.changes FOR EACH ROW EXECUTE FUNCTION keywright.fail()";
    run(&pool, fail).await;
    store.commit(insert(1)).await.expect("the third attempt holds the shard");
    assert_eq!(traces(&pool, 1).await, [1; 4]);
}

#[common::test(postgres)]
async fn retention_holds_no_commit_up() {
    let stage = Stage::new("retention").await;
    let (store, pool) = (stage.store().await, stage.pool(4).await);
    store.commit(insert(1)).await.expect("a commit");
    let shard = shard(&pool, &tenant()).await;
    let later = "UPDATE keywright.changes SET epoch = epoch + 254, at = now() - interval '2 hours'";
    run(&pool, format!("{later} WHERE shard = {shard} AND epoch = 1")).await;
    let mut hold = pool.begin().await.expect("a transaction");
    let old = "SELECT 1 FROM keywright.changes WHERE at < now() - interval '1 hour' FOR UPDATE";
    sqlx::raw_sql(old).execute(&mut *hold).await.expect("the rows");
    // The first of these commits has the epoch 256.
    for number in 2..=20 {
        let ended = timeout(PATIENCE, store.commit(insert(number))).await;
        ended.expect("it does not wait").expect("a commit");
    }
    crate::stage::until_one_waits(&pool).await;
    hold.rollback().await.expect("the rows are free");
    let left = format!("(SELECT min(epoch) FROM keywright.changes WHERE shard = {shard}) > 255");
    crate::stage::until(&pool, &left).await;
}
