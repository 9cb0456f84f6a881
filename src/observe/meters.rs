//! The metrics of the facade `metrics`. Their names and labels are stable, and listed in the guide.
//!
//! A check adds to a counter in memory. Publishing moves these counts to the recorder, so that a check neither
//! looks up a metric nor allocates, and each count reaches the recorder once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::activity::{Activity, Ending};
use super::gauges::Gauges;
#[cfg(feature = "postgres")]
use super::retries::StoreRetry;
use super::verdict::Verdict;
use crate::value::seat::{self, SEATS};

const VERIFICATIONS: &str = "keywright_verifications_total";
const DENIALS: &str = "keywright_denials_total";
const OPERATIONS: &str = "keywright_operations_total";
const DURATION: &str = "keywright_operation_duration_seconds";
const CONFLICTS: &str = "keywright_operation_conflicts_total";
const LEAK_REPORTS: &str = "keywright_leak_reports_total";
#[cfg(feature = "reports")]
const REPORT_REFUSALS: &str = "keywright_leak_report_refusals_total";
const UNFLUSHED_KEYS: &str = "keywright_unflushed_keys";
const UNFLUSHED_BATCHES: &str = "keywright_unflushed_batches";
const CACHE_AGE: &str = "keywright_cache_age_seconds";
const CACHE_KEYS: &str = "keywright_cache_keys";
const CACHE_REGRESSIONS: &str = "keywright_cache_regressions";
const POOL_CONNECTIONS: &str = "keywright_pool_connections";
const POOL_IDLE: &str = "keywright_pool_idle_connections";
#[cfg(feature = "postgres")]
const POOL_WAIT: &str = "keywright_pool_wait_seconds";
#[cfg(feature = "postgres")]
const STORE_RETRIES: &str = "keywright_store_retries_total";

/// The most reasons for a denial.
pub(crate) const MOST_REASONS: usize = 16;

/// The checks that are counted and not published yet.
#[derive(Clone)]
pub(crate) struct Counts(Arc<[Seat; SEATS]>);

