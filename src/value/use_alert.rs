//! Alerts: a number of uses in a period above which an audit event is due.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use crate::value::redact::redact;
use crate::value::text::serde_as_text;
use crate::value::time::Timestamp;

/// The threshold of an alert, such as `1000/3600s`: the alert is due when a key has more than this
/// number of uses in one period of 1 minute to 31 days.
///
/// Periods are aligned: each begins at a whole multiple of its length since 1970. All nodes
/// therefore agree on them. In the text form, the period is in seconds.
///
/// ```
/// use std::time::Duration;
/// use keywright::UseAlert;
///
/// let alert = UseAlert::new(1_000, Duration::from_secs(3_600))?;
/// assert_eq!(alert.to_string(), "1000/3600s");
/// assert_eq!(alert, "1000/3600s".parse()?);
/// # Ok::<(), keywright::UseAlertError>(())
/// ```
///
/// See [Policies](crate::guide::policies) in the guide.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UseAlert {
    uses: NonZeroU64,
    /// The period in seconds.
    period: u32,
}

/// The error for an alert that exceeds a limit, or a text that is not an alert.
///
/// ```
/// use std::time::Duration;
/// use keywright::{UseAlert, UseAlertError};
///
/// assert_eq!(UseAlert::new(0, Duration::from_secs(60)), Err(UseAlertError::Uses(0)));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UseAlertError {
    /// The number of uses is not 1 to [`UseAlert::MAX_USES`].
    #[error("the uses of an alert must be between 1 and {max}, got {0}", max = UseAlert::MAX_USES)]
    Uses(u64),
    /// The period is not a whole number of seconds from [`UseAlert::MIN_PERIOD`] to
    /// [`UseAlert::MAX_PERIOD`].
    #[error("the period of an alert must be whole seconds between 60 s and 31 days, got {0:?}")]
    Period(Duration),
    /// The text does not have the form of `1000/3600s`: uses, a slash, and the period in seconds.
    #[error("{0:?} is not an alert: expected uses and seconds such as 1000/3600s")]
    Malformed(String),
}

impl UseAlert {
    /// The maximum number of uses.
    pub const MAX_USES: u64 = 1_000_000_000_000;
    /// The shortest period: 1 minute. It is longer than the interval between two flushes, which
    /// delays an alert.
    pub const MIN_PERIOD: Duration = Duration::from_mins(1);
    /// The longest period: 31 days.
    pub const MAX_PERIOD: Duration = Duration::from_hours(31 * 24);

    /// Creates an alert for more than `uses` uses in one `period`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::UseAlert;
    ///
    /// let alert = UseAlert::new(20, Duration::from_mins(5))?;
    /// assert_eq!(alert.to_string(), "20/300s");
    /// # Ok::<(), keywright::UseAlertError>(())
    /// ```
    ///
    /// # Errors
    /// * [`UseAlertError::Period`] unless `period` is a whole number of seconds from 1 minute to 31
    ///   days.
    /// * [`UseAlertError::Uses`] unless `uses` is 1 to [`UseAlert::MAX_USES`].
    pub fn new(uses: u64, period: Duration) -> Result<Self, UseAlertError> {
        let possible = Self::MIN_PERIOD..=Self::MAX_PERIOD;
        let whole = possible.contains(&period) && period.subsec_nanos() == 0;
        let seconds = u32::try_from(period.as_secs()).ok().filter(|_| whole);
        let count = NonZeroU64::new(uses).filter(|uses| uses.get() <= Self::MAX_USES);
        Ok(Self {
            period: seconds.ok_or(UseAlertError::Period(period))?,
            uses: count.ok_or(UseAlertError::Uses(uses))?,
        })
    }

    /// Returns the alert with a period of at least `min`, and with the same uses.
    pub(crate) fn in_period_of(self, min: Duration) -> Self {
        let min = u32::try_from(min.min(Self::MAX_PERIOD).as_secs()).unwrap_or(self.period);
        Self { period: self.period.max(min), ..self }
    }

    /// Returns the number of uses that a key may have in a period without an alert.
    ///
    /// ```
    /// use keywright::UseAlert;
    ///
    /// assert_eq!("1000/3600s".parse::<UseAlert>()?.uses(), 1_000);
    /// # Ok::<(), keywright::UseAlertError>(())
    /// ```
    pub fn uses(&self) -> u64 {
        self.uses.get()
    }

    /// Returns the period.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::UseAlert;
    ///
    /// assert_eq!("1000/3600s".parse::<UseAlert>()?.period(), Duration::from_hours(1));
    /// # Ok::<(), keywright::UseAlertError>(())
    /// ```
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.period.into())
    }

    /// Returns the start of the period that contains a time.
    ///
    /// ```
    /// use keywright::{Timestamp, UseAlert};
    ///
    /// let hourly: UseAlert = "1000/3600s".parse()?;
    /// let at: Timestamp = "2027-01-15T08:59:59.999999Z".parse()?;
    /// assert_eq!(hourly.window_start(at).to_string(), "2027-01-15T08:00:00Z");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn window_start(&self, at: Timestamp) -> Timestamp {
        self.start_of(self.window_number(at))
    }

    /// Returns the number of the period that contains a time, from 0 in 1970.
    pub(crate) fn window_number(&self, at: Timestamp) -> u64 {
        at.unix_micros().cast_unsigned() / (u64::from(self.period) * 1_000_000)
    }

    /// Returns the start of the period with this number.
    pub(crate) fn start_of(&self, number: u64) -> Timestamp {
        let seconds = i64::try_from(number.saturating_mul(self.period.into())).unwrap_or(i64::MAX);
        Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for UseAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.uses, self.period)
    }
}

impl FromStr for UseAlert {
    type Err = UseAlertError;

    fn from_str(text: &str) -> Result<Self, UseAlertError> {
        let malformed = || UseAlertError::Malformed(redact(text));
        let (uses, period) = text.split_once('/').ok_or_else(malformed)?;
        let seconds = period.strip_suffix('s').ok_or_else(malformed)?;
        let uses = uses.parse().map_err(|_| malformed())?;
        let seconds = seconds.parse().map_err(|_| malformed())?;
        let alert = Self::new(uses, Duration::from_secs(seconds))?;
        // An alert has one spelling, but `parse` also accepts a plus sign and leading zeros.
        if alert.to_string() == text { Ok(alert) } else { Err(malformed()) }
    }
}

serde_as_text!(UseAlert);
