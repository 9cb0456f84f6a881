//! A store in memory that loses batches of usage, or the answers to them, as the scheduler draws it.

use std::sync::Arc;

use async_trait::async_trait;
use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, MemoryStore,
    Page, Resolve, StoreError, StoredKey, UsageBatch,
};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

#[derive(Clone, Debug, Default)]
pub(crate) struct FailingStore {
    inner: MemoryStore,
    mended: Arc<AtomicBool>,
}

impl FailingStore {
    /// Fails no more.
    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }

    fn fails(&self) -> Result<(), StoreError> {
        if !self.mended.load(Ordering::SeqCst) && thread_rng().gen_range(0..3) == 0 {
            return Err(StoreError::unavailable("lost on the way"));
        }
        Ok(())
    }
}

#[async_trait]
impl KeyStore for FailingStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        self.inner.resolve(key, freshness)
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.inner.key(tenant, key).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.inner.account(tenant, account).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.inner.policy(tenant).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.inner.keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.inner.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.inner.events(tenant, query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.inner.commit(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        yield_now().await;
        self.fails()?;
        self.inner.add_usage(batch).await?;
        yield_now().await;
        self.fails()
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.inner.changes(since).await
    }
}
