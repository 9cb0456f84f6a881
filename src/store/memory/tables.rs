//! The tables of a state: everything that is not on the path of every request.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;

use super::owned::Owned;
use crate::record::account::ServiceAccount;
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::record::snapshot::Snapshot;
use crate::record::usage::Usage;
use crate::store::batch::{Epoch, Subject};
use crate::store::error::StoreError;
use crate::store::plan::{DeletedId, Tombstone, Writer};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

#[derive(Default)]
pub(in crate::store) struct Tables {
    pub(in crate::store) tenants: HashMap<TenantId, Tenant>,
    pub(super) accounts: HashMap<AccountId, TenantId>,
    pub(in crate::store) usage: HashMap<KeyId, Usage, RandomState>,
    pub(super) deleted: HashSet<DeletedId, RandomState>,
    pub(in crate::store) writers: HashMap<[u8; 16], Writer>,
    pub(super) epoch: Epoch,
    /// The number of the last event of each tenant.
    pub(in crate::store) last_events: HashMap<TenantId, u64>,
    /// The last changes, each with the epoch of its commit.
    pub(super) recent: VecDeque<(Epoch, Subject)>,
    /// The epoch since which `recent` is complete.
    pub(super) recent_since: Epoch,
}

#[derive(Default)]
pub(in crate::store) struct Tenant {
    pub(super) gate: Arc<Gate>,
    pub(in crate::store) policy: Option<Arc<Policy>>,
    pub(in crate::store) accounts: BTreeMap<AccountId, Arc<ServiceAccount>>,
    /// In the order of creation.
    pub(in crate::store) keys: BTreeSet<(Timestamp, KeyId)>,
    pub(super) owners: HashMap<Owner, Owned>,
    /// The ids that were deleted, each behind the number of the event that it is forgotten with.
    pub(in crate::store) deleted: BTreeSet<(u64, DeletedId)>,
}

/// A key as the path of every request sees it.
pub(super) struct Entry {
    pub(super) snapshot: Arc<Snapshot>,
    gate: Arc<Gate>,
    /// The gate's number when the snapshot was taken.
    taken_at: u64,
}

/// A number that moves when entries of a tenant no longer hold.
#[derive(Default)]
pub(super) struct Gate(AtomicU64);

impl Gate {
    pub(super) fn close(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Entry {
    pub(super) fn holds(&self) -> bool {
        self.gate.0.load(Ordering::Acquire) == self.taken_at
    }
}

impl Tables {
    /// An entry for a record, with its account and policy as they are now.
    pub(super) fn entry(&self, record: KeyRecord) -> Result<Entry, StoreError> {
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

    pub(super) fn insert_policy(&mut self, tenant: TenantId, policy: Policy) {
        self.tenants.entry(tenant).or_default().policy = Some(Arc::new(policy));
    }

    pub(super) fn insert_account(&mut self, account: ServiceAccount) {
        self.accounts.insert(account.id, account.tenant.clone());
        let tenant = self.tenants.entry(account.tenant.clone()).or_default();
        tenant.accounts.insert(account.id, Arc::new(account));
    }

    /// Puts a key in the indexes of its tenant and owner, in the place of what it was before.
    pub(super) fn index_key(&mut self, key: &Key, before: Option<&Key>) {
        let tenant = self.tenants.entry(key.tenant.clone()).or_default();
        tenant.keys.insert((key.created_at, key.id));
        let owned = tenant.owners.entry(key.owner.clone()).or_default();
        if let Some(before) = before {
            owned.remove(before);
        }
        owned.insert(key);
    }

    pub(super) fn bury(&mut self, Tombstone { id, tenant, event }: Tombstone) {
        self.deleted.insert(id);
        self.tenants.entry(tenant).or_default().deleted.insert((event, id));
    }
}
