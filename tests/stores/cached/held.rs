//! A store whose answers the test holds back and counts, that goes away, and that can lose its last
//! commits. Clones share everything.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_lite::future::yield_now;
use keywright::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, MemoryStore,
    Page, Resolve, StoreError, StoredKey, UsageBatch,
};
use keywright::{AccountId, Event, KeyId, Policy, ServiceAccount, TenantId, Timestamp};

use common::kit::block_on;

/// A question that is counted, and whose answer can be held back.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Call {
    Resolve(KeyId),
    Commit,
    Changes,
}

/// While there is one, an answer is held back. It tells how things were when it was asked for.
#[must_use = "what is not held comes at once"]
pub(crate) struct Hold {
    store: HeldStore,
    call: Call,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.store.0.held).remove(&self.call);
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct HeldStore(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    server: Mutex<MemoryStore>,
    batches: Mutex<Vec<Batch>>,
    is_down: AtomicBool,
    is_corrupt: AtomicBool,
    held: Mutex<HashSet<Call>>,
    asked: Mutex<HashMap<Call, usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HeldStore {
    /// How often it was asked.
    pub(crate) fn asked(&self, call: Call) -> usize {
        lock(&self.0.asked).get(&call).copied().unwrap_or_default()
    }

    /// How often it was asked for a key, whichever.
    pub(crate) fn resolved(&self) -> usize {
        let asked = lock(&self.0.asked);
        asked.iter().filter(|(call, _)| matches!(call, Call::Resolve(_))).map(|(_, n)| n).sum()
    }

    pub(crate) fn hold(&self, call: Call) -> Hold {
        assert!(lock(&self.0.held).insert(call), "nobody else holds it");
        Hold { store: self.clone(), call }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn set_corrupt(&self, is_corrupt: bool) {
        self.0.is_corrupt.store(is_corrupt, Ordering::SeqCst);
    }

    /// A server takes over that lacks the last commits.
    pub(crate) fn lose(&self, last: usize) {
        let server = MemoryStore::new();
        let mut batches = lock(&self.0.batches).clone();
        batches.truncate(batches.len() - last);
        for batch in &batches {
            block_on(server.commit(batch.clone())).expect("it was possible before");
        }
        *lock(&self.0.batches) = batches;
        *lock(&self.0.server) = server;
    }

    fn is_held(&self, call: Call) -> bool {
        lock(&self.0.held).contains(&call)
    }

    fn server(&self) -> MemoryStore {
        lock(&self.0.server).clone()
    }

    fn up(&self) -> Result<MemoryStore, StoreError> {
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the server is gone"));
        }
        if self.0.is_corrupt.load(Ordering::SeqCst) {
            return Err(StoreError::corrupt("a record does not match its checksum"));
        }
        Ok(self.server())
    }

    async fn answer<T>(
        &self,
        call: Call,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        *lock(&self.0.asked).entry(call).or_default() += 1;
        self.up()?;
        let answer = answer.await;
        while self.is_held(call) {
            yield_now().await;
        }
        self.up()?;
        answer
    }
}

#[async_trait]
impl KeyStore for HeldStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let key = *key;
        let answer = async move { self.server().resolve(&key, freshness).await };
        Resolve::boxed(self.answer(Call::Resolve(key), answer))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.up()?.key(tenant, key).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.up()?.account(tenant, account).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.up()?.policy(tenant).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.up()?.keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.up()?.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.up()?.events(tenant, query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        let answer = async {
            let epoch = self.server().commit(batch.clone()).await?;
            lock(&self.0.batches).push(batch);
            Ok(epoch)
        };
        self.answer(Call::Commit, answer).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.up()?.add_usage(batch).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.answer(Call::Changes, async { self.server().changes(since).await }).await
    }
}
