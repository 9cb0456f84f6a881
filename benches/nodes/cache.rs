//! The cache beside the store in memory, and its hit rate while many tenants commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use keywright::store::{CacheOptions, CachedStore, MemoryStore};
use keywright::{KeyId, Name, PepperRing, Verifier};
use kit::{Figure, Lane, Run, Target, Tokens, Unit, World, hot_beside_memory, is_ready};
use tokio::time::MissedTickBehavior;

use crate::Database;
use crate::populate::populate;

const CACHED: &str = "verify hot, cached / in memory";
const HITS: &str = "cache hits of 100,000 keys beside 500 commits/s";

/// Measures the same check from the cache and from the store in memory.
pub(crate) fn beside_memory(run: &Run) {
    if !run.wants(CACHED) {
        return;
    }
    let options = CacheOptions::new().max_staleness(Duration::from_secs(3_600));
    let cached = CachedStore::new(MemoryStore::new(), options).expect("a cache");
    block_on(cached.sync()).expect("the store answers");
    hot_beside_memory(run, CACHED, cached);
}

/// Measures the part of checks that need no query, while 64 tenants rename the checked keys.
pub(crate) fn hit_rate(database: &Database<'_>) {
    let run = database.run;
    if !run.wants(HITS) {
        return;
    }
    let store = database.store("hits");
    let (worlds, tokens) = populate(&store, 64, run.size(100_000, 640));
    let hints = block_on(store.hints()).expect("hints");
    let cached = CachedStore::with_hints(store, CacheOptions::new(), hints).expect("a cache");
    let refresh = database.runtime.spawn(cached.refresh_task());
    let node = World::setup(cached, PepperRing::none()).build().expect("a setup").verifier();
    warm(database, &node, &tokens);
    let commits = Arc::new(AtomicU64::new(0));
    let writers = commit_steadily(database, worlds, &tokens, &commits);

    let time = run.time(Duration::from_secs(3));
    let mut walk = tokens.walk();
    let mut all = 0;
    let (start, committed) = (Instant::now(), commits.load(Ordering::Relaxed));
    let [shares] = run.rounds([Lane::measured(|| {
        let start = Instant::now();
        let (mut at_once, mut checks) = (0_u32, 0_u32);
        while start.elapsed() < time {
            let (hit, accepted) = is_ready(node.verify(tokens.at(walk.step())));
            accepted.expect("accepted");
            at_once += u32::from(hit);
            checks += 1;
        }
        all += checks;
        f64::from(at_once) / f64::from(checks)
    })]);
    let seconds = start.elapsed().as_secs_f64();
    let committed = u32::try_from(commits.load(Ordering::Relaxed) - committed).unwrap_or(u32::MAX);
    run.show(&Figure::alone(HITS, Unit::Share, &shares).target(Target::Least(0.99)));
    run.note(format!(
        "{:.0} commits and {:.0} checks a second",
        f64::from(committed) / seconds,
        f64::from(all) / seconds
    ));
    for writer in writers {
        writer.abort();
    }
    refresh.abort();
}

/// Fetches all keys once, 32 at a time.
fn warm(database: &Database<'_>, node: &Verifier, tokens: &Tokens) {
    let tokens = Arc::new(tokens.clone());
    let fetch = |part: usize| {
        let (node, tokens) = (node.clone(), Arc::clone(&tokens));
        database.runtime.spawn(async move {
            for place in (part..tokens.len()).step_by(32) {
                node.verify(tokens.at(place)).await.expect("accepted");
            }
        })
    };
    for task in (0..32).map(fetch).collect::<Vec<_>>() {
        block_on(task).expect("no check panics");
    }
}

/// Renames keys of all worlds, 500 a second from 16 writers.
fn commit_steadily(
    database: &Database<'_>,
    worlds: Vec<World>,
    tokens: &Tokens,
    commits: &Arc<AtomicU64>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let (worlds, tokens) = (Arc::new(worlds), Arc::new(tokens.clone()));
    let writer = |number: usize| {
        let (worlds, tokens, commits) =
            (Arc::clone(&worlds), Arc::clone(&tokens), Arc::clone(commits));
        database.runtime.spawn(async move {
            let mut interval = tokio::time::interval(Duration::from_millis(16_000 / 500));
            interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut walk = tokens.walk().from(number * 6_000);
            for turn in 0_u64.. {
                interval.tick().await;
                let place = walk.step();
                let key: KeyId = tokens.id(place).parse().expect("an id");
                let world = &worlds[place % worlds.len()];
                let name = Name::new(format!("renamed {turn}")).expect("a name");
                world.authority.rename(&world.admin, &key, name).await.expect("renamed");
                commits.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    (0..16).map(writer).collect()
}
