//! Writing the effects of batches: records, their witnesses, and the index.

use std::collections::HashMap;
use std::sync::Arc;

use redb::WriteTransaction;
use serde::Serialize;

use super::access::{Access, read_tenant};
use super::checksum::{self, Sum};
use super::errors::storage;
use super::facts::value_of_entry;
use super::index::{
    entries_of_key, entry_of_account, entry_of_tombstone, entry_of_use, entry_of_writer,
    prefix_of_events,
};
use super::memo::Memo;
use super::rows::FileRows;
use super::tables::{
    DeletedRecord, META, RowCounts, STATE_KEY, State, Summed, TenantRecord, UsageRecord,
    WriterRecord, decode, encode, user_key, witness_key,
};
use super::touches::{Touch, touches};
use super::writable::{Other, Rows, Writable};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{Key, KeyRecord};
use crate::record::policy::TenantPolicy;
use crate::record::usage::Usage;
use crate::store::epoch::Epoch;
use crate::store::error::StoreError;
use crate::store::plan::{DeletedId, Effects, Tombstone};
use crate::value::id::{AccountId, KeyId, TenantId};

/// The tables of a write transaction, and the state after the writes so far.
pub(super) struct Writing<'t> {
    tables: Writable<'t>,
    transaction: u64,
    pub(super) epoch: Epoch,
    pub(super) sum: Sum,
    counts: RowCounts,
    /// The records that were read. The numbers of tenants are written once for all jobs.
    memo: Memo,
    /// The changes that the rosters in memory must follow.
    pub(super) touched: Vec<(TenantId, Touch)>,
}

/// The changes of a tenant's numbers.
#[derive(Default)]
struct Delta {
    keys: i64,
    unrevoked: i64,
    accounts: i64,
    last_event: Option<u64>,
}

impl<'t> Writing<'t> {
    pub(super) fn begin(transaction: &'t WriteTransaction, state: &State, sum: Sum) -> Self {
        Self {
            tables: Writable::of(transaction),
            transaction: state.transaction.wrapping_add(1),
            epoch: Epoch(state.epoch),
            sum,
            counts: state.rows,
            memo: Memo::default(),
            touched: Vec::new(),
        }
    }

    /// Writes the numbers of tenants, and returns the state record of everything written.
    pub(super) fn finish(&mut self) -> Result<State, StoreError> {
        for (tenant, numbers) in self.memo.take_tenants() {
            self.put(Summed::Tenants, tenant.as_str().as_bytes(), &numbers)?;
        }
        Ok(State {
            transaction: self.transaction,
            epoch: self.epoch.0,
            rows: self.counts,
            sum: self.sum.to_hex(),
        })
    }

