//! What a store of one process knows, in memory: the state behind [`MemoryStore`] and [`FileStore`].
//!
//! Writing has two steps. `plan` decides a batch against the state and says what it comes to,
//! changing nothing; `apply` makes it visible. Between the two a durable store writes the effects
//! down. Whoever plans must keep other writers out until the effects are applied or given up.
//!
//! Reading a key takes no lock. Each key has an entry with its snapshot in a concurrent map, and
//! each tenant a gate with a number. An entry holds while its number is the gate's. A change of
//! one key replaces its entry. A change of an account or a policy, or of several keys at once,
//! first moves the gate: every key of the tenant then takes the slow path, which waits for the
//! change to be complete and renews the entry. So a change is seen at once, in whole, by all keys.
//!
//! [`MemoryStore`]: super::MemoryStore
//! [`FileStore`]: super::FileStore

mod apply;
mod deleted;
#[cfg(feature = "postgres")]
mod export;
mod owned;
mod plan;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
#[cfg(feature = "postgres")]
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;
use papaya::HashMap as ConcurrentMap;

use super::{
    AccountQuery, Changes, Epoch, KeyPosition, KeyQuery, KeySort, Page, Resolved, Snapshot,
    StoreError, StoredKey, Subject,
};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::record::usage::{LastBatch, Usage};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// How many of the last changes are remembered for caches.
const CHANGES_KEPT: usize = 4_096;

use self::owned::Owned;

pub(in crate::store) use self::deleted::{DeletedId, Tombstone};
#[cfg(feature = "postgres")]
pub(in crate::store) use self::export::{MoveStage, Outline};

#[derive(Default)]
pub(super) struct Image {
    index: ConcurrentMap<KeyId, Entry, RandomState>,
    tables: RwLock<Tables>,
    /// Whether it was moved into another store.
    #[cfg(feature = "postgres")]
    stage: Mutex<MoveStage>,
}

/// A key as the path of every request sees it.
struct Entry {
    snapshot: Arc<Snapshot>,
    gate: Arc<Gate>,
    /// The gate's number when the snapshot was taken.
    taken_at: u64,
}

#[derive(Default)]
struct Gate(AtomicU64);

impl Entry {
    fn holds(&self) -> bool {
        self.gate.0.load(Ordering::Acquire) == self.taken_at
    }
}

/// Everything that is not on the path of every request.
#[derive(Default)]
struct Tables {
    tenants: HashMap<TenantId, Tenant>,
    accounts: HashMap<AccountId, TenantId>,
    usage: HashMap<KeyId, Usage, RandomState>,
    deleted: HashSet<DeletedId, RandomState>,
    writers: HashMap<[u8; 16], Writer>,
    epoch: u64,
    /// The number of the last event of each tenant.
    last_events: HashMap<TenantId, u64>,
    /// The last changes, each with the epoch of its commit.
    recent: VecDeque<(u64, Subject)>,
    /// The epoch since which `recent` is complete.
    recent_since: u64,
}

#[derive(Default)]
struct Tenant {
    gate: Arc<Gate>,
    policy: Option<Arc<Policy>>,
    accounts: BTreeMap<AccountId, Arc<ServiceAccount>>,
    /// In the order of creation.
    keys: BTreeSet<(Timestamp, KeyId)>,
    owners: HashMap<Owner, Owned>,
    /// The ids that were deleted, each behind the number of the event that it is forgotten with.
    deleted: BTreeSet<(u64, DeletedId)>,
}

/// A writer of usage: its last batch, and when that was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Writer {
    pub(super) last: LastBatch,
    pub(super) at: Timestamp,
}

/// What a batch comes to: the records as they will be, and nothing left to decide.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) epoch: u64,
    pub(super) keys: Vec<KeyRecord>,
    pub(super) deleted_keys: Vec<KeyId>,
    pub(super) accounts: Vec<ServiceAccount>,
    pub(super) deleted_accounts: Vec<AccountId>,
    pub(super) policies: Vec<(TenantId, Policy)>,
    pub(super) usage: Vec<(KeyId, Usage)>,
    pub(super) writer: Option<([u8; 16], Writer)>,
    pub(super) forgotten_writers: Vec<[u8; 16]>,
    pub(super) events: Vec<Event>,
    /// The number of the last event of each tenant that has new ones.
    pub(super) last_events: HashMap<TenantId, u64>,
    /// The ids that are not to be used again from now on.
    pub(super) tombstones: Vec<Tombstone>,
    /// The number of the last event that each tenant loses.
    pub(super) forgotten: Vec<(TenantId, u64)>,
    /// The ids that are forgotten with these events, and may be used again.
    pub(super) forgotten_ids: Vec<DeletedId>,
}

/// What a durable store read back, to begin with.
#[cfg(any(feature = "file", feature = "postgres"))]
#[derive(Default)]
pub(super) struct Contents {
    pub(super) effects: Effects,
    pub(super) writers: Vec<([u8; 16], Writer)>,
}

impl Image {
    /// The state that a durable store read back.
    #[cfg(any(feature = "file", feature = "postgres"))]
    pub(super) fn load(contents: Contents) -> Result<Self, StoreError> {
        let image = Self::default();
        {
            let mut tables = image.write()?;
            tables.writers.extend(contents.writers);
            tables.recent_since = contents.effects.epoch;
        }
        image.apply(contents.effects)?;
        image.write()?.recent.clear();
        Ok(image)
    }

