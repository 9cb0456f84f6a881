//! A store over another one, with the troubles of a network, or with a fault that must be caught.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;

use futures_lite::future::yield_now;
use keywright::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Found, Freshness, KeyQuery, KeyStore, Page,
    Resolve, StoreError, StoredKey, UsageBatch, async_trait,
};
use keywright::{AccountId, Event, KeyId, Policy, ServiceAccount, TenantId, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What comes between the callers and the store.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches")]
pub(crate) struct Troubles {
    /// Each step waits for its turn, so that others come between.
    pub(crate) turns: bool,
    /// Writes are lost on the way there or on the way back, and said to be.
    pub(crate) losses: bool,
    /// Calls are dropped.
    pub(crate) drops: bool,
    /// Wrong: a snapshot can be the one that was found before.
    pub(crate) stale: bool,
    /// Wrong: a write can be acknowledged and never done.
    pub(crate) forgets: bool,
    /// Wrong: a write can be acknowledged and done later.
    pub(crate) late: bool,
    /// Wrong: a write can be done and said to have met another.
    pub(crate) denies: bool,
}

impl Troubles {
    pub(crate) const NONE: Self = Self {
        turns: false,
        losses: false,
        drops: false,
        stale: false,
        forgets: false,
        late: false,
        denies: false,
    };
    pub(crate) const TURNS: Self = Self { turns: true, ..Self::NONE };
    pub(crate) const ALL: Self = Self { losses: true, drops: true, ..Self::NONE };
}

#[derive(Clone, Debug)]
pub(crate) struct Troubled {
    inner: Arc<dyn KeyStore>,
    troubles: Troubles,
    fate: Arc<Mutex<Fate>>,
}

#[derive(Debug)]
struct Fate {
    random: StdRng,
    found: HashMap<KeyId, Found>,
    /// A batch that was acknowledged and not done yet.
    pending: Option<Batch>,
}

impl Troubled {
    pub(crate) fn over(inner: impl KeyStore, troubles: Troubles) -> Self {
        Self { inner: Arc::new(inner), troubles, fate: fate(0) }
    }

    /// The same store with another fate.
    pub(crate) fn seeded(&self, seed: u64) -> Self {
        Self { fate: fate(seed), ..self.clone() }
    }

    pub(crate) fn troubles(&self) -> Troubles {
        self.troubles
    }

    /// True once in so many times, if there is such a trouble at all.
    fn strikes(&self, trouble: bool, once_in: u32) -> bool {
        trouble && self.with_fate(|fate| fate.random.random_ratio(1, once_in))
    }

    fn with_fate<T>(&self, act: impl FnOnce(&mut Fate) -> T) -> T {
        act(&mut self.fate.lock().expect("no caller panics"))
    }

    /// Lets others come between.
    async fn pause(&self) {
        if self.strikes(self.troubles.turns, 2) || self.strikes(self.troubles.drops, 4) {
            yield_now().await;
        } else if self.strikes(!self.troubles.turns, 4) {
            thread::yield_now();
        }
    }

    async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        self.pause().await;
        if self.strikes(self.troubles.late, 4) {
            self.catch_up().await;
        }
        let done = step.await;
        self.pause().await;
        done
    }

    async fn catch_up(&self) {
        let pending = self.with_fate(|fate| fate.pending.take());
        if let Some(batch) = pending {
            // It was acknowledged, so nobody is told if it fails.
            drop(self.inner.commit(batch).await);
        }
    }

    async fn write(&self, batch: Batch) -> Result<Epoch, StoreError> {
        let lost = |way| Err(StoreError::unavailable(format!("lost on the way {way}")));
        if self.strikes(self.troubles.losses, 20) {
            return lost("there");
        }
        let changes = !batch.changes.is_empty();
        if self.strikes(self.troubles.forgets && changes, 8) {
            return Ok(Epoch(0));
        }
        self.catch_up().await;
        if self.strikes(self.troubles.late && changes, 4) {
            self.with_fate(|fate| fate.pending = Some(batch));
            return Ok(Epoch(0));
        }
        let epoch = self.inner.commit(batch).await?;
        if self.strikes(self.troubles.losses, 20) {
            return lost("back");
        }
        if self.strikes(self.troubles.denies && changes, 4) {
            return Err(StoreError::conflict("it is said to have met another"));
        }
        Ok(epoch)
    }
}

fn fate(seed: u64) -> Arc<Mutex<Fate>> {
    let random = StdRng::seed_from_u64(seed);
    Arc::new(Mutex::new(Fate { random, found: HashMap::new(), pending: None }))
}

#[async_trait]
impl KeyStore for Troubled {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let key = *key;
        Resolve::boxed(async move {
            let found = self.step(self.inner.resolve(&key, freshness)).await?;
            let stale = self.strikes(self.troubles.stale, 3);
            let before = self.with_fate(|fate| match &found {
                Some(found) => fate.found.insert(key, found.clone()),
                None => fate.found.remove(&key),
            });
            Ok(if stale && before.is_some() { before } else { found })
        })
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.step(self.inner.key(tenant, key)).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.step(self.inner.account(tenant, account)).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.step(self.inner.policy(tenant)).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.step(self.inner.keys(tenant, query, at)).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.step(self.inner.accounts(tenant, query)).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.step(self.inner.events(tenant, query)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.step(self.write(batch)).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.step(self.inner.add_usage(batch)).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.step(self.inner.changes(since)).await
    }
}
