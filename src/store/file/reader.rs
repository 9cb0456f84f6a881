//! Reading events, which stay in the file.

use redb::ReadTransaction;

use super::checksum;
use super::database::Database;
use super::errors::storage;
use super::events::{event_prefix, key_prefix, sequenced};
use super::tables::{EVENTS, EVENTS_BY_KEY, decode};
use crate::record::event::Event;
use crate::store::error::StoreError;
use crate::store::query::{EventQuery, Page};
use crate::value::id::TenantId;

/// The data of the file at one moment.
pub(super) struct Reader(ReadTransaction);

impl Reader {
    pub(super) fn of(database: &Database) -> Result<Self, StoreError> {
        database.begin_read().map(Self)
    }

    /// Returns a page of a tenant's events.
    pub(super) fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let range = query.sequences();
        if range.is_empty() {
            return query.page([]);
        }
        let events = self.0.open_table(EVENTS).map_err(storage)?;
        let read = |key: &[u8], stored: &[u8]| {
            let (_, value) = checksum::check("events", key, stored)?;
            decode::<Event>("events", key, value)
        };
        if let Some(key) = query.key_filter() {
            let index = self.0.open_table(EVENTS_BY_KEY).map_err(storage)?;
            let prefix = key_prefix(tenant, &key);
            let from = sequenced(&prefix, *range.start());
            let to = sequenced(&prefix, *range.end());
            let rows = index.range(from.as_slice()..=to.as_slice()).map_err(storage)?;
            let rows = rows.map(|row| {
                let (place, stored) = row.map_err(storage)?;
                checksum::check("events_by_key", place.value(), stored.value())?;
                let sequence = &place.value()[prefix.len()..];
                let at = [event_prefix(tenant).as_slice(), sequence].concat();
                let event = events.get(at.as_slice()).map_err(storage)?;
                let event = event.ok_or_else(|| {
                    StoreError::corrupt(
                        "an event is missing from the store file: restore it from a backup",
                    )
                })?;
                read(&at, event.value())
            });
            let rows: Box<dyn Iterator<Item = _>> =
                if query.is_oldest_first() { Box::new(rows) } else { Box::new(rows.rev()) };
            return query.page(rows);
        }
        let prefix = event_prefix(tenant);
        let (from, to) = (sequenced(&prefix, *range.start()), sequenced(&prefix, *range.end()));
        let rows = events.range(from.as_slice()..=to.as_slice()).map_err(storage)?;
        let rows = rows.map(|row| {
            let (key, stored) = row.map_err(storage)?;
            read(key.value(), stored.value())
        });
        if query.is_oldest_first() { query.page(rows) } else { query.page(rows.rev()) }
    }
}
