//! A clock that is set back while the example writes the past of its keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keywright::{Clock, SystemClock, Timestamp};

/// The time of the system, less the seconds by which the clock is set back.
#[derive(Clone, Debug, Default)]
pub struct PastClock(Arc<AtomicU64>);

impl PastClock {
    /// Sets the clock back, or to the present with zero.
    pub fn set_back(&self, by: Duration) {
        self.0.store(by.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().saturating_sub(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }
}