/// The counts of the threads with one seat. They share no line of the CPU's cache with those of another.
#[derive(Default)]
#[repr(align(128))]
struct Seat {
    accepted: AtomicU64,
    unavailable: AtomicU64,
    denied: [AtomicU64; MOST_REASONS],
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Counts a check.
    #[inline]
    pub(crate) fn count<'a>(&self, verdict: impl FnOnce() -> Verdict<'a>) {
        let seat = &self.0[seat::of_this_thread()];
        let count = match verdict() {
            Verdict::Accepted { .. } => &seat.accepted,
            Verdict::Denied { number, .. } => &seat.denied[number],
            Verdict::Unavailable(_) => &seat.unavailable,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Moves the counts to the recorder, and sets the gauges. `reasons` are the codes by their numbers.
    pub(crate) fn publish(&self, reasons: &[&'static str], gauges: impl FnOnce() -> Gauges) {
        describe();
        let take = |of: fn(&Seat) -> &AtomicU64| -> u64 {
            self.0.iter().map(|seat| of(seat).swap(0, Ordering::Relaxed)).sum()
        };
        let mut all_denied = 0;
        for (number, reason) in reasons.iter().enumerate() {
            let denied: u64 =
                self.0.iter().map(|seat| seat.denied[number].swap(0, Ordering::Relaxed)).sum();
            // Also if it is 0, so that the first denial shows as an increase.
            counter!(DENIALS, "reason" => *reason).increment(denied);
            all_denied += denied;
        }
        let accepted = take(|seat| &seat.accepted);
        let unavailable = take(|seat| &seat.unavailable);
        for (outcome, count) in
            [("accepted", accepted), ("denied", all_denied), ("unavailable", unavailable)]
        {
            counter!(VERIFICATIONS, "outcome" => outcome).increment(count);
        }
        set(&gauges());
    }
}

fn describe() {
    describe_counter!(VERIFICATIONS, Unit::Count, "checks of credentials, by outcome");
    describe_counter!(DENIALS, Unit::Count, "denied checks, by reason");
    describe_counter!(OPERATIONS, Unit::Count, "changes and background work, by outcome");
    describe_histogram!(DURATION, Unit::Seconds, "the time that an operation took");
    describe_counter!(CONFLICTS, Unit::Count, "attempts that began again after another change");
    describe_counter!(LEAK_REPORTS, Unit::Count, "reported tokens, by outcome");
    #[cfg(feature = "reports")]
    describe_counter!(REPORT_REFUSALS, Unit::Count, "refused leak reports over HTTP, by reason");
    describe_gauge!(UNFLUSHED_KEYS, Unit::Count, "keys with uses that wait for a flush");
    describe_gauge!(
        UNFLUSHED_BATCHES,
        Unit::Count,
        "batches of uses that the store has not accepted"
    );
    describe_gauge!(CACHE_AGE, Unit::Seconds, "the age of the answers of a cache");
    describe_gauge!(CACHE_KEYS, Unit::Count, "keys in the memory of a cache");
    describe_gauge!(CACHE_REGRESSIONS, Unit::Count, "how often a store had lost commits");
    describe_gauge!(POOL_CONNECTIONS, Unit::Count, "connections of the pool of the store");
    describe_gauge!(POOL_IDLE, Unit::Count, "connections of the pool that nothing uses");
    #[cfg(feature = "postgres")]
    describe_histogram!(POOL_WAIT, Unit::Seconds, "the time until the pool gave a connection");
    #[cfg(feature = "postgres")]
    describe_counter!(STORE_RETRIES, Unit::Count, "statements that a store repeated, by reason");
}

#[expect(clippy::cast_precision_loss, reason = "gauges are numbers far below 2^52")]
fn set(gauges: &Gauges) {
    gauge!(UNFLUSHED_KEYS).set(gauges.unflushed_keys as f64);
    if let Some(batches) = gauges.unflushed_batches {
        gauge!(UNFLUSHED_BATCHES).set(batches as f64);
    }
    if let Some(cache) = &gauges.cache {
        // A cache that was never refreshed has no answers, so its age is without a bound.
        gauge!(CACHE_AGE).set(cache.age.map_or(f64::INFINITY, |age| age.as_secs_f64()));
        gauge!(CACHE_KEYS).set(cache.keys as f64);
        gauge!(CACHE_REGRESSIONS).set(cache.regressions as f64);
    }
    if let Some(pool) = &gauges.pool {
        gauge!(POOL_CONNECTIONS).set(f64::from(pool.connections));
        gauge!(POOL_IDLE).set(pool.idle as f64);
    }
}

/// The metrics of a piece of work.
#[derive(Clone, Copy)]
pub(super) struct WorkMeter {
    activity: Activity,
    began: Instant,
}

impl WorkMeter {
    pub(super) fn begin(activity: Activity) -> Self {
        Self { activity, began: Instant::now() }
    }

    pub(super) fn overtaken(self) {
        counter!(CONFLICTS, "operation" => self.activity.name()).increment(1);
    }

    pub(super) fn ended(self, ending: Ending<'_>) {
        let operation = self.activity.name();
        counter!(OPERATIONS, "operation" => operation, "outcome" => ending.outcome()).increment(1);
        histogram!(DURATION, "operation" => operation).record(self.began.elapsed().as_secs_f64());
    }
}

/// Counts a reported token. The outcomes are a closed set.
pub(crate) fn count_leak_report(outcome: &'static str) {
    counter!(LEAK_REPORTS, "outcome" => outcome).increment(1);
}

/// Counts a leak report over HTTP that was refused or failed. The codes are a closed set.
#[cfg(feature = "reports")]
pub(crate) fn count_report_refusal(code: &'static str) {
    counter!(REPORT_REFUSALS, "reason" => code).increment(1);
}

/// Counts an attempt that a store repeats.
#[cfg(feature = "postgres")]
pub(crate) fn count_store_retry(retry: StoreRetry) {
    counter!(STORE_RETRIES, "reason" => retry.code()).increment(1);
}

/// The metric of a wait for a connection. A wait that is dropped is not recorded.
#[cfg(feature = "postgres")]
pub(crate) struct PoolWait(Instant);

#[cfg(feature = "postgres")]
impl PoolWait {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn ended(self) {
        histogram!(POOL_WAIT).record(self.0.elapsed().as_secs_f64());
    }
}
