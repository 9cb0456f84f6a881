//! Deciding a batch: what it comes to, or why nothing of it may happen.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{DeletedId, Effects, Image, Owned, Tables, Tombstone, Writer};
use crate::record::event::Event;
use crate::record::key::{KeyRecord, Owner};
use crate::store::{Batch, Change, Condition, StoreError, UsageBatch};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::serde_strict::MAX_COUNT;
use crate::value::time::Timestamp;

/// How long a writer of usage is remembered after its last batch.
const WRITER_KEPT: Duration = Duration::from_hours(7 * 24);

impl Image {
    pub(in crate::store) fn plan(&self, batch: Batch) -> Result<Effects, StoreError> {
        #[cfg(feature = "postgres")]
        self.must_not_have_moved()?;
        let tables = self.read()?;
        check_subjects(&batch)?;
        let epoch = tables.epoch.checked_add(1);
        let epoch = epoch.ok_or_else(|| StoreError::corrupt("the number of commits is no more"))?;
        let mut effects = Effects { epoch, ..Effects::default() };
        for change in batch.changes {
            self.plan_change(&tables, change, &mut effects)?;
        }
        for record in &effects.keys {
            check_owner(&tables, record, &effects)?;
        }
        for account in &effects.deleted_accounts {
            check_no_key_left(&tables, *account, &effects)?;
        }
        for condition in &batch.conditions {
            check(&tables, condition, &effects)?;
        }
        effects.take_events(&tables, batch.events)?;
        effects.date_tombstones(&tables);
        Ok(effects)
    }

    /// `None` if the batch has been added before.
    pub(in crate::store) fn plan_usage(
        &self,
        batch: &UsageBatch,
    ) -> Result<Option<Effects>, StoreError> {
        #[cfg(feature = "postgres")]
        self.must_not_have_moved()?;
        let tables = self.read()?;
        let known = tables.writers.get(&batch.writer);
        if batch.was_added(known.map(|writer| &writer.last))? {
            return Ok(None);
        }
        let mut effects = Effects {
            epoch: tables.epoch,
            writer: Some((batch.writer, Writer { last: batch.as_last(), at: batch.at })),
            ..Effects::default()
        };
        effects.forgotten_writers = tables
            .writers
            .iter()
            .filter(|(id, writer)| **id != batch.writer && batch.at.since(writer.at) > WRITER_KEPT)
            .map(|(id, _)| *id)
            .collect();

        let index = self.index.pin();
        let mut usage = HashMap::new();
        let mut events = Vec::new();
        for delta in &batch.deltas {
            let Some(entry) = index.get(&delta.key) else { continue };
            let stored = || tables.usage.get(&delta.key).copied().unwrap_or_default();
            let total = usage.entry(delta.key).or_insert_with(stored);
            let before = total.uses();
            total.add(delta);
            if delta.is_alert_due(before, total.uses()) {
                let key = entry.snapshot.record().key();
                events.push(Event::extensive_use(key, total.uses(), batch.at));
            }
        }
        effects.usage = usage.into_iter().collect();
        effects.take_events(&tables, events)?;
        Ok(Some(effects))
    }

