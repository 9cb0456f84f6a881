//! Pages of the keys of all tenants, in one order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::entries::{Entries, Span};
use super::keys::{Keys, finish};
use super::tenants::tenants_from;
use crate::store::error::StoreError;
use crate::store::file::access::Reading;
use crate::store::query::{KeyQuery, Page, StoredKey};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// Returns all tenants.
pub(in crate::store::file) fn all_tenants(reading: &Reading) -> Result<Vec<TenantId>, StoreError> {
    tenants_from(reading, "")?.collect()
}

/// Returns a page of the keys of all tenants from the index, as one merge of the tenants' orders.
/// Returns `None` if it would have to look at more than `most` keys that are not on the page.
pub(in crate::store::file) fn keys_of_all_tenants(
    reading: &Reading,
    query: &KeyQuery,
    at: Timestamp,
    most: usize,
) -> Result<Option<Page<StoredKey>>, StoreError> {
    let (keys, descending) = (Keys::of(reading), query.order().1);
    let mut merge = Merge::new(descending);
    for tenant in tenants_from(reading, "")? {
        let span = Span::of_query(&tenant?, query);
        merge.add(span, reading)?;
    }
    let one_more = query.page_size() + 1;
    let mut found = Vec::with_capacity(one_more);
    for looked_at in 0.. {
        let Some((range, entry)) = merge.next()? else { break };
        if looked_at == most + one_more {
            return Ok(None);
        }
        let key = keys.at(&merge.ranges[range].span, &entry)?;
        if query.matches(&key.record, &key.usage, key.owner.as_ref(), at) {
            found.push(key);
        }
        if found.len() == one_more {
            break;
        }
    }
    Ok(Some(finish(query, found)))
}

/// One range per tenant, merged by what follows the prefix of the tenant.
struct Merge {
    descending: bool,
    ranges: Vec<Tenant>,
    /// The next place of each range. Only one of the two is used.
    ascending: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    falling: BinaryHeap<(Vec<u8>, usize)>,
}

struct Tenant {
    span: Span,
    entries: Entries,
}

impl Merge {
    fn new(descending: bool) -> Self {
        let (ascending, falling) = (BinaryHeap::new(), BinaryHeap::new());
        Self { descending, ranges: Vec::new(), ascending, falling }
    }

    fn add(&mut self, span: Span, reading: &Reading) -> Result<(), StoreError> {
        let entries = span.entries(reading, self.descending)?;
        self.ranges.push(Tenant { span, entries });
        self.advance(self.ranges.len() - 1)
    }

    /// Returns the next entry of all ranges, with the number of its range.
    fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, StoreError> {
        let next = if self.descending {
            self.falling.pop()
        } else {
            self.ascending.pop().map(|Reverse(next)| next)
        };
        let Some((place, range)) = next else { return Ok(None) };
        let entry = [self.ranges[range].span.prefix(), &place].concat();
        self.advance(range)?;
        Ok(Some((range, entry)))
    }

    /// Puts the next entry of a range among the next ones of all ranges.
    fn advance(&mut self, range: usize) -> Result<(), StoreError> {
        let tenant = &mut self.ranges[range];
        let Some(entry) = tenant.entries.next() else { return Ok(()) };
        let place = entry?.split_off(tenant.span.prefix().len());
        if self.descending {
            self.falling.push((place, range));
        } else {
            self.ascending.push(Reverse((place, range)));
        }
        Ok(())
    }
}
