//! Pages, and the cursors that lead from one to the next.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::value::text::serde_as_text;

/// The items on a page where a query does not set a limit.
pub const DEFAULT_LIMIT: u16 = 50;
/// The most items on a page.
pub const MAX_LIMIT: u16 = 500;

/// Returns how many items a page may have, where a query has this limit.
pub(super) fn page_size(limit: Option<u16>) -> usize {
    usize::from(limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT))
}

/// A part of a listing, and the query of the next page.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::{KeyQuery, MemoryStore};
/// use keywright::{Actor, Keywright, UserId};
///
/// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let ada = Actor::administrator(UserId::new("ada")?);
/// let mut next = Some(KeyQuery::new().never_used());
/// while let Some(query) = next {
///     let page = authority.keys(&ada, &query).await?;
///     for entry in &page.items {
///         println!("{}", entry.key.name);
///     }
///     next = page.next;
/// }
/// # Ok::<(), keywright::Error>(()) }).unwrap();
/// ```
///
/// `Authority::all_keys` is the same as one loop. A client of yours gets [`next_cursor`](Self::next_cursor) in
/// the place of the query. As JSON the page has `items` and that cursor as `next`.
#[derive(Clone, Debug)]
pub struct Page<T: Listed> {
    /// The items.
    pub items: Vec<T>,
    /// The query of the next page; `None` on the last page. A page of events may be short or empty and still
    /// have a next one.
    pub next: Option<T::Query>,
}

impl<T: Listed> Page<T> {
    /// Returns the cursor of the next page, as a text for a client; `None` on the last page.
    pub fn next_cursor(&self) -> Option<Cursor> {
        self.next.as_ref().and_then(ListQuery::cursor)
    }
}

impl<T: Listed + Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_struct("Page", 2)?;
        page.serialize_field("items", &self.items)?;
        page.serialize_field("next", &self.next_cursor())?;
        page.end()
    }
}

/// What a [`Page`] can hold: keys, service accounts and events.
pub trait Listed: sealed::Item {
    /// The query that finds them.
    type Query: ListQuery;
}

/// A query whose answer comes in pages: [`KeyQuery`](super::KeyQuery), [`AccountQuery`](super::AccountQuery)
/// or [`EventQuery`](super::EventQuery).
pub trait ListQuery: Clone + fmt::Debug + Send + Sync + sealed::Query {
    /// Returns the place behind which the query continues, as a text; `None` if it starts at the beginning.
    fn cursor(&self) -> Option<Cursor>;
}

/// Other crates cannot list other things.
pub(crate) mod sealed {
    pub trait Item {}
    pub trait Query {}
}

/// A place in a listing, as a text for a client. [`KeyQuery::after`](super::KeyQuery::after) and its like
/// read it.
///
/// ```
/// use keywright::store::{Cursor, CursorError, KeyQuery};
///
/// let sent_back = "created_at.asc.4fQ2xk9ZrT7bWm1c.1767225600000000";
/// let query = KeyQuery::new().after(&sent_back.parse()?)?;
/// assert!(KeyQuery::new().after(&"event.asc.10".parse()?).is_err());
/// # Ok::<(), CursorError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor(pub(super) String);

/// A text is not a cursor of this kind of query.
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
