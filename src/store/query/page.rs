//! Pages, and the cursors that lead from one page to the next.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::value::text::serde_as_text;

/// The maximum number of items on a page if the query sets no limit: 50.
pub const DEFAULT_LIMIT: u16 = 50;
/// The highest limit that a query can set: 500 items on a page.
pub const MAX_LIMIT: u16 = 500;

/// Returns the most items on a page of a query with this limit.
pub(super) fn page_size(limit: Option<u16>) -> usize {
    usize::from(limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT))
}

/// A page of a listing: its items, and the query of the next page.
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
/// [`Authority::all_keys`](crate::Authority::all_keys) replaces the outer loop. Send a client
/// [`next_cursor`](Self::next_cursor) instead of the query. In JSON, a page is an object with
/// `items` and that cursor as `next`.
///
/// See [Pagination](crate::guide::pagination) in the guide.
#[derive(Clone, Debug)]
pub struct Page<T: Listed> {
    /// The items of this page, in the order of the query.
    pub items: Vec<T>,
    /// The query of the next page; `None` on the last page.
    ///
    /// A page of events may have fewer items than its limit, or none, and still have a next page.
    pub next: Option<T::Query>,
}

impl<T: Listed> Page<T> {
    /// Returns the cursor of the next page, for a client; `None` on the last page.
    ///
    /// The client sends the cursor back, and the host continues with [`KeyQuery::after`],
    /// [`EventQuery::after`] or [`AccountQuery::after`].
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, ManualClock, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let clock = ManualClock::at("2027-01-15T08:00:00Z".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).clock(clock.clone());
    /// # let keywright = builder.default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # clock.advance(std::time::Duration::from_secs(60));
    /// # authority.generate(&alice, NewKey::named("staging-app")?).await?;
    /// use keywright::store::KeyQuery;
    ///
    /// let page = authority.keys(&alice, &KeyQuery::new().limit(1)).await?;
    /// if let Some(cursor) = page.next_cursor() {
    ///     let sent_to_client = cursor.to_string();
    ///     // Later, the client sends the text back.
    ///     let query = KeyQuery::new().limit(1).after(&sent_to_client.parse()?)?;
    ///     let page = authority.keys(&alice, &query).await?;
    ///     assert_eq!(page.items[0].key.name.as_str(), "staging-app");
    /// }
    /// # assert!(page.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// [`KeyQuery::after`]: super::KeyQuery::after
    /// [`EventQuery::after`]: super::EventQuery::after
    /// [`AccountQuery::after`]: super::AccountQuery::after
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

/// An item of a [`Page`]: a key, a service account, an event or a tenant.
///
/// Other crates cannot implement this trait.
///
/// ```
/// use keywright::store::{Listed, Page};
///
/// /// Returns the number of items on any page.
/// fn count<T: Listed>(page: &Page<T>) -> usize {
///     page.items.len()
/// }
/// assert_eq!(count::<keywright::Event>(&Page { items: Vec::new(), next: None }), 0);
/// ```
pub trait Listed: sealed::Item {
    /// The query whose pages hold these items.
    type Query: ListQuery;
}

/// A query whose answer comes in pages: [`KeyQuery`](super::KeyQuery),
/// [`AccountQuery`](super::AccountQuery), [`EventQuery`](super::EventQuery) or
/// [`TenantQuery`](super::TenantQuery).
///
/// Other crates cannot implement this trait.
///
/// ```
/// use keywright::store::{EventQuery, KeyQuery, ListQuery};
///
/// /// Returns whether a query starts at the beginning.
/// fn is_first_page(query: &impl ListQuery) -> bool {
///     query.cursor().is_none()
/// }
/// assert!(is_first_page(&KeyQuery::new()) && is_first_page(&EventQuery::new()));
/// ```
pub trait ListQuery: Clone + fmt::Debug + Send + Sync + sealed::Query {
    /// Returns the cursor after which the query continues; `None` if it starts at the beginning.
    fn cursor(&self) -> Option<Cursor>;
}

/// Seals [`Listed`] and [`ListQuery`], so that other crates cannot implement them.
pub(crate) mod sealed {
    /// Seals the trait `Listed`.
    pub trait Item {}
    /// Seals the trait `ListQuery`.
    pub trait Query {}
}

/// A position in a listing, as text for a client, of at most 2,048 visible ASCII characters.
///
/// [`KeyQuery::after`](super::KeyQuery::after), [`EventQuery::after`](super::EventQuery::after) and
/// [`AccountQuery::after`](super::AccountQuery::after) read it. A cursor is not signed: it selects
/// a position and grants nothing.
///
/// ```
/// use keywright::store::{Cursor, CursorError, KeyQuery};
///
/// let sent_back = "created_at.asc.4fQ2xk9ZrT7bWm1c.1767225600000000";
/// let query = KeyQuery::new().after(&sent_back.parse()?)?;
/// assert_eq!(query.cursor(), Some(sent_back.parse()?));
///
/// // A cursor of events does not fit a query of keys.
/// assert!(KeyQuery::new().after(&"event.asc.10".parse()?).is_err());
/// # Ok::<(), CursorError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor(pub(super) String);

/// The text is not a cursor, or the cursor belongs to another kind of query.
///
/// ```
/// use keywright::store::{Cursor, CursorError};
///
/// assert_eq!("not a cursor".parse::<Cursor>(), Err(CursorError));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cursor is not one of this listing: pass the cursor of its previous page, or none")]
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
