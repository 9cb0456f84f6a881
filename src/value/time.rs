//! Time: one type for instants, one rule for every bound, and a clock that can be replaced.
//!
//! A bound `t` has passed at `now >= t`. Every expiry, not-before and end of an overlap in the
//! crate uses this rule, through [`Timestamp::has_passed`].

use std::fmt;
use std::num::NonZeroI64;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// The microseconds of a time that never comes. They are last in every order.
pub(crate) const NEVER: i64 = i64::MAX;
/// The microseconds of a time that has not been yet. They are first in every order.
pub(crate) const NEVER_YET: i64 = -1;

/// An instant in UTC with microsecond precision, from 1970 to the end of the year 9999.
///
/// Every timestamp prints as an RFC 3339 time in UTC, from which it can be parsed again. A text to
/// parse has a capital `T`, and ends with a capital `Z` or an offset such as `+02:00`. A fraction
/// of a second has 1 to 9 digits; digits after the sixth are cut off. Leap seconds (`:60`) and the
/// offset `-00:00` (RFC 3339 section 4.3: unknown local offset) are rejected.
///
/// ```
/// use keywright::Timestamp;
///
/// let noon: Timestamp = "2026-11-21T14:00:00+02:00".parse()?;
/// assert_eq!(noon.to_string(), "2026-11-21T12:00:00Z");
/// # Ok::<(), keywright::TimeError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(
    /// The microseconds since the start of 1970, and one more: an `Option` then takes no more memory.
    NonZeroI64,
);

/// The error for a time that is out of range, or a text that is not a time.
///
/// ```
/// use keywright::{TimeError, Timestamp};
///
/// let parsed = "21 Nov 2026".parse::<Timestamp>();
/// assert!(matches!(parsed, Err(TimeError::NotRfc3339(text)) if text == "21 Nov 2026"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The time is before 1970 or after 9999.
    #[error("the time must be in the years 1970 to 9999")]
    OutOfRange,
    /// The text is not an RFC 3339 time as [`Timestamp`] describes it.
    #[error("{0:?} is not a time: expected RFC 3339 such as 2026-11-21T12:00:00Z")]
    NotRfc3339(String),
}

impl Timestamp {
    /// The earliest time: 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self::of(0);
    /// The latest time: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self::of(253_402_300_799_999_999);

    /// Returns the instant for microseconds that are in range.
    const fn of(micros: i64) -> Self {
        Self(NonZeroI64::new(micros + 1).expect("no time before 1970 is in range"))
    }

    /// Returns the instant `micros` microseconds after the start of 1970, or `None` if it is out of
    /// range.
    ///
    /// ```
    /// use keywright::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_unix_micros(0), Some(Timestamp::MIN));
    /// assert_eq!(Timestamp::from_unix_micros(-1), None);
    /// ```
    pub const fn from_unix_micros(micros: i64) -> Option<Self> {
        if micros < Self::MIN.unix_micros() || micros > Self::MAX.unix_micros() {
            return None;
        }
        Some(Self::of(micros))
    }

