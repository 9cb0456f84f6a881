//! A store that passes every call on to another one, until it is told to fail.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use keywright::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    StoreError, StoredKey, UsageBatch,
};
use keywright::{AccountId, Event, KeyId, Policy, ServiceAccount, TenantId, Timestamp};

/// How a [`FaultyStore`] fails, each time as unavailable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Every call fails and does nothing.
    Down,
    /// Every write fails and does nothing.
    WritesLost,
    /// Every write is done and then said to have failed.
    AnswersLost,
    /// Every call has a moment before it is done and one after. The caller is kept waiting for ever
    /// at the moment of this number.
    StandsAt(usize),
}

#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn KeyStore>,
    fault: Arc<Mutex<Option<Fault>>>,
    usage_batches: Arc<AtomicUsize>,
    moments: Arc<AtomicUsize>,
    /// What others do before the next commit.
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    /// How many more commits are done before this fault is set.
    after: Arc<Mutex<Option<(usize, Fault)>>>,
}

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultyStore").field(&self.inner).finish()
    }
}

impl FaultyStore {
    /// Without a fault as yet.
    pub fn over(inner: Arc<dyn KeyStore>) -> Self {
        Self {
            inner,
            fault: Arc::default(),
            usage_batches: Arc::default(),
            moments: Arc::default(),
            meanwhile: Arc::default(),
            after: Arc::default(),
        }
    }

    /// Others do this when the next commit has been called, and before it reaches the store.
    pub fn meanwhile(&self, change: impl Future<Output = ()> + Send + 'static) {
        let mut meanwhile = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner);
        *meanwhile = Some(Box::pin(change));
    }

    /// Sets the fault when so many more commits have been done.
    pub fn set_after(&self, commits: usize, fault: Fault) {
        let mut after = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        *after = Some((commits, fault));
    }

    /// How many batches of usage it has passed on.
    pub fn usage_batches(&self) -> usize {
        self.usage_batches.load(Ordering::SeqCst)
    }

    /// Fails like this from now on, or no more.
    pub fn set(&self, fault: impl Into<Option<Fault>>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault.into();
        self.moments.store(0, Ordering::SeqCst);
    }

    /// How many moments have come since the last fault was set.
    pub fn moments(&self) -> usize {
        self.moments.load(Ordering::SeqCst)
    }

    async fn moment(&self) {
        let number = self.moments.fetch_add(1, Ordering::SeqCst);
        if self.fault() == Some(Fault::StandsAt(number)) {
            std::future::pending::<()>().await;
        }
    }

    /// Between two moments.
    async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        self.moment().await;
        let done = step.await;
        self.moment().await;
        done
    }

    fn fault(&self) -> Option<Fault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, unless it is down.
    fn up(&self) -> Result<&dyn KeyStore, StoreError> {
        match self.fault() {
            Some(Fault::Down) => Err(failure()),
            _ => Ok(&*self.inner),
        }
    }

    fn count_commit(&self) {
        let mut after = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        match *after {
            Some((0, fault)) => {
                *after = None;
                self.set(fault);
            }
            Some((left, fault)) => *after = Some((left - 1, fault)),
            None => {}
        }
    }

    fn before_write(&self) -> Result<(), StoreError> {
        match self.fault() {
            Some(Fault::Down | Fault::WritesLost) => Err(failure()),
            Some(Fault::AnswersLost | Fault::StandsAt(_)) | None => Ok(()),
        }
    }

    fn after_write(&self) -> Result<(), StoreError> {
        match self.fault() {
            Some(Fault::AnswersLost) => Err(failure()),
            _ => Ok(()),
        }
    }
}

fn failure() -> StoreError {
    StoreError::unavailable("the store was told to fail")
}

#[async_trait]
impl KeyStore for FaultyStore {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        match self.up() {
            Ok(inner) => inner.resolve(key, freshness),
            Err(error) => Resolve::ready(Err(error)),
        }
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.step(self.up()?.key(tenant, key)).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.step(self.up()?.account(tenant, account)).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.step(self.up()?.policy(tenant)).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.step(self.up()?.keys(tenant, query, at)).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.step(self.up()?.accounts(tenant, query)).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.step(self.up()?.events(tenant, query)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.count_commit();
        self.before_write()?;
        let meanwhile = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(change) = meanwhile {
            change.await;
        }
        let epoch = self.step(self.inner.commit(batch)).await?;
        self.after_write()?;
        Ok(epoch)
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.before_write()?;
        self.step(self.inner.add_usage(batch)).await?;
        self.usage_batches.fetch_add(1, Ordering::SeqCst);
        self.after_write()
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.step(self.up()?.changes(since)).await
    }
}
