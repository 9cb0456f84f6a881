//! Stores that need tokio, for callers that are not on it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use async_trait::async_trait;
use keywright::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    StoreError, StoredKey, UsageBatch,
};
use keywright::{AccountId, Event, KeyId, Policy, ServiceAccount, TenantId, Timestamp};
use tokio::runtime::Runtime;

/// The runtime of all stores.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    &RUNTIME
}

/// Polls the futures of a store within the runtime, whoever polls its own.
#[derive(Clone, Debug)]
pub struct OnTokio(Arc<dyn KeyStore>);

impl OnTokio {
    pub fn over(store: impl KeyStore) -> Self {
        Self(Arc::new(store))
    }
}

/// A future that is polled and dropped within the runtime.
struct Within<F>(Option<Pin<Box<F>>>);

fn within<F: Future>(future: F) -> Within<F> {
    Within(Some(Box::pin(future)))
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = runtime().enter();
        let future = self.0.as_mut().expect("it is there until it is dropped");
        pin!(future).poll(context)
    }
}

impl<F> Drop for Within<F> {
    fn drop(&mut self) {
        let _entered = runtime().enter();
        self.0 = None;
    }
}

#[async_trait]
impl KeyStore for OnTokio {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let _entered = runtime().enter();
        Resolve::boxed(within(self.0.resolve(key, freshness)))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        within(self.0.key(tenant, key)).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        within(self.0.account(tenant, account)).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        within(self.0.policy(tenant)).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        within(self.0.keys(tenant, query, at)).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        within(self.0.accounts(tenant, query)).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        within(self.0.events(tenant, query)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        within(self.0.commit(batch)).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        within(self.0.add_usage(batch)).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        within(self.0.changes(since)).await
    }
}
