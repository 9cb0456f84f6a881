//! The tables of a state: all data that a verification does not read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use foldhash::fast::RandomState;

use super::indexed::Indexed;
use super::owned::{Live, Owned};
use super::sorted::Sorted;
#[cfg(feature = "postgres")]
use super::touched::Journals;
use super::usage::UsageTable;
use crate::record::account::ServiceAccount;
use crate::record::interner::Interner;
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::snapshot::Snapshot;
use crate::record::usage::Usage;
use crate::record::user::User;
use crate::store::batch::Subject;
use crate::store::epoch::Epoch;
use crate::store::error::StoreError;
use crate::store::key_index::KeyIndex;
use crate::store::plan::{DeletedId, Tombstone, Writer};
use crate::store::query::StoredKey;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// The tables, which change together under one lock.
#[derive(Default)]
pub(in crate::store) struct Tables {
    pub(in crate::store) tenants: HashMap<TenantId, Tenant>,
    pub(in crate::store) accounts: HashMap<AccountId, TenantId>,
    pub(in crate::store) usage: UsageTable,
    pub(super) deleted: HashSet<DeletedId, RandomState>,
    pub(super) interner: Interner,
    pub(in crate::store) writers: HashMap<[u8; 16], Writer>,
    pub(super) epoch: Epoch,
    /// The number of the newest event of each tenant.
    pub(in crate::store) last_events: BTreeMap<TenantId, u64>,
    /// The recent changes, oldest first, each with the epoch of its commit.
    pub(super) recent: VecDeque<(Epoch, Subject)>,
    /// The epoch since which `recent` is complete.
    pub(super) recent_since: Epoch,
    /// The index of the keys of all tenants, from the first list of them on.
    pub(super) index: Indexed,
    /// The indexes that no list reads any more. They are dropped without the lock of the tables.
    pub(super) worn: Vec<KeyIndex>,
    /// Whether an index was ever begun. A relaxed flag: the lock of the tables orders it.
    pub(super) has_indexes: AtomicBool,
    /// The journals of the transfers of this store.
    #[cfg(feature = "postgres")]
    pub(super) journals: Journals,
}

#[derive(Default)]
pub(in crate::store) struct Tenant {
    pub(super) gate: Arc<Gate>,
    pub(in crate::store) policy: Option<Arc<TenantPolicy>>,
    pub(in crate::store) accounts: BTreeMap<AccountId, Arc<ServiceAccount>>,
    /// The accounts in the order of creation.
    pub(super) accounts_by_created: Sorted<(Timestamp, AccountId)>,
    pub(in crate::store) users: BTreeMap<UserId, Arc<User>>,
    /// The keys in the order of creation.
    pub(in crate::store) keys: Sorted<(Timestamp, KeyId)>,
    pub(super) owners: HashMap<Owner, Owned>,
    /// The keys that can be live, by their expiry.
    pub(super) live: Live,
    /// The index of the keys, from the first list that needs it on.
    pub(super) index: Indexed,
    /// The deleted ids, ordered by the number of the event with which each is forgotten.
    pub(in crate::store) deleted: BTreeSet<(u64, DeletedId)>,
}

/// A key as a verification reads it.
pub(super) struct Entry {
    pub(super) snapshot: Arc<Snapshot>,
    gate: Arc<Gate>,
    /// The number of the gate when the snapshot was taken.
    taken_at: u64,
}

/// A number that changes when the entries of a tenant become invalid.
#[derive(Default)]
pub(super) struct Gate(AtomicU64);

