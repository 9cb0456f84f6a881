//! The reads of a store with one flaw, and the state that the flaw needs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_lite::future::yield_now;
use keywright::store::{
    AccountQuery, Batch, Changes, EventQuery, FoundRef, Freshness, KeyQuery, KeyRecord, KeyStore,
    LastBatch, Look, MAX_LIMIT, Marker, MemoryStore, OwnedKeys, OwnerRecord, Page, Resolve,
    Snapshot, StoreError, StoredKey, TenantEntry, TenantPolicy, TenantQuery, Usage, UsageBatch,
    async_trait,
};
use keywright::{
    AccountId, Event, KeyId, Owner, ServiceAccount, TenantId, Timestamp, User, UserId,
};

use super::feeds::Told;
use super::flaws::Flaw;

/// A key, whether its uses are refused ones, and the start of a period.
pub(super) type Window = (KeyId, bool, Timestamp);

#[derive(Debug)]
pub(crate) struct Wrong {
    pub(super) flaw: Flaw,
    pub(super) inner: MemoryStore,
    notes: Mutex<Notes>,
}

/// The state that a flaw keeps and a correct store would not.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) deleted: HashMap<KeyId, KeyRecord>,
    pub(super) risen: HashMap<KeyId, KeyRecord>,
    pub(super) last_used_at: HashMap<KeyId, Timestamp>,
    /// The event numbers after which a gap was left.
    pub(super) gaps: Vec<(TenantId, u64)>,
    pub(super) calls: u64,
    /// The number up to which a tenant's events are hidden.
    pub(super) hidden: Vec<(TenantId, u64)>,
    /// The accounts that a batch without events deleted.
    pub(super) undated: HashSet<AccountId>,
    /// The time of each writer's last batch, and how often the writer was forgotten.
    pub(super) writers: HashMap<[u8; 16], (Timestamp, u64)>,
    /// The batches of usage as they were sent and as they were added.
    pub(super) added: Vec<(([u8; 16], LastBatch), UsageBatch)>,
    /// The uses of each key, accepted or refused, in each period.
    pub(super) windows: HashMap<Window, u64>,
    /// Whether any event was forgotten.
    pub(super) has_forgotten: bool,
    /// The keys that were handed over, each with an owner that it had before.
    pub(super) moved: Vec<(KeyId, Owner)>,
    /// The tenant in which each user's record was last written.
    pub(super) users: HashMap<UserId, TenantId>,
    /// The commits, in the order in which they began.
    pub(super) feed: Vec<Told>,
    peeked: HashMap<KeyId, Arc<Snapshot>>,
    owners: HashMap<(KeyId, Owner), OwnerRecord>,
    policies: HashMap<TenantId, Option<Arc<TenantPolicy>>>,
    locked: bool,
}

impl Wrong {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self { flaw, inner: MemoryStore::new(), notes: Mutex::default() }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_locked(&self) -> bool {
        self.notes().locked
    }

    /// Returns all keys of a tenant as the flawed filter of a query sees them.
    async fn seen(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let mut seen = Vec::new();
        let mut next = Some(KeyQuery::new().limit(MAX_LIMIT));
        while let Some(all) = next {
            let page = self.inner.keys(tenant, &all, at).await?;
            for mut stored in page.items {
                let StoredKey { record, usage, owner } = &stored;
                let matches = |record: &KeyRecord| query.matches(record, usage, owner.as_ref(), at);
                if self.flaw == Flaw::DescriptionNotSearched {
                    let is_seen = matches(&with(record, "description", ()));
                    seen.extend(is_seen.then_some(stored));
                    continue;
                }
                let other = seen_as(self.flaw, record).into_iter().find(matches);
                if let Some(other) = other.filter(|_| !matches(record)) {
                    stored.record = other;
                }
                seen.push(stored);
            }
            next = page.next;
        }
        Ok(seen)
    }

    fn with_last_use(&self, mut stored: StoredKey) -> StoredKey {
        if let Some(last) = self.notes().last_used_at.get(stored.record.id()) {
            let mut usage = serde_json::to_value(stored.usage).expect("usage serializes");
            usage["last_used_at"] = serde_json::to_value(last).expect("a time serializes");
            stored.usage = serde_json::from_value(usage).expect("usage");
        }
        stored
    }
}

