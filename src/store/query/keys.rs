//! Queries of keys: filters and orders.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::status::KeyStatus;
use crate::record::usage::Usage;
use crate::value::id::KeyId;
use crate::value::name::composed;
use crate::value::text::{decimal, hex};
use crate::value::time::Timestamp;

/// A key as a store keeps it: the record and its usage.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The record.
    pub record: KeyRecord,
    /// Its usage, as of the last flush.
    pub usage: Usage,
}

/// The order of keys; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySort {
    /// By creation.
    #[default]
    #[serde(rename = "created_at")]
    Created,
    /// By last change.
    #[serde(rename = "updated_at")]
    Updated,
    /// By name, in the order of Unicode scalar values.
    Name,
    /// By expiry; keys without one come last.
    #[serde(rename = "expires_at")]
    Expires,
    /// By last use; keys that were never used come first.
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

/// A query of keys. Filters narrow each other.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct KeyQuery {
    pub(crate) search: Option<String>,
    pub(crate) statuses: Vec<KeyStatus>,
    pub(crate) owner: Option<Owner>,
    pub(crate) expiring_within: Option<Duration>,
    pub(crate) unused_since: Option<Timestamp>,
    pub(crate) never_used: bool,
    sort: KeySort,
    descending: bool,
    after: Option<After>,
    pub(crate) limit: Option<u16>,
}

/// Returns whether `text` is a key as it is shown, or begins it past the prefix.
fn shows_as(key: &Key, text: &str) -> bool {
    let id = text.strip_prefix(key.prefix.as_str()).and_then(|rest| rest.strip_prefix('_'));
    id.is_some_and(|id| !id.is_empty() && key.id.as_str().to_lowercase().starts_with(id))
}

/// The place behind which the query continues, and the order that it is a place in.
#[derive(Clone, Debug)]
struct After {
    sort: KeySort,
    descending: bool,
    position: KeyPosition,
}

