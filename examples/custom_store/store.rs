//! A store of one's own: everything in one value behind a lock, and a new value for each change.
//!
//! It keeps every rule of the contract: `tests/stores/contract` runs the whole suite on it. A store on a
//! database has the same shape, with a transaction in the place of the copy.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use keywright::store::{
    AccountQuery, Batch, Change, Changes, Condition, Epoch, EventQuery, Freshness, KeyQuery,
    KeyRecord, KeyStore, LastBatch, Page, Resolve, Resolved, Snapshot, StoreError, StoredKey,
    Usage, UsageBatch, async_trait,
};
use keywright::{AccountId, Event, Key, KeyId, Owner, Policy, ServiceAccount, TenantId, Timestamp};

type Answer<T> = Result<T, StoreError>;
type KeyPage = Page<StoredKey>;

/// Rows by their id. One that was deleted leaves its place, so that no id comes back.
type Table<Id, Row> = BTreeMap<Id, Option<Row>>;

fn get<'a, Id: Ord, Row>(table: &'a mut Table<Id, Row>, id: &Id) -> Answer<&'a mut Row> {
    table.get_mut(id).and_then(Option::as_mut).ok_or_else(|| StoreError::conflict("it is absent"))
}

fn insert<Id: Ord, Row>(table: &mut Table<Id, Row>, id: Id, row: Row) -> Answer<()> {
    let before = table.insert(id, Some(row));
    before.map_or(Ok(()), |_| Err(StoreError::already_exists("the id exists or was deleted")))
}

fn delete<Id: Copy + Ord, Row>(table: &mut Table<Id, Row>, id: &Id) -> Answer<()> {
    get(table, id)?;
    table.insert(*id, None);
    Ok(())
}

fn require(is: bool, what: &str) -> Answer<()> {
    if is { Ok(()) } else { Err(StoreError::conflict(what)) }
}

fn promised(is: bool, what: &str) -> Answer<()> {
    if is { Ok(()) } else { Err(StoreError::unsupported(what)) }
}

#[derive(Clone, Debug, Default)]
struct State {
    keys: Table<KeyId, (KeyRecord, Usage)>,
    accounts: Table<AccountId, Arc<ServiceAccount>>,
    policies: BTreeMap<TenantId, Arc<Policy>>,
    events: BTreeMap<TenantId, Vec<Event>>,
    /// The last batch of each writer of usage.
    writers: BTreeMap<[u8; 16], LastBatch>,
    epoch: u64,
}

impl State {
    fn keys(&self, tenant: &TenantId) -> impl Iterator<Item = &(KeyRecord, Usage)> {
        self.keys.values().flatten().filter(move |(record, _)| record.key().tenant == *tenant)
    }

    fn accounts(&self, tenant: &TenantId) -> impl Iterator<Item = &Arc<ServiceAccount>> {
        self.accounts.values().flatten().filter(move |account| account.tenant == *tenant)
    }

    fn live_keys(&self, tenant: &TenantId, owner: &Owner, at: Timestamp) -> usize {
        let keys = self.keys(tenant).map(|(record, _)| record.key());
        keys.filter(|key| key.owner == *owner && key.status(at).is_live()).count()
    }

    fn policy_version(&self, tenant: &TenantId) -> u64 {
        self.policies.get(tenant).map_or(0, |policy| policy.version)
    }

    /// Whether a condition holds, before the batch and after it.
    fn check(&self, after: &Self, condition: &Condition) -> Answer<()> {
        match condition {
            Condition::AccountVersion { account, version } => {
                let stored = self.accounts.get(account).and_then(Option::as_ref);
                require(stored.is_some_and(|a| a.version == *version), "the account has changed")
            }
            Condition::PolicyVersion { tenant, version } => {
                require(self.policy_version(tenant) == *version, "the policy has changed")
            }
            Condition::LiveKeysBelow { tenant, owner, limit, at } => {
                let is_full = self.live_keys(tenant, owner, *at) >= usize::from(*limit);
                if is_full { Err(StoreError::limit_reached("it is full")) } else { Ok(()) }
            }
            Condition::NoLiveKeyLeft { tenant, owner, at } => {
                require(after.live_keys(tenant, owner, *at) == 0, "a live key is left")
            }
            _ => Err(StoreError::unsupported("a condition that this store does not know")),
        }
    }

