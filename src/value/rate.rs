//! Rates: a number of uses in a period.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// A number of uses in a period, as `100/60s`: 1 to 1,000,000 uses in 1 second to 31 days.
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

    /// Creates a rate of `uses` in each `per`.
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

    /// Returns the number of uses.
    pub fn uses(&self) -> u32 {
        self.uses.get()
    }

    /// Returns the period.
    pub fn per(&self) -> Duration {
        self.per
    }

    /// Returns whether this rate admits no more than `other`, at once and over time.
    pub fn is_within(&self, other: &Self) -> bool {
        let (mine, theirs) = (u128::from(self.uses.get()), u128::from(other.uses.get()));
        mine <= theirs && mine * other.per.as_nanos() <= theirs * self.per.as_nanos()
    }

    /// Returns the rate that holds where both do: as many uses at once as the smaller of them,
    /// regained no faster than the slower of them. The period is rounded up to a whole second.
    pub(crate) fn within_both(self, other: Self) -> Self {
        let uses = self.uses.min(other.uses);
        let seconds = |rate: Self| {
            (u64::from(uses.get()) * rate.per.as_secs()).div_ceil(u64::from(rate.uses.get()))
        };
        Self { uses, per: Duration::from_secs(seconds(self).max(seconds(other))) }
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
        let malformed = || RateError::Malformed(redact(text));
        let (uses, per) = text.split_once('/').ok_or_else(malformed)?;
        let seconds = per.strip_suffix('s').ok_or_else(malformed)?;
        let uses = uses.parse().map_err(|_| malformed())?;
        let seconds = seconds.parse().map_err(|_| malformed())?;
        let rate = Self::new(uses, Duration::from_secs(seconds))?;
        // One spelling: a sign or a leading zero would be read too.
        if rate.to_string() == text { Ok(rate) } else { Err(malformed()) }
    }
}

serde_as_text!(Rate);
