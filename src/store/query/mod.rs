//! Questions to a store: filters, orders, and pages that stay stable while keys change.
//!
//! A page begins behind a cursor, which is a place in the order and not a number of rows: a key
//! that is neither added nor removed nor moved in the order meanwhile appears on exactly one page.

mod accounts;
mod events;
mod keys;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::value::text::serde_as_text;

pub use self::accounts::AccountQuery;
pub use self::events::EventQuery;
pub use self::keys::{KeyPosition, KeyQuery, KeySort, StoredKey};

/// Some of what was asked for, and where to go on.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Where to go on, if there is more. A page of events may be short or empty and have it: go on
    /// until it is `None`.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page with each item made into another.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

/// A place in an order. As text it can be handed to a client and taken back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor(String);

/// A text that is not a cursor of this kind of query.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cursor does not come from a page of this kind of query")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let fits = text.len() <= 2_048 && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned())).ok_or(CursorError)
    }
}

serde_as_text!(Cursor);

/// How many items a page has at the most, where a query does not say.
pub const DEFAULT_LIMIT: u16 = 50;
/// The most items that a page can have.
pub const MAX_LIMIT: u16 = 500;

/// How many items a page may have, where a query says `limit`.
fn page_size(limit: Option<u16>) -> usize {
    usize::from(limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT))
}
