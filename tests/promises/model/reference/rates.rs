//! Rates in the reference model. All numbers are whole: a wait is exact to the microsecond, and a
//! rounded fraction could lie on either side of one.

use std::ops::RangeInclusive;

use crate::plain::{SECOND, Span, Time};

/// A use, in parts. Under each rate, a microsecond regains a whole number of parts: the slowest rate
/// is 1/72 use in a second. Owners share two to six rates, ten or 1,000, and the second factor is
/// divisible by each speed. So the parts stay whole when a faster rate ends within an interval.
const USE: i128 = 72_000_000 * 864_000;

/// The most that one change of the rate rounds against the key, in parts: 50 billionths of a use, and
/// 3 ns at the faster rate, in which `speed` parts are regained in a microsecond.
const fn rounding(speed: i128) -> i128 {
    USE / 20_000_000 + speed * 3 / 1_000
}

/// Combines two rates: the smaller number of uses, in the time that the slower rate takes for them.
pub(super) fn both(one: (i64, i64), other: (i64, i64)) -> (i64, i64) {
    let uses = one.0.min(other.0);
    let seconds = |(most, seconds): (i64, i64)| (uses * seconds + most - 1) / most;
    (uses, seconds(one).max(seconds(other)))
}

/// A rate in parts: the size of the burst, and the parts regained in a microsecond.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Speed {
    most: i128,
    speed: i128,
}

impl Speed {
    fn of((uses, seconds): (i64, i64)) -> Self {
        let most = i128::from(uses) * USE;
        let period = i128::from(seconds * SECOND);
        assert_eq!(most % period, 0, "{uses}/{seconds}s regains no whole number of parts");
        Self { most, speed: most / period }
    }
}

/// The spent uses of a rate that have not been regained.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    parts: i128,
    at: Time,
    rate: Option<Speed>,
    /// The parts regained in a microsecond while more than the burst is owed.
    excess: i128,
    /// The most that the changes of the rate have rounded since all uses were regained, in parts.
    rounded: i128,
}

impl Spent {
    pub(super) fn nothing(now: Time) -> Self {
        Self { parts: 0, at: now, rate: None, excess: 0, rounded: 0 }
    }

    /// Regains uses until now, then takes over another rate.
    pub(super) fn come_to(&mut self, now: Time, rate: (i64, i64)) {
        let next = Speed::of(rate);
        let Speed { most, speed } = self.rate.unwrap_or(next);
        let elapsed = i128::from(now - self.at);
        let over = self.parts - most;
        let left = if over <= 0 {
            self.parts - elapsed * speed
        } else if elapsed * self.excess <= over {
            self.parts - elapsed * self.excess
        } else {
            // The time that was left when the excess was regained, at the speed of the rate.
            most - elapsed * speed + over * speed / self.excess
        };
        self.parts = left.max(0);
        if next != (Speed { most, speed }) {
            let before = if self.parts > most { self.excess } else { speed };
            self.excess = before.max(next.speed);
            self.rounded += rounding(self.excess);
        }
        if left + self.rounded <= 0 {
            self.rounded = 0;
        }
        (self.at, self.rate) = (now, Some(next));
    }

    /// Spends a use that the rate admits.
    pub(super) fn spend(&mut self) {
        self.parts += USE;
    }

    /// Spends a use even if none is left: up to another burst can be owed.
    pub(super) fn charge(&mut self) {
        let Speed { most, speed } = self.rate.expect("the rate is set");
        let is_owed_faster = self.parts > most && self.excess > speed;
        if !is_owed_faster && self.parts + USE <= 2 * most {
            self.excess = speed;
            self.parts += USE;
        }
    }

    /// Returns the microseconds to wait if no use is left. The number is exact unless the rate has
    /// changed.
    pub(super) fn wait(&self) -> Result<(), RangeInclusive<Span>> {
        let least = self.wait_with(self.parts);
        if least == 0 {
            return Ok(());
        }
        Err(least..=self.wait_with(self.parts + self.rounded))
    }

    /// Returns the microseconds after which one use fits, rounded up: no shorter wait suffices.
    fn wait_with(&self, parts: i128) -> Span {
        let Speed { most, speed } = self.rate.expect("the rate is set");
        let over = (parts - most).max(0);
        let within = (parts - over + USE - most).max(0);
        let fastest = self.excess.max(speed);
        let (time, unit) = (over * speed + within * fastest, fastest * speed);
        Span::try_from((time + unit - 1) / unit).expect("a wait is at most months")
    }
}

/// Returns the longer of two waits.
pub(super) fn longer(
    one: &RangeInclusive<Span>,
    other: &RangeInclusive<Span>,
) -> RangeInclusive<Span> {
    *one.start().max(other.start())..=*one.end().max(other.end())
}

/// In floating-point seconds this wait was 482.499 999 999 999 9 ms, which rounds to another
/// millisecond than 482.5 ms.
#[common::test]
fn model_gives_exact_waits() {
    let rate = (5, 10);
    let mut spent = Spent::nothing(0);
    for now in [0, 517_501, 517_501, 517_501, 517_501] {
        spent.come_to(now, rate);
        spent.spend();
    }
    spent.come_to(1_517_500, rate);
    assert_eq!(spent.wait(), Err(482_500..=482_500));
    spent.come_to(1_999_999, rate);
    assert_eq!(spent.wait(), Err(1..=1), "a shorter wait does not suffice");
    spent.come_to(2_000_000, rate);
    assert_eq!(spent.wait(), Ok(()));
}
