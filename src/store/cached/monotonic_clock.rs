//! The clock of the lease, which never goes back and continues while the machine sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that measures the age of a cached answer.
///
/// The clock must never go back, even if the time of day is set back. It must also continue while the
/// machine is suspended, so that a node that wakes up knows how old its answers are.
/// [`SystemMonotonicClock`] is the default, and [`ManualMonotonicClock`] is for tests.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use keywright::store::{CacheOptions, MonotonicClock};
///
/// /// The time since the process started, for systems that are never suspended.
/// struct Uptime(Instant);
///
/// impl MonotonicClock for Uptime {
///     fn now(&self) -> Duration {
///         self.0.elapsed()
///     }
/// }
///
/// let options = CacheOptions::new().clock(Uptime(Instant::now()));
/// # drop(options);
/// ```
pub trait MonotonicClock: Send + Sync + 'static {
    /// Returns the time since a fixed moment, such as the start of the machine.
    fn now(&self) -> Duration;
}

/// The clock of the system, which is the default.
///
/// On Linux and Android it is `CLOCK_BOOTTIME`, the time since the machine was started. On other
/// systems it is [`Instant`](std::time::Instant), which may not advance while the machine sleeps.
///
/// ```
/// use keywright::store::{MonotonicClock, SystemMonotonicClock};
///
/// let before = SystemMonotonicClock.now();
/// assert!(SystemMonotonicClock.now() >= before);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemMonotonicClock;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl MonotonicClock for SystemMonotonicClock {
    fn now(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(time).unwrap_or_default()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl MonotonicClock for SystemMonotonicClock {
    fn now(&self) -> Duration {
        static BEGIN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        BEGIN.elapsed()
    }
}

/// A clock for tests, which moves only when a test advances it.
///
/// Clones share the time.
///
/// ```
/// use std::time::Duration;
///
/// use keywright::store::{ManualMonotonicClock, MonotonicClock};
///
/// let clock = ManualMonotonicClock::new();
/// let same = clock.clone();
/// clock.advance(Duration::from_millis(500));
/// assert_eq!(same.now(), Duration::from_millis(500));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualMonotonicClock(Arc<AtomicU64>);

impl ManualMonotonicClock {
    /// Creates a clock that shows zero.
    ///
    /// ```
    /// # use keywright::store::{ManualMonotonicClock, MonotonicClock};
    /// assert_eq!(ManualMonotonicClock::new().now(), std::time::Duration::ZERO);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Advances the clock.
    ///
    /// Fractions of a microsecond are dropped.
    ///
    /// ```
    /// # use keywright::store::{ManualMonotonicClock, MonotonicClock};
    /// # use std::time::Duration;
    /// let clock = ManualMonotonicClock::new();
    /// clock.advance(Duration::from_secs(1));
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(clock.now(), Duration::from_secs(3));
    /// ```
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl MonotonicClock for ManualMonotonicClock {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }
}
