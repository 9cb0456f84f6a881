//! Deciding a batch: what it comes to, or why nothing of it may happen.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{Effects, Image, Tables, Writer};
use crate::event::Event;
use crate::id::{AccountId, KeyId, TenantId};
use crate::key::{KeyRecord, Owner};
use crate::store::{Batch, Change, Condition, StoreError, UsageBatch};
use crate::stored::MAX_COUNT;
use crate::time::Timestamp;

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
            self.check(&tables, condition, &effects)?;
        }
        effects.take_events(&tables, batch.events)?;
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
                if self.look(&id, |_| ()).is_some() || tables.deleted_keys.contains(&id) {
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
                    stored.key().revoked.is_none().then(|| stored.revoked(at))
                });
                let conflict = || format!("key {key} is absent or revoked already");
                let revoked = revoked.flatten().ok_or_else(|| StoreError::conflict(conflict()))?;
                effects.keys.push(revoked);
            }
            Change::DeleteKey(key) => {
                self.look(&key, |_| ()).ok_or_else(|| absent(format!("key {key}")))?;
                effects.deleted_keys.push(key);
            }
            Change::InsertAccount(account) => {
                let known = tables.accounts.contains_key(&account.id);
                if known || tables.deleted_accounts.contains(&account.id) {
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
                let stored = tables.account_version(&account);
                stored.ok_or_else(|| absent(format!("service account {account}")))?;
                effects.deleted_accounts.push(account);
            }
            Change::PutPolicy { tenant, policy } => {
                let stored = Some(tables.policy_version(&tenant));
                check_version(&format!("the policy of {tenant}"), stored, policy.version)?;
                effects.policies.push((tenant, policy));
            }
        }
        Ok(())
    }

    fn check(
        &self,
        tables: &Tables,
        condition: &Condition,
        effects: &Effects,
    ) -> Result<(), StoreError> {
        match condition {
            Condition::AccountVersion { account, version } => {
                if tables.account_version(account) != Some(*version) {
                    return Err(StoreError::conflict(format!("account {account} has changed")));
                }
            }
            Condition::PolicyVersion { tenant, version } => {
                if tables.policy_version(tenant) != *version {
                    return Err(StoreError::conflict(format!(
                        "the policy of {tenant} has changed"
                    )));
                }
            }
            Condition::LiveKeysBelow { tenant, owner, limit, at } => {
                let ids = tables.keys_of(tenant, owner);
                let live = ids.filter(|id| self.look(id, |key| is_live(key, *at)) == Some(true));
                if live.take(usize::from(*limit)).count() == usize::from(*limit) {
                    let message = format!("{owner} holds {limit} live keys");
                    return Err(StoreError::limit_reached(message));
                }
            }
            Condition::NoLiveKeyLeft { tenant, owner, at } => {
                let after =
                    effects.keys.iter().map(|key| (key.id(), key)).collect::<HashMap<_, _>>();
                let left = tables.keys_of(tenant, owner).find(|id| match after.get(id) {
                    Some(record) => is_live(record, *at),
                    None => {
                        !effects.deleted_keys.contains(id)
                            && self.look(id, |key| is_live(key, *at)) == Some(true)
                    }
                });
                if let Some(id) = left {
                    return Err(StoreError::conflict(format!("{owner} still holds key {id}")));
                }
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
            let before = || tables.last_events.get(&event.tenant).copied().unwrap_or(0);
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

    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = &KeyId> {
        let owners = self.tenants.get(tenant).map(|tenant| &tenant.owners);
        owners.and_then(|owners| owners.get(owner)).into_iter().flatten()
    }
}

fn check_no_key_left(
    tables: &Tables,
    account: AccountId,
    effects: &Effects,
) -> Result<(), StoreError> {
    let Some(tenant) = tables.accounts.get(&account) else { return Ok(()) };
    let deleted: HashSet<_> = effects.deleted_keys.iter().collect();
    let owner = Owner::Account(account);
    let mut keys = tables.keys_of(tenant, &owner);
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
        (key.tenant.clone(), key.owner.clone(), key.created)
    };
    place(a) == place(b)
}

fn is_live(record: &KeyRecord, at: Timestamp) -> bool {
    record.key().status(at).is_live()
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
