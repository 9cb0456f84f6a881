//! The rule of one rate: pure arithmetic over the spent uses and the time. Only this module
//! decides whether a use is within a rate.
//!
//! The algorithm is GCRA (ITU-T I.371, "virtual scheduling"). Its state is one moment: the time at
//! which all spent uses are regained. A rested bucket admits its whole number of uses at once and
//! regains them evenly over the period. Within one rate the arithmetic is exact, in whole fractions
//! of a nanosecond, so a bucket admits exactly `uses` for every period.
//!
//! Three rules go beyond GCRA. They ensure that a change of the rate or of the clock neither locks
//! a key out nor admits extra uses:
//!
//! * **Change of the rate.** The new bucket takes over the spent uses as a count. The uses above
//!   the new number are regained at the faster of the two rates. So changing between rates within
//!   one limit never admits more than that limit.
//! * **Clock set back.** The moment moves back by the same time. Spent uses still count, and the
//!   key does not wait until the clock reaches its old time again.
//! * **Clock slightly behind.** The cause is a thread that reads the clock early and takes the lock
//!   late. Up to [`SLACK`], the later reading holds for both.

use std::time::Duration;

use crate::value::rate::Rate;
use crate::value::time::Timestamp;

/// The largest step back that counts as a late thread: 10 s, in nanoseconds. It is longer than a
/// thread waits between the clock and the lock, and shorter than a lockout that a person would
/// notice.
const SLACK: i128 = 10_000_000_000;

/// The fractions of a use that survive a change of the rate. The number is the nanoseconds of an
/// hour, so the count is exact if the period divides an hour. A change of the rate rounds against
/// the key, by less than two fractions and 3 ns at the faster rate.
const PARTS: i128 = 3_600_000_000_000;

/// A number of uses in a number of nanoseconds: a [`Rate`] or a multiple of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Limit {
    uses: i128,
    period: i128,
}

impl Limit {
    /// Creates a limit of `times` the uses of a rate in its period; 0 `times` counts as 1.
    pub(super) fn times(rate: Rate, times: u16) -> Self {
        let period = i128::try_from(rate.per().as_nanos()).expect("a period has at most 31 days");
        Self { uses: i128::from(rate.uses()) * i128::from(times.max(1)), period }
    }

    fn is_faster_than(&self, other: &Self) -> bool {
        self.uses * other.period > other.uses * self.period
    }
}

/// The uses spent under one rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    limit: Limit,
    /// The rate at which uses above the limit's number are regained.
    excess: Limit,
    /// The time at which all uses are regained, in nanoseconds since 1970 times `limit.uses`.
    rested_at: i128,
    /// The reading of the clock at the last change, in nanoseconds since 1970.
    seen: i128,
}

impl Bucket {
    /// Creates a bucket of which no use is spent.
    pub(super) fn rested(limit: Limit, clock: Timestamp) -> Self {
        let now = nanos(clock);
        Self { limit, excess: limit, rested_at: now * limit.uses, seen: now }
    }

    /// Returns the bucket adjusted to a limit and a clock, of which both may have changed.
    pub(super) fn at(self, limit: Limit, clock: Timestamp) -> Self {
        let bucket = self.with_clock(nanos(clock));
        if limit == bucket.limit { bucket } else { bucket.under(limit, bucket.now(clock)) }
    }

    /// Takes one use, or returns the time to wait for one.
    pub(super) fn spend(self, clock: Timestamp) -> Result<Self, Duration> {
        let Limit { uses, period } = self.limit;
        let now = self.now(clock);
        let rested_at = self.rested_at.max(now * uses) + period;
        let too_early = rested_at - (now + period) * uses;
        if too_early > 0 {
            return Err(in_micros(div_up(too_early, uses) + now - nanos(clock)));
        }
        Ok(Self { rested_at, seen: now, ..self })
    }

