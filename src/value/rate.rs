//! Rates: a number of uses in a period.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// A limit on the uses of a key in a period, such as `100/60s`: 1 to 1,000,000 uses in 1 second to
/// 31 days.
///
/// An unused key may spend all its uses at once. It regains them evenly over the period: at
/// `100/60s`, one use every 0.6 s. So at most twice the number of uses, minus one, can fall into
/// one period. Over a longer time, the average does not exceed the rate. The limit is exact within
/// one process; each process counts separately. In the text form, the period is in seconds.
///
/// ```
/// use std::time::Duration;
/// use keywright::Rate;
///
/// let rate = Rate::new(100, Duration::from_secs(60))?;
/// assert_eq!(rate.to_string(), "100/60s");
/// assert_eq!(rate, "100/60s".parse()?);
/// # Ok::<(), keywright::RateError>(())
/// ```
///
/// See [Policies](crate::guide::policies) in the guide.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Rate {
    uses: NonZeroU32,
    /// The period in seconds.
    per: u32,
}

/// A rate that exceeds a limit, or a text that is not a rate.
///
/// ```
/// use std::time::Duration;
/// use keywright::{Rate, RateError};
///
/// assert_eq!(Rate::new(0, Duration::from_secs(60)), Err(RateError::Uses(0)));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// The number of uses is not 1 to [`Rate::MAX_USES`].
    #[error("the uses of a rate must be between 1 and {max}, got {0}", max = Rate::MAX_USES)]
    Uses(u32),
    /// The period is not a whole number of seconds from 1 to [`Rate::MAX_PERIOD`].
    #[error("the period of a rate must be whole seconds between 1 s and 31 days, got {0:?}")]
    Period(Duration),
    /// The text does not have the form of `100/60s`: uses, a slash, and the period in seconds.
    #[error("{0:?} is not a rate: expected uses and seconds such as 100/60s")]
    Malformed(String),
}

impl Rate {
    /// The maximum number of uses.
    pub const MAX_USES: u32 = 1_000_000;
    /// The longest period: 31 days.
    pub const MAX_PERIOD: Duration = Duration::from_hours(31 * 24);

    /// Creates a rate of `uses` uses in each period `per`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Rate;
    ///
    /// let rate = Rate::new(1_000, Duration::from_secs(3_600))?;
    /// assert_eq!(rate.to_string(), "1000/3600s");
    /// # Ok::<(), keywright::RateError>(())
    /// ```
    ///
    /// # Errors
    /// * [`RateError::Period`] unless `per` is a whole number of seconds from 1 s to 31 days.
    /// * [`RateError::Uses`] unless `uses` is 1 to 1,000,000.
    pub fn new(uses: u32, per: Duration) -> Result<Self, RateError> {
        let whole = per.subsec_nanos() == 0 && per.as_secs() >= 1;
        if !whole || per > Self::MAX_PERIOD {
            return Err(RateError::Period(per));
        }
        let count = NonZeroU32::new(uses).filter(|uses| uses.get() <= Self::MAX_USES);
        let seconds = u32::try_from(per.as_secs()).map_err(|_| RateError::Period(per))?;
        Ok(Self { uses: count.ok_or(RateError::Uses(uses))?, per: seconds })
    }

    /// Returns the number of uses in a period.
    ///
    /// ```
    /// use keywright::Rate;
    ///
    /// assert_eq!("100/60s".parse::<Rate>()?.uses(), 100);
    /// # Ok::<(), keywright::RateError>(())
    /// ```
    pub fn uses(&self) -> u32 {
        self.uses.get()
    }

    /// Returns the period.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Rate;
    ///
    /// assert_eq!("100/60s".parse::<Rate>()?.per(), Duration::from_secs(60));
    /// # Ok::<(), keywright::RateError>(())
    /// ```
    pub fn per(&self) -> Duration {
        Duration::from_secs(self.per.into())
    }

    /// Returns whether this rate allows no more uses than `other`, neither in a burst nor over
    /// time.
    ///
    /// ```
    /// use keywright::Rate;
    ///
    /// let (rate, limit): (Rate, Rate) = ("50/60s".parse()?, "100/60s".parse()?);
    /// assert!(rate.is_within(&limit));
    /// assert!(!limit.is_within(&rate));
    /// # Ok::<(), keywright::RateError>(())
    /// ```
    pub fn is_within(&self, other: &Self) -> bool {
        let (mine, theirs) = (u64::from(self.uses.get()), u64::from(other.uses.get()));
        mine <= theirs && mine * u64::from(other.per) <= theirs * u64::from(self.per)
    }

    /// Returns the rate that applies under a highest rate.
    #[inline]
    pub(crate) fn at_most(self, max: Option<Self>) -> Self {
        match max {
            Some(max) if !self.is_within(&max) => self.within_both(max),
            _ => self,
        }
    }

    /// Returns the rate that applies where two rates apply at once.
    ///
    /// It has the smaller number of uses of the two, regained no faster than under the slower one.
    /// The period is rounded up to a whole second.
    pub(crate) fn within_both(self, other: Self) -> Self {
        let uses = self.uses.min(other.uses);
        let seconds = |rate: Self| {
            (u64::from(uses.get()) * u64::from(rate.per)).div_ceil(u64::from(rate.uses.get()))
        };
        // Neither number exceeds the period of its rate.
        let per = u32::try_from(seconds(self).max(seconds(other))).unwrap_or(u32::MAX);
        Self { uses, per }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.uses, self.per)
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
        // A rate has one spelling, but `parse` also accepts a plus sign and leading zeros.
        if rate.to_string() == text { Ok(rate) } else { Err(malformed()) }
    }
}

serde_as_text!(Rate);