impl KeyQuery {
    /// Selects all keys, oldest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects keys whose name, id or owner contains `text`, or that are shown as it (prefix and id), in
    /// either case.
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(composed(&text.into()).to_lowercase()), ..self }
    }

    /// Selects keys of this status; called more than once, keys of any of them.
    pub fn status(mut self, status: KeyStatus) -> Self {
        if !self.statuses.contains(&status) {
            self.statuses.push(status);
        }
        self
    }

    /// Selects keys of this owner.
    pub fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Selects live keys that expire within this time.
    pub fn expiring_within(self, period: Duration) -> Self {
        Self { expiring_within: Some(period), ..self }
    }

    /// Selects keys that were neither created nor used since `time`.
    pub fn unused_since(self, time: Timestamp) -> Self {
        Self { unused_since: Some(time), ..self }
    }

    /// Selects keys that were never used.
    pub fn never_used(self) -> Self {
        Self { never_used: true, ..self }
    }

    /// Sets the order.
    pub fn sort(self, sort: KeySort) -> Self {
        Self { sort, ..self }
    }

    /// Reverses the order.
    pub fn descending(self) -> Self {
        Self { descending: true, ..self }
    }

    /// Sets the most items on a page, 1 to [`MAX_LIMIT`](super::MAX_LIMIT).
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues behind a cursor that a client sent back. The cursor's order replaces the query's.
    ///
    /// # Errors
    /// [`CursorError`] if it is not a cursor of keys.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let (sort, descending, position) = KeyPosition::decode(&cursor.0).ok_or(CursorError)?;
        Ok(Self { after: Some(After { sort, descending, position }), ..self })
    }

    /// Returns the order of the page, and whether it is reversed.
    pub fn order(&self) -> (KeySort, bool) {
        match &self.after {
            Some(after) => (after.sort, after.descending),
            None => (self.sort, self.descending),
        }
    }

    /// Returns the place behind which the page begins.
    pub(in crate::store) fn begin(&self) -> Option<&KeyPosition> {
        self.after.as_ref().map(|after| &after.position)
    }

    /// Returns how many items the page may have.
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Returns whether a key passes the filters at the time `at`.
    pub fn matches(&self, record: &KeyRecord, usage: &Usage, at: Timestamp) -> bool {
        let key = record.key();
        let status = key.status(at);
        let found = |text: &str| {
            key.name.as_str().to_lowercase().contains(text)
                || key.id.as_str().to_lowercase().contains(text)
                || key.owner.id().to_lowercase().contains(text)
                || text.contains(':') && key.owner.to_string().to_lowercase().contains(text)
                || shows_as(key, text)
        };
        let expiring = |period: Duration| {
            let end = at.saturating_add(period);
            status.is_live() && key.expires_at.is_some_and(|expires| expires <= end)
        };
        let unused = |since: Timestamp| {
            key.created_at < since && usage.last_used_at().is_none_or(|last| last < since)
        };
        self.owner.as_ref().is_none_or(|owner| *owner == key.owner)
            && (self.statuses.is_empty() || self.statuses.contains(&status))
            && self.expiring_within.is_none_or(expiring)
            && self.unused_since.is_none_or(unused)
            && !(self.never_used && usage.last_used_at().is_some())
            && self.search.as_deref().is_none_or(found)
    }

    /// Returns the place of a key in this query's order.
    pub fn position(&self, record: &KeyRecord, usage: &Usage) -> KeyPosition {
        let key = record.key();
        let time = |time: Option<Timestamp>, none| {
            SortValue::Time(time.map_or(none, Timestamp::unix_micros))
        };
        let value = match self.order().0 {
            KeySort::Created => time(Some(key.created_at), 0),
            KeySort::Updated => time(Some(key.updated_at), 0),
            KeySort::Name => SortValue::Text(key.name.to_string()),
            KeySort::Expires => time(key.expires_at, i64::MAX),
            KeySort::LastUsed => time(usage.last_used_at(), -1),
        };
        KeyPosition { value, id: key.id }
    }

    /// Compares two places in this query's order.
    pub fn compare(&self, a: &KeyPosition, b: &KeyPosition) -> Ordering {
        if self.order().1 { b.cmp(a) } else { a.cmp(b) }
    }

    /// Returns whether a place is behind the query's cursor.
    pub fn is_after_cursor(&self, position: &KeyPosition) -> bool {
        let behind = |after: &After| self.compare(position, &after.position) == Ordering::Greater;
        self.after.as_ref().is_none_or(behind)
    }

    /// Assembles a page from all keys of the tenant, for a store without an index.
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
        let next =
            found.last().filter(|_| more).map(|(position, ..)| self.behind(position.clone()));
        let items = found
            .into_iter()
            .map(|(_, record, usage)| StoredKey { record: record.clone(), usage })
            .collect();
        Page { items, next }
    }

    /// Returns this query continued behind a place in its order.
    pub fn behind(&self, position: KeyPosition) -> Self {
        let (sort, descending) = self.order();
        Self { after: Some(After { sort, descending, position }), ..self.clone() }
    }

    /// Returns the cursor of the place behind which the query continues, if it does.
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
    /// Returns the place in the order of creation, for a store that has an index of it.
    pub(in crate::store) fn created(&self) -> Option<(Timestamp, KeyId)> {
        match self.value {
            SortValue::Time(micros) => Some((Timestamp::from_unix_micros(micros)?, self.id)),
            SortValue::Text(_) => None,
        }
    }

    /// Returns the key at the place.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the value that orders it, if that is a text.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn text(&self) -> Option<&str> {
        match &self.value {
            SortValue::Text(text) => Some(text),
            SortValue::Time(_) => None,
        }
    }

    /// Returns the value that orders it, in microseconds; 0 if it is a text.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn number(&self) -> i64 {
        match self.value {
            SortValue::Time(micros) => micros,
            SortValue::Text(_) => 0,
        }
    }

    /// Writes `sort.direction.id.value`, the value in decimal or, if a text, in hex.
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
            KeySort::Name => SortValue::Text(String::from_utf8(hex::decode_all(value)?).ok()?),
            _ => SortValue::Time(decimal(value)?),
        };
        parts.next().is_none().then_some((*sort, descending, Self { value, id }))
    }
}
