//! A value or a bound that an error names: a number, a duration or a text.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::value::time::in_words;

/// A value or a bound in a [`Violation`](crate::Violation).
///
/// A quantity serializes as a number or a text, without its kind.
///
/// ```
/// use keywright::Quantity;
///
/// assert_eq!(Quantity::Seconds(3_600).to_string(), "3600");
/// assert_eq!(Quantity::Text("100/60s".to_owned()).to_string(), "100/60s");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(untagged)]
pub enum Quantity {
    /// A whole number.
    Number(u64),
    /// A duration in seconds. A value that is not whole is rounded up, so that it is never shown as
    /// within its bound.
    Seconds(u64),
    /// A text, such as a time, a scope or a rate.
    Text(String),
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) | Self::Seconds(number) => number.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}

impl Quantity {
    /// Returns the quantity for people, with its unit.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Seconds(seconds) => in_words(Duration::from_secs(*seconds)),
            other => other.to_string(),
        }
    }

    pub(crate) fn text(value: &impl ToString) -> Self {
        Self::Text(value.to_string())
    }

    pub(crate) fn seconds(duration: Duration) -> Self {
        let rest = u64::from(duration.subsec_nanos() != 0);
        Self::Seconds(duration.as_secs().saturating_add(rest))
    }
}
