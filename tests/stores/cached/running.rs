//! The background work of a service: the tasks that `start` runs, and the warnings of a cache
//! without a refresh task.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::faults::Fault;
use common::{MOMENT, World, admin, block_on};
use keywright::store::{
    CacheOptions, CacheState, CachedStore, ChangeHints, KeyStore, MemoryStore, async_trait,
};
use keywright::{Keywright, RunOptions, StartError};

use crate::held::{Call, Held};
use crate::node::{BOUND, Node};
use crate::refresh::until;

const FLUSH_EVERY: Duration = Duration::from_millis(100);

fn often() -> RunOptions {
    RunOptions::new().flush_every(FLUSH_EVERY)
}

async fn uses(world: &World, issued: &keywright::Issued) -> u64 {
    world.authority.key(&admin(), &issued.key.id).await.expect("the key").uses
}

#[tokio::test]
async fn start_refreshes_cache_of_builder() {
    let behind = Held::default();
    let cache = CachedStore::new(behind.store(), CacheOptions::new()).expect("a cache");
    let shared: Arc<dyn KeyStore> = Arc::new(cache.clone());
    let stores: [Arc<dyn KeyStore>; 2] = [Arc::new(cache.clone()), Arc::new(shared)];
    for store in stores {
        let asked = behind.asked(Call::Changes);
        let running = World::on(store).keywright.start().expect("a runtime");
        until(|| behind.asked(Call::Changes) > asked).await;
        until(|| cache.state() == CacheState::Fresh).await;
        running.shutdown().await.expect("flushed");
    }
}

#[tokio::test]
async fn start_refreshes_a_named_wrapped_cache() {
    let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new()).expect("a cache");
    // The builder cannot see the cache inside another store, such as a wrapper.
    let builder = Keywright::builder(MemoryStore::new()).refresh_cache(&cache);
    let running = builder.build().expect("a keywright").start().expect("a runtime");
    until(|| cache.state() == CacheState::Fresh).await;
    running.shutdown().await.expect("flushed");
}

#[tokio::test]
async fn shutdown_stops_the_refresh_task() {
    let behind = Held::default();
    let options = CacheOptions::new().max_staleness(Duration::from_hours(1));
    let cache = CachedStore::new(behind.store(), options).expect("a cache");
    let running = World::on(cache.clone()).keywright.start().expect("a runtime");
    until(|| behind.asked(Call::Changes) == 1).await;
    running.shutdown().await.expect("flushed");
    // A second task waits until the first one ends.
    let task = tokio::spawn(cache.refresh_task());
    until(|| behind.asked(Call::Changes) == 2).await;
    task.abort();
}

/// Hints that own a resource of the host, as a listener owns a connection of its pool.
struct Holding {
    _connection: Arc<()>,
}

#[async_trait]
impl ChangeHints for Holding {
    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn shutdown_closes_the_hints() {
    let held = Arc::new(());
    let hints = Holding { _connection: Arc::clone(&held) };
    let cache = CachedStore::with_hints(MemoryStore::new(), CacheOptions::new(), hints);
    let cache = cache.expect("a cache");
    let running = World::on(cache.clone()).keywright.start().expect("a runtime");
    until(|| cache.state() == CacheState::Fresh).await;
    assert_eq!(Arc::strong_count(&held), 2);
    running.shutdown().await.expect("flushed");
    assert_eq!(Arc::strong_count(&held), 1, "the cache is alive and holds no connection");
}

#[tokio::test]
async fn ended_flush_task_is_error() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = world.key().await;
    let options =
        often().on_flush_error(|error| panic!("a host's function that must not: {error}"));
    let running = world.keywright.start_with(options).expect("a runtime");
    world.verifier.verify(issued.token.expose()).await.expect("accepted");
    faults.set(Fault::UsageLost);
    let has_ended = || {
        let error = running.last_flush_error();
        error.is_some_and(|error| error.to_string().contains("has ended"))
    };
    until(has_ended).await;
    faults.set(None);
    running.shutdown().await.expect("flushed");
    assert_eq!(uses(&world, &issued).await, 1);
}

#[tokio::test]
async fn uses_are_flushed_in_background() {
    let world = World::in_memory();
    let issued = world.key().await;
    let running = world.keywright.start_with(often()).expect("a runtime");
    world.verifier.verify(issued.token.expose()).await.expect("accepted");
    while uses(&world, &issued).await == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.shutdown().await.expect("flushed");
}

#[tokio::test]
async fn shutdown_flushes_counted_uses() {
    let world = World::in_memory();
    let issued = world.key().await;
    let hour = RunOptions::new().flush_every(Duration::from_hours(1));
    let running = world.keywright.start_with(hour).expect("a runtime");
    for _ in 0..3 {
        world.verifier.verify(issued.token.expose()).await.expect("accepted");
    }
    assert_eq!(uses(&world, &issued).await, 0);
    running.shutdown().await.expect("flushed");
    assert_eq!(uses(&world, &issued).await, 3);
}

