//! A store of one's own: everything in one value behind a lock, and a new value for each change.
//!
//! ```text
//! cargo run --example custom_store
//! ```
//!
//! It keeps every rule of the contract: `tests/conformance` runs the whole suite on it. A store on a
//! database has the same shape, with a transaction in the place of the copy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use keywright::store::{
    AccountQuery, Batch, Change, Changes, Condition, Epoch, EventQuery, KeyQuery, KeyRecord,
    KeyStore, Page, Resolve, Resolved, Snapshot, StoreError, StoreErrorKind, StoredKey, Usage,
    UsageBatch, async_trait,
};
use keywright::{
    AccountId, Actor, Authority, Event, KeyId, NewKey, Owner, Policy, ServiceAccount, Setup,
    TenantId, Timestamp, UserId, Verifier,
};

#[derive(Clone, Debug, Default)]
struct State {
    keys: BTreeMap<KeyId, (KeyRecord, Usage)>,
    accounts: BTreeMap<AccountId, Arc<ServiceAccount>>,
    policies: BTreeMap<TenantId, Arc<Policy>>,
    events: BTreeMap<TenantId, Vec<Event>>,
    deleted_keys: BTreeSet<KeyId>,
    deleted_accounts: BTreeSet<AccountId>,
    /// The number of the last batch of each writer of usage.
    writers: BTreeMap<[u8; 16], u64>,
    epoch: u64,
}

/// A store in memory that is written to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct CustomStore(Arc<Mutex<State>>);

impl CustomStore {
    /// One look at the state, or one step from it: what fails changes nothing.
    fn step<T>(
        &self,
        step: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.0.lock().map_err(|_| StoreError::corrupt("a writer panicked"))?;
        step(&mut state)
    }
}

fn exists(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::AlreadyExists, format!("{what} exists or was deleted"))
}

/// A refusal unless it is so.
fn require(is: bool, what: &str) -> Result<(), StoreError> {
    if is { Ok(()) } else { Err(StoreError::conflict(what)) }
}

impl State {
    fn policy_version(&self, tenant: &TenantId) -> u64 {
        self.policies.get(tenant).map_or(0, |policy| policy.version)
    }

    fn live_keys(&self, tenant: &TenantId, owner: &Owner, at: Timestamp) -> usize {
        let keys = self.keys.values().map(|(record, _)| record.key());
        keys.filter(|k| k.tenant == *tenant && k.owner == *owner && k.status(at).is_live()).count()
    }

    /// The versions and limits that a batch names, where they are those before it.
    fn check_before(&self, condition: &Condition) -> Result<(), StoreError> {
        match condition {
            Condition::AccountVersion { account, version } => {
                let stored = self.accounts.get(account).map(|account| account.version);
                require(stored == Some(*version), "the account has changed")
            }
            Condition::PolicyVersion { tenant, version } => {
                require(self.policy_version(tenant) == *version, "the policy has changed")
            }
            Condition::LiveKeysBelow { tenant, owner, limit, at } => {
                if self.live_keys(tenant, owner, *at) < usize::from(*limit) {
                    return Ok(());
                }
                Err(StoreError::new(StoreErrorKind::LimitReached, "too many live keys"))
            }
            Condition::NoLiveKeyLeft { .. } => Ok(()),
            _ => Err(StoreError::unsupported("a condition that this store does not know")),
        }
    }

    fn check_after(&self, condition: &Condition) -> Result<(), StoreError> {
        let Condition::NoLiveKeyLeft { tenant, owner, at } = condition else { return Ok(()) };
        require(self.live_keys(tenant, owner, *at) == 0, "a live key is left")
    }

    fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        match change {
            Change::InsertKey(record) => {
                let id = *record.id();
                if self.deleted_keys.contains(&id) || self.keys.contains_key(&id) {
                    return Err(exists("the key"));
                }
                self.keys.insert(id, (record, Usage::default()));
            }
            Change::UpdateKey(record) => {
                let stored = self.keys.get_mut(record.id());
                let (stored, _) = stored.ok_or_else(|| StoreError::conflict("no such key"))?;
                require(stored.version() + 1 == record.version(), "the key has changed")?;
                let (old, new) = (stored.key(), record.key());
                if (&old.tenant, &old.owner, old.created) != (&new.tenant, &new.owner, new.created)
                {
                    return Err(StoreError::unsupported("an update moves the key"));
                }
                *stored = record;
            }
            Change::RevokeKey { key, at } => {
                let stored = self.keys.get_mut(&key);
                let (stored, _) = stored.ok_or_else(|| StoreError::conflict("no such key"))?;
                require(stored.key().revoked.is_none(), "the key is revoked already")?;
                *stored = stored.revoked(at);
            }
            Change::DeleteKey(key) => {
                require(self.keys.remove(&key).is_some(), "no such key")?;
                self.deleted_keys.insert(key);
            }
            Change::InsertAccount(account) => {
                let id = account.id;
                if self.deleted_accounts.contains(&id) || self.accounts.contains_key(&id) {
                    return Err(exists("the account"));
                }
                self.accounts.insert(id, Arc::new(account));
            }
            Change::UpdateAccount(account) => {
                let stored = self.accounts.get_mut(&account.id);
                let stored = stored.ok_or_else(|| StoreError::conflict("no such account"))?;
                require(stored.version + 1 == account.version, "the account has changed")?;
                if stored.tenant != account.tenant {
                    return Err(StoreError::unsupported("an update moves the account"));
                }
                *stored = Arc::new(account);
            }
            Change::DeleteAccount(account) => {
                require(self.accounts.remove(&account).is_some(), "no such account")?;
                self.deleted_accounts.insert(account);
            }
            Change::PutPolicy { tenant, policy } => {
                let stored = self.policy_version(&tenant);
                require(stored + 1 == policy.version, "the policy has changed")?;
                self.policies.insert(tenant, Arc::new(policy));
            }
            _ => return Err(StoreError::unsupported("a change that this store does not know")),
        }
        Ok(())
    }

    /// The owner of every key is there.
    fn check_owners(&self) -> Result<(), StoreError> {
        for (record, _) in self.keys.values() {
            let key = record.key();
            let Owner::Account(id) = &key.owner else { continue };
            let tenant = self.accounts.get(id).map(|account| &account.tenant);
            require(tenant == Some(&key.tenant), "a key's account is missing")?;
        }
        Ok(())
    }

    fn tell(&mut self, mut event: Event) {
        let events = self.events.entry(event.tenant.clone()).or_default();
        event.sequence = events.len() as u64 + 1;
        events.push(event);
    }

    fn resolve(&self, key: &KeyId) -> Resolved {
        let Some((record, _)) = self.keys.get(key) else { return Ok(None) };
        let of_key = record.key();
        let account = of_key.owner.account().and_then(|id| self.accounts.get(&id)).cloned();
        let policy = self.policies.get(&of_key.tenant).cloned();
        let snapshot = Snapshot::new(record.clone(), account, policy);
        let snapshot = snapshot.map_err(|error| StoreError::corrupt(error.to_string()))?;
        Ok(Some(Arc::new(snapshot)))
    }
}

