//! Records that the jobs of one transaction read again and again, decoded once.
//!
//! Each commit of a tenant reads its numbers, its policy and often an account. Commits that share a
//! transaction are mostly of the same tenants.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::tables::TenantRecord;
use crate::record::account::ServiceAccount;
use crate::record::policy::TenantPolicy;
use crate::store::error::StoreError;
use crate::value::id::{AccountId, TenantId};

/// The records that a transaction has read. An absent record is kept too.
#[derive(Default)]
pub(super) struct Memo {
    policies: Read<TenantId, Option<Arc<TenantPolicy>>>,
    accounts: Read<AccountId, Option<Arc<ServiceAccount>>>,
    tenants: Read<TenantId, Numbers>,
}

type Read<K, V> = RefCell<HashMap<K, V>>;

/// The numbers of a tenant, as they are in the file and after the writes so far.
#[derive(Clone, Copy)]
struct Numbers {
    stored: TenantRecord,
    current: TenantRecord,
}

impl Memo {
    pub(super) fn policy(
        &self,
        tenant: &TenantId,
        read: impl FnOnce() -> Result<Option<TenantPolicy>, StoreError>,
    ) -> Result<Option<Arc<TenantPolicy>>, StoreError> {
        once(&self.policies, tenant, || Ok(read()?.map(Arc::new)))
    }

    /// Forgets a policy that was written.
    pub(super) fn forget_policy(&mut self, tenant: &TenantId) {
        self.policies.get_mut().remove(tenant);
    }

    pub(super) fn account(
        &self,
        account: &AccountId,
        read: impl FnOnce() -> Result<Option<ServiceAccount>, StoreError>,
    ) -> Result<Option<Arc<ServiceAccount>>, StoreError> {
        once(&self.accounts, account, || Ok(read()?.map(Arc::new)))
    }

    /// Forgets an account that was written or removed.
    pub(super) fn forget_account(&mut self, account: &AccountId) {
        self.accounts.get_mut().remove(account);
    }

    pub(super) fn tenant(
        &self,
        tenant: &TenantId,
        read: impl FnOnce() -> Result<TenantRecord, StoreError>,
    ) -> Result<TenantRecord, StoreError> {
        let found = once(&self.tenants, tenant, || {
            let stored = read()?;
            Ok(Numbers { stored, current: stored })
        });
        Ok(found?.current)
    }

    /// Replaces the numbers of a tenant that were read.
    pub(super) fn set_tenant(&mut self, tenant: &TenantId, current: TenantRecord) {
        if let Some(numbers) = self.tenants.get_mut().get_mut(tenant) {
            numbers.current = current;
        }
    }

    /// Takes the numbers of the tenants that changed.
    pub(super) fn take_tenants(
        &mut self,
    ) -> impl Iterator<Item = (TenantId, TenantRecord)> + use<> {
        let changed = |(_, numbers): &(_, Numbers)| numbers.current != numbers.stored;
        let tenants = self.tenants.take().into_iter().filter(changed);
        tenants.map(|(tenant, numbers)| (tenant, numbers.current))
    }
}

/// Returns a record that was read, or reads it.
fn once<K: Clone + Eq + Hash, V: Clone>(
    known: &Read<K, V>,
    key: &K,
    read: impl FnOnce() -> Result<V, StoreError>,
) -> Result<V, StoreError> {
    if let Some(found) = known.borrow().get(key) {
        return Ok(found.clone());
    }
    let found = read()?;
    known.borrow_mut().insert(key.clone(), found.clone());
    Ok(found)
}
