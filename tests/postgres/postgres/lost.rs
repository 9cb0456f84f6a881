//! Lost answers, and futures that are dropped at any point: a commit happens or does not, and no
//! connection stays inside a transaction.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use keywright::store::{KeyStore, PostgresOptions, PostgresStore, StoreErrorKind};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::proxy::{Fate, Proxy};
use crate::stage::{
    METHODS, Stage, call, delta, id, insert, number, patient, traces, until, usage,
};
use common::{start, tenant};

/// Occurs in the values of the statement that writes a key, and in nothing else that is sent.
const WRITE: &str = "created_by";
/// Matches the statement, and not the word in `READ COMMITTED`.
const COMMIT: &str = "COMMIT\0";

#[common::test(postgres)]
async fn t_m12_lost_commit_answer_is_unavailable() {
    let stage = Stage::new("lost_commit").await;
    let proxy = Proxy::to(stage.server.port()).await;
    let store = PostgresStore::open(patient(stage.options().port(proxy.port()), 2)).await;
    let store = store.expect("a store");
    let pool = stage.pool(2).await;
    for (n, fate, expected) in [(1, Fate::CutAfter, 1), (2, Fate::CutBefore, 0)] {
        proxy.at(WRITE, fate);
        let error = store.commit(insert(n)).await.expect_err("no answer came");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
        assert!(!proxy.is_armed());
        // The server rolls back when it notices that the client is gone.
        let open = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND xact_start IS NOT NULL)";
        until(&pool, open).await;
        assert_eq!(traces(&pool, n).await, [expected; 4], "{fate:?}");
        let again = store.commit(insert(n)).await.map_err(|error| error.kind());
        let is_new = expected == 0;
        assert_eq!(again.is_ok(), is_new, "{again:?}");
        assert_eq!(again.err(), (!is_new).then_some(StoreErrorKind::AlreadyExists));
        assert_eq!(traces(&pool, n).await, [1; 4], "done once");
    }
}

#[common::test(postgres)]
async fn t_m16_lost_usage_answer_counts_once() {
    let stage = Stage::new("lost_usage").await;
    let proxy = Proxy::to(stage.server.port()).await;
    let store = PostgresStore::open(patient(stage.options().port(proxy.port()), 2)).await;
    let store = store.expect("a store");
    store.commit(insert(1)).await.expect("a commit");
    let words = [(COMMIT, Fate::CutAfter), (COMMIT, Fate::CutBefore), ("BEGIN", Fate::CutAfter)];
    for (sequence, (word, fate)) in (1..).zip(words) {
        let batch = usage(1, sequence, vec![delta(1, 10, start())]);
        proxy.at(word, fate);
        let lost = store.add_usage(&batch).await;
        assert!(!proxy.is_armed());
        // A batch that is lost at BEGIN has had no effect, so the store sends it again.
        assert_eq!(lost.is_ok(), word == "BEGIN", "{lost:?}");
        store.add_usage(&batch).await.expect("sent again");
        let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
        assert_eq!(stored.usage.uses(), 10 * sequence, "{word} {fate:?}");
    }
}

/// Polls a future until it has waited this many times, then drops it. Returns whether it completed
/// before.
async fn drop_after(waits: u32, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = waits;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Takes every connection of the pool, which waits until abandoned ones are closed, and asserts
/// that the server has no open transaction left.
async fn assert_nothing_is_left(store: &PostgresStore, pool: &PgPool, what: &str) {
    let mut all = Vec::new();
    for _ in 0..store.pool().options().get_max_connections() {
        let taken = store.pool().acquire().await;
        all.push(taken.unwrap_or_else(|error| panic!("{what}: the pool is exhausted: {error}")));
    }
    for _ in 0..200 {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND (state LIKE 'idle in%' OR wait_event_type = 'Lock')";
        if number(pool, open).await == 0 {
            return;
        }
        // In total less than the server's own timeout for such a transaction.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: a transaction is left open");
}

#[common::test(postgres)]
async fn t_m12_dropped_future_leaves_no_transaction() {
    let stage = Stage::new("dropped").await;
    let pool = stage.pool(2).await;
    for pooled in [false, true] {
        let few = PgPoolOptions::new().max_connections(3).test_before_acquire(false);
        let few = few.connect_with(stage.options()).await.expect("a pool");
        let options = PostgresOptions::new();
        let options = if pooled { options.behind_transaction_pooler() } else { options };
        let store = options.open(few).await.expect("a store");
        let _ = store.commit(insert(1)).await;
        for (place, method) in (1..).zip(METHODS) {
            let mut new = 10_000 * place + 1_000 * u64::from(pooled);
            for waits in 0.. {
                new += 1;
                if drop_after(waits, call(&store, method, new)).await {
                    break;
                }
                if method == "commit" {
                    let [key, usage, event, change] = traces(&pool, new).await;
                    let is_whole = [usage, event, change].iter().all(|count| *count == key);
                    assert!(is_whole, "dropped after {waits} waits");
                }
            }
            assert_nothing_is_left(&store, &pool, method).await;
        }
    }
}

#[common::test(postgres)]
async fn t_m12_flood_of_dropped_calls_spares_the_pool() {
    let stage = Stage::new("flood").await;
    let pool = stage.pool(2).await;
    let few = PgPoolOptions::new().max_connections(4).test_before_acquire(false);
    let few = few.connect_with(stage.options()).await.expect("a pool");
    let store = PostgresStore::open(few).await.expect("a store");
    store.commit(insert(1)).await.expect("a commit");
    let mut calls = Vec::new();
    for n in 0..200_u64 {
        let store = store.clone();
        calls.push(tokio::spawn(async move {
            let method = METHODS[usize::try_from(n).expect("few") % METHODS.len()];
            let _ = drop_after(u32::try_from(n % 17).expect("few"), call(&store, method, 100 + n))
                .await;
        }));
    }
    for call in calls {
        call.await.expect("no panic");
    }
    assert_nothing_is_left(&store, &pool, "the flood").await;
    for method in METHODS {
        call(&store, method, 1_000).await.unwrap_or_else(|error| panic!("{method}: {error:?}"));
    }
}
