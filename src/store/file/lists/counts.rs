//! The numbers of keys: those of a query, and those of owners.

use super::entries::{Span, id_of};
use super::keys::Keys;
use super::narrow::narrowed;
use crate::record::key::Owner;
use crate::store::error::StoreError;
use crate::store::file::access::{Access, Reading};
use crate::store::file::index::Order;
use crate::store::query::{KeyQuery, OwnedKeys};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// Returns the number of a tenant's keys that pass the filters of a query. Returns `None` if it would
/// have to look at more than `most` keys.
pub(in crate::store::file) fn count_keys(
    reading: &Reading,
    tenant: &TenantId,
    query: &KeyQuery,
    at: Timestamp,
    most: usize,
) -> Result<Option<u64>, StoreError> {
    let all = reading.tenant(tenant)?.keys;
    if !query.has_filters() {
        return Ok(Some(all));
    }
    let ids = match narrowed(reading, tenant, query, at, most)? {
        Some(ids) => ids,
        None if all <= most as u64 => {
            let span = Span::of_tenant(Order::Created, tenant);
            let entries = span.entries(reading, false)?;
            entries.map(|entry| id_of(&entry?)).collect::<Result<_, _>>()?
        }
        None => return Ok(None),
    };
    let keys = Keys::of(reading);
    let mut count = 0;
    for id in ids {
        let key = keys.get(&id)?;
        count += u64::from(query.matches(&key.record, &key.usage, key.owner.as_ref(), at));
    }
    Ok(Some(count))
}

/// Returns the numbers of live keys and of all keys of owners. Returns `None` if an owner has more
/// than `most` keys.
pub(in crate::store::file) fn numbers_of_owners(
    reading: &Reading,
    tenant: &TenantId,
    owners: &[Owner],
    at: Timestamp,
    most: u64,
) -> Result<Option<Vec<(u64, u64)>>, StoreError> {
    let mut numbers = Vec::with_capacity(owners.len());
    for owner in owners {
        let of = |order: Order| Span::of_prefix(order, order.owner_prefix(tenant, owner));
        let all = of(Order::Owner).count(reading, most)?;
        if all > most {
            return Ok(None);
        }
        // At its expiry, a key is no longer live.
        let live = of(Order::Unrevoked).since(at.unix_micros() + 1);
        numbers.push((live.count(reading, most)?, all));
    }
    Ok(Some(numbers))
}

/// Returns the newest keys of owners, with their numbers of live keys and of all keys.
pub(in crate::store::file) fn owned_keys(
    reading: &Reading,
    tenant: &TenantId,
    owners: &[Owner],
    most: u16,
    numbers: &[(u64, u64)],
) -> Result<Vec<OwnedKeys>, StoreError> {
    let keys = Keys::of(reading);
    let owned = |(owner, (live, all)): (&Owner, &(u64, u64))| {
        let span = Span::of_prefix(Order::Owner, Order::Owner.owner_prefix(tenant, owner));
        let newest = span.entries(reading, true)?.take(most.into());
        let keys = newest.map(|entry| keys.at(&span, &entry?)).collect::<Result<_, _>>()?;
        Ok(OwnedKeys { live: *live, all: *all, keys })
    };
    owners.iter().zip(numbers).map(owned).collect()
}
