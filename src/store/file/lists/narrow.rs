//! The ranges of the index that hold every key that a filter can match.

use super::entries::{Span, id_of};
use crate::record::status::KeyStatus;
use crate::store::error::StoreError;
use crate::store::file::access::Reading;
use crate::store::file::index::Order;
use crate::store::query::KeyQuery;
use crate::value::id::{KeyId, TenantId};
use crate::value::time::{NEVER_YET, Timestamp};

/// Returns the keys of a range that holds every match, if one of the filters has a range of at most
/// `most` keys.
pub(super) fn narrowed(
    reading: &Reading,
    tenant: &TenantId,
    query: &KeyQuery,
    at: Timestamp,
    most: usize,
) -> Result<Option<Vec<KeyId>>, StoreError> {
    for span in spans(tenant, query, at) {
        let mut ids = Vec::new();
        for entry in span.entries(reading, false)?.take(most + 1) {
            ids.push(id_of(&entry?)?);
        }
        if ids.len() <= most {
            return Ok(Some(ids));
        }
    }
    Ok(None)
}

/// Returns one range for each filter that has one.
fn spans(tenant: &TenantId, query: &KeyQuery, at: Timestamp) -> Vec<Span> {
    let mut spans = Vec::new();
    if let Some(owner) = &query.owner {
        spans.push(Span::of_prefix(Order::Owner, Order::Owner.owner_prefix(tenant, owner)));
    }
    let ending = || Span::of_tenant(Order::Ending, tenant);
    // At its expiry, a key is no longer live.
    let after = at.unix_micros() + 1;
    if let Some(period) = query.expiring_within {
        let end = at.saturating_add(period).unix_micros() + 1;
        spans.push(ending().since(after).before(end));
    }
    if query.statuses == [KeyStatus::Expired] {
        spans.push(ending().before(after));
    }
    let used = || Span::of_tenant(Order::Used, tenant);
    if query.never_used {
        spans.push(used().before(NEVER_YET + 1));
    }
    if let Some(since) = query.unused_since {
        spans.push(used().before(since.unix_micros()));
    }
    spans
}