    /// Takes one use without ever refusing it. Uses above the limit's number are owed, at most as
    /// many again.
    pub(super) fn charge(self, clock: Timestamp) -> Self {
        let Limit { uses, period } = self.limit;
        let now = self.now(clock);
        let rested_at = self.rested_at.max(now * uses) + period;
        let is_owed_at_another_rate =
            self.is_overfull(now) && self.excess.is_faster_than(&self.limit);
        if is_owed_at_another_rate || rested_at > (now + 2 * period) * uses {
            return self;
        }
        Self { excess: self.limit, rested_at, seen: now, ..self }
    }

    /// Returns whether all uses are regained.
    pub(super) fn has_rested(&self, now: Timestamp) -> bool {
        self.rested_at <= nanos(now) * self.limit.uses
    }

    /// Returns the time. If the clock is slightly behind, this is its last reading.
    fn now(&self, clock: Timestamp) -> i128 {
        nanos(clock).max(self.seen)
    }

    /// Returns the bucket with its moment moved back if the clock was set back.
    fn with_clock(self, clock: i128) -> Self {
        let back = self.seen - clock;
        if back <= SLACK {
            return self;
        }
        let rested_at = self.rested_at - back * self.limit.uses;
        Self { rested_at, seen: clock, ..self }
    }

    /// Returns a bucket under another limit, with the same spent uses.
    fn under(self, limit: Limit, now: i128) -> Self {
        let full = limit.uses * PARTS;
        let spent = self.spent(now);
        let excess = if self.is_overfull(now) { self.excess } else { self.limit };
        let excess = if limit.is_faster_than(&excess) { limit } else { excess };
        let until_full = div_up((spent - full).max(0) * excess.period, excess.uses * PARTS);
        let rested_at =
            (now + until_full) * limit.uses + div_up(spent.min(full) * limit.period, PARTS);
        Self { limit, excess, rested_at, seen: now }
    }

    /// Returns the uses that are not regained, in parts.
    fn spent(&self, now: i128) -> i128 {
        let Limit { uses, period } = self.limit;
        let left = (self.rested_at - now * uses).max(0);
        let within = left.min(period * uses);
        let beyond = div_up(left - within, uses) * self.excess.uses * PARTS;
        div_up(within * PARTS, period) + div_up(beyond, self.excess.period)
    }

    fn is_overfull(&self, now: i128) -> bool {
        self.rested_at - now * self.limit.uses > self.limit.period * self.limit.uses
    }
}

fn nanos(time: Timestamp) -> i128 {
    i128::from(time.unix_micros()) * 1_000
}

fn div_up(a: i128, b: i128) -> i128 {
    (a + b - 1) / b
}