/// Returns the record with another value in one field of its key.
pub(super) fn with(record: &KeyRecord, field: &str, value: impl serde::Serialize) -> KeyRecord {
    let mut json = serde_json::to_value(record).expect("a record serializes");
    json["key"][field] = serde_json::to_value(value).expect("a value serializes");
    serde_json::from_value(json).expect("a record")
}

/// Returns the records as which a flawed filter of the listing sees a key too.
fn seen_as(flaw: Flaw, record: &KeyRecord) -> Vec<KeyRecord> {
    let key = record.key();
    match flaw {
        Flaw::OwnerKindIgnored => {
            ["user:zz", "account:0000000000000000"].map(|owner| with(record, "owner", owner)).into()
        }
        Flaw::ContactIgnoresCase => {
            let contact = key.contact.as_ref().map(|contact| contact.as_str().to_lowercase());
            vec![with(record, "contact", contact)]
        }
        Flaw::MetadataIgnoresCase => {
            let entries = key.metadata.iter();
            let lower = entries.map(|(name, value)| (name.to_lowercase(), value.to_lowercase()));
            vec![with(record, "metadata", lower.collect::<HashMap<_, _>>())]
        }
        Flaw::PrefixByBeginning => {
            let prefix = key.prefix.as_str();
            vec![with(record, "prefix", prefix.rsplit_once('_').map_or(prefix, |(start, _)| start))]
        }
        _ => Vec::new(),
    }
}

