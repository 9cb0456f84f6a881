//! A store in memory, for tests and for keys that end with the process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use super::events::Events;
use super::state::State;
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

/// A store that keeps everything in memory, for tests and for keys that need not outlive the
/// process.
///
/// It is not durable: all keys, policies and events are lost when the process ends. Clones share
/// the data.
///
/// Any page of a tenant with a million keys takes about 2 milliseconds or less, and a search about
/// 5. Tenants with at least 1,024 keys have indexes for that, which take up to 200 bytes for each
/// key. The first list that needs an index builds it, and so does the first one after a quarter of
/// the tenant's keys were changed or deleted. For a million keys this takes about a second. Commits
/// pass between slices of 4,096 keys, so each waits for one slice.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::MemoryStore;
/// use keywright::{Actor, Keywright, NewKey, Policy, UserId};
///
/// let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// let alice = Actor::developer(UserId::new("alice")?);
/// let issued = keywright.authority().generate(&alice, NewKey::named("prod-main-app")?).await?;
/// keywright.verifier().verify(issued.token.expose()).await?;
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Choosing a store](crate::guide::stores) in the guide.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: State,
    /// The events. Every writer holds this lock for its whole write, so writes happen one at a
    /// time.
    events: Mutex<Events>,
}

impl MemoryStore {
    /// Creates an empty store.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::TenantId;
    /// use keywright::store::{KeyStore, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// assert_eq!(store.policies(&[TenantId::new("globex")?]).await?, [None]);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    #[cfg(feature = "postgres")]
    pub(in crate::store) fn state(&self) -> &State {
        &self.0.state
    }

    /// Waits until no other writer is active, and excludes writers until the result is dropped.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn turn(&self) -> Result<impl Drop + '_, StoreError> {
        self.events()
    }

    fn events(&self) -> Result<MutexGuard<'_, Events>, StoreError> {
        self.0.events.lock().map_err(|_| {
            StoreError::corrupt("an earlier write of this store panicked: create a new store")
        })
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

    fn peek(&self, key: &KeyId, _: Freshness, look: &mut Look<'_>) -> bool {
        self.0.state.peek(key, look)
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

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        self.0.state.user(tenant, user)
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        self.0.state.policies(tenants)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.state.keys(tenant, query, at)
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        self.0.state.owned_keys(tenant, owners, most, at)
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.0.state.count_keys(tenant, query, at)
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
        query.page(events.events(tenant).map(Ok))
    }

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.0.state.keys_of_all_tenants(query, at)
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        self.0.state.tenants(query, at)
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut events = self.events()?;
        let (epoch, effects) = self.0.state.plan(batch)?;
        events.apply(&effects);
        self.0.state.apply(epoch, effects)
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

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        self.0.state.changes(since)
    }
}
