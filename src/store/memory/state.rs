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

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;
use papaya::HashMap as ConcurrentMap;

use super::owned::Owned;
#[cfg(feature = "postgres")]
use super::stage::StageCell;
use super::tables::{Entry, Tables};
#[cfg(feature = "postgres")]
use super::touched::Journal;
use crate::record::account::ServiceAccount;
use crate::record::policy::TenantPolicy;
#[cfg(feature = "postgres")]
use crate::record::snapshot::Snapshot;
#[cfg(feature = "postgres")]
use crate::record::usage::Usage;
use crate::record::user::User;
use crate::store::batch::{Changes, Epoch, Subject};
use crate::store::error::StoreError;
use crate::store::query::{AccountQuery, KeyPosition, KeyQuery, KeySort, Page, StoredKey};
use crate::store::resolve::Resolved;
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
    ) -> Result<Vec<Option<TenantPolicy>>, StoreError> {
        let tables = self.read()?;
        let policy = |id| tables.tenants.get(id)?.policy.as_deref().cloned();
        Ok(tenants.iter().map(policy).collect())
    }

    pub(in crate::store) fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let tables = self.read()?;
        let index = self.index.pin();
        let Some(tenant) = tables.tenants.get(tenant) else {
            return Ok(query.page([], at));
        };
        let stored = |id: &KeyId| Some(tables.row(tenant, index.get(id)?.snapshot.record()));
        if let Some(owner) = &query.owner {
            let ids = tenant.owners.get(owner).into_iter().flat_map(Owned::keys);
            return Ok(query.page(ids.filter_map(stored), at));
        }
        let (sort, descending) = query.order();
        if sort != KeySort::Created {
            let ids = tenant.keys.iter().map(|(_, id)| id);
            return Ok(query.page(ids.filter_map(stored), at));
        }
        // In the order of creation, the page is a range of the index. The search ends when it is
        // full.
        let found = |(_, id): &(Timestamp, KeyId)| {
            stored(id).filter(|(record, usage, owner)| {
                query.is_after_cursor(&query.position(record, usage))
                    && query.matches(record, usage, owner.as_ref(), at)
            })
        };
        let one_more = query.page_size() + 1;
        let begin = query.begin().and_then(KeyPosition::created);
        let range: Vec<_> = match (descending, begin) {
            (false, None) => tenant.keys.iter().filter_map(found).take(one_more).collect(),
            (false, Some(begin)) => {
                tenant.keys.range(begin..).filter_map(found).take(one_more).collect()
            }
            (true, None) => tenant.keys.iter().rev().filter_map(found).take(one_more).collect(),
            (true, Some(begin)) => {
                tenant.keys.range(..=begin).rev().filter_map(found).take(one_more).collect()
            }
        };
        Ok(query.page(range, at))
    }

    pub(in crate::store) fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        let tables = self.read()?;
        let accounts = tables.tenants.get(tenant).map(|tenant| tenant.accounts.values());
        Ok(query.page(accounts.into_iter().flatten().map(Arc::as_ref)))
    }

    pub(in crate::store) fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        let tables = self.read()?;
        let known = since >= tables.recent_since;
        let newer = |(epoch, _): &&(Epoch, Subject)| *epoch > since;
        let touched = || tables.recent.iter().filter(newer).map(|(_, s)| s.clone()).collect();
        Ok(Changes { epoch: tables.epoch, touched: known.then(touched) })
    }

    /// Returns the snapshot of a key of any tenant. Its account and policy may be outdated.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn snapshot(&self, id: &KeyId) -> Option<Arc<Snapshot>> {
        self.index.pin().get(id).map(|entry| Arc::clone(&entry.snapshot))
    }

    /// Returns the usage of a key of any tenant.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn usage(&self, id: &KeyId) -> Result<Usage, StoreError> {
        Ok(self.read()?.usage.get(id).copied().unwrap_or_default())
    }

    /// Begins a journal, which notes the rows that every later change touches.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn begin_journal(&self) -> Result<Journal, StoreError> {
        Ok(self.write()?.journals.begin())
    }

    /// Returns the epoch of the last commit.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn epoch(&self) -> Result<Epoch, StoreError> {
        Ok(self.read()?.epoch)
    }

    /// Returns a new snapshot of a key, whose entry is no longer valid, and replaces the entry.
    fn renew(&self, key: &KeyId) -> Resolved {
        // The lock of a writer: no change is under way, and none begins before the entry is
        // renewed.
        let tables = self.write()?;
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

    pub(in crate::store) fn read(&self) -> Result<RwLockReadGuard<'_, Tables>, StoreError> {
        self.tables.read().map_err(|_| poisoned())
    }

    pub(super) fn write(&self) -> Result<RwLockWriteGuard<'_, Tables>, StoreError> {
        self.tables.write().map_err(|_| poisoned())
    }
}

/// Returns the error after a panic. The tables may hold half a change, so the store must not answer
/// from them.
fn poisoned() -> StoreError {
    StoreError::corrupt("an earlier change of this store panicked: open the store again")
}
