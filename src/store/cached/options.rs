//! The settings of a cache, and their bounds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::lease::Bounds;
use super::monotonic_clock::{MonotonicClock, SystemMonotonicClock};

/// Settings of a [`CachedStore`](super::CachedStore).
///
/// ```
/// use std::time::Duration;
///
/// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
///
/// let options = CacheOptions::new()
///     .max_staleness(Duration::from_millis(500))
///     .on_not_refreshed(|| eprintln!("no task refreshes the cache of API keys"));
/// let cache = CachedStore::new(MemoryStore::new(), options)?;
/// # Ok::<(), keywright::store::CacheOptionsError>(())
/// ```
#[derive(Clone)]
#[must_use = "setters take and return by value"]
pub struct CacheOptions {
    max_staleness: Duration,
    outage: Option<Duration>,
    pub(super) patience: Duration,
    pub(super) capacity: usize,
    pub(super) clock: Arc<dyn MonotonicClock>,
    pub(super) on_not_refreshed: Arc<dyn Fn() + Send + Sync>,
}

/// A setting of [`CacheOptions`] is out of its bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheOptionsError {
    /// The bound on the age of an answer.
    #[error("max_staleness must be between 10 ms and 1 h, got {0:?}")]
    MaxStaleness(Duration),
    /// The bound during an outage.
    #[error("the staleness during an outage must be between max_staleness and 7 days, got {0:?}")]
    Outage(Duration),
    /// How long the cache waits for the store.
    #[error("patience must be between 1 ms and 1 min, got {0:?}")]
    Patience(Duration),
    /// How many keys the cache holds.
    #[error("capacity must be at least 1")]
    Capacity,
}

impl CacheOptions {
    /// Returns the defaults: answers are at most 1 second old, the store has 2 seconds to answer, and the
    /// cache holds 1,000,000 keys.
    pub fn new() -> Self {
        Self {
            max_staleness: Duration::from_secs(1),
            outage: None,
            patience: Duration::from_secs(2),
            capacity: 1_000_000,
            clock: Arc::new(SystemMonotonicClock),
            on_not_refreshed: Arc::new(|| {}),
        }
    }

    /// Sets how old an answer may be, 10 ms to 1 hour. After a revoke was acknowledged anywhere, no node
    /// accepts the key for longer than this.
    ///
    /// The refresh task asks the store what has changed three times in this time, whether keys are used
    /// or not.
    pub fn max_staleness(self, bound: Duration) -> Self {
        Self { max_staleness: bound, ..self }
    }

    /// **Accepts revoked keys** while the store cannot be reached, for this time since it last
    /// could, at most 7 days. Such a grant says so with
    /// [`Age::is_during_outage`](crate::store::Age::is_during_outage).
    ///
    /// Without this setting, a node that has lost the store accepts no key once its answers are too old.
    pub fn danger_accept_revoked_keys_during_an_outage(self, bound: Duration) -> Self {
        Self { outage: Some(bound), ..self }
    }

    /// Sets how long the cache waits for the store before the store counts as unavailable, 1 ms to 1 minute.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets how many keys the cache holds, at least 1. Each takes about a kilobyte.
    pub fn capacity(self, keys: usize) -> Self {
        Self { capacity: keys, ..self }
    }

    /// Replaces the clock that measures the age of answers.
    pub fn clock(self, clock: impl MonotonicClock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets a function for a warning: a read found that no task refreshes the cache
    /// ([`CacheState::NotRefreshed`](super::CacheState::NotRefreshed)).
    ///
    /// It is called by that read, once, and again only if the cache was refreshed in between. It must not
    /// block.
    pub fn on_not_refreshed(self, warn: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_not_refreshed: Arc::new(warn), ..self }
    }

    pub(super) fn check(&self) -> Result<Bounds, CacheOptionsError> {
        let within = |duration: Duration, least, most| (least..=most).contains(&duration);
        if !within(self.max_staleness, Duration::from_millis(10), Duration::from_hours(1)) {
            return Err(CacheOptionsError::MaxStaleness(self.max_staleness));
        }
        if let Some(outage) = self.outage
            && !within(outage, self.max_staleness, Duration::from_hours(7 * 24))
        {
            return Err(CacheOptionsError::Outage(outage));
        }
        if !within(self.patience, Duration::from_millis(1), Duration::from_mins(1)) {
            return Err(CacheOptionsError::Patience(self.patience));
        }
        if self.capacity == 0 {
            return Err(CacheOptionsError::Capacity);
        }
        Ok(Bounds { max_staleness: self.max_staleness, outage: self.outage })
    }
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("max_staleness", &self.max_staleness)
            .field("outage", &self.outage)
            .field("patience", &self.patience)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
