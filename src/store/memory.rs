//! A store in memory: for tests, and for keys that need not outlive the process.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use super::image::Image;
#[cfg(feature = "postgres")]
use super::image::MoveStage;
#[cfg(feature = "postgres")]
use super::moving::{MoveSource, Tells};
use super::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    StoreError, StoredKey, UsageBatch,
};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// Keeps everything in memory. Clones share what is kept.
///
/// Not durable: what it holds ends with the process.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    image: Image,
    /// Of each tenant, in the order of their numbers. Its lock is also the one that writers take turns
    /// by.
    events: Mutex<Events>,
}

type Events = HashMap<TenantId, VecDeque<Arc<Event>>>;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn events(&self) -> Result<MutexGuard<'_, Events>, StoreError> {
        self.0.events.lock().map_err(|_| StoreError::corrupt("a writer of this store panicked"))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        Resolve::ready(self.0.image.resolve(key))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.image.key(tenant, key)
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.0.image.account(tenant, account)
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.0.image.policy(tenant)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.image.keys(tenant, query, at)
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.0.image.accounts(tenant, query)
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let events: Vec<Arc<Event>> = {
            // Only references are taken under the lock: writers do not wait for the search.
            let events = self.events()?;
            let Some(events) = events.get(tenant) else { return query.page([]) };
            let range = query.sequences();
            let from = events.partition_point(|event| event.sequence < *range.start());
            let to = events.partition_point(|event| event.sequence <= *range.end());
            // A page examines no more than these, and asks for one more.
            let most = EventQuery::MAX_EXAMINED + 1;
            let events = events.range(from..to.max(from));
            if query.is_oldest_first() {
                events.take(most).cloned().collect()
            } else {
                events.rev().take(most).cloned().collect()
            }
        };
        query.page(events.iter().map(|event| Ok(Event::clone(event))))
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        let mut events = self.events()?;
        let effects = self.0.image.plan(batch)?;
        append(&mut events, &effects.events);
        forget(&mut events, &effects.forgotten);
        self.0.image.apply(effects)
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        #[cfg(feature = "postgres")]
        if let Some(successor) = self.0.image.successor() {
            return successor.add_usage(batch).await;
        }
        let mut events = self.events()?;
        if let Some(effects) = self.0.image.plan_usage(batch)? {
            append(&mut events, &effects.events);
            self.0.image.apply(effects)?;
        }
        Ok(())
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.0.image.changes(since)
    }
}

#[cfg(feature = "postgres")]
impl From<MemoryStore> for MoveSource {
    fn from(store: MemoryStore) -> Self {
        Self(Arc::new(store))
    }
}

#[cfg(feature = "postgres")]
#[async_trait]
impl Tells for MemoryStore {
    fn image(&self) -> Result<&Image, StoreError> {
        Ok(&self.0.image)
    }

    async fn stand_still(&self) -> Result<MoveStage, StoreError> {
        let _turn = self.events()?;
        self.0.image.stand_still()
    }

    fn set_move(&self, stage: MoveStage) {
        self.0.image.set_move(stage);
    }
}

fn append(all: &mut Events, new: &[Event]) {
    for event in new {
        all.entry(event.tenant.clone()).or_default().push_back(Arc::new(event.clone()));
    }
}

/// Removes each tenant's events up to a number.
fn forget(all: &mut Events, forgotten: &[(TenantId, u64)]) {
    for (tenant, through) in forgotten {
        let Some(events) = all.get_mut(tenant) else { continue };
        let removed = events.partition_point(|event| event.sequence <= *through);
        events.drain(..removed);
        // A queue does not give room back by itself.
        events.shrink_to(2 * events.len());
    }
}
