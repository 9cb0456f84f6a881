//! The check of the whole file: every record, its witness, the index, the numbers and the sum.

use std::collections::HashMap;

use redb::{ReadableTable, ReadableTableMetadata};

use super::access::{Access, Reading};
use super::checksum::{self, Sum};
use super::database::rows_missing;
use super::errors::storage;
use super::facts::value_of_entry;
use super::index::{
    entries_of_key, entry_of_account, entry_of_tombstone, entry_of_use, entry_of_writer,
};
use super::tables::{
    DeletedRecord, RowCounts, Summed, TenantRecord, UsageRecord, WriterRecord, decode, malformed,
    parse_key, witness_key,
};
use super::write::entry_of_event;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::record::policy::TenantPolicy;
use crate::record::user::User;
use crate::store::error::StoreError;
use crate::store::plan::{Tombstone, Writer};
use crate::value::id::{KeyId, TenantId};

impl Reading {
    /// Checks every record against its checksum, its witness, the index and the numbers of the last
    /// commit.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let mut found = Found::default();
        for table in Summed::ALL {
            for row in self.records(table)?.iter().map_err(storage)? {
                let (key, stored) = row.map_err(storage)?;
                let (key, stored) = (key.value(), stored.value());
                let (checksum, value) = checksum::check(table.name(), key, stored)?;
                found.sum.add(checksum);
                found.counts.records[table as usize] += 1;
                if let Some(letter) = table.letter() {
                    self.check_witness(table, letter, key, checksum)?;
                    found.counts.witnesses += 1;
                }
                self.check_record(table, key, value, &mut found)?;
            }
        }
        for row in self.events()?.iter().map_err(storage)? {
            let (place, stored) = row.map_err(storage)?;
            let (_, value) = checksum::check("events", place.value(), stored.value())?;
            let event: Event = decode("events", place.value(), value)?;
            found.counts.events += 1;
            if let Some(key) = &event.key {
                self.check_entry(&entry_of_event(&event, key), b"", &mut found)?;
            }
            found.count_event(&event, place.value())?;
        }
        let state = self.state()?;
        let is_whole = state.rows == found.counts
            && state.sum == found.sum.to_hex()
            && self.index()?.len().map_err(storage)? == found.counts.index
            && self.witnesses()?.len().map_err(storage)? == found.counts.witnesses
            && found.tenants.values().all(Numbers::agree);
        if is_whole { Ok(()) } else { Err(rows_missing()) }
    }

    fn check_witness(
        &self,
        table: Summed,
        letter: u8,
        key: &[u8],
        checksum: u128,
    ) -> Result<(), StoreError> {
        let witness = self.witnesses()?.get(witness_key(letter, key).as_slice());
        let witness = witness.map_err(storage)?;
        match witness.map(|witness| checksum::of_stored(witness.value())) {
            Some(witness) if witness == checksum => Ok(()),
            _ => Err(checksum::contradicted(table.name(), key)),
        }
    }

    /// Checks that a record can be decoded and that the index leads to it.
    fn check_record(
        &self,
        table: Summed,
        key: &[u8],
        value: &[u8],
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let name = table.name();
        match table {
            Summed::Keys => {
                let record: KeyRecord = decode(name, key, value)?;
                let key = record.key();
                for entry in entries_of_key(key) {
                    self.check_entry(&entry, &value_of_entry(&entry, key), found)?;
                }
                let usage = Access::usage(self, &key.id)?.map(|found| found.usage);
                let used = entry_of_use(&key.tenant, &key.id, usage.as_ref());
                self.check_entry(&used, b"", found)?;
                let counted = &mut found.tenant(&key.tenant).counted;
                counted.keys += 1;
                counted.unrevoked += u64::from(key.revoked_at.is_none());
            }
            Summed::Accounts => {
                let account: ServiceAccount = decode(name, key, value)?;
                self.check_entry(&entry_of_account(&account), b"", found)?;
                found.tenant(&account.tenant).counted.accounts += 1;
            }
            Summed::Users => drop(decode::<User>(name, key, value)?),
            Summed::Policies => drop(decode::<TenantPolicy>(name, key, value)?),
            Summed::Usage => {
                let id: KeyId = parse_key(name, key)?;
                let UsageRecord { tenant, .. } = decode(name, key, value)?;
                let record = self.key(&id)?.filter(|record| record.key().tenant == tenant);
                record.ok_or_else(|| malformed(name, key))?;
            }
            Summed::Deleted => {
                let id = parse_key(name, key)?;
                let DeletedRecord { tenant, event } = decode(name, key, value)?;
                self.check_entry(
                    &entry_of_tombstone(&Tombstone { id, tenant, event }),
                    b"",
                    found,
                )?;
            }
            Summed::Writers => {
                let writer = Writer::from(decode::<WriterRecord>(name, key, value)?);
                self.check_entry(&entry_of_writer(writer.at, key), b"", found)?;
            }
            Summed::Tenants => {
                let tenant: TenantId = parse_key(name, key)?;
                found.tenant(&tenant).stored = decode(name, key, value)?;
            }
        }
        Ok(())
    }

    fn check_entry(&self, entry: &[u8], value: &[u8], found: &mut Found) -> Result<(), StoreError> {
        let stored = self.index()?.get(entry).map_err(storage)?;
        if stored.is_none_or(|stored| stored.value() != value) {
            return Err(checksum::contradicted("index", entry));
        }
        found.counts.index += 1;
        Ok(())
    }
}

/// The findings of a check.
#[derive(Default)]
struct Found {
    sum: Sum,
    counts: RowCounts,
    tenants: HashMap<TenantId, Numbers>,
}

/// The numbers of a tenant: those of its record, and those of the records that were read.
#[derive(Default)]
struct Numbers {
    stored: TenantRecord,
    counted: TenantRecord,
}

impl Numbers {
    fn agree(&self) -> bool {
        self.stored == self.counted
    }
}

impl Found {
    fn tenant(&mut self, tenant: &TenantId) -> &mut Numbers {
        if !self.tenants.contains_key(tenant) {
            self.tenants.insert(tenant.clone(), Numbers::default());
        }
        self.tenants.get_mut(tenant).expect("it was inserted")
    }

    /// Checks that a tenant's events have no gap, and counts them. They come in order.
    fn count_event(&mut self, event: &Event, place: &[u8]) -> Result<(), StoreError> {
        let last = &mut self.tenant(&event.tenant).counted.last_event;
        if *last != 0 && last.checked_add(1) != Some(event.sequence) {
            return Err(checksum::contradicted("events", place));
        }
        *last = event.sequence;
        Ok(())
    }
}
