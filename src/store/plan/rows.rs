//! The rows that a store has read for a batch, as a view.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::deleted::DeletedId;
use super::view::View;
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::snapshot::Snapshot;
use crate::record::usage::{LastBatch, Usage};
use crate::record::user::User;
use crate::store::query::{StoredKey, TenantEntry};
use crate::store::resolve::Resolved;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// The rows that a store has read for a batch: all rows of its [`ReadSet`](super::ReadSet), or
/// more.
///
/// A row that does not exist is left out. For a batch of usage, see [`usage`](super::usage).
///
/// ```
/// use keywright::store::plan::{Rows, View};
///
/// let mut rows = Rows::default();
/// let globex = "globex".parse()?;
/// rows.last_events.insert("globex".parse()?, 41);
/// assert_eq!(rows.last_event(&globex), 41);
/// # Ok::<(), keywright::IdError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Keys, by id.
    pub keys: HashMap<KeyId, KeyRecord>,
    /// Service accounts, by id.
    pub accounts: HashMap<AccountId, ServiceAccount>,
    /// The stored records of users, by tenant and user.
    pub users: HashMap<(TenantId, UserId), User>,
    /// Policies, by tenant.
    pub policies: HashMap<TenantId, TenantPolicy>,
    /// Deleted ids that are not forgotten yet.
    pub deleted: HashSet<DeletedId>,
    /// The number of each tenant's newest event. A tenant without events is left out.
    pub last_events: HashMap<TenantId, u64>,
    /// Usage, by key id. Only [`usage`](super::usage) needs it.
    ///
    /// A key that is neither here nor in [`keys`](Self::keys) counts as absent, and
    /// [`usage`](super::usage) drops its deltas. So add
    /// [`Usage::default()`](crate::store::Usage) for a key that exists and was never used.
    pub usage: HashMap<KeyId, Usage>,
    /// The last batch of each writer of usage, by the writer's id. Only [`usage`](super::usage)
    /// needs it, and only that of the batch's writer.
    pub last_batches: HashMap<[u8; 16], LastBatch>,
}

impl Rows {
    /// Returns the answer of [`KeyStore::resolve`](crate::store::KeyStore::resolve) from these rows.
    ///
    /// For a store that keeps its rows in memory.
    ///
    /// ```
    /// use keywright::store::plan::Rows;
    ///
    /// let found = Rows::default().resolve(&"4fQ2xk9ZrT7bWm1c".parse()?)?;
    /// assert!(found.is_none());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Corrupt`](crate::store::StoreErrorKind::Corrupt) if the account of the key is not there.
    pub fn resolve(&self, key: &KeyId) -> Resolved {
        let Some(record) = self.keys.get(key).cloned() else { return Ok(None) };
        let owner = self.owner_of(record.key());
        let policy = self.policies.get(&record.key().tenant).cloned().map(Arc::new);
        let snapshot = Snapshot::new(record, owner, policy)?;
        Ok(Some(Arc::new(snapshot).into()))
    }

