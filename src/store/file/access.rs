//! Reading records and index entries, in a read or a write transaction.

use std::cell::OnceCell;
use std::sync::Arc;

use redb::{AccessGuard, ReadOnlyTable, ReadTransaction, ReadableTable};
use serde::de::DeserializeOwned;

use super::checksum;
use super::errors::storage;
use super::index::{self, Order};
use super::ranged::Ranged;
use super::tables::{
    DeletedRecord, EVENTS, INDEX, META, STATE_KEY, State, Summed, Table, TenantRecord, UsageRecord,
    WITNESSES, WriterRecord, decode, malformed, user_key, witness_key,
};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::Usage;
use crate::record::user::User;
use crate::store::error::StoreError;
use crate::store::plan::DeletedId;
use crate::store::query::StoredKey;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};

/// The tables of a transaction.
///
/// A record with a witness is accepted only if both match, and is absent only if both are.
pub(super) trait Access {
    type Rows: ReadableTable<&'static [u8], &'static [u8]>;

    fn records(&self, table: Summed) -> Result<&Self::Rows, StoreError>;

    fn events(&self) -> Result<&Self::Rows, StoreError>;

    fn index(&self) -> Result<&Self::Rows, StoreError>;

    fn witnesses(&self) -> Result<&Self::Rows, StoreError>;

    /// Returns a stored record, checked against its checksum and its witness.
    fn stored(
        &self,
        table: Summed,
        key: &[u8],
    ) -> Result<Option<AccessGuard<'_, &'static [u8]>>, StoreError> {
        let stored = self.records(table)?.get(key).map_err(storage)?;
        let checksum = match &stored {
            Some(stored) => Some(checksum::check(table.name(), key, stored.value())?.0),
            None => None,
        };
        if let Some(letter) = table.letter() {
            let witness = self.witnesses()?.get(witness_key(letter, key).as_slice());
            let witness = witness.map_err(storage)?;
            let witness = witness.map(|witness| checksum::of_stored(witness.value()));
            if witness != checksum {
                return Err(checksum::contradicted(table.name(), key));
            }
        }
        Ok(stored)
    }

    fn record<T: DeserializeOwned>(
        &self,
        table: Summed,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        let Some(stored) = self.stored(table, key)? else { return Ok(None) };
        decode(table.name(), key, checksum::value_of(stored.value())).map(Some)
    }

    fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        self.record(Summed::Keys, id.as_bytes())
    }

    fn account(&self, id: &AccountId) -> Result<Option<ServiceAccount>, StoreError> {
        self.record(Summed::Accounts, id.as_str().as_bytes())
    }

    fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        self.record(Summed::Users, &user_key(tenant, user))
    }

    fn policy(&self, tenant: &TenantId) -> Result<Option<TenantPolicy>, StoreError> {
        self.record(Summed::Policies, tenant.as_str().as_bytes())
    }

    /// Returns the policy of a tenant, which may have been read before.
    fn shared_policy(&self, tenant: &TenantId) -> Result<Option<Arc<TenantPolicy>>, StoreError> {
        Ok(self.policy(tenant)?.map(Arc::new))
    }

    /// Returns an account, which may have been read before.
    fn shared_account(&self, id: &AccountId) -> Result<Option<Arc<ServiceAccount>>, StoreError> {
        Ok(self.account(id)?.map(Arc::new))
    }

    /// Returns the usage of a key; `None` if it was never used.
    fn usage(&self, id: &KeyId) -> Result<Option<UsageRecord>, StoreError> {
        self.record(Summed::Usage, id.as_bytes())
    }

    fn tenant(&self, tenant: &TenantId) -> Result<TenantRecord, StoreError> {
        read_tenant(self, tenant)
    }

    fn deleted(&self, id: &DeletedId) -> Result<Option<DeletedRecord>, StoreError> {
        self.record(Summed::Deleted, id.to_string().as_bytes())
    }

    fn writer(&self, id: &[u8; 16]) -> Result<Option<WriterRecord>, StoreError> {
        self.record(Summed::Writers, id)
    }

    /// Returns the record of a key's owner, if the owner has one.
    fn owner_record(&self, key: &Key) -> Result<Option<OwnerRecord>, StoreError> {
        self.record_of_owner(&key.tenant, &key.owner)
    }

    /// Returns the record of an owner in a tenant, if the owner has one.
    fn record_of_owner(
        &self,
        tenant: &TenantId,
        owner: &Owner,
    ) -> Result<Option<OwnerRecord>, StoreError> {
        Ok(match owner {
            Owner::Account(id) => {
                let account = self.account(id)?.filter(|account| account.tenant == *tenant);
                account.map(Arc::new).map(OwnerRecord::Account)
            }
            Owner::User(id) => self.user(tenant, id)?.map(Arc::new).map(OwnerRecord::User),
            Owner::Organization => None,
        })
    }

    /// Returns a record with its usage and the record of its owner.
    fn stored_key(&self, record: KeyRecord) -> Result<StoredKey, StoreError> {
        let usage = self.usage(record.id())?.map_or_else(Usage::default, |found| found.usage);
        let owner = self.owner_record(record.key())?;
        Ok(StoredKey { record, usage, owner })
    }

    /// Returns an event by the key of its row.
    fn event(&self, place: &[u8]) -> Result<Option<Event>, StoreError> {
        let stored = self.events()?.get(place).map_err(storage)?;
        let Some(stored) = stored else { return Ok(None) };
        let (_, value) = checksum::check("events", place, stored.value())?;
        decode("events", place, value).map(Some)
    }

    /// Returns the ids of the keys of an owner whose entries in the order are in the range
    /// `from..to`.
    fn ids_in(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> Result<impl Iterator<Item = Result<KeyId, StoreError>> + '_, StoreError> {
        let entries = Ranged::of("index", self.index()?, from, Some(to))?;
        Ok(entries.map(|entry| {
            let (entry, _) = entry?;
            let entry = entry.value();
            index::split_id(entry).map(|(_, id)| id).ok_or_else(|| malformed("index", entry))
        }))
    }

    /// Returns the deleted ids of a tenant that are forgotten with an event up to this number, each
    /// with the number.
    fn deleted_through(
        &self,
        tenant: &TenantId,
        through: u64,
    ) -> Result<Vec<(u64, DeletedId)>, StoreError> {
        let from = Order::Deleted.prefix(tenant);
        let to = [&from, through.saturating_add(1).to_be_bytes().as_slice()].concat();
        let entries = Ranged::of("index", self.index()?, &from, Some(&to))?;
        let read = |entry: &[u8]| {
            let (event, id) = entry[from.len()..].split_first_chunk::<8>()?;
            let id = std::str::from_utf8(id).ok()?.parse().ok()?;
            Some((u64::from_be_bytes(*event), id))
        };
        entries
            .map(|entry| {
                let (entry, _) = entry?;
                read(entry.value()).ok_or_else(|| malformed("index", entry.value()))
            })
            .collect()
    }
}

