//! The rows that the rules of a commit look at, read from the tables of the write transaction.
//!
//! So a batch sees the effects of the batches before it in the same transaction.

use std::collections::HashMap;
use std::sync::Arc;

use super::access::Access;
use super::index::{self, Order, end_of, timed};
use super::ranged::Ranged;
use super::tables::{UsageRecord, malformed};
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::usage::{LastBatch, Usage, UsageBatch};
use crate::record::user::User;
use crate::store::batch::{Batch, Change};
use crate::store::error::StoreError;
use crate::store::plan::{DeletedId, OwnerKeys, ReadSet, Rows, View, WRITER_KEPT, Writer};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// The rows of a batch, as a view.
#[derive(Default)]
pub(super) struct FileRows {
    pub(super) rows: Rows,
    policies: HashMap<TenantId, Arc<TenantPolicy>>,
    /// The tenants of the keys whose usage was read.
    pub(super) tenants: HashMap<KeyId, TenantId>,
    /// Live keys of owners that the batch does not name. Their records are not read.
    live: HashMap<(TenantId, Owner, Timestamp), Vec<KeyId>>,
    /// Deleted ids that can be forgotten, each with the number of its event.
    deleted: HashMap<TenantId, Vec<(u64, DeletedId)>>,
    /// Writers that can be forgotten, and the batch's own.
    pub(super) writers: HashMap<[u8; 16], Writer>,
}

impl FileRows {
    /// Reads the rows of a batch.
    pub(super) fn of_batch(tables: &impl Access, batch: &Batch) -> Result<Self, StoreError> {
        let wanted = ReadSet::of(batch);
        let mut found = Self::default();
        found.read(tables, &wanted)?;
        for change in &batch.changes {
            if let Change::ForgetEvents { tenant, through } = change {
                let deleted = tables.deleted_through(tenant, *through)?;
                found.deleted.insert(tenant.clone(), deleted);
            }
        }
        Ok(found)
    }

    /// Reads the rows of a batch of usage.
    pub(super) fn of_usage(tables: &impl Access, batch: &UsageBatch) -> Result<Self, StoreError> {
        let mut found = Self::default();
        if let Some(writer) = tables.writer(&batch.writer)? {
            let writer = Writer::from(writer);
            found.rows.last_batches.insert(batch.writer, writer.last);
            found.writers.insert(batch.writer, writer);
            if batch.was_added(Some(&writer.last))? {
                return Ok(found);
            }
        }
        found.read_silent_writers(tables, batch.at)?;
        for delta in &batch.deltas {
            found.read_usage(tables, &delta.key)?;
        }
        let wanted = ReadSet::of_alerts(&found.rows, batch);
        found.read(tables, &wanted)?;
        for id in &wanted.keys {
            let tenant = found.rows.keys.get(id).map(|record| record.key().tenant.clone());
            if let Some(tenant) = tenant {
                found.read_last_event(tables, &tenant)?;
            }
        }
        Ok(found)
    }

    fn read(&mut self, tables: &impl Access, wanted: &ReadSet) -> Result<(), StoreError> {
        // The pattern names every field, so that a new kind of row cannot be forgotten here.
        let ReadSet {
            keys,
            owners,
            accounts,
            emptied_accounts,
            users,
            policies,
            deleted,
            numbered,
        } = wanted;
        for id in keys {
            self.read_key(tables, id)?;
        }
        for id in accounts {
            self.read_account(tables, id)?;
        }
        for (tenant, user) in users {
            if let Some(found) = tables.user(tenant, user)? {
                self.rows.users.insert((tenant.clone(), user.clone()), found);
            }
        }
        for tenant in policies {
            if let Some(policy) = tables.shared_policy(tenant)? {
                self.policies.insert(tenant.clone(), policy);
            }
        }
        for id in deleted {
            if tables.deleted(id)?.is_some() {
                self.rows.deleted.insert(*id);
            }
        }
        if let Some(tenant) = numbered {
            self.read_last_event(tables, tenant)?;
        }
        for account in emptied_accounts {
            self.read_emptied(tables, account, keys)?;
        }
        for owner in owners {
            self.read_live(tables, owner, keys)?;
        }
        Ok(())
    }

    /// Reads a key and the account that owns it.
    fn read_key(&mut self, tables: &impl Access, id: &KeyId) -> Result<(), StoreError> {
        if self.rows.keys.contains_key(id) {
            return Ok(());
        }
        let Some(record) = tables.key(id)? else { return Ok(()) };
        if let Some(account) = record.key().owner.account() {
            self.read_account(tables, &account)?;
        }
        self.rows.keys.insert(*id, record);
        Ok(())
    }

    fn read_account(&mut self, tables: &impl Access, id: &AccountId) -> Result<(), StoreError> {
        if !self.rows.accounts.contains_key(id)
            && let Some(account) = tables.shared_account(id)?
        {
            self.rows.accounts.insert(*id, ServiceAccount::clone(&account));
        }
        Ok(())
    }

    fn read_last_event(
        &mut self,
        tables: &impl Access,
        tenant: &TenantId,
    ) -> Result<(), StoreError> {
        if !self.rows.last_events.contains_key(tenant) {
            let last = tables.tenant(tenant)?.last_event;
            if last > 0 {
                self.rows.last_events.insert(tenant.clone(), last);
            }
        }
        Ok(())
    }

