//! The numbers that are read when metrics are published.

use std::time::Duration;

/// The numbers of a process at one moment.
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only metrics show them"))]
pub(crate) struct Gauges {
    /// The number of keys whose uses wait for a flush.
    pub(crate) unflushed_keys: usize,
    /// The number of batches that the store has not acknowledged. `None` while a flush runs.
    pub(crate) unflushed_batches: Option<usize>,
    /// The caches, if there are any.
    pub(crate) cache: Option<CacheGauges>,
    /// The pool of the store, if it has one.
    pub(crate) pool: Option<PoolGauges>,
}

/// The numbers of all caches together.
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only metrics show them"))]
pub(crate) struct CacheGauges {
    /// The age of the oldest one. `None` if one was never refreshed.
    pub(crate) age: Option<Duration>,
    pub(crate) keys: usize,
    pub(crate) regressions: u64,
}

/// The numbers of a pool of connections.
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only metrics show them"))]
pub(crate) struct PoolGauges {
    pub(crate) connections: u32,
    pub(crate) idle: usize,
}
