//! Applying the effects of a batch, which makes them visible.

use std::collections::HashSet;

use super::state::State;
use super::tables::{Tables, Tenant};
use crate::record::key::Key;
use crate::record::usage::Usage;
use crate::store::epoch::Epoch;
use crate::store::error::StoreError;
use crate::store::plan::Effects;
use crate::value::id::{KeyId, TenantId};

/// The number of recent changes that are kept for caches.
const CHANGES_KEPT: usize = 4_096;
/// The number of keys whose usage is set under one lock of the tables.
const USAGE_AT_ONCE: usize = 500;

impl State {
    /// Applies the effects of a batch, whose commit has this epoch.
    pub(in crate::store) fn apply(&self, epoch: Epoch, effects: Effects) -> Result<(), StoreError> {
        self.apply_usage(&effects.usage)?;
        let mut tables = self.write()?;
        let index = self.index.pin();
        let deleted: Vec<Key> = effects
            .deleted_keys
            .iter()
            .filter_map(|id| Some(index.get(id)?.snapshot.record().key().clone()))
            .collect();
        tables.close_gates(&effects, &deleted);
        tables.remember(epoch, &effects);
        #[cfg(feature = "postgres")]
        tables.journals.note(&effects);

        for (tenant, policy) in effects.policies {
            tables.insert_policy(tenant, policy);
        }
        for account in effects.new_accounts.into_iter().chain(effects.changed_accounts) {
            tables.insert_account(account);
        }
        for user in effects.users {
            tables.insert_user(user);
        }
        for record in effects.new_keys.into_iter().chain(effects.changed_keys) {
            let id = *record.id();
            let record = tables.interner.intern(record);
            let before = index.get(&id).map(|entry| entry.snapshot.record().key());
            tables.index_key(record.key(), before);
            tables.list_key(&record);
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
            tables.unlist_key(key);
        }
        for id in effects.deleted_accounts {
            if let Some(tenant) = tables.accounts.remove(&id)
                && let Some(tenant) = tables.tenants.get_mut(&tenant)
            {
                tenant.remove_account(&id);
            }
        }
        for (tenant, through) in effects.forgotten_events {
            tables.forget_deleted(&tenant, through);
        }
        for tombstone in effects.tombstones {
            tables.bury(tombstone);
        }
        tables.writers.extend(effects.writer);
        for writer in effects.forgotten_writers {
            tables.writers.remove(&writer);
        }
        tables.epoch = epoch;
        tables.last_events.extend(effects.last_events);
        let worn = std::mem::take(&mut tables.worn);
        drop((tables, worn));
        Ok(())
    }

    /// Sets the usage of keys. A verification that waits for the tables waits for one slice only.
    fn apply_usage(&self, usage: &[(KeyId, Usage)]) -> Result<(), StoreError> {
        for slice in usage.chunks(USAGE_AT_ONCE) {
            let mut tables = self.write()?;
            let index = self.index.pin();
            for (id, usage) in slice {
                if tables.has_indexes()
                    && let Some(entry) = index.get(id)
                {
                    tables.list_usage(entry.snapshot.record().key(), usage);
                }
                tables.usage.insert(*id, usage);
            }
        }
        Ok(())
    }
}

impl Tables {
    /// Closes the gate of every tenant in which more than one key is touched. Reads of its keys
    /// then wait until the caller releases the lock of the tables, and renew the entries.
    fn close_gates(&self, effects: &Effects, deleted: &[Key]) {
        let mut touched: HashSet<&TenantId> = HashSet::new();
        touched.extend(effects.policies.iter().map(|(tenant, _)| tenant));
        touched.extend(effects.users.iter().map(|user| &user.tenant));
        touched.extend(effects.written_accounts().map(|account| &account.tenant));
        touched.extend(effects.deleted_accounts.iter().filter_map(|id| self.accounts.get(id)));
        if effects.written_keys().count() + deleted.len() > 1 {
            touched.extend(effects.written_keys().map(|record| &record.key().tenant));
            touched.extend(deleted.iter().map(|key| &key.tenant));
        }
        for tenant in touched.into_iter().filter_map(|tenant| self.tenants.get(tenant)) {
            tenant.gate.close();
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

    fn remember(&mut self, epoch: Epoch, effects: &Effects) {
        self.recent.extend(effects.subjects().map(|subject| (epoch, subject)));
        while self.recent.len() > CHANGES_KEPT {
            if let Some((epoch, _)) = self.recent.pop_front() {
                self.recent_since = epoch;
            }
        }
    }
}

impl Tenant {
    fn forget(&mut self, key: &Key) {
        self.keys.remove(&(key.created_at, key.id));
        self.disown(key);
    }
}