    /// Writes the effects of a batch that was planned on these rows.
    ///
    /// After an error, the transaction must not be committed.
    pub(super) fn write(&mut self, rows: &FileRows, effects: &Effects) -> Result<(), StoreError> {
        // The pattern names every field, so that a new kind of row cannot be forgotten here.
        let Effects {
            new_keys,
            changed_keys,
            deleted_keys,
            new_accounts,
            changed_accounts,
            deleted_accounts,
            users,
            policies,
            usage,
            writer,
            forgotten_writers,
            events,
            last_events,
            tombstones,
            forgotten_events,
            forgotten_ids,
        } = effects;
        let mut tenants: HashMap<&TenantId, Delta> = HashMap::new();
        for (tenant, last) in last_events {
            tenants.entry(tenant).or_default().last_event = Some(*last);
        }
        for record in new_keys {
            self.insert_key(record, tenants.entry(&record.key().tenant).or_default())?;
        }
        for record in changed_keys {
            let before = rows.rows.keys.get(record.id()).map(KeyRecord::key);
            let before = before.ok_or_else(|| missing(Summed::Keys, record.id().as_bytes()))?;
            self.change_key(before, record, tenants.entry(&record.key().tenant).or_default())?;
        }
        for id in deleted_keys {
            let before = rows.rows.keys.get(id).map(KeyRecord::key);
            let before = before.ok_or_else(|| missing(Summed::Keys, id.as_bytes()))?;
            self.delete_key(before, tenants.entry(&before.tenant).or_default())?;
        }
        for account in new_accounts {
            self.memo.forget_account(&account.id);
            self.put(Summed::Accounts, account.id.as_str().as_bytes(), account)?;
            self.add_entry(&entry_of_account(account))?;
            tenants.entry(&account.tenant).or_default().accounts += 1;
        }
        for account in changed_accounts {
            // The tenant and the time of creation stay, and so does the entry in the index.
            self.memo.forget_account(&account.id);
            self.put(Summed::Accounts, account.id.as_str().as_bytes(), account)?;
        }
        for id in deleted_accounts {
            let before: Option<&ServiceAccount> = rows.rows.accounts.get(id);
            let key = id.as_str().as_bytes();
            let before = before.ok_or_else(|| missing(Summed::Accounts, key))?;
            self.memo.forget_account(id);
            self.remove(Summed::Accounts, key)?;
            self.remove_entry(&entry_of_account(before))?;
            tenants.entry(&before.tenant).or_default().accounts -= 1;
        }
        for user in users {
            self.put(Summed::Users, &user_key(&user.tenant, &user.id), user)?;
        }
        for (tenant, policy) in policies {
            self.memo.forget_policy(tenant);
            self.put(Summed::Policies, tenant.as_str().as_bytes(), policy)?;
        }
        for (id, total) in usage {
            let tenant = rows.tenants.get(id);
            let tenant = tenant.ok_or_else(|| missing(Summed::Keys, id.as_bytes()))?;
            self.put_usage(id, tenant, rows.rows.usage.get(id), total)?;
        }
        for id in forgotten_writers {
            self.forget_writer(rows, id)?;
        }
        if let Some((id, writer)) = writer {
            if let Some(before) = rows.writers.get(id) {
                self.remove_entry(&entry_of_writer(before.at, id))?;
            }
            self.put(Summed::Writers, id, &WriterRecord::from(*writer))?;
            self.add_entry(&entry_of_writer(writer.at, id))?;
        }
        for event in events {
            self.insert_event(event)?;
        }
        for (tenant, through) in forgotten_events {
            self.forget_events(tenant, *through)?;
        }
        for id in forgotten_ids {
            self.forget_id(id)?;
        }
        for tombstone in tombstones {
            let Tombstone { id, tenant, event } = tombstone;
            let record = DeletedRecord { tenant: tenant.clone(), event: *event };
            self.put(Summed::Deleted, id.to_string().as_bytes(), &record)?;
            self.add_entry(&entry_of_tombstone(tombstone))?;
        }
        for (tenant, delta) in tenants {
            self.count(tenant, &delta)?;
        }
        self.touched.extend(touches(rows, effects));
        Ok(())
    }

    fn insert_key(&mut self, record: &KeyRecord, delta: &mut Delta) -> Result<(), StoreError> {
        let key = record.key();
        self.put(Summed::Keys, key.id.as_bytes(), record)?;
        for entry in entries_of_key(key) {
            self.add_entry_with(&entry, &value_of_entry(&entry, key))?;
        }
        self.add_entry(&entry_of_use(&key.tenant, &key.id, None))?;
        delta.keys += 1;
        delta.unrevoked += i64::from(key.revoked_at.is_none());
        Ok(())
    }

    fn change_key(
        &mut self,
        before: &Key,
        record: &KeyRecord,
        delta: &mut Delta,
    ) -> Result<(), StoreError> {
        let key = record.key();
        self.put(Summed::Keys, key.id.as_bytes(), record)?;
        let (old, new) = (entries_of_key(before), entries_of_key(key));
        for entry in old.iter().filter(|entry| !new.contains(entry)) {
            self.remove_entry(entry)?;
        }
        for entry in &new {
            let value = value_of_entry(entry, key);
            if !old.contains(entry) {
                self.add_entry_with(entry, &value)?;
            } else if value != value_of_entry(entry, before) {
                self.replace_entry(entry, &value)?;
            }
        }
        delta.unrevoked +=
            i64::from(key.revoked_at.is_none()) - i64::from(before.revoked_at.is_none());
        Ok(())
    }

    fn delete_key(&mut self, before: &Key, delta: &mut Delta) -> Result<(), StoreError> {
        let id = before.id.as_bytes();
        self.remove(Summed::Keys, id)?;
        let usage = Access::usage(self, &before.id)?;
        if usage.is_some() {
            self.remove(Summed::Usage, id)?;
        }
        for entry in entries_of_key(before) {
            self.remove_entry(&entry)?;
        }
        let usage = usage.map(|found| found.usage);
        self.remove_entry(&entry_of_use(&before.tenant, &before.id, usage.as_ref()))?;
        delta.keys -= 1;
        delta.unrevoked -= i64::from(before.revoked_at.is_none());
        Ok(())
    }