    fn plan_change(
        &self,
        tables: &Tables,
        change: Change,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        match change {
            Change::InsertKey(record) => {
                let id = *record.id();
                let is_deleted = || tables.deleted.contains(&DeletedId::Key(id));
                if self.look(&id, |_| ()).is_some() || is_deleted() {
                    return Err(already_exists(format!("key {id}")));
                }
                effects.keys.push(record);
            }
            Change::UpdateKey(record) => {
                let stored = self.look(record.id(), KeyRecord::version);
                check_version(&format!("key {}", record.id()), stored, record.version())?;
                if self.look(record.id(), |stored| is_same_key(stored, &record)) == Some(false) {
                    let message = format!("an update moves key {} to another place", record.id());
                    return Err(StoreError::unsupported(message));
                }
                effects.keys.push(record);
            }
            Change::RevokeKey { key, at } => {
                let revoked = self.look(&key, |stored| {
                    stored.key().revoked_at.is_none().then(|| stored.revoked(at))
                });
                let conflict = || format!("key {key} is absent or revoked already");
                let revoked = revoked.flatten().ok_or_else(|| StoreError::conflict(conflict()))?;
                effects.keys.push(revoked);
            }
            Change::DeleteKey(key) => {
                let tenant = self.look(&key, |record| record.key().tenant.clone());
                let tenant = tenant.ok_or_else(|| absent(format!("key {key}")))?;
                effects.deleted_keys.push(key);
                effects.bury(DeletedId::Key(key), tenant);
            }
            Change::InsertAccount(account) => {
                let known = tables.accounts.contains_key(&account.id);
                if known || tables.deleted.contains(&DeletedId::Account(account.id)) {
                    return Err(already_exists(format!("service account {}", account.id)));
                }
                check_count(&format!("account {}", account.id), account.version)?;
                effects.accounts.push(account);
            }
            Change::UpdateAccount(account) => {
                let stored = tables.account_version(&account.id);
                check_version(&format!("account {}", account.id), stored, account.version)?;
                if tables.accounts.get(&account.id) != Some(&account.tenant) {
                    let message = format!("an update moves account {}", account.id);
                    return Err(StoreError::unsupported(message));
                }
                effects.accounts.push(account);
            }
            Change::DeleteAccount(account) => {
                let tenant = tables.accounts.get(&account).cloned();
                let tenant = tenant.ok_or_else(|| absent(format!("service account {account}")))?;
                effects.deleted_accounts.push(account);
                effects.bury(DeletedId::Account(account), tenant);
            }
            Change::PutPolicy { tenant, policy } => {
                let stored = Some(tables.policy_version(&tenant));
                check_version(&format!("the policy of {tenant}"), stored, policy.version)?;
                effects.policies.push((tenant, policy));
            }
            Change::ForgetEvents { tenant, through } => {
                // The newest one stays.
                let through = through.min(tables.last_event(&tenant).saturating_sub(1));
                effects.forgotten_ids.extend(tables.deleted_through(&tenant, through));
                effects.forgotten.push((tenant, through));
            }
        }
        Ok(())
    }

    /// What `look` makes of a key's record.
    fn look<T>(&self, id: &KeyId, look: impl FnOnce(&KeyRecord) -> T) -> Option<T> {
        self.index.pin().get(id).map(|entry| look(entry.snapshot.record()))
    }
}

impl Effects {
    /// Each tenant's events have numbers of their own: nobody can tell from theirs what others do.
    fn take_events(&mut self, tables: &Tables, events: Vec<Event>) -> Result<(), StoreError> {
        for mut event in events {
            let before = || tables.last_event(&event.tenant);
            let last = self.last_events.entry(event.tenant.clone()).or_insert_with(before);
            if *last >= MAX_COUNT {
                let message = format!("tenant {} has no number for another event", event.tenant);
                return Err(StoreError::corrupt(message));
            }
            *last += 1;
            event.sequence = *last;
            self.events.push(event);
        }
        Ok(())
    }

    /// The number of the event is known when all events of the batch have theirs.
    fn bury(&mut self, id: DeletedId, tenant: TenantId) {
        self.tombstones.push(Tombstone { id, tenant, event: 0 });
    }

    fn date_tombstones(&mut self, tables: &Tables) {
        for Tombstone { tenant, event, .. } in &mut self.tombstones {
            let last = self.last_events.get(tenant).copied();
            *event = last.unwrap_or_else(|| tables.last_event(tenant)).max(1);
        }
    }
}

impl Tables {
    fn account_version(&self, account: &AccountId) -> Option<u64> {
        let tenant = self.tenants.get(self.accounts.get(account)?)?;
        tenant.accounts.get(account).map(|account| account.version)
    }

    fn policy_version(&self, tenant: &TenantId) -> u64 {
        let policy = self.tenants.get(tenant).and_then(|tenant| tenant.policy.as_ref());
        policy.map_or(0, |policy| policy.version)
    }

    /// The number of a tenant's newest event, 0 if it has none.
    fn last_event(&self, tenant: &TenantId) -> u64 {
        self.last_events.get(tenant).copied().unwrap_or(0)
    }

    /// The deleted ids of a tenant that are forgotten with its events up to this number.
    fn deleted_through(&self, tenant: &TenantId, through: u64) -> impl Iterator<Item = DeletedId> {
        let deleted = self.tenants.get(tenant).into_iter().flat_map(|tenant| &tenant.deleted);
        deleted.take_while(move |(event, _)| *event <= through).map(|(_, id)| *id)
    }

    fn owned(&self, tenant: &TenantId, owner: &Owner) -> Option<&Owned> {
        self.tenants.get(tenant)?.owners.get(owner)
    }

