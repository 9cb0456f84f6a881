//! Rate limits: a number of uses in a period, for each key, exact in one process.
//!
//! The algorithm is GCRA (ITU-T I.371): one theoretical arrival time for each key. A fresh key may
//! spend its whole number at once and regains it evenly over the period. Arithmetic is in whole
//! fractions of a nanosecond, so that exactly `uses` are let through however the period divides.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::id::KeyId;
use crate::quote::quote;
use crate::text::serde_as_text;
use crate::time::Timestamp;

/// So many uses in a period, as `100/60s`: 1 to 1,000,000 uses in 1 second to 31 days.
///
/// A key that has rested may spend its whole number at once, and regains it evenly over the period:
/// after `100/60s` one use each 0.6 s. So a stretch of one period can see up to twice the number,
/// less one, and a longer time no more than the rate on average. The limit is exact in one process;
/// each process counts for itself. As text the period is in seconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Rate {
    uses: NonZeroU32,
    per: Duration,
}

/// A rate past its limits, or a text that is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// Not 1 to [`Rate::MAX_USES`] uses.
    #[error("{0} uses are not possible in a rate: from 1 to {max}", max = Rate::MAX_USES)]
    Uses(u32),
    /// Not a whole number of seconds from 1 to [`Rate::MAX_PERIOD`].
    #[error("a rate counts in a period of whole seconds from 1 s to 31 days, not {0:?}")]
    Period(Duration),
    /// Not `uses/period`.
    #[error("{0:?} is not a rate: expected as 100/60s")]
    Malformed(String),
}

impl Rate {
    /// The most uses.
    pub const MAX_USES: u32 = 1_000_000;
    /// The longest period: 31 days.
    pub const MAX_PERIOD: Duration = Duration::from_hours(31 * 24);

    /// A rate of `uses` in each `per`.
    ///
    /// # Errors
    /// [`RateError`] outside the limits.
    pub fn new(uses: u32, per: Duration) -> Result<Self, RateError> {
        let whole = per.subsec_nanos() == 0 && per.as_secs() >= 1;
        if !whole || per > Self::MAX_PERIOD {
            return Err(RateError::Period(per));
        }
        let count = NonZeroU32::new(uses).filter(|uses| uses.get() <= Self::MAX_USES);
        Ok(Self { uses: count.ok_or(RateError::Uses(uses))?, per })
    }

    /// How many uses.
    pub fn uses(&self) -> u32 {
        self.uses.get()
    }

    /// In which period.
    pub fn per(&self) -> Duration {
        self.per
    }

    /// Whether this rate lets through no more than `other`, at once and over time.
    pub fn is_within(&self, other: &Self) -> bool {
        let (mine, theirs) = (u128::from(self.uses.get()), u128::from(other.uses.get()));
        mine <= theirs && mine * other.per.as_nanos() <= theirs * self.per.as_nanos()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.uses, self.per.as_secs())
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let malformed = || RateError::Malformed(quote(text));
        let (uses, per) = text.split_once('/').ok_or_else(malformed)?;
        let seconds = per.strip_suffix('s').ok_or_else(malformed)?;
        let uses = uses.parse().map_err(|_| malformed())?;
        let seconds = seconds.parse().map_err(|_| malformed())?;
        let rate = Self::new(uses, Duration::from_secs(seconds))?;
        // One spelling: a sign or a leading zero would be read too.
        if rate.to_string() == text { Ok(rate) } else { Err(malformed()) }
    }
}

/// What each key has spent. Only keys that have a rate take a place here.
pub(crate) struct Limiter {
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    spent: HashMap<KeyId, Spent>,
    /// The size at which keys that have regained everything are dropped.
    sweep_at: usize,
}

/// The theoretical arrival time of GCRA, in nanoseconds times `rate.uses` since 1970.
struct Spent {
    rate: Rate,
    arrival: i128,
}

impl Limiter {
    const SHARDS: usize = 64;
    const SMALLEST_SWEEP: usize = 1_024;

