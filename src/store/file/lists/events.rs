//! Pages of events.

use crate::record::event::Event;
use crate::store::error::StoreError;
use crate::store::file::access::{Access, Reading};
use crate::store::file::checksum;
use crate::store::file::index::prefix_of_events;
use crate::store::file::ranged::Ranged;
use crate::store::file::tables::decode;
use crate::store::query::{EventQuery, Page};
use crate::value::id::TenantId;

/// Returns a page of a tenant's events.
pub(in crate::store::file) fn events(
    reading: &Reading,
    tenant: &TenantId,
    query: &EventQuery,
) -> Result<Page<Event>, StoreError> {
    let range = query.sequences();
    if range.is_empty() {
        return query.page([]);
    }
    let all = [tenant.as_str().as_bytes(), &[0]].concat();
    let place = |prefix: &[u8]| {
        (
            [prefix, range.start().to_be_bytes().as_slice()].concat(),
            // The smallest place behind the last one.
            [prefix, range.end().to_be_bytes().as_slice(), &[0]].concat(),
        )
    };
    if let Some(key) = query.key_filter() {
        let prefix = prefix_of_events(tenant, &key);
        let (from, to) = place(&prefix);
        let entries = Ranged::of("index", reading.index()?, &from, Some(&to))?;
        let events = entries.map(|entry| {
            let (entry, _) = entry?;
            let at = [all.as_slice(), &entry.value()[prefix.len()..]].concat();
            reading.event(&at)?.ok_or_else(|| checksum::contradicted("events", &at))
        });
        return if query.is_oldest_first() { query.page(events) } else { query.page(events.rev()) };
    }
    let (from, to) = place(&all);
    let rows = Ranged::of("events", reading.events()?, &from, Some(&to))?;
    let events = rows.map(|row| {
        let (key, stored) = row?;
        let (_, value) = checksum::check("events", key.value(), stored.value())?;
        decode("events", key.value(), value)
    });
    if query.is_oldest_first() { query.page(events) } else { query.page(events.rev()) }
}
