//! Questions to a store: filters, orders, and pages that stay stable while keys change.
//!
//! A page begins behind a cursor, which is a place in the order and not a number of rows: a key
//! that is neither added nor removed nor moved in the order meanwhile appears on exactly one page.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::ServiceAccount;
use crate::event::{Event, EventActor, EventKind};
use crate::id::{AccountId, KeyId};
use crate::key::{KeyRecord, KeyStatus, Owner};
use crate::text::serde_as_text;
use crate::time::Timestamp;
use crate::usage::Usage;

/// A key as a store has it: the record and its usage.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The record.
    pub record: KeyRecord,
    /// Its usage, as of the last flush.
    pub usage: Usage,
}

/// Some of what was asked for, and where to go on.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// The place behind the last item, if there is more.
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

/// By what keys are ordered; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySort {
    /// By creation.
    #[default]
    Created,
    /// By last change.
    Updated,
    /// By name, in the order of Unicode scalar values.
    Name,
    /// By expiry; keys without one come last.
    Expires,
    /// By last use; keys that were never used come first.
    LastUsed,
}

impl KeySort {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Created, "created"),
        (Self::Updated, "updated"),
        (Self::Name, "name"),
        (Self::Expires, "expires"),
        (Self::LastUsed, "last-used"),
    ];
}

/// Which keys, in which order. Filters narrow each other.
#[derive(Clone, Debug, Default)]
pub struct KeyQuery {
    pub(crate) search: Option<String>,
    pub(crate) statuses: Vec<KeyStatus>,
    pub(crate) owner: Option<Owner>,
    pub(crate) expiring_within: Option<Duration>,
    pub(crate) unused_since: Option<Timestamp>,
    pub(crate) never_used: bool,
    pub(crate) sort: KeySort,
    pub(crate) descending: bool,
    pub(crate) after: Option<KeyPosition>,
    pub(crate) limit: Option<u16>,
}

impl KeyQuery {
    /// All keys, oldest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only keys whose name, id or owner contains `text`; letters of either case are the same.
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(text.into().to_lowercase()), ..self }
    }

    /// Only keys of this status; asked for more than once, of any of them.
    pub fn status(mut self, status: KeyStatus) -> Self {
        self.statuses.push(status);
        self
    }

    /// Only keys of this owner.
    pub fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Only live keys whose expiry comes within this time.
    pub fn expiring_within(self, period: Duration) -> Self {
        Self { expiring_within: Some(period), ..self }
    }

    /// Only keys that were neither made nor used since `time`.
    pub fn unused_since(self, time: Timestamp) -> Self {
        Self { unused_since: Some(time), ..self }
    }

    /// Only keys that were never used.
    pub fn never_used(self) -> Self {
        Self { never_used: true, ..self }
    }

    /// In this order.
    pub fn sort(self, sort: KeySort) -> Self {
        Self { sort, ..self }
    }

    /// In the reverse of the order.
    pub fn descending(self) -> Self {
        Self { descending: true, ..self }
    }

    /// At most so many on the page, 1 to [`MAX_LIMIT`].
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Goes on behind a cursor, in the order that it comes from.
    ///
    /// # Errors
    /// [`CursorError`] if it does not come from a page of keys.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let (sort, descending, position) = KeyPosition::decode(&cursor.0).ok_or(CursorError)?;
        Ok(Self { sort, descending, after: Some(position), ..self })
    }

    /// How many items the page may have.
    pub fn page_size(&self) -> usize {
        usize::from(self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT))
    }

    /// Whether a key passes the filters at `at`.
    pub fn matches(&self, record: &KeyRecord, usage: &Usage, at: Timestamp) -> bool {
        let key = record.key();
        let status = key.status(at);
        let found = |text: &str| {
            key.name.as_str().to_lowercase().contains(text)
                || key.id.as_str().to_lowercase().contains(text)
                || key.owner.to_string().to_lowercase().contains(text)
        };
        let expiring = |period: Duration| {
            let end = at.saturating_add(period);
            status.is_live() && key.expires.is_some_and(|expires| expires <= end)
        };
        let unused = |since: Timestamp| {
            key.created < since && usage.last_used().is_none_or(|last| last < since)
        };
        self.owner.as_ref().is_none_or(|owner| *owner == key.owner)
            && (self.statuses.is_empty() || self.statuses.contains(&status))
            && self.expiring_within.is_none_or(expiring)
            && self.unused_since.is_none_or(unused)
            && !(self.never_used && usage.last_used().is_some())
            && self.search.as_deref().is_none_or(found)
    }

    /// The place of a key in this query's order.
    pub fn position(&self, record: &KeyRecord, usage: &Usage) -> KeyPosition {
        let key = record.key();
        let time = |time: Option<Timestamp>, none| {
            SortValue::Time(time.map_or(none, Timestamp::unix_micros))
        };
        let value = match self.sort {
            KeySort::Created => time(Some(key.created), 0),
            KeySort::Updated => time(Some(key.updated), 0),
            KeySort::Name => SortValue::Text(key.name.to_string()),
            KeySort::Expires => time(key.expires, i64::MAX),
            KeySort::LastUsed => time(usage.last_used(), -1),
        };
        KeyPosition { value, id: key.id }
    }

    /// How two places compare in this query's order.
    pub fn compare(&self, a: &KeyPosition, b: &KeyPosition) -> Ordering {
        if self.descending { b.cmp(a) } else { a.cmp(b) }
    }

    /// Whether a place lies behind the query's cursor.
    pub fn is_after_cursor(&self, position: &KeyPosition) -> bool {
        let behind = |after| self.compare(position, after) == Ordering::Greater;
        self.after.as_ref().is_none_or(behind)
    }

    /// Puts a page together from all keys of the tenant, for a store that has no better way.
    pub fn page<'a>(
        &self,
        keys: impl IntoIterator<Item = (&'a KeyRecord, Usage)>,
        at: Timestamp,
    ) -> Page<StoredKey> {
        let mut found: Vec<_> = keys
            .into_iter()
            .filter(|(record, usage)| self.matches(record, usage, at))
            .map(|(record, usage)| (self.position(record, &usage), record, usage))
            .filter(|(position, ..)| self.is_after_cursor(position))
            .collect();
        let size = self.page_size();
        if found.len() > size {
            found.select_nth_unstable_by(size, |a, b| self.compare(&a.0, &b.0));
        }
        let more = found.len() > size;
        found.truncate(size);
        found.sort_unstable_by(|a, b| self.compare(&a.0, &b.0));
        let next = found.last().filter(|_| more).map(|(position, ..)| self.cursor(position));
        let items = found
            .into_iter()
            .map(|(_, record, usage)| StoredKey { record: record.clone(), usage })
            .collect();
        Page { items, next }
    }

    /// The cursor for the place behind `position`.
    pub fn cursor(&self, position: &KeyPosition) -> Cursor {
        Cursor(position.encode(self.sort, self.descending))
    }
}