    /// Reads what decides whether an account can be removed: the number of its tenant's newest event,
    /// and one of its keys that the batch does not name.
    fn read_emptied(
        &mut self,
        tables: &impl Access,
        account: &AccountId,
        named: &[KeyId],
    ) -> Result<(), StoreError> {
        let Some(stored) = self.rows.accounts.get(account) else { return Ok(()) };
        let tenant = stored.tenant.clone();
        self.read_last_event(tables, &tenant)?;
        let prefix = Order::Owner.owner_prefix(&tenant, &Owner::Account(*account));
        let mut left = None;
        for id in tables.ids_in(&prefix, &end_of(&prefix))? {
            let id = id?;
            if !named.contains(&id) {
                left = Some(id);
                break;
            }
        }
        match left {
            Some(id) => self.read_key(tables, &id),
            None => Ok(()),
        }
    }

    /// Reads the ids of live keys of an owner that the batch does not name.
    fn read_live(
        &mut self,
        tables: &impl Access,
        wanted: &OwnerKeys,
        named: &[KeyId],
    ) -> Result<(), StoreError> {
        let prefix = Order::Unrevoked.owner_prefix(&wanted.tenant, &wanted.owner);
        // At its expiry, a key is no longer live.
        let from = timed(prefix.clone(), wanted.at.unix_micros() + 1, b"");
        let ids = tables.ids_in(&from, &end_of(&prefix))?;
        let unnamed = ids.filter(|id| id.as_ref().map_or(true, |id| !named.contains(id)));
        let live = unnamed.take(wanted.most.into()).collect::<Result<Vec<_>, _>>()?;
        let owner = (wanted.tenant.clone(), wanted.owner.clone(), wanted.at);
        let known = self.live.entry(owner).or_default();
        let new = live.into_iter().filter(|id| !known.contains(id)).collect::<Vec<_>>();
        known.extend(new);
        Ok(())
    }

    /// Reads the writers whose last batch is so old that they can be forgotten.
    fn read_silent_writers(
        &mut self,
        tables: &impl Access,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let to = index::entry_of_writer(at.saturating_sub(WRITER_KEPT), b"");
        for entry in Ranged::of("index", tables.index()?, b"w", Some(&to))? {
            let (entry, _) = entry?;
            let malformed = || malformed("index", entry.value());
            let id = *entry.value().last_chunk::<16>().ok_or_else(malformed)?;
            let writer = tables.writer(&id)?.ok_or_else(malformed)?;
            self.writers.insert(id, writer.into());
        }
        Ok(())
    }

    fn read_usage(&mut self, tables: &impl Access, id: &KeyId) -> Result<(), StoreError> {
        if self.tenants.contains_key(id) {
            return Ok(());
        }
        let found = match tables.usage(id)? {
            Some(found) => Some(found),
            None => tables.key(id)?.map(|record| UsageRecord {
                tenant: record.key().tenant.clone(),
                usage: Usage::default(),
            }),
        };
        if let Some(UsageRecord { tenant, usage }) = found {
            self.rows.usage.insert(*id, usage);
            self.tenants.insert(*id, tenant);
        }
        Ok(())
    }
}

impl View for FileRows {
    fn key(&self, key: &KeyId) -> Option<&KeyRecord> {
        self.rows.key(key)
    }

    fn account(&self, account: &AccountId) -> Option<&ServiceAccount> {
        self.rows.account(account)
    }

    fn user(&self, tenant: &TenantId, user: &UserId) -> Option<&User> {
        self.rows.user(tenant, user)
    }

    fn policy(&self, tenant: &TenantId) -> Option<&TenantPolicy> {
        self.policies.get(tenant).map(Arc::as_ref)
    }

    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = KeyId> {
        self.rows.keys_of(tenant, owner)
    }

    fn live_keys_of(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        at: Timestamp,
    ) -> impl Iterator<Item = KeyId> {
        let unnamed = self.live.get(&(tenant.clone(), owner.clone(), at)).into_iter().flatten();
        let unnamed = unnamed.filter(|id| !self.rows.keys.contains_key(id)).copied();
        self.rows.live_keys_of(tenant, owner, at).chain(unnamed)
    }

    fn is_deleted(&self, id: &DeletedId) -> bool {
        self.rows.is_deleted(id)
    }

    fn deleted_through(&self, tenant: &TenantId, through: u64) -> impl Iterator<Item = DeletedId> {
        let deleted = self.deleted.get(tenant).into_iter().flatten();
        deleted.filter(move |(event, _)| *event <= through).map(|(_, id)| *id)
    }

    fn last_event(&self, tenant: &TenantId) -> u64 {
        self.rows.last_event(tenant)
    }

    fn usage(&self, key: &KeyId) -> Option<Usage> {
        self.rows.usage(key)
    }

    fn last_batch(&self, writer: &[u8; 16]) -> Option<LastBatch> {
        self.rows.last_batch(writer)
    }

    fn writers(&self) -> impl Iterator<Item = ([u8; 16], Timestamp)> {
        self.writers.iter().map(|(id, writer)| (*id, writer.at))
    }
}
