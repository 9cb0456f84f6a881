//! Durations as a number and a unit.

use std::time::Duration;

use super::texts::{Message, Text};

/// The units of a duration, with their seconds, from the largest.
pub(super) const UNITS: [(&str, u64, Text); 4] = [
    ("days", 86_400, Text::DAYS),
    ("hours", 3_600, Text::HOURS),
    ("minutes", 60, Text::MINUTES),
    ("seconds", 1, Text::SECONDS),
];

/// Returns a duration as a number of the largest unit that divides it, and the name of the unit.
pub(super) fn in_units(duration: Duration) -> (u64, &'static str) {
    let (count, (name, ..)) = largest(duration);
    (count, name)
}

/// Returns a duration in words, such as `90 days`.
pub(super) fn words(duration: Duration) -> Message {
    let (count, (.., text)) = largest(duration);
    text.count(count)
}

fn largest(duration: Duration) -> (u64, (&'static str, u64, Text)) {
    let seconds = duration.as_secs();
    let divides = |(_, unit, _): &&(&str, u64, Text)| seconds.is_multiple_of(*unit);
    let unit = UNITS.iter().find(divides).unwrap_or(&UNITS[3]);
    (seconds / unit.1, *unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_unit_that_divides_is_chosen() {
        let unit = |seconds| in_units(Duration::from_secs(seconds));
        assert_eq!(unit(86_400), (1, "days"));
        assert_eq!(unit(90_000), (25, "hours"));
        assert_eq!(unit(90), (90, "seconds"));
        assert_eq!(unit(0), (0, "days"));
    }
}
