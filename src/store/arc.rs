//! The [`KeyStore`] implementation of `Arc<S>`, with which a host chooses its store at run time.

#[cfg(feature = "cached")]
use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Freshness;
use crate::record::key::Owner;
use crate::record::policy::TenantPolicy;
use crate::record::usage::UsageBatch;
use crate::record::user::User;
use crate::store::KeyStore;
use crate::store::batch::Batch;
use crate::store::changes::{Changes, Marker};
use crate::store::error::StoreError;
use crate::store::query::{
    AccountQuery, EventQuery, KeyQuery, OwnedKeys, Page, StoredKey, TenantEntry, TenantQuery,
};
use crate::store::resolve::{Look, Resolve};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// Returns the store as a `T`, if it is one, behind any number of `Arc`s.
#[cfg(feature = "cached")]
pub(crate) fn find<T: KeyStore>(mut store: &dyn KeyStore) -> Option<&T> {
    while let Some(inner) = (store as &dyn Any).downcast_ref::<Arc<dyn KeyStore>>() {
        store = &**inner;
    }
    (store as &dyn Any).downcast_ref()
}

/// Passes every call on to the store inside.
#[async_trait]
impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        (**self).resolve(key, freshness)
    }

    fn peek(&self, key: &KeyId, freshness: Freshness, look: &mut Look<'_>) -> bool {
        (**self).peek(key, freshness, look)
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        (**self).key(tenant, key).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        (**self).account(tenant, account).await
    }

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        (**self).user(tenant, user).await
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        (**self).policies(tenants).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        (**self).keys(tenant, query, at).await
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        (**self).owned_keys(tenant, owners, most, at).await
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        (**self).count_keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        (**self).accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        (**self).events(tenant, query).await
    }

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        (**self).keys_of_all_tenants(query, at).await
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        (**self).tenants(query, at).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        (**self).commit(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        (**self).add_usage(batch).await
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        (**self).changes(since).await
    }
}