/// The place of a key in an order.
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
    /// The place in the order of creation, for a store that has an index of it.
    pub(super) fn created(&self) -> Option<(Timestamp, KeyId)> {
        match self.value {
            SortValue::Time(micros) => Some((Timestamp::from_unix_micros(micros)?, self.id)),
            SortValue::Text(_) => None,
        }
    }

    /// `sort.direction.id.value`, the value in decimal or, if a text, in hex.
    fn encode(&self, sort: KeySort, descending: bool) -> String {
        let sort =
            KeySort::ALL.iter().find(|(known, _)| *known == sort).map_or("", |(_, name)| name);
        let direction = if descending { "desc" } else { "asc" };
        let value = match &self.value {
            SortValue::Time(time) => time.to_string(),
            SortValue::Text(text) => to_hex(text),
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
            KeySort::Name => SortValue::Text(from_hex(value)?),
            _ => SortValue::Time(value.parse().ok()?),
        };
        parts.next().is_none().then_some((*sort, descending, Self { value, id }))
    }
}

fn to_hex(text: &str) -> String {
    let mut hex = String::with_capacity(2 * text.len());
    for byte in text.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn from_hex(text: &str) -> Option<String> {
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

/// Which service accounts, oldest first.
#[derive(Clone, Debug, Default)]
pub struct AccountQuery {
    pub(crate) search: Option<String>,
    pub(crate) after: Option<(Timestamp, AccountId)>,
    pub(crate) limit: Option<u16>,
}

impl AccountQuery {
    /// All accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only accounts whose name, id or role contains `text`; letters of either case are the same.
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(text.into().to_lowercase()), ..self }
    }

    /// At most so many on the page, 1 to [`MAX_LIMIT`].
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Goes on behind a cursor.
    ///
    /// # Errors
    /// [`CursorError`] if it does not come from a page of accounts.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let decode = || {
            let (micros, id) = cursor.0.strip_prefix("account.")?.split_once('.')?;
            let created = Timestamp::from_unix_micros(micros.parse().ok()?)?;
            Some((created, id.parse().ok()?))
        };
        Ok(Self { after: Some(decode().ok_or(CursorError)?), ..self })
    }

    /// Puts a page together from all accounts of the tenant.
    pub fn page<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a ServiceAccount>,
    ) -> Page<ServiceAccount> {
        let place = |account: &ServiceAccount| (account.created, account.id);
        let found = |account: &ServiceAccount, text: &str| {
            account.name.as_str().to_lowercase().contains(text)
                || account.id.as_str().to_lowercase().contains(text)
                || account.role.as_str().contains(text)
        };
        let mut items: Vec<ServiceAccount> = accounts
            .into_iter()
            .filter(|account| self.after.is_none_or(|after| place(account) > after))
            .filter(|account| self.search.as_deref().is_none_or(|text| found(account, text)))
            .cloned()
            .collect();
        items.sort_unstable_by_key(place);
        let size = usize::from(self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT));
        let more = items.len() > size;
        items.truncate(size);
        let cursor = |account: &ServiceAccount| {
            Cursor(format!("account.{}.{}", account.created.unix_micros(), account.id))
        };
        let next = items.last().filter(|_| more).map(cursor);
        Page { items, next }
    }
}

