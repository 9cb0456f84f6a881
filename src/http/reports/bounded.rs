//! The bounds of a report, and a JSON list whose length is bounded while it is read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// The maximum length of a report, in bytes: 1 MiB.
///
/// ```
/// assert_eq!(keywright::http::reports::MAX_BODY_BYTES, 1_048_576);
/// ```
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The maximum number of tokens in a report.
///
/// ```
/// assert_eq!(keywright::http::reports::MAX_TOKENS, 5_000);
/// ```
pub const MAX_TOKENS: usize = 5_000;

/// A list of a report.
pub(super) enum Bounded<T> {
    List(Vec<T>),
    /// The list has more than [`MAX_TOKENS`] items. The rest is not kept.
    TooLong,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tokens")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bounded<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            if list.len() == MAX_TOKENS {
                while seq.next_element::<T>()?.is_some() {}
                return Ok(Bounded::TooLong);
            }
            list.push(item);
        }
        Ok(Bounded::List(list))
    }
}