    fn live_keys_of(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        at: Timestamp,
    ) -> impl Iterator<Item = &KeyId> {
        self.owned(tenant, owner).into_iter().flat_map(move |owned| owned.live_keys(at))
    }
}

fn check(tables: &Tables, condition: &Condition, effects: &Effects) -> Result<(), StoreError> {
    match condition {
        Condition::AccountVersion { account, version } => {
            if tables.account_version(account) != Some(*version) {
                return Err(StoreError::conflict(format!("account {account} has changed")));
            }
        }
        Condition::PolicyVersion { tenant, version } => {
            if tables.policy_version(tenant) != *version {
                return Err(StoreError::conflict(format!("the policy of {tenant} has changed")));
            }
        }
        Condition::LiveKeysBelow { tenant, owner, limit, at } => {
            let live = tables.live_keys_of(tenant, owner, *at);
            if live.take(usize::from(*limit)).count() == usize::from(*limit) {
                let message = format!("{owner} holds {limit} live keys");
                return Err(StoreError::limit_reached(message));
            }
        }
        Condition::NoLiveKeyLeft { tenant, owner, at } => {
            let is_left = |record: &&KeyRecord| {
                let key = record.key();
                key.tenant == *tenant && key.owner == *owner && key.status(*at).is_live()
            };
            let written = effects.keys.iter().map(KeyRecord::id);
            let touched: HashSet<_> = written.chain(&effects.deleted_keys).collect();
            let mut live = tables.live_keys_of(tenant, owner, *at);
            let written = effects.keys.iter().find(is_left).map(KeyRecord::id);
            if let Some(id) = written.or_else(|| live.find(|id| !touched.contains(id))) {
                return Err(StoreError::conflict(format!("{owner} still holds key {id}")));
            }
        }
    }
    Ok(())
}

fn check_no_key_left(
    tables: &Tables,
    account: AccountId,
    effects: &Effects,
) -> Result<(), StoreError> {
    let Some(tenant) = tables.accounts.get(&account) else { return Ok(()) };
    let deleted: HashSet<_> = effects.deleted_keys.iter().collect();
    let owner = Owner::Account(account);
    let mut keys = tables.owned(tenant, &owner).into_iter().flat_map(Owned::keys);
    match keys.find(|id| !deleted.contains(id)) {
        Some(id) => Err(StoreError::conflict(format!("account {account} owns key {id}"))),
        None => Ok(()),
    }
}

/// The owner of every key that is written exists when it is.
fn check_owner(tables: &Tables, record: &KeyRecord, effects: &Effects) -> Result<(), StoreError> {
    let key = record.key();
    let Owner::Account(account) = &key.owner else { return Ok(()) };
    let stored = tables.accounts.get(account) == Some(&key.tenant)
        && !effects.deleted_accounts.contains(account);
    let inserted =
        || effects.accounts.iter().any(|new| new.id == *account && new.tenant == key.tenant);
    if stored || inserted() {
        return Ok(());
    }
    Err(absent(format!("service account {account}")))
}

/// Tenant, owner and creation never change: they are where a key is found.
fn is_same_key(a: &KeyRecord, b: &KeyRecord) -> bool {
    let place = |record: &KeyRecord| {
        let key = record.key();
        (key.tenant.clone(), key.owner.clone(), key.created_at)
    };
    place(a) == place(b)
}

fn check_version(what: &str, stored: Option<u64>, next: u64) -> Result<(), StoreError> {
    match stored {
        Some(stored) if stored.checked_add(1) == Some(next) => check_count(what, next),
        Some(_) => Err(StoreError::conflict(format!("{what} has changed"))),
        None => Err(absent(what)),
    }
}

/// What is written can be read again.
fn check_count(what: &str, version: u64) -> Result<(), StoreError> {
    if version > MAX_COUNT {
        let message = format!("{what} has version {version}, the last one is {MAX_COUNT}");
        return Err(StoreError::unsupported(message));
    }
    Ok(())
}

fn absent(what: impl std::fmt::Display) -> StoreError {
    StoreError::conflict(format!("{what} does not exist"))
}

fn already_exists(what: impl std::fmt::Display) -> StoreError {
    StoreError::already_exists(format!("{what} exists or was deleted"))
}

/// A batch that names something twice has no order in which it could be meant.
fn check_subjects(batch: &Batch) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    if !batch.changes.iter().all(|change| seen.insert(change.subject())) {
        return Err(StoreError::unsupported("a batch names one subject in two changes"));
    }
    Ok(())
}