/// Which events, newest first. Filters narrow each other.
#[derive(Clone, Debug, Default)]
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
    /// All events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only events of this key.
    pub fn key(self, key: KeyId) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Only events of this service account.
    pub fn account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Only what this one did.
    pub fn actor(self, actor: EventActor) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Only events of this kind.
    pub fn kind(self, kind: impl Into<EventKind>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// Only events at or after `time`.
    pub fn since(self, time: Timestamp) -> Self {
        Self { since: Some(time), ..self }
    }

    /// Only events before `time`.
    pub fn until(self, time: Timestamp) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Oldest first.
    pub fn oldest_first(self) -> Self {
        Self { oldest_first: true, ..self }
    }

    /// At most so many on the page, 1 to [`MAX_LIMIT`].
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Goes on behind a cursor.
    ///
    /// # Errors
    /// [`CursorError`] if it does not come from a page of events.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let decode = || {
            let (direction, sequence) = cursor.0.strip_prefix("event.")?.split_once('.')?;
            let oldest_first = match direction {
                "asc" => true,
                "desc" => false,
                _ => return None,
            };
            Some((oldest_first, sequence.parse().ok()?))
        };
        let (oldest_first, after) = decode().ok_or(CursorError)?;
        Ok(Self { oldest_first, after: Some(after), ..self })
    }

    /// Whether an event passes the filters.
    pub fn matches(&self, event: &Event) -> bool {
        self.key.is_none_or(|key| event.key == Some(key))
            && self.account.is_none_or(|account| event.account == Some(account))
            && self.actor.as_ref().is_none_or(|actor| event.actor == *actor)
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }

    /// The key whose events are asked for, for a store that has an index of them.
    pub fn key_filter(&self) -> Option<KeyId> {
        self.key
    }

    /// Whether the oldest comes first.
    pub fn is_oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// The sequences that can be on the page.
    pub fn sequences(&self) -> std::ops::RangeInclusive<u64> {
        match (self.after, self.oldest_first) {
            (None, _) => 0..=u64::MAX,
            (Some(after), true) => after.saturating_add(1)..=u64::MAX,
            (Some(0), false) => std::ops::RangeInclusive::new(1, 0),
            (Some(after), false) => 0..=after - 1,
        }
    }

    /// Puts a page together from the tenant's events of [`EventQuery::sequences`], which must come
    /// in the query's order. Takes no more than it needs.
    ///
    /// # Errors
    /// Passes on the first error of the iterator.
    pub fn page<E>(
        &self,
        events: impl IntoIterator<Item = Result<Event, E>>,
    ) -> Result<Page<Event>, E> {
        let size = usize::from(self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT));
        let mut items: Vec<Event> = Vec::new();
        for event in events {
            let event = event?;
            if !self.matches(&event) {
                continue;
            }
            if items.len() == size {
                let last = items.last().map_or(0, |event| event.sequence);
                let direction = if self.oldest_first { "asc" } else { "desc" };
                let next = Some(Cursor(format!("event.{direction}.{last}")));
                return Ok(Page { items, next });
            }
            items.push(event);
        }
        Ok(Page { items, next: None })
    }
}
