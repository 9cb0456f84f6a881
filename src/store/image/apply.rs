//! Making the effects of a batch visible.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{CHANGES_KEPT, Effects, Image, Tables, Tombstone};
use crate::record::key::{Key, KeyRecord};
use crate::store::{Epoch, StoreError, Subject};
use crate::value::id::TenantId;

impl Image {
    pub(in crate::store) fn apply(&self, effects: Effects) -> Result<Epoch, StoreError> {
        let mut tables = self.write()?;
        let index = self.index.pin();
        let deleted: Vec<Key> = effects
            .deleted_keys
            .iter()
            .filter_map(|id| Some(index.get(id)?.snapshot.record().key().clone()))
            .collect();
        tables.close_gates(&effects, &deleted);
        tables.remember(&effects);

        for (tenant, policy) in effects.policies {
            tables.tenants.entry(tenant).or_default().policy = Some(Arc::new(policy));
        }
        for account in effects.accounts {
            tables.accounts.insert(account.id, account.tenant.clone());
            let tenant = tables.tenants.entry(account.tenant.clone()).or_default();
            tenant.accounts.insert(account.id, Arc::new(account));
        }
        for record in effects.keys {
            let key = record.key();
            let tenant = tables.tenants.entry(key.tenant.clone()).or_default();
            tenant.keys.insert((key.created_at, key.id));
            let owned = tenant.owners.entry(key.owner.clone()).or_default();
            let id = key.id;
            if let Some(before) = index.get(&id) {
                owned.remove(before.snapshot.record().key());
            }
            owned.insert(key);
            let entry = tables.entry(record)?;
            index.insert(id, entry);
        }
        for id in effects.deleted_keys {
            index.remove(&id);
            tables.usage.remove(&id);
        }
        for key in &deleted {
            if let Some(tenant) = tables.tenants.get_mut(&key.tenant) {
                tenant.forget(key);
            }
        }
        for id in effects.deleted_accounts {
            if let Some(tenant) = tables.accounts.remove(&id)
                && let Some(tenant) = tables.tenants.get_mut(&tenant)
            {
                tenant.accounts.remove(&id);
            }
        }
        for (tenant, through) in effects.forgotten {
            tables.forget_deleted(&tenant, through);
        }
        for Tombstone { id, tenant, event } in effects.tombstones {
            tables.deleted.insert(id);
            tables.tenants.entry(tenant).or_default().deleted.insert((event, id));
        }
        tables.usage.extend(effects.usage);
        tables.writers.extend(effects.writer);
        for writer in effects.forgotten_writers {
            tables.writers.remove(&writer);
        }
        tables.epoch = effects.epoch;
        tables.last_events.extend(effects.last_events);
        Ok(Epoch(effects.epoch))
    }
}

impl Tables {
    /// Moves the gate of every tenant in which more than one key is touched. Until the caller lets
    /// go of the tables, its keys can't be read; afterwards their entries are taken anew.
    fn close_gates(&self, effects: &Effects, deleted: &[Key]) {
        let mut touched: HashSet<&TenantId> = HashSet::new();
        touched.extend(effects.policies.iter().map(|(tenant, _)| tenant));
        touched.extend(effects.accounts.iter().map(|account| &account.tenant));
        touched.extend(effects.deleted_accounts.iter().filter_map(|id| self.accounts.get(id)));
        if effects.keys.len() + deleted.len() > 1 {
            touched.extend(effects.keys.iter().map(|record| &record.key().tenant));
            touched.extend(deleted.iter().map(|key| &key.tenant));
        }
        for tenant in touched.into_iter().filter_map(|tenant| self.tenants.get(tenant)) {
            tenant.gate.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn forget_deleted(&mut self, tenant: &TenantId, through: u64) {
        let Some(tenant) = self.tenants.get_mut(tenant) else { return };
        while let Some((event, id)) = tenant.deleted.first().copied()
            && event <= through
        {
            tenant.deleted.pop_first();
            self.deleted.remove(&id);
        }
    }

    fn remember(&mut self, effects: &Effects) {
        let touched = effects.subjects();
        self.recent.extend(touched.map(|subject| (effects.epoch, subject)));
        while self.recent.len() > CHANGES_KEPT {
            if let Some((epoch, _)) = self.recent.pop_front() {
                self.recent_since = epoch;
            }
        }
    }
}

impl Effects {
    /// What the batch touched.
    pub(in crate::store) fn subjects(&self) -> impl Iterator<Item = Subject> {
        let keys = self.keys.iter().map(KeyRecord::id).chain(&self.deleted_keys);
        let accounts = self.accounts.iter().map(|account| &account.id);
        let accounts = accounts.chain(&self.deleted_accounts).copied().map(Subject::Account);
        let policies = self.policies.iter().map(|(tenant, _)| Subject::Policy(tenant.clone()));
        let events = self.forgotten.iter().map(|(tenant, _)| Subject::Events(tenant.clone()));
        keys.copied().map(Subject::Key).chain(accounts).chain(policies).chain(events)
    }
}

impl super::Tenant {
    fn forget(&mut self, key: &Key) {
        self.keys.remove(&(key.created_at, key.id));
        if let Some(owned) = self.owners.get_mut(&key.owner) {
            owned.remove(key);
            if owned.is_empty() {
                self.owners.remove(&key.owner);
            }
        }
    }
}