    /// Returns the instant `seconds` seconds after the start of 1970, or `None` if it is out of
    /// range.
    ///
    /// ```
    /// use keywright::Timestamp;
    ///
    /// let time = Timestamp::from_unix_seconds(1_795_262_400);
    /// assert_eq!(time, Some("2026-11-21T12:00:00Z".parse()?));
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub const fn from_unix_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(1_000_000) {
            Some(micros) => Self::from_unix_micros(micros),
            None => None,
        }
    }

    /// Returns the number of microseconds since the start of 1970.
    ///
    /// ```
    /// use keywright::Timestamp;
    ///
    /// let time: Timestamp = "1970-01-01T00:00:01Z".parse()?;
    /// assert_eq!(time.unix_micros(), 1_000_000);
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub const fn unix_micros(self) -> i64 {
        self.0.get() - 1
    }

    /// Returns whether this time has come at `now`: `now >= self`.
    ///
    /// ```
    /// use keywright::Timestamp;
    ///
    /// let expires_at: Timestamp = "2026-11-21T12:00:00Z".parse()?;
    /// assert!(!expires_at.has_passed("2026-11-21T11:59:59.999999Z".parse()?));
    /// assert!(expires_at.has_passed(expires_at));
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub fn has_passed(self, now: Self) -> bool {
        now >= self
    }

    /// Returns `self + duration`, or `None` if that is after the year 9999.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Timestamp;
    ///
    /// assert!(Timestamp::MIN.checked_add(Duration::from_secs(60)).is_some());
    /// assert_eq!(Timestamp::MAX.checked_add(Duration::from_secs(60)), None);
    /// ```
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let micros = i64::try_from(duration.as_micros()).ok()?;
        Self::from_unix_micros(self.unix_micros().checked_add(micros)?)
    }

    /// Returns `self + duration`, at most [`Timestamp::MAX`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Timestamp;
    ///
    /// assert_eq!(Timestamp::MAX.saturating_add(Duration::from_secs(60)), Timestamp::MAX);
    /// ```
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// Returns `self - duration`, at least [`Timestamp::MIN`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Timestamp;
    ///
    /// assert_eq!(Timestamp::MIN.saturating_sub(Duration::from_secs(60)), Timestamp::MIN);
    /// ```
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_unix_micros(self.unix_micros().saturating_sub(micros)).unwrap_or(Self::MIN)
    }

    /// Returns the duration from `earlier` to this time; zero if this time is not later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Timestamp;
    ///
    /// let (start, end): (Timestamp, Timestamp) =
    ///     ("2026-11-21T12:00:00Z".parse()?, "2026-11-21T12:01:00Z".parse()?);
    /// assert_eq!(end.since(start), Duration::from_secs(60));
    /// assert_eq!(start.since(end), Duration::ZERO);
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.get() - earlier.0.get()).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from(*self);
        f.pad(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.unix_micros()).finish()
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let not_rfc_3339 = || TimeError::NotRfc3339(redact(text));
        // `time` accepts any byte between date and time, lower-case letters and leap seconds.
        if !has_layout(text.as_bytes()) {
            return Err(not_rfc_3339());
        }
        OffsetDateTime::parse(text, &Rfc3339).map_err(|_| not_rfc_3339())?.try_into()
    }
}

/// Returns whether a text has the layout of a [`Timestamp`]. Its numbers are not checked.
fn has_layout(text: &[u8]) -> bool {
    let follows = |text: &[u8], layout: &[u8]| {
        let fits = |(byte, place): (&u8, &u8)| match place {
            b'0' => byte.is_ascii_digit(),
            _ => byte == place,
        };
        text.len() == layout.len() && text.iter().zip(layout).all(fits)
    };
    let Some((begin, rest)) = text.split_at_checked(19) else { return false };
    let offset = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &fraction[digits..]
        }
        None => rest,
    };
    let is_offset = follows(offset, b"+00:00") || follows(offset, b"-00:00");
    follows(begin, b"0000-00-00T00:00:00")
        && !begin.ends_with(b":60")
        && (offset == b"Z" || is_offset && offset != b"-00:00")
}

impl From<Timestamp> for OffsetDateTime {
    fn from(time: Timestamp) -> Self {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.unix_micros()) * 1_000)
            .expect("a Timestamp is in the years 1970 to 9999")
    }
}

impl TryFrom<OffsetDateTime> for Timestamp {
    type Error = TimeError;

    fn try_from(time: OffsetDateTime) -> Result<Self, TimeError> {
        i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000))
            .ok()
            .and_then(Self::from_unix_micros)
            .ok_or(TimeError::OutOfRange)
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimeError;

    fn try_from(time: SystemTime) -> Result<Self, TimeError> {
        time.duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| Self::MIN.checked_add(since))
            .ok_or(TimeError::OutOfRange)
    }
}

