//! The state of a store of one process, in memory, for [`MemoryStore`] and [`FileStore`].
//!
//! A write has two steps. `plan` checks a batch against the state and returns its effects, without
//! a change. `apply` makes the effects visible. In between, a durable store writes the effects to
//! its file. A caller of `plan` must exclude other writers until it has applied or dropped the
//! effects.
//!
//! Reading a key takes no lock. Each key has an entry with its snapshot in a concurrent map. Each
//! tenant has a gate with a number. An entry is valid while it has the number of the gate. A change
//! of one key replaces its entry. A change of an account, a policy or several keys first closes the
//! gate, which changes its number. A read of any key of the tenant then takes the slow path: it
//! waits until the change is complete and renews the entry. So all keys show a change at once and
//! in whole.
//!
//! [`MemoryStore`]: crate::store::MemoryStore
//! [`FileStore`]: crate::store::FileStore

use std::cell::Cell;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;
use papaya::HashMap as ConcurrentMap;

use super::listed::Keys;
#[cfg(feature = "postgres")]
use super::stage::StageCell;
use super::tables::{Entry, Tables, Tenant};
#[cfg(feature = "postgres")]
use super::touched::Journal;
use crate::record::account::ServiceAccount;
use crate::record::freshness::Age;
use crate::record::key::KeyRecord;
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::Usage;
use crate::record::user::User;
use crate::store::batch::Subject;
use crate::store::changes::{Changes, Marker};
use crate::store::epoch::Epoch;
use crate::store::error::StoreError;
use crate::store::key_index::WORTH_INDEX;
use crate::store::query::{AccountQuery, KeyPosition, KeyQuery, KeySort, Page, StoredKey};
use crate::store::resolve::{FoundRef, Look, Resolved};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// The data of a store of one process, except the events.
#[derive(Default)]
pub(in crate::store) struct State {
    pub(super) index: ConcurrentMap<KeyId, Entry, RandomState>,
    tables: RwLock<Tables>,
    /// The stage in a transfer, which decides whether the state takes changes.
    #[cfg(feature = "postgres")]
    pub(in crate::store) stage: StageCell,
}

impl State {
    pub(in crate::store) fn resolve(&self, key: &KeyId) -> Resolved {
        {
            let index = self.index.pin();
            match index.get(key) {
                None => return Ok(None),
                Some(entry) if entry.is_valid() => {
                    return Ok(Some(Arc::clone(&entry.snapshot).into()));
                }
                Some(_) => {}
            }
        }
        self.renew(key)
    }

    /// Shows `look` a key, if its entry is valid, and returns whether it did.
    pub(in crate::store) fn peek(&self, key: &KeyId, look: &mut Look<'_>) -> bool {
        let index = self.index.pin();
        let found = match index.get(key) {
            None => None,
            Some(entry) if entry.is_valid() => Some(entry.touched()),
            Some(_) => return false,
        };
        look(found.map(|snapshot| FoundRef { snapshot, age: Age::NONE }));
        true
    }

    pub(in crate::store) fn key(
        &self,
        tenant: &TenantId,
        key: &KeyId,
    ) -> Result<Option<StoredKey>, StoreError> {
        let tables = self.read()?;
        let index = self.index.pin();
        let record = index.get(key).map(|entry| entry.snapshot.record());
        let Some(record) = record.filter(|record| record.key().tenant == *tenant) else {
            return Ok(None);
        };
        Ok(Some(tables.stored(record)))
    }

