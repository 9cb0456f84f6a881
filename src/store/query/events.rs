//! Queries of events.

use std::convert::Infallible;

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::record::event::{Event, EventActor, EventKind};
use crate::value::id::{AccountId, KeyId};
use crate::value::text::decimal;
use crate::value::time::Timestamp;

/// A query of events, newest first. Filters narrow each other.
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
    /// The most events that one page examines: 10,000. It bounds the cost of a page of a search that matches
    /// little.
    pub const MAX_EXAMINED: usize = 10_000;

    /// Selects all events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects events of this key.
    pub fn key(self, key: KeyId) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Selects events of this service account.
    pub fn account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Selects events that this actor caused.
    pub fn actor(self, actor: EventActor) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Selects events of this kind.
    pub fn kind(self, kind: impl Into<EventKind>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// Selects events at or after `time`.
    pub fn since(self, time: Timestamp) -> Self {
        Self { since: Some(time), ..self }
    }

    /// Selects events before `time`.
    pub fn until(self, time: Timestamp) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Sets the order: oldest first.
    pub fn oldest_first(self) -> Self {
        Self { oldest_first: true, ..self }
    }

    /// Sets the most items on a page, 1 to [`MAX_LIMIT`](super::MAX_LIMIT).
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues behind a cursor that a client sent back, in the cursor's order.
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

    /// Continues behind the event of this number, in the query's order.
    pub(in crate::store) fn behind(self, sequence: u64) -> Self {
        Self { after: Some(sequence), ..self }
    }

    /// Returns the cursor of the place behind which the query continues, if it does.
    pub fn cursor(&self) -> Option<Cursor> {
        let direction = if self.oldest_first { "asc" } else { "desc" };
        Some(Cursor(format!("event.{direction}.{}", self.after?)))
    }

    /// Returns whether an event passes the filters.
    pub fn matches(&self, event: &Event) -> bool {
        self.key.is_none_or(|key| event.key == Some(key))
            && self.account.is_none_or(|account| event.account == Some(account))
            && self.actor.as_ref().is_none_or(|actor| event.actor == *actor)
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }

    /// Returns the key whose events are selected, for a store that has an index of them.
    pub fn key_filter(&self) -> Option<KeyId> {
        self.key
    }

    /// Returns whether the oldest event comes first.
    pub fn is_oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// Returns the range of sequences that can be on the page.
    pub fn sequences(&self) -> std::ops::RangeInclusive<u64> {
        match (self.after, self.oldest_first) {
            (None, _) => 0..=u64::MAX,
            (Some(after), true) => after.saturating_add(1)..=u64::MAX,
            (Some(0), false) => std::ops::RangeInclusive::new(1, 0),
            (Some(after), false) => 0..=after - 1,
        }
    }

    /// Returns how many items the page may have.
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Assembles a page from the tenant's events of [`EventQuery::sequences`], which must come
    /// in the query's order. Takes no more of them than it needs.
    ///
    /// The page ends after [`EventQuery::MAX_EXAMINED`] events. It may then have fewer items than its
    /// limit, or none, and still a next page.
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

    /// Continues with the event of this number, for a page that ends before it.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn from(self, sequence: u64) -> Self {
        let before =
            if self.oldest_first { sequence.saturating_sub(1) } else { sequence.saturating_add(1) };
        self.behind(before)
    }

    /// Assembles a page from all events of the tenant, oldest first, for a store without an index.
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
