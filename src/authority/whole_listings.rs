//! Whole listings: all items of a query, read page by page.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::vec;

use crate::record::actor::Actor;
use crate::record::event::Event;
use crate::store::{AccountQuery, EventQuery, KeyQuery, Listed, Page, sealed};

use super::Authority;
use super::account_entries::AccountEntry;
use super::errors::ListError;
use super::listing::KeyEntry;

impl sealed::Item for KeyEntry {}

impl Listed for KeyEntry {
    type Query = KeyQuery;
}

type PageOf<'a, T> = Pin<Box<dyn Future<Output = Result<Page<T>, ListError>> + Send + 'a>>;

type ReadPage<T> = for<'a> fn(&'a Authority, &'a Actor, &'a <T as Listed>::Query) -> PageOf<'a, T>;

/// All items that a query selects, read from the store page by page.
///
/// [`Authority::all_keys`], [`Authority::all_accounts`] and [`Authority::all_events`] return one.
/// The query's limit sets the size of a page. Each item appears exactly once, unless it is added,
/// removed or moved in the order while the listing is read.
///
/// ```
/// use keywright::store::KeyQuery;
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let mut keys = authority.all_keys(&alice, KeyQuery::new());
/// while let Some(entry) = keys.next().await? {
///     println!("{}: {} uses", entry.key.name, entry.uses);
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// `Listing` is not a `Stream`, so that the crate does not depend on a stream crate. Any such crate
/// can convert it:
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// use futures_lite::stream::{self, StreamExt};
/// use keywright::store::KeyQuery;
///
/// let keys = authority.all_keys(&alice, KeyQuery::new());
/// let stream = stream::try_unfold(keys, async |mut keys| {
///     Ok::<_, keywright::ListError>(keys.next().await?.map(|entry| (entry, keys)))
/// });
/// assert_eq!(stream.count().await, 1);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Pagination](crate::guide::pagination) in the guide.
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

    /// Returns the next item, or `None` after the last one.
    ///
    /// ```
    /// use keywright::store::KeyQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let mut keys = authority.all_keys(&alice, KeyQuery::new());
    /// assert_eq!(keys.next().await?.map(|entry| entry.key.id), Some(issued.key.id));
    /// assert!(keys.next().await?.is_none());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: `PermissionDenied`, `Limit` or `Store`. The next call reads the same page
    /// again.
    ///
    /// # Cancel safety
    /// Dropping the future loses no item.
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
    /// Returns all keys that a query selects, as a [`Listing`] that reads page by page.
    ///
    /// The actor sees the same keys as with [`keys`](Self::keys).
    ///
    /// ```
    /// use keywright::store::KeyQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let mut unused = authority.all_keys(&alice, KeyQuery::new().never_used());
    /// while let Some(entry) = unused.next().await? {
    ///     println!("{} was never used", entry.key.name);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn all_keys(&self, actor: &Actor, query: KeyQuery) -> Listing<KeyEntry> {
        Listing::new(self, actor, query, |authority, actor, query| {
            Box::pin(authority.keys(actor, query))
        })
    }

    /// Returns all service accounts that a query selects, as a [`Listing`] that reads page by page.
    ///
    /// ```
    /// use keywright::{NewAccount, store::AccountQuery};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let mut accounts = authority.all_accounts(&ada, AccountQuery::new());
    /// while let Some(entry) = accounts.next().await? {
    ///     println!("{} has the role {}", entry.account.name, entry.account.role);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn all_accounts(&self, actor: &Actor, query: AccountQuery) -> Listing<AccountEntry> {
        Listing::new(self, actor, query, |authority, actor, query| {
            Box::pin(authority.accounts(actor, query))
        })
    }

    /// Returns all events that a query selects, as a [`Listing`] that reads page by page.
    ///
    /// ```
    /// use keywright::store::EventQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let mut events = authority.all_events(&ada, EventQuery::new().key(issued.key.id));
    /// while let Some(event) = events.next().await? {
    ///     println!("{}  {}  {}", event.at, event.actor, event.kind);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn all_events(&self, actor: &Actor, query: EventQuery) -> Listing<Event> {
        Listing::new(self, actor, query, |authority, actor, query| {
            Box::pin(authority.events(actor, query))
        })
    }
}
