//! Events in the file: their table, and an index by key.

use std::collections::HashMap;

use redb::{ReadableTable, WriteTransaction};

use super::checksum;
use super::errors::storage;
use super::tables::{EVENTS, EVENTS_BY_KEY, decode, encode, malformed, parse_key, put};
use crate::record::event::Event;
use crate::store::error::StoreError;
use crate::value::id::{KeyId, TenantId};

/// The number of events that were written or removed.
#[derive(Default)]
pub(super) struct Counts {
    /// The number of all events.
    pub(super) all: u64,
    /// The number of events that name a key.
    pub(super) of_keys: u64,
}

/// Writes events and their entries in the index by key.
pub(super) fn write_events(
    transaction: &WriteTransaction,
    events: &[Event],
) -> Result<Counts, StoreError> {
    let mut written = Counts::default();
    for event in events {
        let place = sequenced(&event_prefix(&event.tenant), event.sequence);
        put(transaction, EVENTS, "events", &place, &encode(event)?)?;
        written.all += 1;
        if let Some(key) = event.key {
            let place = sequenced(&key_prefix(&event.tenant, &key), event.sequence);
            put(transaction, EVENTS_BY_KEY, "events_by_key", &place, b"")?;
            written.of_keys += 1;
        }
    }
    Ok(written)
}

/// Removes each tenant's events up to and including a number.
pub(super) fn forget_events(
    transaction: &WriteTransaction,
    forgotten: &[(TenantId, u64)],
) -> Result<Counts, StoreError> {
    let mut removed = Counts::default();
    for (tenant, through) in forgotten {
        let prefix = event_prefix(tenant);
        let (from, to) = (sequenced(&prefix, 0), sequenced(&prefix, *through));
        let mut events = transaction.open_table(EVENTS).map_err(storage)?;
        let mut by_key = transaction.open_table(EVENTS_BY_KEY).map_err(storage)?;
        let rows = events.extract_from_if(from.as_slice()..=to.as_slice(), |_, _| true);
        for row in rows.map_err(storage)? {
            let (place, stored) = row.map_err(storage)?;
            let (_, value) = checksum::check("events", place.value(), stored.value())?;
            let event: Event = decode("events", place.value(), value)?;
            removed.all += 1;
            if let Some(key) = event.key {
                let place = sequenced(&key_prefix(tenant, &key), event.sequence);
                by_key.remove(place.as_slice()).map_err(storage)?.ok_or_else(events_missing)?;
                removed.of_keys += 1;
            }
        }
    }
    Ok(removed)
}

/// Returns the prefix of the keys of a tenant's events. Tenant ids have no zero byte, so the prefix
/// of one tenant is never the prefix of another.
pub(super) fn event_prefix(tenant: &TenantId) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0]].concat()
}

/// Returns the prefix of the index entries of a key's events. It begins with the tenant of the
/// events, so another tenant's failed calls on the same key id have another prefix.
pub(super) fn key_prefix(tenant: &TenantId, key: &KeyId) -> Vec<u8> {
    [&event_prefix(tenant), key.as_bytes().as_slice()].concat()
}

/// Returns the numbers of each tenant's first and last event, from the first and last row of its
/// prefix.
pub(super) fn event_numbers(
    events: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<HashMap<TenantId, (u64, u64)>, StoreError> {
    let mut numbers = HashMap::new();
    let mut from = Vec::new();
    loop {
        let first = events.range(from.as_slice()..).map_err(storage)?.next().transpose();
        let Some((first, _)) = first.map_err(storage)? else { return Ok(numbers) };
        let key = first.value();
        let malformed = || malformed("events", key);
        let tenant = key.split(|byte| *byte == 0).next().unwrap_or_default();
        // The prefix ends with a zero byte, so the same bytes with a one at the end follow all its
        // rows.
        from = [tenant, &[1]].concat();
        let mine = events.range(key..from.as_slice()).map_err(storage)?.next_back().transpose();
        let (last, _) = mine.map_err(storage)?.ok_or_else(malformed)?;
        let number = |place: &[u8]| place.last_chunk().copied().map(u64::from_be_bytes);
        let ends = number(key).zip(number(last.value())).ok_or_else(malformed)?;
        numbers.insert(parse_key::<TenantId>("events", tenant)?, ends);
    }
}

/// Returns the key of an event: the prefix and the sequence number.
pub(super) fn sequenced(prefix: &[u8], sequence: u64) -> Vec<u8> {
    [prefix, &sequence.to_be_bytes()].concat()
}

/// Returns the error for missing events.
pub(super) fn events_missing() -> StoreError {
    StoreError::corrupt("events are missing from the store file: restore it from a backup")
}
