//! The durations and times that tests use.

use std::time::Duration;

use keywright::Timestamp;

/// The resolution of [`Timestamp`].
pub const MOMENT: Duration = Duration::from_micros(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);

/// The time at which every world begins, 2026-01-01T09:00:00Z, in microseconds.
pub const BEGINNING: i64 = 1_767_258_000_000_000;

/// Returns the time at which every world begins.
pub fn start() -> Timestamp {
    Timestamp::from_unix_micros(BEGINNING).expect("a time in range")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}