impl Gate {
    /// Makes all entries of the tenant invalid.
    pub(super) fn close(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Entry {
    /// Returns the snapshot, after a [`touch`](Snapshot::touch).
    pub(super) fn touched(&self) -> &Arc<Snapshot> {
        self.snapshot.touch();
        &self.snapshot
    }

    /// Returns whether the entry is valid: no change has closed its gate since it was made.
    pub(super) fn is_valid(&self) -> bool {
        self.gate.0.load(Ordering::Acquire) == self.taken_at
    }
}

impl Tables {
    /// Returns an entry for a record, with its current account and policy.
    pub(super) fn entry(&self, record: KeyRecord) -> Result<Entry, StoreError> {
        let key = record.key();
        let missing =
            || StoreError::corrupt(format!("the store holds key {} without its tenant", key.id));
        let tenant = self.tenants.get(&key.tenant).ok_or_else(missing)?;
        let owner = tenant.owner_record(&key.owner);
        let gate = Arc::clone(&tenant.gate);
        let taken_at = gate.0.load(Ordering::Acquire);
        let snapshot = Snapshot::new(record, owner, tenant.policy.clone())?;
        Ok(Entry { snapshot: Arc::new(snapshot), gate, taken_at })
    }

    /// Returns a key with its usage and the record of its owner.
    pub(super) fn stored(&self, record: &KeyRecord) -> StoredKey {
        let key = record.key();
        let tenant = self.tenants.get(&key.tenant);
        StoredKey {
            record: record.clone(),
            usage: self.usage.get(&key.id),
            owner: tenant.and_then(|tenant| tenant.owner_record(&key.owner)),
        }
    }

    /// Returns a key of a tenant, as a query looks at it.
    pub(super) fn row<'a>(
        &self,
        tenant: &Tenant,
        record: &'a KeyRecord,
    ) -> (&'a KeyRecord, Usage, Option<OwnerRecord>) {
        let usage = self.usage.get(record.id());
        (record, usage, tenant.owner_record(&record.key().owner))
    }

    pub(super) fn insert_policy(&mut self, tenant: TenantId, policy: TenantPolicy) {
        self.tenants.entry(tenant).or_default().policy = Some(Arc::new(policy));
    }

    pub(super) fn insert_account(&mut self, account: ServiceAccount) {
        let owner = Owner::Account(account.id);
        self.list_owner_name(&account.tenant, &owner, Some(&account.name));
        self.accounts.insert(account.id, account.tenant.clone());
        let tenant = self.tenants.entry(account.tenant.clone()).or_default();
        tenant.accounts_by_created.insert((account.created_at, account.id));
        tenant.accounts.insert(account.id, Arc::new(account));
    }

    /// Adds a key to the indexes of its tenant and owner, and removes its previous version.
    pub(super) fn index_key(&mut self, key: &Key, before: Option<&Key>) {
        let tenant = self.tenants.entry(key.tenant.clone()).or_default();
        tenant.keys.insert((key.created_at, key.id));
        if let Some(before) = before {
            tenant.disown(before);
        }
        tenant.live.insert(key);
        tenant.owners.entry(key.owner.clone()).or_default().insert(key);
    }

    pub(super) fn insert_user(&mut self, user: User) {
        let owner = Owner::User(user.id.clone());
        self.list_owner_name(&user.tenant, &owner, user.display_name.as_ref());
        let tenant = self.tenants.entry(user.tenant.clone()).or_default();
        tenant.users.insert(user.id.clone(), Arc::new(user));
    }

    /// Remembers a deleted id.
    pub(super) fn bury(&mut self, Tombstone { id, tenant, event }: Tombstone) {
        self.deleted.insert(id);
        self.tenants.entry(tenant).or_default().deleted.insert((event, id));
    }
}

impl Tenant {
    /// Returns the record of an owner, if the owner has one.
    pub(super) fn owner_record(&self, owner: &Owner) -> Option<OwnerRecord> {
        match owner {
            Owner::Account(id) => self.accounts.get(id).cloned().map(OwnerRecord::Account),
            Owner::User(id) => self.users.get(id).cloned().map(OwnerRecord::User),
            Owner::Organization => None,
        }
    }

    /// Removes an account.
    pub(super) fn remove_account(&mut self, id: &AccountId) {
        if let Some(account) = self.accounts.remove(id) {
            self.accounts_by_created.remove(&(account.created_at, *id));
        }
    }

    /// Removes a key from the keys of its owner.
    pub(super) fn disown(&mut self, key: &Key) {
        self.live.remove(key);
        if let Some(owned) = self.owners.get_mut(&key.owner) {
            owned.remove(key);
            if owned.is_empty() {
                self.owners.remove(&key.owner);
            }
        }
    }
}