/// A source of the current time.
///
/// [`SystemClock`] is the default; tests use [`ManualClock`].
/// [`Builder::clock`](crate::Builder::clock) sets another one. An operation reads the clock once
/// for each attempt, so that all its checks see the same time.
///
/// ```
/// use std::time::Duration;
/// use keywright::{Clock, SystemClock, Timestamp};
///
/// /// A clock that runs ahead, to try what happens to keys in the future.
/// #[derive(Debug)]
/// struct Ahead(Duration);
///
/// impl Clock for Ahead {
///     fn now(&self) -> Timestamp {
///         SystemClock.now().saturating_add(self.0)
///     }
/// }
///
/// assert!(Ahead(Duration::from_secs(60)).now() > SystemClock.now());
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    ///
    /// ```
    /// use keywright::{Clock, ManualClock, Timestamp};
    ///
    /// let clock = ManualClock::at(Timestamp::MIN);
    /// assert_eq!(clock.now(), Timestamp::MIN);
    /// ```
    fn now(&self) -> Timestamp;
}

/// The operating system's clock, limited to the range of [`Timestamp`].
///
/// A clock set before 1970 reads as the start of 1970, and one set after 9999 as the end of 9999.
///
/// ```
/// use keywright::{Clock, SystemClock, Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::MIN);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => {
                let micros = since.as_secs().saturating_mul(1_000_000);
                let micros = micros.saturating_add(since.subsec_micros().into());
                let micros = i64::try_from(micros).ok().and_then(Timestamp::from_unix_micros);
                micros.unwrap_or(Timestamp::MAX)
            }
            Err(_) => Timestamp::MIN,
        }
    }
}

/// A clock for tests, which shows a fixed time until it is set or advanced.
///
/// Clones share the time. Keys of the same instant are listed in the order of their random ids, so
/// advance the clock between keys whose order a test checks.
///
/// ```
/// use std::time::Duration;
/// use keywright::store::MemoryStore;
/// use keywright::{Keywright, ManualClock};
///
/// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
/// let keywright = Keywright::builder(MemoryStore::new()).clock(clock.clone()).build()?;
/// clock.advance(Duration::from_secs(86_400)); // keywright is at the next day
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Creates a clock that shows `time`.
    ///
    /// ```
    /// use keywright::{Clock, ManualClock};
    ///
    /// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
    /// assert_eq!(clock.now().to_string(), "2026-11-21T12:00:00Z");
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.unix_micros())))
    }

    /// Sets the clock to `time`, which may be earlier or later.
    ///
    /// ```
    /// use keywright::{Clock, ManualClock, Timestamp};
    ///
    /// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
    /// clock.set(Timestamp::MIN);
    /// assert_eq!(clock.now(), Timestamp::MIN);
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.unix_micros(), Ordering::SeqCst);
    }

    /// Moves the clock forward by a duration, at most to [`Timestamp::MAX`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{Clock, ManualClock};
    ///
    /// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now().to_string(), "2026-11-21T12:01:00Z");
    /// # Ok::<(), keywright::TimeError>(())
    /// ```
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::of(self.0.load(Ordering::SeqCst))
    }
}

/// Returns a duration in words, in the largest of days, hours, minutes and seconds that divides it
/// evenly.
pub(crate) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    let even =
        units.into_iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (name, unit) = even.unwrap_or(("second", 1));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// Durations as whole seconds, for records and policies.
pub(crate) mod seconds {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        d.as_secs().serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_secs)
    }

    /// Optional durations as whole seconds or null.
    pub(crate) mod option {
        use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

        #[expect(clippy::ref_option, reason = "the signature is serde's")]
        pub(crate) fn serialize<S: Serializer>(
            d: &Option<Duration>,
            s: S,
        ) -> Result<S::Ok, S::Error> {
            d.map(|d| d.as_secs()).serialize(s)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            d: D,
        ) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(d)?.map(Duration::from_secs))
        }
    }
}

serde_as_text!(Timestamp);
