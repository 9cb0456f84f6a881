//! Lists of keys: from the index where it narrows them, and else from a roster.

use super::access::{Access, Reading};
use super::core::Core;
use super::lists::{self, Keys};
use super::roster::{Matches, Roster};
use crate::record::key::Owner;
use crate::store::error::StoreError;
use crate::store::query::{KeyQuery, OwnedKeys, Page, StoredKey};
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

/// The most keys that a list looks at beside those on the page, before it takes a roster.
const LOOKED_AT: usize = 128;
/// The most keys of an owner that are counted one by one.
const COUNTED: u64 = 2_048;
/// The number of keys of a tenant from which on a list of all tenants takes a roster.
const LARGE: u64 = 65_536;

impl Core {
    /// Runs work on the roster of a tenant and on the tables of the same moment. Returns `None` if
    /// the tenant has too many keys for a roster.
    fn read_roster<T>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&Reading, &Roster) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.with_database(|database| {
            let begin = || Ok(Reading::of(database.begin_read()?));
            self.rosters.read(tenant, begin, work)
        })
    }

    /// Returns a page of a tenant's keys.
    pub(super) fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        if let Some(page) = self.read(|tables| lists::page(tables, tenant, query, at, LOOKED_AT))? {
            return Ok(page);
        }
        let select = |tables: &Reading, roster: &Roster| {
            let matches = roster.matches(query, at);
            match walked(tables, roster, &matches, tenant, query)? {
                Some(ids) => selected(tables, &ids, query, at),
                None => selected(tables, &roster.select(query, &matches), query, at),
            }
        };
        if let Some(found) = self.read_roster(tenant, select)? {
            return Ok(lists::finish(query, found));
        }
        self.read(|tables| {
            let mut found = Vec::new();
            self.rosters.in_parts(tenant, tables, query, |part| {
                let ids = part.select(query, &part.matches(query, at));
                found.extend(selected(tables, &ids, query, at)?);
                keep_first(query, &mut found);
                Ok(())
            })?;
            Ok(lists::finish(query, found))
        })
    }

    /// Returns the number of a tenant's keys that pass the filters of a query.
    pub(super) fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let few = |tables: &Reading| lists::count_keys(tables, tenant, query, at, LOOKED_AT);
        if let Some(count) = self.read(few)? {
            return Ok(count);
        }
        let count = |roster: &Roster| roster.matches(query, at).count();
        if let Some(count) = self.read_roster(tenant, |_, roster| Ok(count(roster)))? {
            return Ok(count);
        }
        self.read(|tables| {
            let mut all = 0;
            self.rosters.in_parts(tenant, tables, query, |part| {
                all += count(part);
                Ok(())
            })?;
            Ok(all)
        })
    }

    /// Returns a page of the keys of all tenants.
    pub(super) fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let few = |tables: &Reading| lists::keys_of_all_tenants(tables, query, at, LOOKED_AT);
        if let Some(page) = self.read(few)? {
            return Ok(page);
        }
        let mut found = Vec::new();
        for tenant in self.read(lists::all_tenants)? {
            found.extend(self.first_keys(&tenant, query, at)?);
            keep_first(query, &mut found);
        }
        Ok(lists::finish(query, found))
    }

    /// Returns the first keys of a tenant in the order of a query, those of a page and one more.
    fn first_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let select = |tables: &Reading, roster: &Roster| {
            let ids = roster.select(query, &roster.matches(query, at));
            selected(tables, &ids, query, at)
        };
        if self.read(|tables| tables.tenant(tenant))?.keys >= LARGE
            && let Some(found) = self.read_roster(tenant, select)?
        {
            return Ok(found);
        }
        self.read(|tables| {
            let mut found = Vec::new();
            self.rosters.in_parts(tenant, tables, query, |part| {
                found.extend(select(tables, part)?);
                keep_first(query, &mut found);
                Ok(())
            })?;
            Ok(found)
        })
    }

    /// Returns the numbers of the keys of owners, and the newest keys of each.
    pub(super) fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let owned = |tables: &Reading, numbers: &[(u64, u64)]| {
            lists::owned_keys(tables, tenant, owners, most, numbers)
        };
        let few = self.read(|tables| {
            let numbers = lists::numbers_of_owners(tables, tenant, owners, at, COUNTED)?;
            numbers.map(|numbers| owned(tables, &numbers)).transpose()
        })?;
        if let Some(found) = few {
            return Ok(found);
        }
        let counted =
            |tables: &Reading, roster: &Roster| owned(tables, &roster.numbers(owners, at));
        if let Some(found) = self.read_roster(tenant, counted)? {
            return Ok(found);
        }
        self.read(|tables| {
            let numbers = lists::numbers_of_owners(tables, tenant, owners, at, u64::MAX)?;
            owned(tables, &numbers.unwrap_or_default())
        })
    }
}

/// Reads the keys that a roster selects for a page.
fn selected(
    tables: &Reading,
    ids: &[KeyId],
    query: &KeyQuery,
    at: Timestamp,
) -> Result<Vec<StoredKey>, StoreError> {
    let keys = Keys::of(tables);
    ids.iter().map(|id| listed(&keys, id, query, at)).collect()
}

/// Walks the order of a query in the index to the matching keys of a page and the one behind it.
/// Returns `None` if that takes longer than a look at all matching keys.
fn walked(
    tables: &Reading,
    roster: &Roster,
    matches: &Matches,
    tenant: &TenantId,
    query: &KeyQuery,
) -> Result<Option<Vec<KeyId>>, StoreError> {
    let mut found = Vec::with_capacity(query.page_size() + 1);
    let mut steps = roster.steps(query, matches);
    for entry in lists::Span::of_query(tenant, query).entries(tables, query.order().1)? {
        if steps == 0 {
            return Ok(None);
        }
        steps -= 1;
        let id = lists::id_of(&entry?)?;
        if roster.has(matches, &id) {
            found.push(id);
        }
        if found.len() > query.page_size() {
            break;
        }
    }
    Ok(Some(found))
}

/// Reads a key that a roster has for a query.
fn listed(
    keys: &Keys<'_>,
    id: &KeyId,
    query: &KeyQuery,
    at: Timestamp,
) -> Result<StoredKey, StoreError> {
    let key = keys.get(id)?;
    if lists::is_listed(query, &key, at) { Ok(key) } else { Err(contradicted(id)) }
}

/// Keeps the first keys of a page and the one behind it.
fn keep_first(query: &KeyQuery, found: &mut Vec<StoredKey>) {
    lists::sort(query, found);
    found.truncate(query.page_size() + 1);
}

/// Returns the error for a key whose record is not as the index has it.
fn contradicted(id: &KeyId) -> StoreError {
    StoreError::corrupt(format!(
        "the index of the store file does not fit the key {id}: restore the file from a backup"
    ))
}
