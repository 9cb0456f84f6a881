//! Queries of keys: filters and orders.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::record::key::{Key, KeyRecord, Owner, OwnerKind};
use crate::record::owner_record::OwnerRecord;
use crate::record::status::KeyStatus;
use crate::record::usage::Usage;
use crate::value::id::KeyId;
use crate::value::note::Contact;
use crate::value::text::{decimal, hex};
use crate::value::time::{NEVER, NEVER_YET, Timestamp};
use crate::value::token::Prefix;
use crate::value::visible_text::composed;

/// A key as a store keeps it: its record, its usage and the record of its owner.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = MemoryStore::new();
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::administrator(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// use keywright::store::KeyStore;
///
/// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
///     println!("{}: {} uses", stored.record.key().name, stored.usage.uses());
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The key's record, with the digests of its secrets.
    pub record: KeyRecord,
    /// The usage, up to the last flush.
    pub usage: Usage,
    /// The record of the key's owner, if the owner has one.
    pub owner: Option<OwnerRecord>,
}

/// The order of a listing of keys.
///
/// Keys with equal values are ordered by id.
///
/// In text and JSON: `created_at`, `updated_at`, `name`, `expires_at` or `last_used_at`.
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
/// # authority.generate(&alice, NewKey::named("prod-main-app")?.expires_in_days(10)).await?;
/// # clock.advance(std::time::Duration::from_secs(60));
/// # authority.generate(&alice, NewKey::named("staging-app")?).await?;
/// use keywright::store::{KeyQuery, KeySort};
///
/// // The key without an expiry comes last.
/// let page = authority.keys(&alice, &KeyQuery::new().sort(KeySort::Expires)).await?;
/// assert_eq!(page.items[1].key.name.as_str(), "staging-app");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySort {
    /// By the time of creation. This is the default.
    #[default]
    #[serde(rename = "created_at")]
    Created,
    /// By the time of the last change.
    #[serde(rename = "updated_at")]
    Updated,
    /// By name, in the order of Unicode scalar values.
    Name,
    /// By the time of expiry. Keys without an expiry come last.
    #[serde(rename = "expires_at")]
    Expires,
    /// By the time of the last use. Keys that were never used come first.
    #[serde(rename = "last_used_at")]
    LastUsed,
}

impl KeySort {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Created, "created_at"),
        (Self::Updated, "updated_at"),
        (Self::Name, "name"),
        (Self::Expires, "expires_at"),
        (Self::LastUsed, "last_used_at"),
    ];
}

/// A query of keys: filters, an order and a page size.
///
/// It selects the keys that pass all its filters.
///
/// A page starts after a cursor, which is a position in the order and not a number of rows. So
/// pages stay stable while keys change: a key appears on exactly one page unless it is added,
/// removed or moved in the order between two pages.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::administrator(UserId::new("alice")?);
/// # authority.generate(&alice, NewKey::named("prod-main-app")?.expires_in_days(10)).await?;
/// use std::time::Duration;
/// use keywright::store::{KeyQuery, KeySort};
///
/// let query = KeyQuery::new()
///     .expiring_within(Duration::from_secs(14 * 86_400))
///     .sort(KeySort::Expires)
///     .limit(100);
/// let page = authority.keys(&alice, &query).await?;
/// assert_eq!(page.items[0].key.name.as_str(), "prod-main-app");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Pagination](crate::guide::pagination) in the guide.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct KeyQuery {
    pub(crate) search: Option<String>,
    pub(crate) statuses: Vec<KeyStatus>,
    pub(crate) owner: Option<Owner>,
    pub(crate) owner_kind: Option<OwnerKind>,
    pub(crate) contact: Option<Contact>,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) prefix: Option<Prefix>,
    pub(crate) expiring_within: Option<Duration>,
    pub(crate) unused_since: Option<Timestamp>,
    pub(crate) never_used: bool,
    pub(in crate::store) sort: KeySort,
    pub(in crate::store) descending: bool,
    pub(in crate::store) after: Option<After>,
    pub(crate) limit: Option<u16>,
}

