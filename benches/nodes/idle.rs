//! The queries of an idle node, as the database counts them.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{CacheOptions, CachedStore};
use kit::{Figure, Target, Unit};

use crate::Database;

const IDLE: &str = "statements of an idle node, staleness of 1 s";

pub(crate) fn measure(database: &Database<'_>) {
    if !database.run.wants(IDLE) {
        return;
    }
    let seconds = u32::try_from(database.run.size(20, 1)).expect("a small number");
    let cached = CachedStore::new(database.store("idle"), CacheOptions::new()).expect("a cache");
    let transactions = || -> i64 {
        // The database counts a connection's work a second later, or when it ends.
        std::thread::sleep(Duration::from_secs(2));
        let count = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
        block_on(sqlx::query_scalar(count).fetch_one(&database.pool)).expect("a count")
    };
    let quiet = transactions();
    let noise = transactions() - quiet;
    let task = database.runtime.spawn(cached.refresh_task());
    let before = transactions();
    std::thread::sleep(Duration::from_secs(seconds.into()));
    let asked = transactions() - before - noise;
    task.abort();
    let asked = f64::from(i32::try_from(asked).unwrap_or(i32::MAX)) / f64::from(seconds + 2);
    database.run.show(&Figure::alone(IDLE, Unit::PerSecond, &[asked]).target(Target::Most(3.2)));
}