    fn apply(&mut self, change: Change) -> Answer<()> {
        match change {
            Change::InsertKey(key) => insert(&mut self.keys, *key.id(), (key, Usage::default()))?,
            Change::UpdateKey(record) => {
                let (stored, _) = get(&mut self.keys, record.id())?;
                require(stored.version() + 1 == record.version(), "the key has changed")?;
                let place = |key: &Key| (key.tenant.clone(), key.owner.clone(), key.created_at);
                promised(place(stored.key()) == place(record.key()), "a key stays where it is")?;
                *stored = record;
            }
            Change::RevokeKey { key, at } => {
                let (stored, _) = get(&mut self.keys, &key)?;
                require(stored.key().revoked_at.is_none(), "the key is revoked already")?;
                *stored = stored.revoked(at);
            }
            Change::DeleteKey(key) => delete(&mut self.keys, &key)?,
            Change::InsertAccount(new) => insert(&mut self.accounts, new.id, Arc::new(new))?,
            Change::UpdateAccount(account) => {
                let stored = get(&mut self.accounts, &account.id)?;
                require(stored.version + 1 == account.version, "the account has changed")?;
                promised(stored.tenant == account.tenant, "an account stays in its tenant")?;
                *stored = Arc::new(account);
            }
            Change::DeleteAccount(account) => delete(&mut self.accounts, &account)?,
            Change::PutPolicy { tenant, policy } => {
                require(self.policy_version(&tenant) + 1 == policy.version, "it has changed")?;
                self.policies.insert(tenant, Arc::new(policy));
            }
            Change::ForgetEvents { tenant, through } => {
                let events = self.events.entry(tenant).or_default();
                let gone = events.iter().take_while(|event| event.sequence <= through).count();
                events.drain(..gone.min(events.len().saturating_sub(1)));
            }
            _ => return Err(StoreError::unsupported("a change that this store does not know")),
        }
        Ok(())
    }

    /// The owner of every key is there.
    fn check_owners(&self) -> Answer<()> {
        let mut keys = self.keys.values().flatten().map(|(record, _)| record.key());
        let is_owned = keys.all(|key| {
            key.owner.account().is_none_or(|id| self.accounts(&key.tenant).any(|a| a.id == id))
        });
        require(is_owned, "a key's account is absent")
    }

    fn tell(&mut self, mut event: Event) {
        let events = self.events.entry(event.tenant.clone()).or_default();
        event.sequence = events.last().map_or(0, |last| last.sequence) + 1;
        events.push(event);
    }

    fn resolve(&self, key: &KeyId) -> Resolved {
        let Some(Some((record, _))) = self.keys.get(key) else { return Ok(None) };
        let (tenant, owner) = (&record.key().tenant, record.key().owner.account());
        let account = self.accounts(tenant).find(|account| Some(account.id) == owner).cloned();
        let policy = self.policies.get(tenant).cloned();
        Ok(Some(Arc::new(Snapshot::new(record.clone(), account, policy)?).into()))
    }
}

/// A store in memory that is written to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct CustomStore(Arc<Mutex<State>>);

impl CustomStore {
    /// One look at the state, or one step from it: what fails changes nothing.
    fn step<T>(&self, step: impl FnOnce(&mut State) -> Answer<T>) -> Answer<T> {
        step(&mut *self.0.lock().map_err(|_| StoreError::corrupt("a writer panicked"))?)
    }
}

#[async_trait]
impl KeyStore for CustomStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        Resolve::ready(self.step(|state| state.resolve(key)))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Answer<Option<StoredKey>> {
        self.step(|state| {
            let found = state.keys(tenant).find(|(record, _)| record.id() == key).cloned();
            Ok(found.map(|(record, usage)| StoredKey { record, usage }))
        })
    }

    async fn account(&self, tenant: &TenantId, id: &AccountId) -> Answer<Option<ServiceAccount>> {
        self.step(|state| Ok(state.accounts(tenant).find(|a| a.id == *id).map(|a| (**a).clone())))
    }

    async fn policy(&self, tenant: &TenantId) -> Answer<Option<Policy>> {
        self.step(|state| Ok(state.policies.get(tenant).map(|policy| (**policy).clone())))
    }

    async fn keys(&self, tenant: &TenantId, of: &KeyQuery, at: Timestamp) -> Answer<KeyPage> {
        self.step(|state| {
            Ok(of.page(state.keys(tenant).map(|(record, usage)| (record, *usage)), at))
        })
    }

    async fn accounts(&self, tenant: &TenantId, of: &AccountQuery) -> Answer<Page<ServiceAccount>> {
        self.step(|state| Ok(of.page(state.accounts(tenant).map(AsRef::as_ref))))
    }

    async fn events(&self, tenant: &TenantId, of: &EventQuery) -> Answer<Page<Event>> {
        self.step(|state| Ok(of.page_of(state.events.get(tenant).map_or(&[], Vec::as_slice))))
    }

    async fn commit(&self, batch: Batch) -> Answer<Epoch> {
        let named: HashSet<_> = batch.changes.iter().map(Change::subject).collect();
        promised(named.len() == batch.changes.len(), "a batch names nothing twice")?;
        self.step(|state| {
            let mut next = state.clone();
            batch.changes.into_iter().try_for_each(|change| next.apply(change))?;
            batch.conditions.iter().try_for_each(|condition| state.check(&next, condition))?;
            next.check_owners()?;
            batch.events.into_iter().for_each(|event| next.tell(event));
            next.epoch += 1;
            *state = next;
            Ok(Epoch(state.epoch))
        })
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Answer<()> {
        self.step(|state| {
            if batch.was_added(state.writers.get(&batch.writer))? {
                return Ok(());
            }
            state.writers.insert(batch.writer, batch.as_last());
            for delta in &batch.deltas {
                let Ok((record, usage)) = get(&mut state.keys, &delta.key) else { continue };
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

    async fn changes(&self, _since: Epoch) -> Answer<Changes> {
        // It never knows, which every cache understands.
        self.step(|state| Ok(Changes { epoch: Epoch(state.epoch), touched: None }))
    }
}
