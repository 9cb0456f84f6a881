//! Time: one instant type, one rule for every bound, and a clock that can be given.
//!
//! A time bound `t` has passed at `now >= t`. Every expiry, not-before and overlap deadline in the
//! crate uses that rule through [`Timestamp::has_passed`].

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// An instant in UTC with microseconds, from 1970 to the end of the year 9999.
///
/// The bounds are those of RFC 3339, so every value prints and parses as one.
///
/// As text it is RFC 3339 with a capital `T` and `Z`, or an offset such as `+02:00`. A fraction has
/// 1 to 9 digits behind a point; what is finer than a microsecond is cut off. A leap second (`:60`)
/// and the offset `-00:00` (RFC 3339 section 4.3: the local time is unknown) are refused.
///
/// ```
/// use keywright::Timestamp;
///
/// let noon: Timestamp = "2026-11-21T12:00:00Z".parse()?;
/// assert_eq!(noon.to_string(), "2026-11-21T12:00:00Z");
/// # Ok::<(), keywright::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

/// A time that is not a [`Timestamp`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Before 1970 or after 9999.
    #[error("the time lies outside the years 1970 to 9999")]
    OutOfRange,
    /// Not RFC 3339.
    #[error("{0:?} is not a time as in 2026-11-21T12:00:00Z (RFC 3339)")]
    NotRfc3339(String),
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Returns the instant `micros` microseconds after 1970, if it is in range.
    pub const fn from_unix_micros(micros: i64) -> Option<Self> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 {
            return None;
        }
        Some(Self(micros))
    }

    /// Returns the instant `seconds` after 1970, if it is in range.
    pub const fn from_unix_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(1_000_000) {
            Some(micros) => Self::from_unix_micros(micros),
            None => None,
        }
    }

    /// Returns the microseconds since 1970.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Returns whether this bound has passed: `now >= self`.
    pub fn has_passed(self, now: Self) -> bool {
        now >= self
    }

    /// Returns `self + duration`, or `None` past the year 9999.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let micros = i64::try_from(duration.as_micros()).ok()?;
        Self::from_unix_micros(self.0.checked_add(micros)?)
    }

    /// Returns `self + duration`, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// Returns `self - duration`, at least [`Timestamp::MIN`].
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_unix_micros(self.0.saturating_sub(micros)).unwrap_or(Self::MIN)
    }

    /// Returns the time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from(*self);
        f.pad(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let not_rfc_3339 = || TimeError::NotRfc3339(redact(text));
        // `time` reads any byte between date and time, small letters and leap seconds.
        if !has_layout(text.as_bytes()) {
            return Err(not_rfc_3339());
        }
        OffsetDateTime::parse(text, &Rfc3339).map_err(|_| not_rfc_3339())?.try_into()
    }
}

/// Returns whether a text is laid out as a [`Timestamp`] is written, whatever its numbers are.
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
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.0) * 1_000)
            .expect("a Timestamp lies in the years 1970 to 9999")
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

/// Where the time comes from. Read once for each operation.
///
/// Give [`ManualClock`] in tests; [`SystemClock`] is the default.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock. A clock set before 1970 reads as 1970, one past 9999 as 9999.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => {
                let micros = since.as_secs().saturating_mul(1_000_000);
                let micros = micros.saturating_add(since.subsec_micros().into());
                i64::try_from(micros).map_or(Timestamp::MAX, Timestamp).min(Timestamp::MAX)
            }
            Err(_) => Timestamp::MIN,
        }
    }
}

/// A clock that stands still until it is told to move. Clones share the time.
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
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Creates a clock that shows `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.0)))
    }

    /// Moves the clock to `time`, forwards or backwards.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.0, Ordering::SeqCst);
    }

    /// Moves the clock forward, at most to [`Timestamp::MAX`].
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Returns a duration in words: in days, hours, minutes or seconds, whichever comes out even.
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

    /// The same, for a duration that may be absent.
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