/// The tables of a read transaction, each opened when it is first read.
pub(super) struct Reading {
    transaction: Arc<ReadTransaction>,
    records: [Opened; 8],
    events: Opened,
    index: Opened,
    witnesses: Opened,
}

type Opened = OnceCell<ReadOnlyTable<&'static [u8], &'static [u8]>>;

impl Reading {
    pub(super) fn of(transaction: Arc<ReadTransaction>) -> Self {
        Self {
            transaction,
            records: <[Opened; 8]>::default(),
            events: Opened::default(),
            index: Opened::default(),
            witnesses: Opened::default(),
        }
    }

    /// Returns the number of the last transaction that this one sees.
    pub(super) fn number(&self) -> Result<u64, StoreError> {
        Ok(self.state()?.transaction)
    }

    /// Returns the state record.
    pub(super) fn state(&self) -> Result<State, StoreError> {
        let meta = self.transaction.open_table(META).map_err(storage)?;
        read_state(&meta)
    }

    fn open<'a>(
        &'a self,
        place: &'a Opened,
        table: Table,
    ) -> Result<&'a ReadOnlyTable<&'static [u8], &'static [u8]>, StoreError> {
        if let Some(opened) = place.get() {
            return Ok(opened);
        }
        let opened = self.transaction.open_table(table).map_err(storage)?;
        Ok(place.get_or_init(|| opened))
    }
}

impl Access for Reading {
    type Rows = ReadOnlyTable<&'static [u8], &'static [u8]>;

    fn records(&self, table: Summed) -> Result<&Self::Rows, StoreError> {
        self.open(&self.records[table as usize], table.table())
    }

    fn events(&self) -> Result<&Self::Rows, StoreError> {
        self.open(&self.events, EVENTS)
    }

    fn index(&self) -> Result<&Self::Rows, StoreError> {
        self.open(&self.index, INDEX)
    }

    fn witnesses(&self) -> Result<&Self::Rows, StoreError> {
        self.open(&self.witnesses, WITNESSES)
    }
}

/// Reads the numbers of a tenant.
pub(super) fn read_tenant(
    tables: &(impl Access + ?Sized),
    tenant: &TenantId,
) -> Result<TenantRecord, StoreError> {
    let record = tables.record(Summed::Tenants, tenant.as_str().as_bytes())?;
    Ok(record.unwrap_or_default())
}

/// Reads the state record from the table `meta`.
pub(super) fn read_state(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<State, StoreError> {
    let missing = || {
        StoreError::corrupt(
            "the state record of the store is missing: restore the file from a backup",
        )
    };
    let stored = meta.get(STATE_KEY).map_err(storage)?.ok_or_else(missing)?;
    let (_, value) = checksum::check("meta", STATE_KEY, stored.value())?;
    decode("meta", STATE_KEY, value)
}