    pub(crate) fn new() -> Self {
        let shards = (0..Self::SHARDS).map(|_| Mutex::default()).collect();
        Self { shards }
    }

    /// Takes one use of `key`, or says after which time one is to be had.
    pub(crate) fn admit(&self, key: &KeyId, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        let uses = i128::from(rate.uses.get());
        let interval = i128::try_from(rate.per.as_nanos()).expect("at most 31 days");
        let now = i128::from(now.unix_micros()) * 1_000;

        let mut shard = self.shard(key);
        shard.sweep(now);
        let spent = shard.spent.entry(*key).or_insert(Spent { rate, arrival: now * uses });
        if spent.rate != rate {
            spent.arrival = spent.arrival / i128::from(spent.rate.uses.get()) * uses;
            spent.rate = rate;
        }
        // At most the whole period lies ahead; more means that the clock was set back.
        let earliest = now * uses;
        let arrival = spent.arrival.clamp(earliest, earliest + interval * uses) + interval;
        let excess = arrival - (earliest + interval * uses);
        if excess > 0 {
            let wait = (excess + uses - 1) / uses;
            return Err(Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)));
        }
        spent.arrival = arrival;
        Ok(())
    }

    fn shard(&self, key: &KeyId) -> MutexGuard<'_, Shard> {
        let place: usize = key.as_bytes().iter().map(|byte| usize::from(*byte)).sum();
        let shard = &self.shards[place % Self::SHARDS];
        // One number of one key may be stale after a panic elsewhere; denying would not mend it.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn sweep(&mut self, now: i128) {
        if self.spent.len() < self.sweep_at.max(Limiter::SMALLEST_SWEEP) {
            return;
        }
        self.spent.retain(|_, spent| spent.arrival > now * i128::from(spent.rate.uses.get()));
        self.sweep_at = self.spent.len() * 2;
    }
}

serde_as_text!(Rate);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_000_000_000_000_000 + micros).expect("a time")
    }

    fn key() -> KeyId {
        "0123456789ABCDEF".parse().expect("an id")
    }

    #[test]
    fn exactly_the_number_is_let_through_however_the_period_divides() {
        for uses in [1, 3, 7, 999, 999_983] {
            let limiter = Limiter::new();
            let rate = Rate::new(uses, Duration::from_secs(1)).expect("a rate");
            let admitted = (0..uses + 10).filter(|_| limiter.admit(&key(), rate, at(0)).is_ok());
            assert_eq!(admitted.count(), uses as usize);
        }
    }

    #[test]
    fn the_wait_that_is_named_is_long_enough_and_not_longer() {
        let limiter = Limiter::new();
        let rate = Rate::new(4, Duration::from_secs(60)).expect("a rate");
        for _ in 0..4 {
            limiter.admit(&key(), rate, at(0)).expect("there is a use left");
        }
        assert_eq!(limiter.admit(&key(), rate, at(0)), Err(Duration::from_secs(15)));
        assert!(limiter.admit(&key(), rate, at(14_999_999)).is_err());
        assert!(limiter.admit(&key(), rate, at(15_000_000)).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_the_period() {
        let limiter = Limiter::new();
        let rate = Rate::new(1, Duration::from_secs(10)).expect("a rate");
        limiter.admit(&key(), rate, at(3_600_000_000)).expect("there is a use left");
        assert_eq!(limiter.admit(&key(), rate, at(0)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn keys_that_have_regained_everything_take_no_place() {
        let limiter = Limiter::new();
        let rate = Rate::new(1, Duration::from_secs(1)).expect("a rate");
        for n in 0..200_000_i64 {
            let id: KeyId = format!("{n:016}").parse().expect("an id");
            limiter.admit(&id, rate, at(n * 1_000)).expect("there is a use left");
        }
        let kept: usize =
            limiter.shards.iter().map(|s| s.lock().expect("nobody panicked").spent.len()).sum();
        assert!(kept <= Limiter::SHARDS * (Limiter::SMALLEST_SWEEP + 1), "{kept} are kept");
    }
}
