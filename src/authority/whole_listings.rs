//! Whole listings: one item after another, read page by page.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::vec;

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::event::Event;
use crate::store::{AccountQuery, EventQuery, KeyQuery, Listed, Page, sealed};

use super::Authority;
use super::errors::ListError;
use super::listing::KeyEntry;

impl sealed::Item for KeyEntry {}

impl Listed for KeyEntry {
    type Query = KeyQuery;
}

type PageOf<'a, T> = Pin<Box<dyn Future<Output = Result<Page<T>, ListError>> + Send + 'a>>;

type ReadPage<T> = for<'a> fn(&'a Authority, &'a Actor, &'a <T as Listed>::Query) -> PageOf<'a, T>;

/// All items that a query selects, one after another. Made by [`Authority::all_keys`] and its like.
///
/// The listing reads a page at a time, of the query's `limit`. An item that is neither added nor removed nor
/// moved in the order meanwhile appears exactly once.
///
/// It is not a `Stream`, so that the crate depends on no crate of streams. Any of them makes one of it:
///
/// ```
/// # futures_lite::future::block_on(async {
/// use futures_lite::stream::{self, StreamExt};
/// use keywright::store::{KeyQuery, MemoryStore};
/// use keywright::{Actor, Keywright, UserId};
///
/// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let ada = Actor::administrator(UserId::new("ada")?);
/// let keys = authority.all_keys(&ada, KeyQuery::new());
/// let stream = stream::try_unfold(keys, async |mut keys| {
///     Ok::<_, keywright::ListError>(keys.next().await?.map(|entry| (entry, keys)))
/// });
/// assert_eq!(stream.count().await, 0);
/// # Ok::<(), keywright::Error>(()) }).unwrap();
/// ```
#[must_use = "nothing is read until `next` is called"]
pub struct Listing<T: Listed> {
    authority: Authority,
    actor: Actor,
    read: ReadPage<T>,
    items: vec::IntoIter<T>,
    next: Option<T::Query>,
}

impl<T: Listed> Listing<T> {
    fn new(authority: &Authority, actor: &Actor, query: T::Query, read: ReadPage<T>) -> Self {
        Self {
            authority: authority.clone(),
            actor: actor.clone(),
            read,
            items: Vec::new().into_iter(),
            next: Some(query),
        }
    }

    /// Returns the next item; `None` at the end.
    ///
    /// # Errors
    /// [`ListError`]. The next call tries the same page again.
    ///
    /// # Cancel safety
    /// No item is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Option<T>, ListError> {
        loop {
            if let Some(item) = self.items.next() {
                return Ok(Some(item));
            }
            let Some(query) = &self.next else { return Ok(None) };
            let page = (self.read)(&self.authority, &self.actor, query).await?;
            self.next = page.next;
            self.items = page.items.into_iter();
        }
    }
}

impl<T: Listed> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Authority {
    /// Lists all keys that a query selects, as [`keys`](Self::keys) does for a page.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{KeyQuery, MemoryStore};
    /// use keywright::{Actor, Keywright, UserId};
    ///
    /// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
    /// let ada = Actor::administrator(UserId::new("ada")?);
    /// let mut unused = authority.all_keys(&ada, KeyQuery::new().never_used());
    /// while let Some(entry) = unused.next().await? {
    ///     println!("{} was never used", entry.key.name);
    /// }
    /// # Ok::<(), keywright::Error>(()) }).unwrap();
    /// ```
    pub fn all_keys(&self, actor: &Actor, query: KeyQuery) -> Listing<KeyEntry> {
        Listing::new(self, actor, query, |authority, actor, query| {
            Box::pin(authority.keys(actor, query))
        })
    }

    /// Lists all service accounts that a query selects, as [`accounts`](Self::accounts) does for a page.
    pub fn all_accounts(&self, actor: &Actor, query: AccountQuery) -> Listing<ServiceAccount> {
        Listing::new(self, actor, query, |authority, actor, query| {
            Box::pin(authority.accounts(actor, query))
        })
    }

    /// Lists all events that a query selects, as [`events`](Self::events) does for a page.
    pub fn all_events(&self, actor: &Actor, query: EventQuery) -> Listing<Event> {
        Listing::new(self, actor, query, |authority, actor, query| {
            Box::pin(authority.events(actor, query))
        })
    }
}