    fn put_usage(
        &mut self,
        id: &KeyId,
        tenant: &TenantId,
        before: Option<&Usage>,
        total: &Usage,
    ) -> Result<(), StoreError> {
        let record = UsageRecord { tenant: tenant.clone(), usage: *total };
        self.put(Summed::Usage, id.as_bytes(), &record)?;
        let (old, new) = (entry_of_use(tenant, id, before), entry_of_use(tenant, id, Some(total)));
        if old != new {
            self.remove_entry(&old)?;
            self.add_entry(&new)?;
        }
        Ok(())
    }

    fn forget_writer(&mut self, rows: &FileRows, id: &[u8; 16]) -> Result<(), StoreError> {
        let before = rows.writers.get(id).ok_or_else(|| missing(Summed::Writers, id))?;
        self.remove(Summed::Writers, id)?;
        self.remove_entry(&entry_of_writer(before.at, id))
    }

    fn forget_id(&mut self, id: &DeletedId) -> Result<(), StoreError> {
        let key = id.to_string();
        let record = self.deleted(id)?.ok_or_else(|| missing(Summed::Deleted, key.as_bytes()))?;
        let DeletedRecord { tenant, event } = record;
        self.remove(Summed::Deleted, key.as_bytes())?;
        self.remove_entry(&entry_of_tombstone(&Tombstone { id: *id, tenant, event }))
    }

    fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let place = event_key(&event.tenant, event.sequence);
        let stored = checksum::prepend("events", &place, &encode(event)?);
        let events = self.tables.other_mut(Other::Events)?;
        let old = events.insert(place.as_slice(), stored.as_slice()).map_err(storage)?;
        if old.is_some() {
            // The tenant's number of its newest event is older than its events.
            return Err(checksum::contradicted("events", &place));
        }
        drop(old);
        self.counts.events += 1;
        match &event.key {
            Some(key) => self.add_entry(&entry_of_event(event, key)),
            None => Ok(()),
        }
    }

    /// Removes a tenant's events up to and including a number.
    fn forget_events(&mut self, tenant: &TenantId, through: u64) -> Result<(), StoreError> {
        let (from, to) = (event_key(tenant, 0), event_key(tenant, through));
        let mut entries = Vec::new();
        let events = self.tables.other_mut(Other::Events)?;
        let rows = events.extract_from_if(from.as_slice()..=to.as_slice(), |_, _| true);
        for row in rows.map_err(storage)? {
            let (place, stored) = row.map_err(storage)?;
            let (_, value) = checksum::check("events", place.value(), stored.value())?;
            let event: Event = decode("events", place.value(), value)?;
            // An old copy of a page can lead a range to rows outside of it.
            if event.tenant != *tenant || event.sequence > through {
                return Err(checksum::contradicted("events", place.value()));
            }
            self.counts.events = self.counts.events.wrapping_sub(1);
            entries.extend(event.key.map(|key| entry_of_event(&event, &key)));
        }
        entries.iter().try_for_each(|entry| self.remove_entry(entry))
    }

    fn count(&mut self, tenant: &TenantId, delta: &Delta) -> Result<(), StoreError> {
        let before = self.tenant(tenant)?;
        let add = |count: u64, delta: i64| {
            let key = tenant.as_str().as_bytes();
            count.checked_add_signed(delta).ok_or_else(|| missing(Summed::Tenants, key))
        };
        let current = TenantRecord {
            last_event: delta.last_event.unwrap_or(before.last_event),
            keys: add(before.keys, delta.keys)?,
            unrevoked: add(before.unrevoked, delta.unrevoked)?,
            accounts: add(before.accounts, delta.accounts)?,
        };
        self.memo.set_tenant(tenant, current);
        Ok(())
    }

    fn put(&mut self, table: Summed, key: &[u8], value: &impl Serialize) -> Result<(), StoreError> {
        let stored = checksum::prepend(table.name(), key, &encode(value)?);
        let new = checksum::of_stored(&stored);
        let rows = self.tables.records_mut(table)?;
        let old = rows.insert(key, stored.as_slice()).map_err(storage)?;
        match old.map(|old| checksum::of_stored(old.value())) {
            Some(old) => self.sum.subtract(old),
            None => self.counts.records[table as usize] += 1,
        }
        self.sum.add(new);
        if let Some(letter) = table.letter() {
            let (key, witness) = (witness_key(letter, key), new.to_be_bytes());
            let witnesses = self.tables.other_mut(Other::Witnesses)?;
            let old = witnesses.insert(key.as_slice(), witness.as_slice()).map_err(storage)?;
            self.counts.witnesses += u64::from(old.is_none());
        }
        Ok(())
    }

    fn remove(&mut self, table: Summed, key: &[u8]) -> Result<(), StoreError> {
        let rows = self.tables.records_mut(table)?;
        let old = rows.remove(key).map_err(storage)?.ok_or_else(|| missing(table, key))?;
        self.sum.subtract(checksum::of_stored(old.value()));
        drop(old);
        self.counts.records[table as usize] -= 1;
        if let Some(letter) = table.letter() {
            let witnesses = self.tables.other_mut(Other::Witnesses)?;
            let old = witnesses.remove(witness_key(letter, key).as_slice());
            old.map_err(storage)?.ok_or_else(|| missing(table, key))?;
            self.counts.witnesses -= 1;
        }
        Ok(())
    }

    fn add_entry(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        self.add_entry_with(entry, b"")
    }

    fn add_entry_with(&mut self, entry: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if self.tables.other_mut(Other::Index)?.insert(entry, value).map_err(storage)?.is_some() {
            return Err(checksum::contradicted("index", entry));
        }
        self.counts.index += 1;
        Ok(())
    }

    /// Replaces the value of an entry.
    fn replace_entry(&mut self, entry: &[u8], value: &[u8]) -> Result<(), StoreError> {
        match self.tables.other_mut(Other::Index)?.insert(entry, value).map_err(storage)? {
            Some(_) => Ok(()),
            None => Err(checksum::contradicted("index", entry)),
        }
    }

    fn remove_entry(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        match self.tables.other_mut(Other::Index)?.remove(entry).map_err(storage)? {
            Some(_) => {
                self.counts.index = self.counts.index.wrapping_sub(1);
                Ok(())
            }
            None => Err(checksum::contradicted("index", entry)),
        }
    }
}