    pub(super) fn resolve(&self, key: &KeyId) -> Resolved {
        {
            let index = self.index.pin();
            match index.get(key) {
                None => return Ok(None),
                Some(entry) if entry.holds() => {
                    return Ok(Some(Arc::clone(&entry.snapshot).into()));
                }
                Some(_) => {}
            }
        }
        self.renew(key)
    }

    pub(super) fn key(
        &self,
        tenant: &TenantId,
        key: &KeyId,
    ) -> Result<Option<StoredKey>, StoreError> {
        let tables = self.read()?;
        let index = self.index.pin();
        let record = index.get(key).map(|entry| entry.snapshot.record());
        let record = record.filter(|record| record.key().tenant == *tenant);
        let usage = tables.usage.get(key).copied().unwrap_or_default();
        Ok(record.map(|record| StoredKey { record: record.clone(), usage }))
    }

    pub(super) fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let tables = self.read()?;
        let accounts = tables.tenants.get(tenant).map(|tenant| &tenant.accounts);
        let account = accounts.and_then(|accounts| accounts.get(account));
        Ok(account.map(|account| ServiceAccount::clone(account)))
    }

    pub(super) fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        let tables = self.read()?;
        let policy = tables.tenants.get(tenant).and_then(|tenant| tenant.policy.as_ref());
        Ok(policy.map(|policy| Policy::clone(policy)))
    }

    pub(super) fn keys(
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
        let stored = |id: &KeyId| {
            let record = index.get(id)?.snapshot.record();
            Some((record, tables.usage.get(id).copied().unwrap_or_default()))
        };
        if let Some(owner) = &query.owner {
            let ids = tenant.owners.get(owner).into_iter().flat_map(Owned::keys);
            return Ok(query.page(ids.filter_map(stored), at));
        }
        let (sort, descending) = query.order();
        if sort != KeySort::Created {
            let ids = tenant.keys.iter().map(|(_, id)| id);
            return Ok(query.page(ids.filter_map(stored), at));
        }
        // In the order of creation the page is a stretch of the index: stop when it is full.
        let found = |(_, id): &(Timestamp, KeyId)| {
            stored(id).filter(|(record, usage)| {
                query.is_after_cursor(&query.position(record, usage))
                    && query.matches(record, usage, at)
            })
        };
        let one_more = query.page_size() + 1;
        let begin = query.begin().and_then(KeyPosition::created);
        let stretch: Vec<_> = match (descending, begin) {
            (false, None) => tenant.keys.iter().filter_map(found).take(one_more).collect(),
            (false, Some(begin)) => {
                tenant.keys.range(begin..).filter_map(found).take(one_more).collect()
            }
            (true, None) => tenant.keys.iter().rev().filter_map(found).take(one_more).collect(),
            (true, Some(begin)) => {
                tenant.keys.range(..=begin).rev().filter_map(found).take(one_more).collect()
            }
        };
        Ok(query.page(stretch, at))
    }

    pub(super) fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        let tables = self.read()?;
        let accounts = tables.tenants.get(tenant).map(|tenant| tenant.accounts.values());
        Ok(query.page(accounts.into_iter().flatten().map(Arc::as_ref)))
    }

    pub(super) fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        let tables = self.read()?;
        let known = since.0 >= tables.recent_since;
        let newer = |(epoch, _): &&(u64, Subject)| *epoch > since.0;
        let touched = || tables.recent.iter().filter(newer).map(|(_, s)| s.clone()).collect();
        Ok(Changes { epoch: Epoch(tables.epoch), touched: known.then(touched) })
    }

    /// Takes the snapshot of a key anew, when its entry no longer holds.
    fn renew(&self, key: &KeyId) -> Resolved {
        // As a writer: whoever changes the tables has finished, and no one begins meanwhile.
        let tables = self.write()?;
        let index = self.index.pin();
        let Some(entry) = index.get(key) else { return Ok(None) };
        if entry.holds() {
            return Ok(Some(Arc::clone(&entry.snapshot).into()));
        }
        let renewed = tables.entry(entry.snapshot.record().clone())?;
        let snapshot = Arc::clone(&renewed.snapshot);
        index.insert(*key, renewed);
        Ok(Some(snapshot.into()))
    }

    fn read(&self) -> Result<RwLockReadGuard<'_, Tables>, StoreError> {
        self.tables.read().map_err(|_| poisoned())
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, Tables>, StoreError> {
        self.tables.write().map_err(|_| poisoned())
    }
}

/// Half a change may be in the tables: refuse rather than serve from them.
fn poisoned() -> StoreError {
    StoreError::corrupt("an earlier change of this store panicked: open it again")
}

impl Tables {
    /// An entry for a record, with its account and policy as they are now.
    fn entry(&self, record: KeyRecord) -> Result<Entry, StoreError> {
        let key = record.key();
        let missing = || StoreError::corrupt(format!("the tenant of key {} is missing", key.id));
        let tenant = self.tenants.get(&key.tenant).ok_or_else(missing)?;
        let account = match &key.owner {
            Owner::Account(id) => tenant.accounts.get(id).cloned(),
            Owner::User(_) => None,
        };
        let gate = Arc::clone(&tenant.gate);
        let taken_at = gate.0.load(Ordering::Acquire);
        let snapshot = Snapshot::new(record, account, tenant.policy.clone())?;
        Ok(Entry { snapshot: Arc::new(snapshot), gate, taken_at })
    }
}
