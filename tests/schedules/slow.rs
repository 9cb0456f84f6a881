//! A store in memory on the other side of a network: others can come between a question, what it is
//! about, and the answer.

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
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

#[derive(Clone, Debug, Default)]
pub(crate) struct SlowStore(MemoryStore);

async fn slow<T>(answer: impl Future<Output = T>) -> T {
    way().await;
    let answer = answer.await;
    way().await;
    answer
}

/// Now short, now long.
async fn way() {
    for _ in 0..thread_rng().gen_range(0..6) {
        yield_now().await;
    }
}

#[async_trait]
impl KeyStore for SlowStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let key = *key;
        Resolve::boxed(slow(async move { self.0.resolve(&key, freshness).await }))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.key(tenant, key).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.0.account(tenant, account).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.0.policy(tenant).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.0.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.0.events(tenant, query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        slow(self.0.commit(batch)).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.0.add_usage(batch).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        slow(self.0.changes(since)).await
    }
}