    /// Returns a key of a tenant, with its usage and the record of its owner; `None` if the tenant
    /// has no such key.
    ///
    /// For a store that keeps its rows in memory.
    ///
    /// ```
    /// use keywright::store::plan::Rows;
    ///
    /// let (globex, key) = ("globex".parse()?, "4fQ2xk9ZrT7bWm1c".parse()?);
    /// assert!(Rows::default().stored_key(&globex, &key).is_none());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn stored_key(&self, tenant: &TenantId, key: &KeyId) -> Option<StoredKey> {
        let record = self.keys.get(key).filter(|record| record.key().tenant == *tenant)?;
        let (usage, owner) = (self.usage(key).unwrap_or_default(), self.owner_of(record.key()));
        Some(StoredKey { record: record.clone(), usage, owner })
    }

    /// Returns the keys of a tenant, or of all tenants, each with its usage and the record of its
    /// owner.
    ///
    /// For a store that keeps its rows in memory. [`KeyQuery::page`](crate::store::KeyQuery::page),
    /// [`KeyQuery::count`](crate::store::KeyQuery::count) and
    /// [`OwnedKeys::of`](crate::store::OwnedKeys::of) take them.
    ///
    /// ```
    /// use keywright::store::KeyQuery;
    /// use keywright::store::plan::Rows;
    ///
    /// let (rows, globex) = (Rows::default(), "globex".parse()?);
    /// let at = "2027-01-15T12:00:00Z".parse()?;
    /// assert_eq!(KeyQuery::new().count(rows.stored_keys(Some(&globex)), at), 0);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn stored_keys(
        &self,
        tenant: Option<&TenantId>,
    ) -> impl Iterator<Item = (&KeyRecord, Usage, Option<OwnerRecord>)> {
        let records = self.keys.values();
        let wanted = records.filter(move |record| tenant.is_none_or(|t| record.key().tenant == *t));
        wanted.map(|record| {
            let usage = self.usage(record.id()).unwrap_or_default();
            (record, usage, self.owner_of(record.key()))
        })
    }

    /// Returns every tenant that has an event, with its numbers at the time `at`, for
    /// [`TenantQuery::page`](crate::store::TenantQuery::page).
    ///
    /// For a store that keeps its rows in memory.
    ///
    /// ```
    /// use keywright::store::plan::Rows;
    ///
    /// let mut rows = Rows::default();
    /// rows.last_events.insert("globex".parse()?, 41);
    /// let tenants = rows.tenants("2027-01-15T12:00:00Z".parse()?);
    /// assert_eq!((tenants.len(), tenants[0].last_event), (1, 41));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn tenants(&self, at: Timestamp) -> Vec<TenantEntry> {
        let numbers = self.last_events.iter().map(|(tenant, last_event)| {
            let tenant = tenant.clone();
            TenantEntry { tenant, live_keys: 0, keys: 0, accounts: 0, last_event: *last_event }
        });
        let mut numbers: HashMap<TenantId, TenantEntry> =
            numbers.map(|entry| (entry.tenant.clone(), entry)).collect();
        for key in self.keys.values().map(KeyRecord::key) {
            if let Some(entry) = numbers.get_mut(&key.tenant) {
                entry.keys += 1;
                entry.live_keys += u64::from(key.status(at).is_live());
            }
        }
        for account in self.accounts.values() {
            if let Some(entry) = numbers.get_mut(&account.tenant) {
                entry.accounts += 1;
            }
        }
        numbers.into_values().collect()
    }
}

impl View for Rows {
    fn key(&self, key: &KeyId) -> Option<&KeyRecord> {
        self.keys.get(key)
    }

    fn account(&self, account: &AccountId) -> Option<&ServiceAccount> {
        self.accounts.get(account)
    }

    fn policy(&self, tenant: &TenantId) -> Option<&TenantPolicy> {
        self.policies.get(tenant)
    }

    fn user(&self, tenant: &TenantId, user: &UserId) -> Option<&User> {
        self.users.get(&(tenant.clone(), user.clone()))
    }

    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = KeyId> {
        let keys = self.keys.values().map(KeyRecord::key);
        keys.filter(move |key| key.tenant == *tenant && key.owner == *owner).map(|key| key.id)
    }

    fn is_deleted(&self, id: &DeletedId) -> bool {
        self.deleted.contains(id)
    }

    fn last_event(&self, tenant: &TenantId) -> u64 {
        self.last_events.get(tenant).copied().unwrap_or(0)
    }

    fn usage(&self, key: &KeyId) -> Option<Usage> {
        let unused = || self.keys.contains_key(key).then(Usage::default);
        self.usage.get(key).copied().or_else(unused)
    }

    fn last_batch(&self, writer: &[u8; 16]) -> Option<LastBatch> {
        self.last_batches.get(writer).copied()
    }
}
