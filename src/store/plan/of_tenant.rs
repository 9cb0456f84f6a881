//! The view of a batch: the rows of its tenant, and no keys or accounts of other tenants.

use super::deleted::DeletedId;
use super::view::View;
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::usage::{LastBatch, Usage};
use crate::record::user::User;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// A view in which a key or service account of another tenant is absent.
pub(super) struct OfTenant<'a, V> {
    pub(super) tenant: &'a TenantId,
    /// The view of all tenants. Only inserts look at it, because ids are unique over all tenants.
    pub(super) all: &'a V,
}

impl<V: View> View for OfTenant<'_, V> {
    fn key(&self, key: &KeyId) -> Option<&KeyRecord> {
        self.all.key(key).filter(|record| record.key().tenant == *self.tenant)
    }

    fn account(&self, account: &AccountId) -> Option<&ServiceAccount> {
        self.all.account(account).filter(|account| account.tenant == *self.tenant)
    }

    fn user(&self, tenant: &TenantId, user: &UserId) -> Option<&User> {
        self.all.user(tenant, user)
    }

    fn policy(&self, tenant: &TenantId) -> Option<&TenantPolicy> {
        self.all.policy(tenant)
    }

    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = KeyId> {
        self.all.keys_of(tenant, owner)
    }

    fn live_keys_of(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        at: Timestamp,
    ) -> impl Iterator<Item = KeyId> {
        self.all.live_keys_of(tenant, owner, at)
    }

    fn is_deleted(&self, id: &DeletedId) -> bool {
        self.all.is_deleted(id)
    }

    fn deleted_through(&self, tenant: &TenantId, event: u64) -> impl Iterator<Item = DeletedId> {
        self.all.deleted_through(tenant, event)
    }

    fn last_event(&self, tenant: &TenantId) -> u64 {
        self.all.last_event(tenant)
    }

    fn usage(&self, key: &KeyId) -> Option<Usage> {
        self.all.usage(key)
    }

    fn last_batch(&self, writer: &[u8; 16]) -> Option<LastBatch> {
        self.all.last_batch(writer)
    }
}