impl<'t> Access for Writing<'t> {
    type Rows = Rows<'t>;

    fn records(&self, table: Summed) -> Result<&Rows<'t>, StoreError> {
        self.tables.records(table)
    }

    fn tenant(&self, tenant: &TenantId) -> Result<TenantRecord, StoreError> {
        self.memo.tenant(tenant, || read_tenant(self, tenant))
    }

    fn shared_policy(&self, tenant: &TenantId) -> Result<Option<Arc<TenantPolicy>>, StoreError> {
        self.memo.policy(tenant, || self.policy(tenant))
    }

    fn shared_account(&self, id: &AccountId) -> Result<Option<Arc<ServiceAccount>>, StoreError> {
        self.memo.account(id, || self.account(id))
    }

    fn events(&self) -> Result<&Rows<'t>, StoreError> {
        self.tables.other(Other::Events)
    }

    fn index(&self) -> Result<&Rows<'t>, StoreError> {
        self.tables.other(Other::Index)
    }

    fn witnesses(&self) -> Result<&Rows<'t>, StoreError> {
        self.tables.other(Other::Witnesses)
    }
}

/// Writes a record of the table `meta`, which is not in the sum.
pub(super) fn put_meta(
    transaction: &WriteTransaction,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    let mut rows = transaction.open_table(META).map_err(storage)?;
    rows.insert(key, checksum::prepend("meta", key, value).as_slice()).map_err(storage)?;
    Ok(())
}

pub(super) fn put_state(transaction: &WriteTransaction, state: &State) -> Result<(), StoreError> {
    put_meta(transaction, STATE_KEY, &encode(state)?)
}

/// Returns the key of an event's row.
pub(super) fn event_key(tenant: &TenantId, sequence: u64) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0], sequence.to_be_bytes().as_slice()].concat()
}

/// Returns the entry of an event that names a key.
pub(super) fn entry_of_event(event: &Event, key: &KeyId) -> Vec<u8> {
    let prefix = prefix_of_events(&event.tenant, key);
    [prefix.as_slice(), &event.sequence.to_be_bytes()].concat()
}

fn missing(table: Summed, key: &[u8]) -> StoreError {
    checksum::contradicted(table.name(), key)
}