#[async_trait]
impl KeyStore for Wrong {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let flaws = [Flaw::StaleAccountResolved, Flaw::StaleUserResolved, Flaw::TornResolve];
        if !flaws.contains(&self.flaw) {
            return self.inner.resolve(key, freshness);
        }
        let key = *key;
        Resolve::boxed(async move {
            let Some(first) = self.inner.resolve(&key, freshness).await? else { return Ok(None) };
            let (mut owner, mut policy) = (first.owner().cloned(), first.policy().cloned());
            if self.flaw == Flaw::TornResolve {
                yield_now().await;
                let Some(second) = self.inner.resolve(&key, freshness).await? else {
                    return Ok(None);
                };
                policy = second.policy().cloned();
            } else if let Some(found) = owner.take() {
                let is_account = matches!(found, OwnerRecord::Account(_));
                owner = Some(if is_account == (self.flaw == Flaw::StaleAccountResolved) {
                    let place = (key, first.record().key().owner.clone());
                    self.notes().owners.entry(place).or_insert(found).clone()
                } else {
                    found
                });
            }
            let policy = policy.map(Arc::new);
            let torn = Snapshot::new(first.record().clone(), owner, policy);
            Ok(Some(Arc::new(torn.expect("they belong together")).into()))
        })
    }

    fn peek(&self, key: &KeyId, freshness: Freshness, look: &mut Look<'_>) -> bool {
        match self.flaw {
            Flaw::PeekDenied => {
                self.inner.peek(key, freshness, look);
                false
            }
            Flaw::PeekOutdated => self.inner.peek(key, freshness, &mut |found| {
                let mut notes = self.notes();
                look(found.map(|FoundRef { snapshot, age }| {
                    let first = notes.peeked.entry(*key).or_insert_with(|| Arc::clone(snapshot));
                    FoundRef { snapshot: first, age }
                }));
            }),
            _ => false,
        }
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        if self.flaw == Flaw::LockLeftBehind {
            self.notes().locked = true;
            yield_now().await;
            self.notes().locked = false;
        }
        let found = self.inner.key(tenant, key).await?;
        match self.flaw {
            Flaw::KeyOfAnyTenant => match self.inner.resolve(key, Freshness::StoreDefault).await? {
                Some(found) => self.inner.key(&found.record().key().tenant, key).await,
                None => Ok(None),
            },
            Flaw::UsageResurrects if found.is_none() => {
                let risen = self.notes().risen.get(key).cloned();
                let (usage, owner) = (Usage::default(), None);
                Ok(risen.map(|record| StoredKey { record, usage, owner }))
            }
            _ => Ok(found.map(|found| self.with_last_use(found))),
        }
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.inner.account(tenant, account).await
    }

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        let anywhere = self.notes().users.get(user).cloned();
        match anywhere.filter(|_| self.flaw == Flaw::UserOfAnyTenant) {
            Some(tenant) => self.inner.user(&tenant, user).await,
            None => self.inner.user(tenant, user).await,
        }
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        let mut found = self.policies_wrongly(tenants).await?;
        if self.flaw == Flaw::AbsentIsAnError && found.iter().any(Option::is_none) {
            return Err(StoreError::corrupt("no such policy"));
        }
        if self.flaw == Flaw::StalePolicyRead {
            let mut notes = self.notes();
            for (tenant, policy) in tenants.iter().zip(&mut found) {
                let first = notes.policies.entry(tenant.clone()).or_insert_with(|| policy.clone());
                policy.clone_from(first);
            }
        }
        Ok(found)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        if self.flaw.is_of_a_filter() {
            let seen = self.seen(tenant, query, at).await?;
            let seen = seen.iter().map(|s| (&s.record, s.usage, s.owner.clone()));
            return Ok(query.page(seen, at));
        }
        let late = Duration::from_secs(u64::from(self.flaw == Flaw::StatusesOfLater));
        let mut page = self.inner.keys(tenant, query, at.saturating_add(late)).await?;
        match self.flaw {
            Flaw::OwnerNotListed => page.items.iter_mut().for_each(|stored| stored.owner = None),
            Flaw::OwnerNamesNotSearched => {
                page.items.retain(|stored| query.matches(&stored.record, &stored.usage, None, at));
            }
            Flaw::MovedKeyListedBefore => {
                let moved = self.notes().moved.clone();
                for (key, before) in moved {
                    let Some(stored) = self.inner.key(tenant, &key).await? else { continue };
                    // The record with the owner that the key had before.
                    let record = with(&stored.record, "owner", &before);
                    if query.matches(&record, &stored.usage, None, at)
                        && !query.matches(&stored.record, &stored.usage, None, at)
                    {
                        page.items.push(stored);
                    }
                }
            }
            _ => {}
        }
        match (self.flaw, page.items.len()) {
            (Flaw::PageSkips, 2..) if page.next.is_some() => {
                page.items.pop();
            }
            (Flaw::PageRepeats, 2..) if page.next.is_some() => {
                let before = &page.items[page.items.len() - 2];
                page.next = Some(query.behind(query.position(&before.record, &before.usage)));
            }
            (Flaw::NextOnFullPage, len) if len == query.page_size() => {
                let last = &page.items[len - 1];
                page.next = Some(query.behind(query.position(&last.record, &last.usage)));
            }
            _ => {}
        }
        Ok(Page {
            items: page.items.into_iter().map(|stored| self.with_last_use(stored)).collect(),
            next: page.next,
        })
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        self.owned_keys_wrongly(tenant, owners, most, at).await
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.count_keys_wrongly(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.inner.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let mut page = self.inner.events(tenant, query).await?;
        let notes = self.notes();
        let is_hidden =
            |event: &Event| notes.hidden.iter().any(|h| h.0 == *tenant && event.sequence <= h.1);
        page.items.retain(|event| !is_hidden(event));
        for event in &mut page.items {
            let sequence = event.sequence;
            let gaps = notes.gaps.iter().filter(|gap| gap.0 == *tenant && gap.1 < sequence);
            event.sequence += gaps.count() as u64;
        }
        Ok(page)
    }

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let mut page = self.inner.keys_of_all_tenants(query, at).await?;
        match self.flaw {
            Flaw::AllKeysByTenant => {
                page.items.sort_by(|a, b| a.record.key().tenant.cmp(&b.record.key().tenant));
            }
            Flaw::AllKeysSkip if page.next.is_some() => {
                page.items.pop();
            }
            _ => {}
        }
        let items = page.items.into_iter().map(|stored| self.with_last_use(stored)).collect();
        Ok(Page { items, next: page.next })
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        let mut page = self.inner.tenants(query, at).await?;
        match self.flaw {
            Flaw::QuietTenantsHidden => page.items.retain(|tenant| tenant.keys > 0),
            Flaw::DeadKeysCounted => {
                page.items.iter_mut().for_each(|tenant| tenant.live_keys = tenant.keys);
            }
            _ => {}
        }
        Ok(page)
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.commit_wrongly(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.add_usage_wrongly(batch.clone()).await
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        self.changes_wrongly(since).await
    }
}
