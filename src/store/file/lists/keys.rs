//! Pages of keys.

use std::cell::RefCell;
use std::collections::HashMap;

use super::entries::{Span, id_of};
use super::narrow::narrowed;
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::usage::Usage;
use crate::store::error::StoreError;
use crate::store::file::access::{Access, Reading};
use crate::store::query::{KeyPosition, KeyQuery, Page, StoredKey};
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

/// The keys of the file, each with its usage and the record of its owner.
pub(in crate::store::file) struct Keys<'a> {
    pub(in crate::store::file) reading: &'a Reading,
    /// The records of owners that were read. Many keys can have one owner.
    owners: RefCell<HashMap<(TenantId, Owner), Option<OwnerRecord>>>,
}

impl<'a> Keys<'a> {
    pub(in crate::store::file) fn of(reading: &'a Reading) -> Self {
        Self { reading, owners: RefCell::default() }
    }

    /// Reads a key to which the index leads.
    pub(in crate::store::file) fn get(&self, id: &KeyId) -> Result<StoredKey, StoreError> {
        let record = self.record(id)?;
        let (usage, owner) = (self.usage(id)?, self.owner(record.key())?);
        Ok(StoredKey { record, usage, owner })
    }

    /// Reads the record of a key to which the index leads.
    pub(in crate::store::file) fn record(&self, id: &KeyId) -> Result<KeyRecord, StoreError> {
        self.reading.key(id)?.ok_or_else(|| missing(id))
    }

    pub(in crate::store::file) fn usage(&self, id: &KeyId) -> Result<Usage, StoreError> {
        Ok(self.reading.usage(id)?.map_or_else(Usage::default, |found| found.usage))
    }

    /// Reads the key of an entry of a range.
    pub(super) fn at(&self, span: &Span, entry: &[u8]) -> Result<StoredKey, StoreError> {
        let found = self.get(&id_of(entry)?)?;
        span.check(entry, found.record.key(), &found.usage)?;
        Ok(found)
    }

    /// Returns the record of a key's owner.
    pub(in crate::store::file) fn owner(
        &self,
        key: &Key,
    ) -> Result<Option<OwnerRecord>, StoreError> {
        let place = (key.tenant.clone(), key.owner.clone());
        if let Some(known) = self.owners.borrow().get(&place) {
            return Ok(known.clone());
        }
        let owner = self.reading.owner_record(key)?;
        self.owners.borrow_mut().insert(place, owner.clone());
        Ok(owner)
    }
}

/// Returns a page of a tenant's keys from the index. Returns `None` if it would have to look at more
/// than `most` keys that are not on the page.
pub(in crate::store::file) fn page(
    reading: &Reading,
    tenant: &TenantId,
    query: &KeyQuery,
    at: Timestamp,
    most: usize,
) -> Result<Option<Page<StoredKey>>, StoreError> {
    let keys = Keys::of(reading);
    if let Some(ids) = narrowed(reading, tenant, query, at, most)? {
        let mut found = ids.iter().map(|id| keys.get(id)).collect::<Result<Vec<_>, _>>()?;
        found.retain(|key| is_listed(query, key, at));
        sort(query, &mut found);
        return Ok(Some(finish(query, found)));
    }
    let span = Span::of_query(tenant, query);
    let one_more = query.page_size() + 1;
    let mut found = Vec::with_capacity(one_more);
    for (looked_at, entry) in span.entries(reading, query.order().1)?.enumerate() {
        if looked_at == most + one_more {
            return Ok(None);
        }
        let key = keys.at(&span, &entry?)?;
        if is_listed(query, &key, at) {
            found.push(key);
        }
        if found.len() == one_more {
            break;
        }
    }
    Ok(Some(finish(query, found)))
}

/// Sorts keys in the order of a query.
pub(in crate::store::file) fn sort(query: &KeyQuery, keys: &mut [StoredKey]) {
    keys.sort_by_cached_key(|key| position(query, key));
    if query.order().1 {
        keys.reverse();
    }
}

/// Returns a page from the keys on it and behind it, in the order of the query.
pub(in crate::store::file) fn finish(
    query: &KeyQuery,
    mut items: Vec<StoredKey>,
) -> Page<StoredKey> {
    let size = query.page_size();
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|last| query.behind(position(query, last)));
    Page { items, next }
}

/// Returns whether a key passes the filters of a query and comes behind its cursor.
pub(in crate::store::file) fn is_listed(query: &KeyQuery, key: &StoredKey, at: Timestamp) -> bool {
    query.matches(&key.record, &key.usage, key.owner.as_ref(), at)
        && query.is_after_cursor(&position(query, key))
}

fn position(query: &KeyQuery, key: &StoredKey) -> KeyPosition {
    query.position(&key.record, &key.usage)
}

/// Returns the error for a key that the index has and the table has not.
fn missing(id: &KeyId) -> StoreError {
    StoreError::corrupt(format!(
        "the key {id} is missing from the store file: restore the file from a backup"
    ))
}