/// Returns whether `text` is the display prefix of a key (`acme_live_4fQ2…`), or the start of it
/// with at least one character of the id.
fn shows_as(key: &Key, text: &str) -> bool {
    let id = text.strip_prefix(key.prefix.as_str()).and_then(|rest| rest.strip_prefix('_'));
    id.is_some_and(|id| !id.is_empty() && key.id.as_str().to_lowercase().starts_with(id))
}

/// The position after which the query continues, and the order to which it belongs.
#[derive(Clone, Debug)]
pub(in crate::store) struct After {
    sort: KeySort,
    descending: bool,
    position: KeyPosition,
}

impl KeyQuery {
    /// Creates a query that selects all keys, oldest first.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// use keywright::store::KeyQuery;
    ///
    /// let page = authority.keys(&alice, &KeyQuery::new()).await?;
    /// assert_eq!(page.items[0].key.name.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects keys whose name, id, owner, description or contact contains `text`.
    ///
    /// The search ignores case. A [`display_prefix`](crate::Key::display_prefix) such as
    /// `acme_live_4fQ2xk9ZrT7bWm1c` finds its key too, and so does its beginning with at least one
    /// character of the id.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyQuery;
    /// for text in ["PROD-", "user:alice", &issued.key.display_prefix()] {
    ///     let page = authority.keys(&alice, &KeyQuery::new().search(text)).await?;
    ///     assert_eq!(page.items[0].key.id, issued.key.id);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(composed(&text.into()).to_lowercase()), ..self }
    }

    /// Selects keys that have this status.
    ///
    /// Further calls add statuses: a key of any of them is selected.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyQuery;
    /// use keywright::KeyStatus;
    ///
    /// let dead = KeyQuery::new().status(KeyStatus::Expired).status(KeyStatus::Revoked);
    /// assert!(authority.keys(&alice, &dead).await?.items.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn status(mut self, status: KeyStatus) -> Self {
        if !self.statuses.contains(&status) {
            self.statuses.push(status);
        }
        self
    }

    /// Selects live keys.
    pub(crate) fn live(self) -> Self {
        let live = KeyStatus::ALL.iter().copied().filter(|status| status.is_live());
        live.fold(self, Self::status)
    }

    /// Selects keys of an owner.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyQuery;
    /// // Ada, an administrator, lists the keys of Alice.
    /// let page = authority.keys(&ada, &KeyQuery::new().owner(alice.as_owner())).await?;
    /// assert_eq!(page.items[0].key.name.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Selects keys whose owner is of this kind.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # use keywright::store::KeyQuery;
    /// use keywright::OwnerKind;
    ///
    /// authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let query = KeyQuery::new().owner_kind(OwnerKind::Account);
    /// assert!(authority.keys(&alice, &query).await?.items.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn owner_kind(self, kind: OwnerKind) -> Self {
        Self { owner_kind: Some(kind), ..self }
    }

    /// Selects keys with exactly this contact.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # use keywright::store::KeyQuery;
    /// use keywright::Contact;
    ///
    /// let contact = Contact::new("billing-team@example.com")?;
    /// let new = NewKey::named("prod-main-app")?.contact(contact.clone());
    /// authority.generate(&alice, new).await?;
    /// let page = authority.keys(&alice, &KeyQuery::new().contact(contact)).await?;
    /// assert_eq!(page.items[0].key.name.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn contact(self, contact: Contact) -> Self {
        Self { contact: Some(contact), ..self }
    }

    /// Selects keys whose metadata has an entry with exactly this key and value.
    ///
    /// Further calls add entries: a key with all of them is selected.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # use keywright::store::KeyQuery;
    /// use keywright::Metadata;
    ///
    /// let metadata = Metadata::new([("team", "billing"), ("region", "eu")])?;
    /// authority.generate(&alice, NewKey::named("prod-main-app")?.metadata(metadata)).await?;
    /// let query = KeyQuery::new().metadata("team", "billing").metadata("region", "eu");
    /// assert_eq!(authority.keys(&alice, &query).await?.items.len(), 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push((key.into(), value.into()));
        self
    }

    /// Selects keys whose tokens begin with this prefix, such as `acme_live`.
    ///
    /// The prefix is that of the [`Key`], which a setup gives to each new key.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # use keywright::store::KeyQuery;
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let query = KeyQuery::new().prefix(issued.key.prefix.clone());
    /// assert_eq!(authority.keys(&alice, &query).await?.items[0].key.id, issued.key.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn prefix(self, prefix: Prefix) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Selects live keys that expire within a period, counted from the time of the query.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.expires_in_days(10);
    /// # let issued = authority.generate(&alice, new).await?;
    /// # use keywright::store::KeyQuery;
    /// use std::time::Duration;
    ///
    /// let soon = KeyQuery::new().expiring_within(Duration::from_secs(14 * 86_400));
    /// assert_eq!(authority.keys(&alice, &soon).await?.items[0].key.id, issued.key.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn expiring_within(self, period: Duration) -> Self {
        Self { expiring_within: Some(period), ..self }
    }

    /// Selects keys that were created before `time` and not used at or after it.
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
    /// # use keywright::store::KeyQuery;
    /// let idle = KeyQuery::new().unused_since("2027-04-01T00:00:00Z".parse()?);
    /// assert_eq!(authority.keys(&alice, &idle).await?.items.len(), 2);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn unused_since(self, time: Timestamp) -> Self {
        Self { unused_since: Some(time), ..self }
    }

    /// Selects keys that were never used, up to the last flush.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, ManualClock, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let clock = ManualClock::at("2027-01-15T08:00:00Z".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).clock(clock.clone());
    /// # let keywright = builder.default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let verifier = keywright.verifier();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # clock.advance(std::time::Duration::from_secs(60));
    /// # authority.generate(&alice, NewKey::named("staging-app")?).await?;
    /// # use keywright::store::KeyQuery;
    /// verifier.verify(issued.token.expose()).await?;
    /// verifier.flush().await?;
    /// let unused = authority.keys(&alice, &KeyQuery::new().never_used()).await?;
    /// assert_eq!(unused.items[0].key.name.as_str(), "staging-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn never_used(self) -> Self {
        Self { never_used: true, ..self }
    }

    /// Sets the order.
    ///
    /// The default is [`KeySort::Created`].
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("staging-app")?).await?;
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// use keywright::store::{KeyQuery, KeySort};
    ///
    /// // The key `staging-app` is older than `prod-main-app`.
    /// let page = authority.keys(&alice, &KeyQuery::new().sort(KeySort::Name)).await?;
    /// assert_eq!(page.items[0].key.name.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn sort(self, sort: KeySort) -> Self {
        Self { sort, ..self }
    }

    /// Reverses the order.
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
    /// # use keywright::store::KeyQuery;
    /// let newest_first = KeyQuery::new().descending();
    /// let page = authority.keys(&alice, &newest_first).await?;
    /// assert_eq!(page.items[0].key.name.as_str(), "staging-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn descending(self) -> Self {
        Self { descending: true, ..self }
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
    /// # use keywright::store::KeyQuery;
    /// let page = authority.keys(&alice, &KeyQuery::new().limit(1)).await?;
    /// assert_eq!(page.items.len(), 1);
    /// assert!(page.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues after a cursor that a client sent back.
    ///
    /// The order of the cursor replaces the order of the query. The cursor holds no filters: set
    /// the same ones again.
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
    /// # use keywright::store::KeyQuery;
    /// let first = authority.keys(&alice, &KeyQuery::new().limit(1)).await?;
    /// if let Some(cursor) = first.next_cursor() {
    ///     let second = authority.keys(&alice, &KeyQuery::new().after(&cursor)?).await?;
    ///     assert_eq!(second.items[0].key.name.as_str(), "staging-app");
    /// }
    /// # assert!(first.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`CursorError`] if it is not a cursor of keys.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let (sort, descending, position) = KeyPosition::decode(&cursor.0).ok_or(CursorError)?;
        Ok(Self { after: Some(After { sort, descending, position }), ..self })
    }

    /// Returns the order of the page, and whether it is reversed.
    ///
    /// ```
    /// use keywright::store::{KeyQuery, KeySort};
    ///
    /// let query = KeyQuery::new().sort(KeySort::Name).descending();
    /// assert_eq!(query.order(), (KeySort::Name, true));
    /// ```
    pub fn order(&self) -> (KeySort, bool) {
        match &self.after {
            Some(after) => (after.sort, after.descending),
            None => (self.sort, self.descending),
        }
    }

    /// Returns the position after which the page starts.
    pub(in crate::store) fn begin(&self) -> Option<&KeyPosition> {
        self.after.as_ref().map(|after| &after.position)
    }

    /// Returns the maximum number of items on the page: the limit, or the default if no limit is
    /// set.
    ///
    /// A limit of 0 counts as 1. A limit above [`MAX_LIMIT`](super::MAX_LIMIT) counts as
    /// `MAX_LIMIT`.
    ///
    /// ```
    /// # use keywright::store::KeyQuery;
    /// assert_eq!(KeyQuery::new().page_size(), 50);
    /// assert_eq!(KeyQuery::new().limit(9_000).page_size(), 500);
    /// ```
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Returns whether a key passes the filters at the time `at`.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = MemoryStore::new();
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::KeyQuery;
    ///
    /// # let stored = store.key(alice.tenant(), &issued.key.id).await?.unwrap();
    /// // `stored` is the key `prod-main-app`, with its record and usage.
    /// let at = "2027-01-15T12:00:00Z".parse()?;
    /// assert!(KeyQuery::new().search("prod").matches(&stored.record, &stored.usage, stored.owner.as_ref(), at));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn matches(
        &self,
        record: &KeyRecord,
        usage: &Usage,
        owner: Option<&OwnerRecord>,
        at: Timestamp,
    ) -> bool {
        let key = record.key();
        let status = key.status(at);
        let found = |text: &str| {
            key.name.as_str().to_lowercase().contains(text)
                || key.id.as_str().to_lowercase().contains(text)
                || key.owner.id().to_lowercase().contains(text)
                || owner
                    .and_then(OwnerRecord::shown_name)
                    .is_some_and(|name| name.as_str().to_lowercase().contains(text))
                || text.contains(':') && key.owner.to_string().to_lowercase().contains(text)
                || shows_as(key, text)
                || key.contact.as_ref().is_some_and(|c| c.as_str().to_lowercase().contains(text))
                || key
                    .description
                    .as_ref()
                    .is_some_and(|d| d.as_str().to_lowercase().contains(text))
        };
        let expiring = |period: Duration| {
            let end = at.saturating_add(period);
            status.is_live() && key.expires_at.is_some_and(|expires| expires <= end)
        };
        let unused = |since: Timestamp| {
            key.created_at < since && usage.last_used_at().is_none_or(|last| last < since)
        };
        self.owner.as_ref().is_none_or(|owner| *owner == key.owner)
            && self.owner_kind.is_none_or(|kind| kind == key.owner.kind())
            && (self.contact.is_none() || self.contact == key.contact)
            && self.metadata.iter().all(|(name, value)| key.metadata.get(name) == Some(value))
            && self.prefix.as_ref().is_none_or(|prefix| *prefix == key.prefix)
            && (self.statuses.is_empty() || self.statuses.contains(&status))
            && self.expiring_within.is_none_or(expiring)
            && self.unused_since.is_none_or(unused)
            && !(self.never_used && usage.last_used_at().is_some())
            && self.search.as_deref().is_none_or(found)
    }

    /// Returns the position of a key in the order of this query.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, ManualClock, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let clock = ManualClock::at("2027-01-15T08:00:00Z".parse()?);
    /// # let store = MemoryStore::new();
    /// # let builder = Keywright::builder(store.clone()).clock(clock.clone());
    /// # let keywright = builder.default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # clock.advance(std::time::Duration::from_secs(60));
    /// # authority.generate(&alice, NewKey::named("staging-app")?).await?;
    /// use keywright::store::{KeyQuery, KeyStore};
    ///
    /// # let stored = store.key(alice.tenant(), &issued.key.id).await?.unwrap();
    /// // `stored` is the key `prod-main-app`, with its record and usage.
    /// let query = KeyQuery::new();
    /// let next_page = query.behind(query.position(&stored.record, &stored.usage));
    /// let page = store.keys(alice.tenant(), &next_page, "2027-01-15T12:00:00Z".parse()?).await?;
    /// assert_eq!(page.items[0].record.key().name.as_str(), "staging-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn position(&self, record: &KeyRecord, usage: &Usage) -> KeyPosition {
        let key = record.key();
        let time = |time: Option<Timestamp>, none| {
            SortValue::Time(time.map_or(none, Timestamp::unix_micros))
        };
        let value = match self.order().0 {
            KeySort::Created => time(Some(key.created_at), 0),
            KeySort::Updated => time(Some(key.updated_at), 0),
            KeySort::Name => SortValue::Text(key.name.to_string()),
            KeySort::Expires => time(key.expires_at, NEVER),
            KeySort::LastUsed => time(usage.last_used_at(), NEVER_YET),
        };
        KeyPosition { value, id: key.id }
    }

    /// Compares two positions in the order of this query.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, ManualClock, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let clock = ManualClock::at("2027-01-15T08:00:00Z".parse()?);
    /// # let store = MemoryStore::new();
    /// # let builder = Keywright::builder(store.clone()).clock(clock.clone());
    /// # let keywright = builder.default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # clock.advance(std::time::Duration::from_secs(60));
    /// # authority.generate(&alice, NewKey::named("staging-app")?).await?;
    /// use std::cmp::Ordering;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::KeyQuery;
    ///
    /// # let all = KeyQuery::new();
    /// # let found = store.keys(alice.tenant(), &all, "2027-01-15T12:00:00Z".parse()?).await?.items;
    /// // `found` are two keys, the older one first.
    /// let query = KeyQuery::new().descending();
    /// let [older, newer] = [0, 1].map(|n| query.position(&found[n].record, &found[n].usage));
    /// assert_eq!(query.compare(&newer, &older), Ordering::Less);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn compare(&self, a: &KeyPosition, b: &KeyPosition) -> Ordering {
        if self.order().1 { b.cmp(a) } else { a.cmp(b) }
    }

    /// Returns whether a position comes after the query's cursor.
    ///
    /// Only implementations of a store need this method.
    ///
    /// Without a cursor, the result is always `true`.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = MemoryStore::new();
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::KeyQuery;
    ///
    /// # let stored = store.key(alice.tenant(), &issued.key.id).await?.unwrap();
    /// // `stored` is the key `prod-main-app`, with its record and usage.
    /// let query = KeyQuery::new();
    /// let position = query.position(&stored.record, &stored.usage);
    /// assert!(query.is_after_cursor(&position));
    /// assert!(!query.behind(position.clone()).is_after_cursor(&position));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn is_after_cursor(&self, position: &KeyPosition) -> bool {
        let behind = |after: &After| self.compare(position, &after.position) == Ordering::Greater;
        self.after.as_ref().is_none_or(behind)
    }

    /// Builds a page from all keys of the tenant, in any order.
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
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::KeyQuery;
    ///
    /// # let stored = store.key(alice.tenant(), &issued.key.id).await?.unwrap();
    /// // `stored` is the key `prod-main-app`, with its record and usage.
    /// let at = "2027-01-15T12:00:00Z".parse()?;
    /// let page = KeyQuery::new().page([(&stored.record, stored.usage, None)], at);
    /// assert_eq!(page.items[0].record.id(), &issued.key.id);
    /// assert!(page.next.is_none());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn page<'a>(
        &self,
        keys: impl IntoIterator<Item = (&'a KeyRecord, Usage, Option<OwnerRecord>)>,
        at: Timestamp,
    ) -> Page<StoredKey> {
        let mut found: Vec<_> = keys
            .into_iter()
            .filter(|(record, usage, owner)| self.matches(record, usage, owner.as_ref(), at))
            .map(|(record, usage, owner)| (self.position(record, &usage), record, usage, owner))
            .filter(|(position, ..)| self.is_after_cursor(position))
            .collect();
        let size = self.page_size();
        if found.len() > size {
            found.select_nth_unstable_by(size, |a, b| self.compare(&a.0, &b.0));
        }
        let more = found.len() > size;
        found.truncate(size);
        found.sort_unstable_by(|a, b| self.compare(&a.0, &b.0));
        let next =
            found.last().filter(|_| more).map(|(position, ..)| self.behind(position.clone()));
        let items = found
            .into_iter()
            .map(|(_, record, usage, owner)| StoredKey { record: record.clone(), usage, owner })
            .collect();
        Page { items, next }
    }

    /// Returns whether a page or a count needs the usage of keys.
    #[cfg(feature = "file")]
    pub(in crate::store) fn looks_at_usage(&self) -> bool {
        self.never_used || self.unused_since.is_some() || self.order().0 == KeySort::LastUsed
    }

    /// Returns whether the query selects some keys of a tenant and not others.
    pub(in crate::store) fn has_filters(&self) -> bool {
        // Every field is named, so that a new filter cannot be forgotten.
        let Self {
            search,
            statuses,
            owner,
            owner_kind,
            contact,
            metadata,
            prefix,
            expiring_within,
            unused_since,
            never_used,
            sort: _,
            descending: _,
            after: _,
            limit: _,
        } = self;
        search.is_some()
            || !statuses.is_empty()
            || owner.is_some()
            || owner_kind.is_some()
            || contact.is_some()
            || !metadata.is_empty()
            || prefix.is_some()
            || expiring_within.is_some()
            || unused_since.is_some()
            || *never_used
    }

    /// Counts the keys that pass the filters at the time `at`.
    ///
    /// The cursor, the order and the limit do not change the number.
    /// A store without an index needs this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{KeyStore, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? else { panic!("no key") };
    /// use keywright::store::KeyQuery;
    ///
    /// // `stored` is the key `prod-main-app`, with its record and usage.
    /// let at = "2027-01-15T12:00:00Z".parse()?;
    /// let keys = || [(&stored.record, stored.usage, None)];
    /// assert_eq!(KeyQuery::new().search("prod").count(keys(), at), 1);
    /// assert_eq!(KeyQuery::new().search("staging").count(keys(), at), 0);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn count<'a>(
        &self,
        keys: impl IntoIterator<Item = (&'a KeyRecord, Usage, Option<OwnerRecord>)>,
        at: Timestamp,
    ) -> u64 {
        let matching = keys
            .into_iter()
            .filter(|(record, usage, owner)| self.matches(record, usage, owner.as_ref(), at));
        matching.count() as u64
    }

    /// Returns a query that continues after a position in the order of this query.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = MemoryStore::new();
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::administrator(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # use keywright::store::KeyStore;
    /// use keywright::store::KeyQuery;
    ///
    /// # let stored = store.key(alice.tenant(), &issued.key.id).await?.unwrap();
    /// // `stored` is the key `prod-main-app`, with its record and usage.
    /// let query = KeyQuery::new();
    /// let next = query.behind(query.position(&stored.record, &stored.usage));
    /// assert!(next.cursor().is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn behind(&self, position: KeyPosition) -> Self {
        let (sort, descending) = self.order();
        Self { after: Some(After { sort, descending, position }), ..self.clone() }
    }

    /// Returns the cursor after which the query continues; `None` if it starts at the beginning.
    ///
    /// ```
    /// # use keywright::store::KeyQuery;
    /// let cursor = "created_at.asc.4fQ2xk9ZrT7bWm1c.1767225600000000".parse()?;
    /// assert_eq!(KeyQuery::new().after(&cursor)?.cursor(), Some(cursor));
    /// # Ok::<(), keywright::store::CursorError>(())
    /// ```
    pub fn cursor(&self) -> Option<Cursor> {
        let After { sort, descending, position } = self.after.as_ref()?;
        Some(Cursor(position.encode(*sort, *descending)))
    }
}