/// Converts to microseconds, the unit of the clock, rounded up: a shorter wait would end before the
/// clock shows it.
fn in_micros(nanos: i128) -> Duration {
    Duration::from_micros(u64::try_from(div_up(nanos, 1_000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_000_000_000_000_000 + micros).expect("a time")
    }

    fn limit(rate: &str) -> Limit {
        Limit::times(rate.parse().expect("a rate"), 1)
    }

    /// A bucket to spend from.
    struct Tried(Bucket);

    impl Tried {
        fn under(rate: &str) -> Self {
            Self(Bucket::rested(limit(rate), at(0)))
        }

        fn spend(&mut self, rate: &str, micros: i64) -> Result<(), Duration> {
            self.0 = self.0.at(limit(rate), at(micros));
            self.0 = self.0.spend(at(micros))?;
            Ok(())
        }

        fn spend_all(&mut self, rate: &str, micros: i64) -> usize {
            (0..2_000_000).take_while(|_| self.spend(rate, micros).is_ok()).count()
        }
    }

    #[test]
    fn bucket_admits_exactly_its_number() {
        for uses in [1, 3, 7, 999, 999_983] {
            let rate = format!("{uses}/1s");
            assert_eq!(Tried::under(&rate).spend_all(&rate, 0), uses, "{rate}");
        }
    }

    #[test]
    fn stated_wait_is_exact() {
        for rate in ["4/60s", "7/1s", "3/1s", "999/60s", "999983/2678400s", "1/2678400s"] {
            let mut bucket = Tried::under(rate);
            bucket.spend_all(rate, 0);
            let mut now = 0;
            for _ in 0..20 {
                let wait = bucket.spend(rate, now).expect_err("everything is spent");
                let micros = i64::try_from(wait.as_micros()).expect("a wait");
                assert_eq!(wait.subsec_nanos() % 1_000, 0, "{rate}: the clock has no such moment");
                assert!(
                    bucket.spend(rate, now + micros - 1).is_err(),
                    "{rate}: {wait:?} is too long"
                );
                now += micros;
                bucket.spend(rate, now).unwrap_or_else(|_| panic!("{rate}: {wait:?} is too short"));
            }
        }
    }

    #[test]
    fn wait_of_half_milliseconds_is_exact() {
        let mut bucket = Tried::under("5/10s");
        for micros in [0, 517_501, 517_501, 517_501, 517_501] {
            bucket.spend("5/10s", micros).expect("five uses");
        }
        assert_eq!(bucket.spend("5/10s", 1_517_500), Err(Duration::from_micros(482_500)));
        assert_eq!(bucket.spend("5/10s", 1_999_999), Err(Duration::from_micros(1)));
        bucket.spend("5/10s", 2_000_000).expect("the wait that was named");
    }

    /// After any changes of the rate and any uses, owed uses included.
    #[test]
    fn stated_wait_is_exact_after_changes() {
        let rates = ["2/1s", "5/10s", "4/1s", "50/3600s", "7/3s", "999983/2678400s", "1/7s"];
        let mut waits = 0;
        for seed in 0..2_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut bucket = Bucket::rested(limit("2/1s"), at(0));
            let mut now = 0;
            for _ in 0..100 {
                let limit = Limit::times(
                    rates[random.usize(0..rates.len())].parse().expect("a rate"),
                    random.u16(1..7),
                );
                now += [0, 1, random.i64(0..SECOND), SECOND, 60 * SECOND][random.usize(0..5)];
                bucket = bucket.at(limit, at(now));
                for _ in 0..random.u8(0..20) {
                    bucket = bucket.charge(at(now));
                }
                let Err(wait) = bucket.spend(at(now)) else { continue };
                waits += 1;
                let then = now + i64::try_from(wait.as_micros()).expect("a wait");
                let tried = |micros| bucket.at(limit, at(micros)).spend(at(micros));
                assert_eq!(wait.subsec_nanos() % 1_000, 0, "seed {seed}: {wait:?}");
                assert!(tried(then - 1).is_err(), "seed {seed}: {wait:?} is too long");
                assert!(tried(then).is_ok(), "seed {seed}: {wait:?} is too short");
            }
        }
        assert!(waits > 10_000, "too few waits: {waits}");
    }

    #[test]
    fn raised_rate_frees_spent_bucket() {
        let mut bucket = Tried::under("10/86400s");
        assert_eq!(bucket.spend_all("10/86400s", 0), 10);
        // Ten uses are spent under either rate.
        assert_eq!(bucket.spend_all("1000/60s", 0), 990);
        assert_eq!(bucket.spend("1000/60s", 0), Err(Duration::from_millis(60)));
    }

    #[test]
    fn lowered_rate_refills_at_old_rate() {
        let mut bucket = Tried::under("1000/60s");
        assert_eq!(bucket.spend_all("1000/60s", 0), 1_000);
        // The 990 excess uses are regained in 59.4 s, then one use in 8640 s.
        let wait = Duration::from_millis(59_400) + Duration::from_secs(8_640);
        assert_eq!(bucket.spend("10/86400s", 0), Err(wait));
        let rest = Duration::from_millis(29_400) + Duration::from_secs(8_640);
        assert_eq!(bucket.spend("10/86400s", 30 * SECOND), Err(rest));
        bucket
            .spend("10/86400s", i64::try_from(wait.as_micros()).expect("a wait"))
            .expect("in time");
    }

    #[test]
    fn refused_use_changes_no_wait() {
        let mut bucket = Tried::under("1000/60s");
        bucket.spend_all("1000/60s", 0);
        let wait = bucket.spend("10/86400s", 0);
        for _ in 0..100 {
            assert_eq!(bucket.spend("10/86400s", 0), wait);
            let _ = bucket.spend("1000/60s", 0);
        }
        assert_eq!(bucket.spend("10/86400s", 0), wait);
    }

    #[test]
    fn toggled_rate_gains_no_use() {
        let mut bucket = Tried::under("1/60s");
        let mut admitted = 0;
        for n in 0..1_000 {
            let rate = if n % 2 == 0 { "1/60s" } else { "2/120s" };
            admitted += bucket.spend_all(rate, n * 1_000);
        }
        assert_eq!(admitted, 2, "what the wider of the two has at once");
    }

    /// For any sequence of rates within a limit and any times, no interval admits more than the
    /// limit.
    #[test]
    fn rate_changes_stay_within_the_limit() {
        let rates =
            ["1/1s", "10/10s", "3/7s", "100/100s", "1000/3600s", "50/60s", "1/3600s", "1000/1000s"];
        let within: Limit = limit("1000/1000s");
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut bucket = Tried::under("1/1s");
            let mut now = 0;
            let mut admitted: Vec<i64> = Vec::new();
            for _ in 0..200 {
                let rate = rates[random.usize(0..rates.len())];
                let burst = random.i64(0..300);
                admitted.extend(
                    (0..burst).take_while(|_| bucket.spend(rate, now).is_ok()).map(|_| now),
                );
                now += [0, 1, 1_000, SECOND, 60 * SECOND][random.usize(0..5)];
            }
            for (n, begin) in admitted.iter().enumerate().step_by(17) {
                let seconds = (now - begin) / SECOND + 1;
                let most = 1_000 + seconds * 1_000 / 1_000;
                let count = i64::try_from(admitted.len() - n).expect("few");
                assert!(count <= most, "seed {seed}: {count} in {seconds} s under {within:?}");
            }
        }
    }

    #[test]
    fn backward_clock_locks_nothing_out() {
        let mut bucket = Tried::under("1/10s");
        bucket.spend("1/10s", 3_600 * SECOND).expect("a use of a fresh bucket");
        assert_eq!(bucket.spend("1/10s", 0), Err(Duration::from_secs(10)), "what was spent counts");
        assert_eq!(bucket.spend("1/10s", SECOND), Err(Duration::from_secs(9)));
        bucket.spend("1/10s", 10 * SECOND).expect("the wait that was named");
    }

    #[test]
    fn two_thread_clocks_gain_nothing() {
        let mut bucket = Tried::under("2/60s");
        let mut admitted = 0;
        for n in 0..1_000 {
            // One thread reads its clock 9 s before it takes the lock.
            let late = if n % 2 == 0 { 0 } else { 9 * SECOND };
            admitted += bucket.spend_all("2/60s", 20 * SECOND - late);
        }
        assert_eq!(admitted, 2);
    }

    #[test]
    fn late_thread_gets_sufficient_wait() {
        let mut bucket = Tried::under("1/10s");
        bucket.spend("1/10s", 5 * SECOND).expect("a use of a fresh bucket");
        // The late clock reads 0 s, and the next use is possible at 15 s.
        assert_eq!(bucket.spend("1/10s", 0), Err(Duration::from_secs(15)));
        bucket.spend("1/10s", 15 * SECOND).expect("the wait that was named");
    }

    #[test]
    fn extreme_limits_and_times_do_not_overflow() {
        let rates = ["1000000/1s", "1000000/2678400s", "1/1s", "1/2678400s"];
        let times = [i64::MIN / 4, -1, 0, 1, 250_000_000_000_000_000];
        for times_of_rate in [1, 1_000] {
            for a in rates {
                for b in rates {
                    let [a, b] =
                        [a, b].map(|r| Limit::times(r.parse().expect("a rate"), times_of_rate));
                    for time in times.iter().filter_map(|t| Timestamp::from_unix_micros(*t)) {
                        let mut bucket = Bucket::rested(a, time);
                        for _ in 0..5 {
                            bucket = bucket.spend(time).unwrap_or(bucket);
                        }
                        for later in times.iter().filter_map(|t| Timestamp::from_unix_micros(*t)) {
                            for limit in [b, a] {
                                bucket = bucket.at(limit, later);
                                bucket = bucket.spend(later).unwrap_or(bucket);
                            }
                        }
                    }
                }
            }
        }
    }
}
