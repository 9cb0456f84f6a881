//! Pages of tenants, with their numbers.

use super::entries::Span;
use crate::store::error::StoreError;
use crate::store::file::access::{Access, Reading};
use crate::store::file::index::Order;
use crate::store::file::ranged::Ranged;
use crate::store::file::tables::{Summed, parse_key};
use crate::store::query::{Page, TenantEntry, TenantQuery};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// Returns a page of the tenants that have an event.
pub(in crate::store::file) fn tenants(
    reading: &Reading,
    query: &TenantQuery,
    at: Timestamp,
) -> Result<Page<TenantEntry>, StoreError> {
    let mut found = Vec::new();
    for tenant in tenants_from(reading, first(query))? {
        let tenant = tenant?;
        if !query.matches(&tenant) {
            // All tenants with the prefix follow each other.
            break;
        }
        if query.is_after_cursor(&tenant) {
            found.extend(entry(reading, tenant, at)?);
        }
        if found.len() > query.page_size() {
            break;
        }
    }
    Ok(query.page(found))
}

/// Returns the id at which the tenants of a query begin.
fn first(query: &TenantQuery) -> &str {
    let prefix = query.prefix.as_deref().unwrap_or_default();
    let after = query.after.as_ref().map(TenantId::as_str).unwrap_or_default();
    prefix.max(after)
}

/// Returns all tenants with an id from `first` on, in the order of their ids.
pub(super) fn tenants_from<'a>(
    reading: &'a Reading,
    first: &str,
) -> Result<impl Iterator<Item = Result<TenantId, StoreError>> + use<'a>, StoreError> {
    let rows = Ranged::of("tenants", reading.records(Summed::Tenants)?, first.as_bytes(), None)?;
    Ok(rows.map(|row| {
        let (key, _) = row?;
        parse_key("tenants", key.value())
    }))
}

/// Returns the numbers of a tenant; `None` if it has no event.
fn entry(
    reading: &Reading,
    tenant: TenantId,
    at: Timestamp,
) -> Result<Option<TenantEntry>, StoreError> {
    let numbers = reading.tenant(&tenant)?;
    if numbers.last_event == 0 {
        return Ok(None);
    }
    // At its expiry, a key is no longer live.
    let expired = Span::of_tenant(Order::Ending, &tenant).before(at.unix_micros() + 1);
    let expired = expired.count(reading, u64::MAX)?;
    Ok(Some(TenantEntry {
        tenant,
        live_keys: numbers.unrevoked.saturating_sub(expired),
        keys: numbers.keys,
        accounts: numbers.accounts,
        last_event: numbers.last_event,
    }))
}
