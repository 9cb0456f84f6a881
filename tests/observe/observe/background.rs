//! The spans and events of flushes and caches.

use std::time::Duration;

use common::capture::{Captured, captured};
use common::faults::{Fault, Faults};
use common::{World, block_on};
use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{
    CacheOptions, CachedStore, Changes, KeyStore, ManualMonotonicClock, MemoryStore, StoreError,
    async_trait,
};
use keywright::{RunOptions, Running};
use tokio::runtime::Runtime;
use tracing::Level;

pub(crate) fn paused_runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime")
}

/// Runs `work` on a runtime of this thread, whose clock moves when nothing else is left to do.
fn on_tokio<T>(work: impl Future<Output = T>) -> (T, Captured) {
    let runtime = paused_runtime();
    captured(|| runtime.block_on(work))
}

#[test]
fn b22_flush_has_its_span() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = block_on(world.key());
    block_on(world.check(&issued)).expect("accepted");
    faults.set(Fault::UsageLost);
    let (flushed, seen) = captured(|| block_on(world.verifier.flush()));
    assert!(flushed.is_err());
    let span = seen.span("keywright.flush");
    assert_eq!((span.outcome(), span.field("error.type")), ("failed", "unavailable"));
    let event = seen.event("keywright.failed");
    assert_eq!(event.field("keywright.operation"), "flush");
    faults.set(None);
    let (_, seen) = captured(|| block_on(world.verifier.flush()));
    assert_eq!(seen.span("keywright.flush").outcome(), "done");
    assert!(seen.events.is_empty());
}

#[test]
fn b22_flush_in_background_warns_each_time() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = block_on(world.key());
    block_on(world.check(&issued)).expect("accepted");
    faults.set(Fault::UsageLost);
    let every = Duration::from_secs(1);
    let ((), seen) = on_tokio(async {
        let options = RunOptions::new().flush_every(every);
        let running: Running = world.keywright.start_with(options).expect("a runtime");
        tokio::time::sleep(every + every / 2).await;
        assert!(running.last_flush_error().is_some());
        faults.set(None);
        running.shutdown().await.expect("the store works");
    });
    let outcomes: Vec<_> = seen.spans.iter().map(|span| (span.name, span.outcome())).collect();
    assert_eq!(outcomes, [("keywright.flush", "failed"), ("keywright.flush", "done")]);
    assert_eq!(seen.event("keywright.failed").level, Level::WARN);
}

fn cached(faults: &Faults) -> (CachedStore, ManualMonotonicClock) {
    let clock = ManualMonotonicClock::new();
    let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    let cache = CachedStore::new(store, CacheOptions::new().clock(clock.clone()));
    (cache.expect("possible options"), clock)
}

#[test]
fn b22_cache_tells_once_of_an_outage() {
    let faults = Faults::default();
    let (cache, clock) = cached(&faults);
    let ((), seen) = on_tokio(async {
        for down in [false, true, true, true, false, false] {
            faults.set(down.then_some(Fault::Down));
            clock.advance(Duration::from_millis(300));
            assert_eq!(cache.sync().await.is_err(), down);
        }
    });
    let outcomes: Vec<_> = seen.spans.iter().map(|span| (span.name, span.outcome())).collect();
    let sync = "keywright.cache.sync";
    let (done, failed) = ((sync, "done"), (sync, "failed"));
    assert_eq!(outcomes, [done, failed, failed, failed, done, done]);
    let events: Vec<_> = seen.events.iter().map(|event| (event.name, event.level)).collect();
    let unreachable = ("keywright.cache.unreachable", Level::WARN);
    assert_eq!(events, [unreachable, ("keywright.cache.reachable", Level::INFO)]);
    assert!(!seen.events[0].field("error.message").is_empty());
}

#[test]
fn b22_forgotten_refresh_is_seen() {
    let (cache, clock) = cached(&Faults::default());
    let world = World::on(cache);
    clock.advance(Duration::from_hours(1));
    let ((), seen) = on_tokio(async {
        let issued = world.key().await;
        world.check(&issued).await.expect("accepted");
        world.check(&issued).await.expect("accepted");
    });
    assert_eq!(seen.event("keywright.cache.not_refreshed").level, Level::WARN);
}

/// An interceptor that reports lost commits at each sync.
#[derive(Debug)]
struct Restored;

#[async_trait]
impl Intercept for Restored {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        Ok(match call.pass_on(store).await? {
            Answer::Changes(changes) => Answer::Changes(Changes { has_lost: true, ..changes }),
            answer => answer,
        })
    }
}

#[test]
fn b22_lost_commits_are_an_error() {
    let store = InterceptedStore::new(MemoryStore::new(), Restored);
    let cache = CachedStore::new(store, CacheOptions::new()).expect("possible options");
    let (synced, seen) = on_tokio(async { cache.sync().await });
    synced.expect("the store answers");
    assert_eq!(seen.event("keywright.cache.lost_commits").level, Level::ERROR);
}
