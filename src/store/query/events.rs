//! Queries of events.

use std::convert::Infallible;

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::record::event::{Event, EventActor, EventKind};
use crate::value::id::{AccountId, KeyId};
use crate::value::text::decimal;
use crate::value::time::Timestamp;

/// A query of audit events, newest first.
///
/// It selects the events that pass all its filters.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
/// # authority.revoke(&ada, &issued.key.id).await?;
/// use keywright::store::EventQuery;
/// use keywright::{EventActor, Operation};
///
/// let by_ada = EventActor::User(ada.id().clone());
/// let query = EventQuery::new().actor(by_ada).kind(Operation::KeyRevoke);
/// let page = authority.events(&ada, &query).await?;
/// assert_eq!(page.items[0].key, Some(issued.key.id));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct EventQuery {
    pub(crate) key: Option<KeyId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) actor: Option<EventActor>,
    pub(crate) kind: Option<EventKind>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) oldest_first: bool,
    pub(crate) after: Option<u64>,
    pub(crate) limit: Option<u16>,
}

impl EventQuery {
    /// The maximum number of events that one page examines: 10,000. It bounds the cost of a page if
    /// few events pass the filters.
    pub const MAX_EXAMINED: usize = 10_000;

    /// Creates a query that selects all events.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// use keywright::store::EventQuery;
    ///
    /// let page = authority.events(&ada, &EventQuery::new()).await?;
    /// let kinds: Vec<String> = page.items.iter().map(|event| event.kind.to_string()).collect();
    /// assert_eq!(kinds, ["key.revoke", "key.generate"]);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects events of a key.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let page = authority.events(&ada, &EventQuery::new().key(issued.key.id)).await?;
    /// assert_eq!(page.items.len(), 2);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn key(self, key: KeyId) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Selects events of a service account, including transfers of its keys to another owner.
    ///
    /// Events of its keys are included.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// use keywright::store::EventQuery;
    ///
    /// let page = authority.events(&ada, &EventQuery::new().account(account.id)).await?;
    /// assert_eq!(page.items[0].kind.to_string(), "account.create");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Selects events that an actor caused.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// use keywright::EventActor;
    ///
    /// // No caller revoked a key with the key's own token.
    /// let query = EventQuery::new().actor(EventActor::Possessor);
    /// assert!(authority.events(&ada, &query).await?.items.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn actor(self, actor: EventActor) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Selects events of a kind: an [`EventKind`], or an [`Operation`](crate::Operation).
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// use keywright::Operation;
    ///
    /// let query = EventQuery::new().kind(Operation::KeyGenerate);
    /// assert_eq!(authority.events(&ada, &query).await?.items.len(), 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn kind(self, kind: impl Into<EventKind>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// Selects events at or after `time`.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, ManualClock, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let clock = ManualClock::at("2027-01-15T08:00:00Z".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).clock(clock.clone());
    /// # let keywright = builder.default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # clock.advance(std::time::Duration::from_secs(3_600));
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let query = EventQuery::new().since("2027-01-15T09:00:00Z".parse()?);
    /// assert_eq!(authority.events(&ada, &query).await?.items.len(), 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn since(self, time: Timestamp) -> Self {
        Self { since: Some(time), ..self }
    }

    /// Selects events before `time`.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, ManualClock, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let clock = ManualClock::at("2027-01-15T08:00:00Z".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).clock(clock.clone());
    /// # let keywright = builder.default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # clock.advance(std::time::Duration::from_secs(3_600));
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let query = EventQuery::new().until("2027-01-15T08:00:00Z".parse()?);
    /// assert!(authority.events(&ada, &query).await?.items.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn until(self, time: Timestamp) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Sets the order to oldest first.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let page = authority.events(&ada, &EventQuery::new().oldest_first()).await?;
    /// assert_eq!(page.items[0].sequence, 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn oldest_first(self) -> Self {
        Self { oldest_first: true, ..self }
    }

    /// Sets the maximum number of items on a page, from 1 to [`MAX_LIMIT`](super::MAX_LIMIT), which
    /// is 500.
    ///
    /// The default is [`DEFAULT_LIMIT`](super::DEFAULT_LIMIT), which is 50.
    ///
    /// The authority refuses other values with [`ListError::Limit`](crate::ListError::Limit). A
    /// store uses [`page_size`](Self::page_size), which is always in this range.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let page = authority.events(&ada, &EventQuery::new().limit(1)).await?;
    /// assert_eq!(page.items.len(), 1);
    /// assert!(page.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues after a cursor that a client sent back, in the order of the cursor.
    ///
    /// The cursor holds no filters: set the same ones again.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let first = authority.events(&ada, &EventQuery::new().limit(1)).await?;
    /// if let Some(cursor) = first.next_cursor() {
    ///     let second = authority.events(&ada, &EventQuery::new().after(&cursor)?).await?;
    ///     assert_eq!(second.items[0].sequence, 1);
    /// }
    /// # assert!(first.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`CursorError`] if it is not a cursor of events.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let decode = || {
            let (direction, sequence) = cursor.0.strip_prefix("event.")?.split_once('.')?;
            let oldest_first = match direction {
                "asc" => true,
                "desc" => false,
                _ => return None,
            };
            Some((oldest_first, decimal(sequence)?))
        };
        let (oldest_first, after) = decode().ok_or(CursorError)?;
        Ok(Self { oldest_first, after: Some(after), ..self })
    }

    /// Continues after the event of this number, in the order of the query.
    pub(in crate::store) fn behind(self, sequence: u64) -> Self {
        Self { after: Some(sequence), ..self }
    }

    /// Returns the cursor after which the query continues; `None` if it starts at the beginning.
    ///
    /// ```
    /// # use keywright::store::EventQuery;
    /// let cursor = "event.desc.10".parse()?;
    /// assert_eq!(EventQuery::new().after(&cursor)?.cursor(), Some(cursor));
    /// # Ok::<(), keywright::store::CursorError>(())
    /// ```
    pub fn cursor(&self) -> Option<Cursor> {
        let direction = if self.oldest_first { "asc" } else { "desc" };
        Some(Cursor(format!("event.{direction}.{}", self.after?)))
    }

    /// Returns whether an event passes the filters.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::EventQuery;
    /// let page = authority.events(&ada, &EventQuery::new()).await?;
    /// assert!(EventQuery::new().key(issued.key.id).matches(&page.items[0]));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn matches(&self, event: &Event) -> bool {
        self.key.is_none_or(|key| event.key == Some(key))
            && self.account.is_none_or(|account| {
                [event.account, event.previous_account].contains(&Some(account))
            })
            && self.actor.as_ref().is_none_or(|actor| event.actor == *actor)
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }

    /// Returns the key whose events are selected; `None` if the query has no such filter.
    ///
    /// A store with an index by key needs this method.
    ///
    /// ```
    /// # use keywright::store::EventQuery;
    /// let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// assert_eq!(EventQuery::new().key(key).key_filter(), Some(key));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn key_filter(&self) -> Option<KeyId> {
        self.key
    }

    /// Returns whether the oldest event comes first.
    ///
    /// ```
    /// # use keywright::store::EventQuery;
    /// assert!(!EventQuery::new().is_oldest_first());
    /// assert!(EventQuery::new().oldest_first().is_oldest_first());
    /// ```
    pub fn is_oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// Returns the range of sequence numbers that the page can hold.
    ///
    /// Only implementations of a store need this method.
    ///
    /// The range is empty if no event can be on the page. Its end can be `u64::MAX`, which is above
    /// the number of every event.
    ///
    /// ```
    /// # use keywright::store::EventQuery;
    /// let query = EventQuery::new().after(&"event.desc.10".parse()?)?;
    /// assert_eq!(query.sequences(), 0..=9);
    /// # Ok::<(), keywright::store::CursorError>(())
    /// ```
    pub fn sequences(&self) -> std::ops::RangeInclusive<u64> {
        match (self.after, self.oldest_first) {
            (None, _) => 0..=u64::MAX,
            (Some(after), true) => after.saturating_add(1)..=u64::MAX,
            (Some(0), false) => std::ops::RangeInclusive::new(1, 0),
            (Some(after), false) => 0..=after - 1,
        }
    }

    /// Returns the maximum number of items on the page: the limit, or the default if no limit is
    /// set.
    ///
    /// A limit of 0 counts as 1. A limit above [`MAX_LIMIT`](super::MAX_LIMIT) counts as
    /// `MAX_LIMIT`.
    ///
    /// ```
    /// # use keywright::store::EventQuery;
    /// assert_eq!(EventQuery::new().page_size(), 50);
    /// assert_eq!(EventQuery::new().limit(9_000).page_size(), 500);
    /// ```
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Builds a page from the tenant's events in the range of [`EventQuery::sequences`].
    ///
    /// A store with an index by sequence number needs this method.
    ///
    /// The events must come in the order of the query.
    ///
    /// The page takes no more events from the iterator than it needs. It ends after
    /// [`EventQuery::MAX_EXAMINED`] events. It may then have fewer items than its limit, or none,
    /// and still have a next page.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = MemoryStore::new();
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// use std::convert::Infallible;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::EventQuery;
    ///
    /// # let all = EventQuery::new().oldest_first();
    /// # let events = store.events(ada.tenant(), &all).await?.items;
    /// // `events` are those of the tenant, oldest first.
    /// let query = EventQuery::new().oldest_first().limit(1);
    /// let Ok(page) = query.page(events.into_iter().map(Ok::<_, Infallible>));
    /// assert_eq!(page.items[0].sequence, 1);
    /// assert!(page.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The first error of the iterator.
    pub fn page<E>(
        &self,
        events: impl IntoIterator<Item = Result<Event, E>>,
    ) -> Result<Page<Event>, E> {
        let size = self.page_size();
        let mut items: Vec<Event> = Vec::new();
        let mut last = 0;
        for (examined, event) in events.into_iter().enumerate() {
            let event = event?;
            if examined == Self::MAX_EXAMINED {
                return Ok(Page { items, next: Some(self.clone().behind(last)) });
            }
            last = event.sequence;
            if !self.matches(&event) {
                continue;
            }
            if items.len() == size {
                let next = items.last().map(|event| self.clone().behind(event.sequence));
                return Ok(Page { items, next });
            }
            items.push(event);
        }
        Ok(Page { items, next: None })
    }

    /// Continues with the event of this number, after a page that ends before it.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn from(self, sequence: u64) -> Self {
        let before =
            if self.oldest_first { sequence.saturating_sub(1) } else { sequence.saturating_add(1) };
        self.behind(before)
    }

    /// Builds a page from all events of the tenant, oldest first.
    ///
    /// A store without an index needs this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = MemoryStore::new();
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// # authority.revoke(&ada, &issued.key.id).await?;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::EventQuery;
    ///
    /// # let all = EventQuery::new().oldest_first();
    /// # let events = store.events(ada.tenant(), &all).await?.items;
    /// // `events` are all events of the tenant, oldest first.
    /// let page = EventQuery::new().limit(1).page_of(&events);
    /// assert_eq!(page.items[0].kind.to_string(), "key.revoke");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn page_of(&self, events: &[Event]) -> Page<Event> {
        let range = self.sequences();
        let from = events.partition_point(|event| event.sequence < *range.start());
        let to = events.partition_point(|event| event.sequence <= *range.end());
        let events = events.get(from..to).unwrap_or_default().iter();
        let events = events.map(|event| Ok::<_, Infallible>(event.clone()));
        let Ok(page) = if self.oldest_first { self.page(events) } else { self.page(events.rev()) };
        page
    }
}

impl sealed::Query for EventQuery {}

impl ListQuery for EventQuery {
    fn cursor(&self) -> Option<Cursor> {
        self.cursor()
    }
}

impl sealed::Item for Event {}

impl Listed for Event {
    type Query = EventQuery;
}