impl sealed::Query for KeyQuery {}

impl ListQuery for KeyQuery {
    fn cursor(&self) -> Option<Cursor> {
        self.cursor()
    }
}

impl sealed::Item for StoredKey {}

impl Listed for StoredKey {
    type Query = KeyQuery;
}

/// The position of a key in the order of a [`KeyQuery`]: its sort value and its id.
///
/// [`KeyQuery::position`] creates it.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = MemoryStore::new();
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::administrator(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # use keywright::store::KeyStore;
/// use keywright::store::{KeyPosition, KeyQuery};
///
/// # let stored = store.key(alice.tenant(), &issued.key.id).await?.unwrap();
/// // `stored` is the key `prod-main-app`, with its record and usage.
/// let position: KeyPosition = KeyQuery::new().position(&stored.record, &stored.usage);
/// assert!(KeyQuery::new().is_after_cursor(&position));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyPosition {
    value: SortValue,
    id: KeyId,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum SortValue {
    Time(i64),
    Text(String),
}

impl KeyPosition {
    /// Returns the position in the order of creation, for a store with such an index.
    pub(in crate::store) fn created(&self) -> Option<(Timestamp, KeyId)> {
        match self.value {
            SortValue::Time(micros) => Some((Timestamp::from_unix_micros(micros)?, self.id)),
            SortValue::Text(_) => None,
        }
    }

    /// Returns the id of the key at the position.
    pub(in crate::store) fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the value that is sorted by, if it is text.
    pub(in crate::store) fn text(&self) -> Option<&str> {
        match &self.value {
            SortValue::Text(text) => Some(text),
            SortValue::Time(_) => None,
        }
    }

    /// Returns the value that is sorted by, in microseconds; 0 if it is text.
    pub(in crate::store) fn number(&self) -> i64 {
        match self.value {
            SortValue::Time(micros) => micros,
            SortValue::Text(_) => 0,
        }
    }

    /// Encodes the position as `sort.direction.id.value`. The value is in decimal, or in hex if it
    /// is text.
    fn encode(&self, sort: KeySort, descending: bool) -> String {
        let sort =
            KeySort::ALL.iter().find(|(known, _)| *known == sort).map_or("", |(_, name)| name);
        let direction = if descending { "desc" } else { "asc" };
        let value = match &self.value {
            SortValue::Time(time) => time.to_string(),
            SortValue::Text(text) => hex::encode(text.as_bytes()),
        };
        format!("{sort}.{direction}.{}.{value}", self.id)
    }

    fn decode(text: &str) -> Option<(KeySort, bool, Self)> {
        let mut parts = text.split('.');
        let sort = parts.next()?;
        let (sort, _) = KeySort::ALL.iter().find(|(_, name)| *name == sort)?;
        let descending = match parts.next()? {
            "asc" => false,
            "desc" => true,
            _ => return None,
        };
        let id = parts.next()?.parse().ok()?;
        let value = parts.next()?;
        let value = match sort {
            KeySort::Name => SortValue::Text(decode_name(value)?),
            _ => SortValue::Time(decimal(value)?),
        };
        parts.next().is_none().then_some((*sort, descending, Self { value, id }))
    }
}

/// Decodes a name in hex. No name has a NUL, and PostgreSQL takes no text with one.
fn decode_name(hex: &str) -> Option<String> {
    let name = String::from_utf8(hex::decode_all(hex)?).ok()?;
    (!name.contains('\0')).then_some(name)
}