#[async_trait]
impl KeyStore for CustomStore {
    fn resolve<'a>(&'a self, key: &KeyId) -> Resolve<'a> {
        Resolve::ready(self.step(|state| state.resolve(key)))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.step(|state| {
            let found = state.keys.get(key).filter(|(record, _)| record.key().tenant == *tenant);
            Ok(found.map(|(record, usage)| StoredKey { record: record.clone(), usage: *usage }))
        })
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.step(|state| {
            let found = state.accounts.get(account).filter(|account| account.tenant == *tenant);
            Ok(found.map(|account| ServiceAccount::clone(account)))
        })
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.step(|state| Ok(state.policies.get(tenant).map(|policy| Policy::clone(policy))))
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.step(|state| {
            let keys = state.keys.values().filter(|(record, _)| record.key().tenant == *tenant);
            Ok(query.page(keys.map(|(record, usage)| (record, *usage)), at))
        })
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.step(|state| {
            let accounts = state.accounts.values().map(AsRef::as_ref);
            Ok(query.page(accounts.filter(|account| account.tenant == *tenant)))
        })
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.step(|state| {
            let range = query.sequences();
            let events = state.events.get(tenant).into_iter().flatten();
            let events = events.filter(|event| range.contains(&event.sequence)).cloned().map(Ok);
            let events: Vec<_> = events.collect();
            let events = events.into_iter();
            if query.is_oldest_first() { query.page(events) } else { query.page(events.rev()) }
        })
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.step(|state| {
            let mut next = state.clone();
            batch.conditions.iter().try_for_each(|condition| state.check_before(condition))?;
            batch.changes.into_iter().try_for_each(|change| next.apply(change))?;
            batch.conditions.iter().try_for_each(|condition| next.check_after(condition))?;
            next.check_owners()?;
            batch.events.into_iter().for_each(|event| next.tell(event));
            next.epoch += 1;
            *state = next;
            Ok(Epoch(state.epoch))
        })
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.step(|state| {
            let last = state.writers.entry(batch.writer).or_default();
            if *last >= batch.sequence {
                return Ok(());
            }
            *last = batch.sequence;
            for delta in &batch.deltas {
                let Some((record, usage)) = state.keys.get_mut(&delta.key) else { continue };
                let before = usage.uses();
                usage.add(delta);
                if delta.is_alert_due(before, usage.uses()) {
                    let alert = Event::extensive_use(record.key(), usage.uses(), batch.at);
                    state.tell(alert);
                }
            }
            Ok(())
        })
    }

    async fn changes(&self, _since: Epoch) -> Result<Changes, StoreError> {
        // It never knows, which every cache understands.
        self.step(|state| Ok(Changes { epoch: Epoch(state.epoch), touched: None }))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    futures_lite::future::block_on(async {
        let mut policy = Policy::default();
        policy.api_enabled = true;
        policy.scope_ceiling = "invoices:read".parse()?;
        let setup = Setup::new(CustomStore::default()).default_policy(policy);
        let (authority, verifier) = (Authority::new(&setup)?, Verifier::new(&setup)?);

        let alice = Actor::developer(UserId::new("alice")?, TenantId::default());
        let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
        let issued = authority.generate(&alice, &alice.as_owner(), new).await?;
        let grant = verifier.verify(issued.token.expose()).await?;
        println!("accepted: {}, from a store of one's own", grant.key().name);

        verifier.flush().await?;
        let entry = authority.key(&alice, &issued.key.id).await?;
        assert_eq!(entry.uses, 1);
        authority.revoke(&alice, &issued.key.id).await?;
        let refused = verifier.verify(issued.token.expose()).await;
        println!("refused:  {}", refused.expect_err("it was revoked"));
        Ok(())
    })
}
