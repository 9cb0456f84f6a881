//! A store in memory: for tests, and for keys that need not outlive the process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use super::events::Events;
use super::state::State;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Freshness;
use crate::record::policy::Policy;
use crate::record::usage::UsageBatch;
use crate::store::KeyStore;
use crate::store::batch::{Batch, Changes, Epoch};
use crate::store::error::StoreError;
use crate::store::query::{AccountQuery, EventQuery, KeyQuery, Page, StoredKey};
use crate::store::resolve::Resolve;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// Keeps everything in memory. Clones share what is kept.
///
/// Not durable: what it holds ends with the process.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: State,
    /// Its lock is also the one that writers take turns by.
    events: Mutex<Events>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    #[cfg(feature = "postgres")]
    pub(in crate::store) fn state(&self) -> &State {
        &self.0.state
    }

    /// Waits for the turn of a writer.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn turn(&self) -> Result<impl Drop + '_, StoreError> {
        self.events()
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
        Resolve::ready(self.0.state.resolve(key))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.state.key(tenant, key)
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.0.state.account(tenant, account)
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.0.state.policy(tenant)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.state.keys(tenant, query, at)
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.0.state.accounts(tenant, query)
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let events = self.events()?.examined(tenant, query);
        query.page(events.iter().map(|event| Ok(Event::clone(event))))
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        let mut events = self.events()?;
        let (epoch, effects) = self.0.state.plan(batch)?;
        events.apply(&effects);
        self.0.state.apply(epoch, effects)?;
        Ok(epoch)
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        #[cfg(feature = "postgres")]
        if let Some(successor) = self.0.state.stage.successor() {
            return successor.add_usage(batch).await;
        }
        let mut events = self.events()?;
        if let Some((epoch, effects)) = self.0.state.plan_usage(batch)? {
            events.apply(&effects);
            self.0.state.apply(epoch, effects)?;
        }
        Ok(())
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.0.state.changes(since)
    }
}