#[tokio::test]
async fn failed_flush_is_reported_and_retried() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = world.key().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let options = often().on_flush_error(move |error| {
        heard.lock().expect("no panic").push(error.to_string());
    });
    world.verifier.verify(issued.token.expose()).await.expect("accepted");
    faults.set(Fault::UsageLost);
    let running = world.keywright.start_with(options).expect("a runtime");
    assert!(running.last_flush_error().is_none());
    until(|| told.lock().expect("no panic").len() >= 2).await;
    let error = running.last_flush_error().expect("the last flush failed");
    assert_eq!(told.lock().expect("no panic")[0], error.to_string());
    faults.set(None);
    until(|| running.last_flush_error().is_none()).await;
    assert_eq!(uses(&world, &issued).await, 1);
    running.shutdown().await.expect("flushed");
}

#[tokio::test]
async fn failed_shutdown_loses_nothing() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = world.key().await;
    let running = world.keywright.start().expect("a runtime");
    world.verifier.verify(issued.token.expose()).await.expect("accepted");
    faults.set(Fault::UsageLost);
    running.shutdown().await.expect_err("no usage can be added");
    faults.set(None);
    world.verifier.flush().await.expect("flushed");
    assert_eq!(uses(&world, &issued).await, 1);
}

#[tokio::test]
async fn dropped_handle_continues_while_verifier_lives() {
    let store = Arc::new(MemoryStore::new());
    let world = World::on(Arc::clone(&store));
    let issued = world.key().await;
    drop(world.keywright.start_with(often()).expect("a runtime"));
    world.verifier.verify(issued.token.expose()).await.expect("accepted");
    while uses(&world, &issued).await == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(world);
    // The task releases the store, which can then be closed and reopened.
    until(|| Arc::strong_count(&store) == 1).await;
}

#[test]
fn start_outside_runtime_is_an_error() {
    let keywright = World::in_memory().keywright;
    assert_eq!(keywright.start().err(), Some(StartError::NoRuntime));
}

#[test]
fn flush_interval_has_bounds() {
    let keywright = World::in_memory().keywright;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let _inside = runtime.enter();
    let (least, most) = (Duration::from_millis(100), Duration::from_hours(1));
    for taken in [least, most] {
        assert!(keywright.start_with(RunOptions::new().flush_every(taken)).is_ok());
    }
    for beyond in [Duration::ZERO, least.saturating_sub(MOMENT), most + MOMENT, Duration::MAX] {
        let started = keywright.start_with(RunOptions::new().flush_every(beyond));
        assert_eq!(started.err(), Some(StartError::FlushEvery(beyond)));
    }
}

#[tokio::test]
async fn cache_reports_a_missing_refresh_task() {
    let warned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&warned);
    let timeout = Duration::from_secs(2);
    let node = Node::with(|options| {
        options.store_timeout(timeout).on_not_refreshed(move || {
            count.fetch_add(1, Ordering::SeqCst);
        })
    });
    let issued = node.elsewhere.key().await;
    assert_eq!(node.cache.state(), CacheState::Starting);
    node.clock.advance(BOUND);
    assert_eq!(node.cache.state(), CacheState::Starting);
    assert_eq!((node.says(&issued).await, warned.load(Ordering::SeqCst)), ("accepted", 0));
    node.clock.advance(MOMENT);
    assert_eq!(node.cache.state(), CacheState::NotRefreshed);
    assert!(format!("{:?}", node.cache).contains("NotRefreshed"));
    for _ in 0..3 {
        // Answers are slow and correct.
        assert!(node.asks(&issued.key.id).await);
        assert_eq!((node.says(&issued).await, warned.load(Ordering::SeqCst)), ("accepted", 1));
    }
    node.sync().await;
    assert_eq!(node.cache.state(), CacheState::Fresh);
    // The task has ended.
    node.clock.advance(BOUND + timeout);
    assert_eq!(node.cache.state(), CacheState::StoreUnreachable);
    node.clock.advance(MOMENT);
    assert_eq!(node.cache.state(), CacheState::NotRefreshed);
    assert_eq!((node.says(&issued).await, warned.load(Ordering::SeqCst)), ("accepted", 2));
}

#[tokio::test]
async fn cache_reports_an_unreachable_store() {
    let node = Node::new();
    node.sync().await;
    node.behind.set_down(true);
    node.clock.advance(BOUND);
    node.cache.sync().await.expect_err("the store is down");
    assert_eq!(node.cache.state(), CacheState::Fresh);
    node.clock.advance(MOMENT);
    assert_eq!(node.cache.state(), CacheState::StoreUnreachable);
    node.behind.set_down(false);
    node.sync().await;
    assert_eq!(node.cache.state(), CacheState::Fresh);
}

#[test]
fn started_work_can_end_on_another_runtime() {
    let world = World::in_memory();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let running = runtime.block_on(async { world.keywright.start().expect("a runtime") });
    let issued = block_on(world.key());
    block_on(world.verifier.verify(issued.token.expose())).expect("accepted");
    // The tasks end with the runtime, and the counted uses are kept.
    drop(runtime);
    block_on(running.shutdown()).expect("flushed");
    assert_eq!(block_on(uses(&world, &issued)), 1);
}
