//! The clock of the lease: it never goes back, and goes on while the machine sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Time since some fixed moment, for what must not be older than a bound.
///
/// It never goes back, whatever is done to the time of day, and goes on while the machine is suspended:
/// a node that wakes up must know that it slept. Give [`ManualMonotonicClock`] in tests; [`SystemMonotonicClock`] is the
/// default.
pub trait MonotonicClock: Send + Sync + 'static {
    /// The time since the moment.
    fn ticks(&self) -> Duration;
}

/// The operating system's clock of the time since it was started: `CLOCK_BOOTTIME` where there is one.
///
/// Elsewhere it stands still while the machine sleeps, as the standard library's clock does there.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemMonotonicClock;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl MonotonicClock for SystemMonotonicClock {
    fn ticks(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(time).unwrap_or_default()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl MonotonicClock for SystemMonotonicClock {
    fn ticks(&self) -> Duration {
        static BEGIN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        BEGIN.elapsed()
    }
}

/// A clock that stands still until it is told to move. Clones share the time.
#[derive(Clone, Debug, Default)]
pub struct ManualMonotonicClock(Arc<AtomicU64>);

impl ManualMonotonicClock {
    /// A clock at the moment itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward, by whole microseconds.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl MonotonicClock for ManualMonotonicClock {
    fn ticks(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }
}
