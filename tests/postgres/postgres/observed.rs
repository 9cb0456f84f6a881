//! The metrics of a store on a database.

use keywright::store::{KeyStore, PostgresStore};
use sqlx::postgres::PgPoolOptions;

use common::recorded::recorded;
use common::{World, root};

use crate::stage::{Stage, id, insert, number, until};

/// Commits from two stores at once, and calls on a broken connection.
async fn used_and_disturbed() {
    let stage = Stage::new("observed").await;
    let options = stage.options().application_name("observed");
    let pool = PgPoolOptions::new().max_connections(2).test_before_acquire(false);
    let store = PostgresStore::open(pool.connect_with(options).await.expect("a pool")).await;
    let (store, other) = (store.expect("a store"), stage.store().await);
    // Both read the last commit of the shard before one of them writes the next, nearly always.
    for round in 0..50 {
        let (one, two) = (insert(2 * round), insert(2 * round + 1));
        let both = futures_lite::future::zip(store.commit(one), other.commit(two)).await;
        both.0.and(both.1).expect("both are written");
    }
    let pool = stage.pool(1).await;
    let ours = "FROM pg_stat_activity WHERE application_name = 'observed'";
    number(&pool, format!("SELECT count(pg_terminate_backend(pid)) {ours}")).await;
    until(&pool, &format!("NOT EXISTS (SELECT {ours})")).await;
    store.key(&common::tenant(), &id(1)).await.expect("a new connection is opened");
    let world = World::bare(store);
    world.keywright.publish_metrics();
}

#[common::test(postgres)]
fn b22_database_has_its_metrics() {
    // The tasks of the store run on this thread, whose recorder sees them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let ((), metrics) = recorded(|| runtime.block_on(used_and_disturbed()));
    assert!(metrics.count("keywright_store_retries_total reason=connection") > 0);
    assert!(metrics.count("keywright_store_retries_total reason=overtaken") > 0);
    assert!(metrics.recorded("keywright_pool_wait_seconds") >= 100);
    assert_eq!(metrics.gauge("keywright_pool_connections"), "1");

    let page = std::fs::read_to_string(root().join("src/guide/observing.md")).expect("the page");
    let is_of_database = |name: &str| name.contains("_pool_") || name.contains("_store_");
    let shapes = metrics.shapes.iter().filter(|(name, ..)| is_of_database(name));
    let rows: Vec<_> = shapes
        .map(|(name, kind, labels)| {
            let labels = labels.iter().map(|label| format!(" `{label}`"));
            format!("| `{name}` | {kind} |{} |", labels.collect::<String>())
        })
        .collect();
    let listed = page.lines().filter(|line| {
        let name = line.strip_prefix("| `keywright_").and_then(|rest| rest.split('`').next());
        name.is_some_and(|name| is_of_database(&format!("_{name}")))
    });
    assert_eq!(listed.count(), rows.len(), "{rows:?}");
    for row in rows {
        assert!(page.contains(&row), "the guide has no row {row}");
    }
}
