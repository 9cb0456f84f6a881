//! A custom store: rows behind a lock. The crate plans the effects of each batch, and the store
//! writes them.
//!
//! It keeps the whole contract of a store: the tests run the conformance suite on it. A store on a
//! database has the same form. It uses a transaction instead of the lock, and first reads the rows
//! of `ReadSet::of(&batch)` in that transaction.

use std::sync::{Arc, Mutex, MutexGuard};

use keywright::store::plan::{self, Effects, Rows, View};
use keywright::store::{
    AccountQuery, Batch, Changes, EventQuery, Freshness, KeyQuery, KeyStore, Look, Marker,
    OwnedKeys, Page, Resolve, StoreError, StoredKey, TenantEntry, TenantPolicy, TenantQuery,
    UsageBatch, async_trait,
};
use keywright::{AccountId, KeyId, TenantId, UserId};
use keywright::{Event, Owner, ServiceAccount, Timestamp, User};

type Answer<T> = Result<T, StoreError>;
type Paged<T> = Answer<Page<T>>;
type Owned = Answer<Vec<OwnedKeys>>;

#[derive(Debug, Default)]
struct State {
    rows: Rows,
    /// The events of all tenants, in the order in which they were written.
    events: Vec<Event>,
}

impl State {
    /// Writes all effects of a batch. Writers and the ids of deleted records are never removed: the
    /// view `Rows` names none.
    fn write(&mut self, effects: Effects) {
        // Every field is named, so that a new one cannot be forgotten; rustfmt would take a line for each.
        #[rustfmt::skip] let Effects { new_keys, changed_keys, deleted_keys, new_accounts,
            changed_accounts, deleted_accounts, users, policies, usage, writer, events, last_events,
            tombstones, forgotten_events: gone, forgotten_ids: _, forgotten_writers: _ } = effects;
        let rows = &mut self.rows;
        rows.keys.extend(new_keys.into_iter().chain(changed_keys).map(|new| (*new.id(), new)));
        rows.accounts.extend(new_accounts.into_iter().chain(changed_accounts).map(|a| (a.id, a)));
        rows.keys.retain(|id, _| !deleted_keys.contains(id));
        rows.usage.retain(|id, _| !deleted_keys.contains(id));
        rows.accounts.retain(|id, _| !deleted_accounts.contains(id));
        rows.deleted.extend(tombstones.iter().map(|tombstone| tombstone.id));
        rows.users.extend(users.into_iter().map(|u| ((u.tenant.clone(), u.id.clone()), u)));
        rows.policies.extend(policies);
        rows.usage.extend(usage);
        rows.last_batches.extend(writer.map(|(id, writer)| (id, writer.last)));
        rows.last_events.extend(last_events);
        self.events.extend(events);
        self.events.retain(|e| !gone.iter().any(|(t, last)| e.tenant == *t && e.sequence <= *last));
    }
}

/// A store in memory, written as an example.
#[derive(Debug, Default)]
pub(crate) struct CustomStore(Mutex<State>);

fn state(store: &CustomStore) -> Answer<MutexGuard<'_, State>> {
    store.0.lock().map_err(|_| StoreError::corrupt("a writer panicked"))
}

#[async_trait]
impl KeyStore for CustomStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        Resolve::ready(state(self).and_then(|state| state.rows.resolve(key)))
    }

    fn peek(&self, _: &KeyId, _: Freshness, _: &mut Look<'_>) -> bool {
        false
    }

    async fn key(&self, tenant: &TenantId, id: &KeyId) -> Answer<Option<StoredKey>> {
        Ok(state(self)?.rows.stored_key(tenant, id))
    }

    async fn account(&self, tenant: &TenantId, id: &AccountId) -> Answer<Option<ServiceAccount>> {
        Ok(state(self)?.rows.account(id).filter(|a| a.tenant == *tenant).cloned())
    }

    async fn user(&self, tenant: &TenantId, id: &UserId) -> Answer<Option<User>> {
        Ok(state(self)?.rows.user(tenant, id).cloned())
    }

    async fn policies(&self, of: &[TenantId]) -> Answer<Vec<Option<Arc<TenantPolicy>>>> {
        let of = of.iter();
        state(self).map(|s| of.map(|t| s.rows.policy(t).cloned().map(Arc::new)).collect())
    }

    async fn keys(&self, tenant: &TenantId, of: &KeyQuery, at: Timestamp) -> Paged<StoredKey> {
        Ok(of.page(state(self)?.rows.stored_keys(Some(tenant)), at))
    }

    async fn owned_keys(&self, of: &TenantId, by: &[Owner], most: u16, at: Timestamp) -> Owned {
        Ok(OwnedKeys::of(by, state(self)?.rows.stored_keys(Some(of)), most, at))
    }

    async fn count_keys(&self, tenant: &TenantId, of: &KeyQuery, at: Timestamp) -> Answer<u64> {
        Ok(of.count(state(self)?.rows.stored_keys(Some(tenant)), at))
    }

    async fn accounts(&self, tenant: &TenantId, of: &AccountQuery) -> Paged<ServiceAccount> {
        Ok(of.page(state(self)?.rows.accounts.values().filter(|a| a.tenant == *tenant)))
    }

    async fn events(&self, tenant: &TenantId, query: &EventQuery) -> Paged<Event> {
        let mut events = state(self)?.events.clone();
        events.retain(|event| event.tenant == *tenant);
        Ok(query.page_of(&events))
    }

    async fn keys_of_all_tenants(&self, of: &KeyQuery, at: Timestamp) -> Paged<StoredKey> {
        Ok(of.page(state(self)?.rows.stored_keys(None), at))
    }

    async fn tenants(&self, of: &TenantQuery, at: Timestamp) -> Paged<TenantEntry> {
        Ok(of.page(state(self)?.rows.tenants(at)))
    }

    async fn commit(&self, batch: Batch) -> Answer<()> {
        let mut state = state(self)?;
        let effects = plan::batch(&state.rows, batch)?;
        state.write(effects);
        Ok(())
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Answer<()> {
        let mut state = state(self)?;
        // A batch that was added before has no effects.
        let effects = plan::usage(&state.rows, batch)?.unwrap_or_default();
        state.write(effects);
        Ok(())
    }

    async fn changes(&self, _since: &Marker) -> Answer<Changes> {
        // `None` means that the changed keys are unknown. A cache then reads everything again.
        Ok(Changes { at: Marker::default(), touched: None, has_lost: false })
    }
}