    pub(in crate::store) fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let tables = self.read()?;
        let accounts = tables.tenants.get(tenant).map(|tenant| &tenant.accounts);
        let account = accounts.and_then(|accounts| accounts.get(account));
        Ok(account.map(|account| ServiceAccount::clone(account)))
    }

    pub(in crate::store) fn user(
        &self,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<Option<User>, StoreError> {
        let tables = self.read()?;
        let users = tables.tenants.get(tenant).map(|tenant| &tenant.users);
        Ok(users.and_then(|users| users.get(user)).map(|user| User::clone(user)))
    }

    pub(in crate::store) fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        let tables = self.read()?;
        let policy = |id| tables.tenants.get(id)?.policy.clone();
        Ok(tenants.iter().map(policy).collect())
    }

    pub(in crate::store) fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let has_walked = Cell::new(false);
        self.in_slices(|tables| {
            let keys = self.keys_of(tables);
            let Some(of_tenant) = tables.tenants.get(tenant) else {
                return Ok(Some(query.page([], at)));
            };
            let rows = |id: &KeyId| keys.row(id);
            if let Some(owner) = &query.owner {
                let Some(owned) = of_tenant.owners.get(owner) else {
                    return Ok(Some(query.page([], at)));
                };
                if owned.len() < WORTH_INDEX {
                    return Ok(Some(query.page(owned.keys().filter_map(rows), at)));
                }
            }
            if of_tenant.keys.len() < WORTH_INDEX {
                let ids = of_tenant.keys.iter().map(|(_, id)| id);
                return Ok(Some(query.page(ids.filter_map(rows), at)));
            }
            if !has_walked.replace(true)
                && let Some(found) = first_created(of_tenant, &keys, query, at)
            {
                return Ok(Some(query.page(found, at)));
            }
            let Some(index) = keys.index_of(tenant, of_tenant) else { return Ok(None) };
            let found = index.first(query, at, &keys)?;
            Ok(found.map(|found| query.page(found.iter().filter_map(rows), at)))
        })
    }

    pub(in crate::store) fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        let tables = self.read()?;
        let Some(tenant) = tables.tenants.get(tenant) else { return Ok(query.page([])) };
        let begin = query.after.unwrap_or((Timestamp::MIN, AccountId::FIRST));
        let accounts = tenant.accounts_by_created.from(begin);
        let accounts = accounts.filter_map(|(_, id)| tenant.accounts.get(id).map(Arc::as_ref));
        let is_on_page = |account: &&ServiceAccount| {
            query.after != Some((account.created_at, account.id)) && query.matches(account)
        };
        // In the order of creation, the search ends when the page is full.
        Ok(query.page(accounts.filter(is_on_page).take(query.page_size() + 1)))
    }

    pub(in crate::store) fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        let since = Epoch::of(since);
        let tables = self.read()?;
        let known = since.filter(|since| (tables.recent_since..=tables.epoch).contains(since));
        let touched = |since| {
            let newer = |(epoch, _): &&(Epoch, Subject)| *epoch > since;
            tables.recent.iter().filter(newer).map(|(_, subject)| subject.clone()).collect()
        };
        let has_lost = since.is_some_and(|since| since > tables.epoch);
        Ok(Changes { at: tables.epoch.marker(), touched: known.map(touched), has_lost })
    }

    /// Begins a journal, which notes the rows that every later change touches.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn begin_journal(&self) -> Result<Journal, StoreError> {
        Ok(self.write()?.journals.begin())
    }

    /// Returns a new snapshot of a key, whose entry is no longer valid, and replaces the entry.
    fn renew(&self, key: &KeyId) -> Resolved {
        // No change is under way, and none begins before the entry is renewed. Two callers can renew
        // an entry at once: they make the same one, and the recorder joins what both count.
        let tables = self.read()?;
        let index = self.index.pin();
        let Some(entry) = index.get(key) else { return Ok(None) };
        if entry.is_valid() {
            return Ok(Some(Arc::clone(&entry.snapshot).into()));
        }
        let renewed = tables.entry(entry.snapshot.record().clone())?;
        let snapshot = Arc::clone(&renewed.snapshot);
        index.insert(*key, renewed);
        Ok(Some(snapshot.into()))
    }

    /// Calls `step` under the lock of the tables until it returns an answer. Between two steps, changes
    /// that wait for the lock can pass.
    pub(super) fn in_slices<T>(
        &self,
        step: impl Fn(&Tables) -> Result<Option<T>, StoreError>,
    ) -> Result<T, StoreError> {
        loop {
            if let Some(answer) = step(&*self.read()?)? {
                return Ok(answer);
            }
        }
    }

    /// Returns the keys of the state for a list. The caller holds the lock of the tables.
    pub(super) fn keys_of<'a>(&'a self, tables: &'a Tables) -> Keys<'a> {
        Keys::new(tables, &self.index)
    }

    pub(in crate::store) fn read(&self) -> Result<RwLockReadGuard<'_, Tables>, StoreError> {
        self.tables.read().map_err(|_| poisoned())
    }

    pub(super) fn write(&self) -> Result<RwLockWriteGuard<'_, Tables>, StoreError> {
        self.tables.write().map_err(|_| poisoned())
    }
}

/// Returns the first keys that a query selects, if a short walk in the order of creation finds them.
/// So the most usual lists need no index.
fn first_created<'a>(
    tenant: &Tenant,
    keys: &'a Keys<'_>,
    query: &KeyQuery,
    at: Timestamp,
) -> Option<Vec<(&'a KeyRecord, Usage, Option<OwnerRecord>)>> {
    if query.order().0 != KeySort::Created || tenant.is_listed() {
        return None;
    }
    let begin = query.begin().and_then(KeyPosition::created);
    let mut walk: Box<dyn Iterator<Item = &(Timestamp, KeyId)>> = match (query.order().1, begin) {
        (false, None) => Box::new(tenant.keys.iter()),
        (false, Some(begin)) => Box::new(tenant.keys.from(begin)),
        (true, None) => Box::new(tenant.keys.iter().rev()),
        (true, Some(begin)) => Box::new(tenant.keys.down_from(begin)),
    };
    let one_more = query.page_size() + 1;
    let mut found = Vec::with_capacity(one_more);
    for (_, id) in walk.by_ref().take(WORTH_INDEX) {
        let row = keys.row(id).filter(|(record, usage, owner)| {
            query.is_after_cursor(&query.position(record, usage))
                && query.matches(record, usage, owner.as_ref(), at)
        });
        found.extend(row);
        if found.len() == one_more {
            return Some(found);
        }
    }
    walk.next().is_none().then_some(found)
}

/// Returns the error after a panic. The tables may hold half a change, so the store must not answer
/// from them.
fn poisoned() -> StoreError {
    StoreError::corrupt("an earlier change of this store panicked: open the store again")
}
