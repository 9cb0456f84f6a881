//! The clock of the lease: it never goes back, and continues while the machine sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock for bounds on the age of an answer.
///
/// It never goes back, whatever happens to the time of day, and continues while the machine is suspended:
/// a node that wakes up must know that it slept. [`SystemMonotonicClock`] is the default;
/// [`ManualMonotonicClock`] is for tests.
pub trait MonotonicClock: Send + Sync + 'static {
    /// Returns the time since a fixed moment, such as the start of the machine.
    fn now(&self) -> Duration;
}

/// The time since the machine was started: `CLOCK_BOOTTIME` on Linux and Android.
///
/// On other systems it does not advance while the machine sleeps, as the standard library's clock there.
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

/// A clock that advances only when it is told to. Clones share the time.
///
/// ```
/// use std::time::Duration;
///
/// use keywright::store::{ManualMonotonicClock, MonotonicClock};
///
/// let clock = ManualMonotonicClock::new();
/// clock.advance(Duration::from_millis(500));
/// assert_eq!(clock.now(), Duration::from_millis(500));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualMonotonicClock(Arc<AtomicU64>);

impl ManualMonotonicClock {
    /// Creates a clock at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Advances the clock, by whole microseconds.
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
