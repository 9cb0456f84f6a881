//! The spans and moments that tests name.

use std::time::Duration;

use keywright::Timestamp;

/// The shortest time that a [`Timestamp`] knows.
pub const MOMENT: Duration = Duration::from_micros(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);

/// When every world begins: 2026-01-01T09:00:00Z, in microseconds.
pub const BEGINNING: i64 = 1_767_258_000_000_000;

/// When every world begins.
pub fn start() -> Timestamp {
    Timestamp::from_unix_micros(BEGINNING).expect("a time in range")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}
