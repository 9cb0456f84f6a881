//! This module counts the uses of a key in the periods of an alert, as stores keep them.

use serde::{Deserialize, Serialize};

use crate::value::time::Timestamp;
use crate::value::use_alert::UseAlert;

/// The uses of a key in the two periods of an alert that have the latest uses.
///
/// One period is not enough: nodes flush at different times, so uses of the period that has just
/// ended arrive after those of the next one. A period that two others have replaced does not come
/// back, because its uses are all earlier than theirs. So no period is reported twice.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct UseWindows([Option<UseWindow>; 2]);

/// The uses in one period.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct UseWindow {
    starts_at: Timestamp,
    period_seconds: u32,
    uses: u64,
    last_used_at: Timestamp,
    /// Whether the event of this period is written.
    reported: bool,
}

impl UseWindows {
    /// Adds uses that lie in one period of `alert`, the last of them at `at`.
    ///
    /// Returns the uses of that period if its event is now due.
    pub(crate) fn add(&mut self, alert: UseAlert, uses: u64, at: Timestamp) -> Option<u64> {
        let starts_at = alert.window_start(at);
        let period_seconds = u32::try_from(alert.period().as_secs()).unwrap_or(u32::MAX);
        let is_same = |known: &UseWindow| {
            known.starts_at == starts_at && known.period_seconds == period_seconds
        };
        if !self.0.iter().flatten().any(is_same) {
            // Uses that are older than both periods count in the totals only.
            if self.0[1].is_some_and(|older| older.last_used_at >= at) {
                return None;
            }
            let new =
                UseWindow { starts_at, period_seconds, uses: 0, last_used_at: at, reported: false };
            let place = usize::from(self.0[0].is_some());
            self.0[place] = Some(new);
        }
        let window = self.0.iter_mut().flatten().find(|known| is_same(known))?;
        window.uses = window.uses.saturating_add(uses);
        window.last_used_at = window.last_used_at.max(at);
        let is_due = window.uses > alert.uses() && !window.reported;
        window.reported |= is_due;
        let due = is_due.then_some(window.uses);
        if let [Some(first), Some(second)] = self.0
            && first.last_used_at < second.last_used_at
        {
            self.0.swap(0, 1);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds uses at a second since the start of 2027 and returns what is due.
    fn add(windows: &mut UseWindows, alert: &str, uses: u64, second: i64) -> Option<u64> {
        let at = Timestamp::from_unix_seconds(1_798_761_600 + second).expect("a time");
        windows.add(alert.parse().expect("an alert"), uses, at)
    }

    fn run(steps: &[(&str, u64, i64, Option<u64>)]) {
        let mut windows = UseWindows::default();
        for (step, (alert, uses, second, due)) in steps.iter().enumerate() {
            assert_eq!(add(&mut windows, alert, *uses, *second), *due, "step {step} of {steps:?}");
        }
    }

    #[test]
    fn window_is_due_above_its_limit_once() {
        run(&[
            ("10/60s", 10, 0, None),
            ("10/60s", 1, 59, Some(11)),
            ("10/60s", 100, 59, None),
            ("10/60s", 10, 60, None),
            ("10/60s", 1, 60, Some(11)),
            ("10/60s", 50, 120, Some(50)),
        ]);
    }

    #[test]
    fn late_uses_count_in_their_own_window() {
        run(&[
            ("10/60s", 6, 59, None),
            ("10/60s", 6, 60, None),
            // Another node flushes the window before: it has 11 uses, and the current one still 6.
            ("10/60s", 5, 58, Some(11)),
            ("10/60s", 5, 59, None),
            ("10/60s", 4, 61, None),
            ("10/60s", 1, 61, Some(11)),
        ]);
    }

    #[test]
    fn window_older_than_two_is_not_reopened() {
        run(&[
            ("10/60s", 11, 0, Some(11)),
            ("10/60s", 1, 60, None),
            ("10/60s", 99, 1, None),
            ("10/60s", 1, 120, None),
            // The first window was reported and is replaced now.
            ("10/60s", 99, 1, None),
            ("10/60s", 9, 61, None),
            ("10/60s", 1, 62, Some(11)),
            ("10/60s", 10, 121, Some(11)),
        ]);
    }

    #[test]
    fn late_window_between_two_replaces_the_older() {
        run(&[
            ("10/60s", 11, 0, Some(11)),
            ("10/60s", 1, 180, None),
            ("10/60s", 11, 60, Some(11)),
            ("10/60s", 11, 0, None),
            ("10/60s", 10, 180, Some(11)),
            ("10/60s", 99, 60, None),
        ]);
    }

    #[test]
    fn changed_period_begins_a_new_window() {
        run(&[
            ("10/3600s", 10, 100, None),
            ("10/60s", 10, 110, None),
            // A node that has not seen the change yet.
            ("10/3600s", 1, 111, Some(11)),
            ("10/60s", 1, 112, Some(11)),
            ("10/3600s", 50, 113, None),
            ("10/60s", 10, 120, None),
            ("10/60s", 1, 121, Some(11)),
            // And to a longer one, whose window began before.
            ("10/7200s", 11, 122, Some(11)),
            ("10/7200s", 11, 123, None),
        ]);
    }

    #[test]
    fn changed_limit_holds_in_the_same_window() {
        run(&[
            ("100/60s", 50, 0, None),
            ("10/60s", 1, 1, Some(51)),
            ("60/60s", 20, 2, None),
            ("10/60s", 1, 3, None),
        ]);
    }

    #[test]
    fn order_of_late_uses_does_not_matter() {
        // Eleven uses in each of two windows, in ten parts, in every rotation of their order.
        let parts: Vec<(u64, i64)> = (0..10_u8)
            .map(|n| (u64::from(n % 5) + 1, i64::from(n % 2) * 60 + i64::from(n)))
            .collect();
        let sums = [0, 60].map(|start: i64| {
            let of = parts.iter().filter(|(_, at)| (start..start + 60).contains(at));
            of.map(|(uses, _)| uses).sum::<u64>()
        });
        for turn in 0..parts.len() {
            let mut windows = UseWindows::default();
            let due: Vec<u64> = (0..parts.len())
                .filter_map(|n| {
                    let (uses, at) = parts[(n + turn) % parts.len()];
                    add(&mut windows, "10/60s", uses, at)
                })
                .collect();
            assert_eq!(due.len(), 2, "{due:?} of {sums:?}");
        }
    }
}
