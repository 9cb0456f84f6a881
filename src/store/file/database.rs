//! The database in the store file: how it is initialized, loaded and written.
//!
//! Every commit is one redb transaction in two phases, synced before it is acknowledged.

use redb::{
    Builder, Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableHandle, WriteTransaction,
};

use super::checksum::{self, Sum};
use super::errors::storage;
use super::events::{event_numbers, events_missing, forget_events, write_events};
use super::tables::{
    DeletedRecord, EVENTS, EVENTS_BY_KEY, FORMAT, FORMAT_KEY, META, MOVED_KEY, STATE_KEY, State,
    Summed, WriterRecord, decode, encode, malformed, parse_key, put,
};
use crate::store::batch::Epoch;
use crate::store::error::StoreError;
use crate::store::memory::Loaded;
use crate::store::plan::{Effects, Tombstone};
use crate::value::text::decimal;

/// The size of redb's cache: 16 MiB. All other data is read from the state in memory, so the cache
/// only serves commits and events.
const CACHE_BYTES: usize = 16 << 20;

/// The open database, and the state record of the last commit.
#[derive(Debug)]
pub(super) struct Database {
    redb: redb::Database,
    state: State,
    sum: Sum,
    /// The place to which the keys were moved.
    moved_to: Option<String>,
}

impl Database {
    /// Creates the tables and the state record of an empty store.
    pub(super) fn initialize(redb: redb::Database) -> Result<Self, StoreError> {
        let (state, sum) = (State::default(), Sum::default());
        let mut database = Self { redb, state, sum, moved_to: None };
        let transaction = database.begin()?;
        put(&transaction, META, "meta", FORMAT_KEY, FORMAT.to_string().as_bytes())?;
        for table in Summed::ALL.map(Summed::table).into_iter().chain([EVENTS, EVENTS_BY_KEY]) {
            transaction.open_table(table).map_err(storage)?;
        }
        let sum = Sum::default();
        database.commit(transaction, State { sum: sum.to_hex(), ..State::default() }, sum)?;
        Ok(database)
    }

    /// Checks the format, every page, and the checksums of all records except events, and reads these
    /// records.
    pub(super) fn load(mut redb: redb::Database) -> Result<(Self, Loaded), StoreError> {
        check_format(&redb)?;
        redb.check_integrity().map_err(storage)?;
        let transaction = redb.begin_read().map_err(storage)?;
        let meta = transaction.open_table(META).map_err(storage)?;
        let (state, moved_to) = (read_state(&meta)?, read_moved_to(&meta)?);

        let mut loaded = Loaded { epoch: Epoch(state.epoch), ..Loaded::default() };
        let mut sum = Sum::default();
        for summed in Summed::ALL {
            let table = summed.table();
            let rows = transaction.open_table(table).map_err(storage)?;
            for row in rows.iter().map_err(storage)? {
                let (key, stored) = row.map_err(storage)?;
                let (checksum, value) = checksum::check(table.name(), key.value(), stored.value())?;
                sum.add(checksum);
                take(summed, key.value(), value, &mut loaded)?;
            }
        }
        if state.sum != sum.to_hex() {
            return Err(StoreError::corrupt(
                "records are missing or older than the last commit: restore the file from a backup",
            ));
        }
        let count = |table| {
            let rows = transaction.open_table(table).map_err(storage)?;
            rows.len().map_err(storage)
        };
        let numbers = event_numbers(&transaction.open_table(EVENTS).map_err(storage)?)?;
        // Events are forgotten from the oldest, so the numbers of each tenant have no gaps.
        let numbered = numbers.values().try_fold(0_u64, |all, (first, last)| {
            all.checked_add(last.checked_sub(*first)?)?.checked_add(1)
        });
        loaded.last_events = numbers.into_iter().map(|(id, (_, last))| (id, last)).collect();
        let whole = numbered == Some(state.events) && count(EVENTS)? == state.events;
        if !whole || count(EVENTS_BY_KEY)? != state.events_of_keys {
            return Err(events_missing());
        }
        drop((meta, transaction));
        Ok((Self { redb, state, sum, moved_to }, loaded))
    }

    /// Writes effects, and returns when they are durable. After an error, the database must not be
    /// used.
    pub(super) fn write(&mut self, epoch: Epoch, effects: &Effects) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        let mut sum = self.sum;
        let mut write = |summed: Summed, key: &[u8], value: Option<&[u8]>| {
            let table = summed.table();
            let mut rows = transaction.open_table(table).map_err(storage)?;
            let old = match value {
                Some(value) => {
                    let stored = checksum::prepend(table.name(), key, value);
                    sum.add(checksum::of_stored(&stored));
                    rows.insert(key, stored.as_slice()).map_err(storage)?
                }
                None => rows.remove(key).map_err(storage)?,
            };
            if let Some(old) = old {
                sum.subtract(checksum::of_stored(old.value()));
            }
            Ok::<(), StoreError>(())
        };
        for record in effects.written_keys() {
            write(Summed::Keys, record.id().as_bytes(), Some(&encode(record)?))?;
        }
        for id in &effects.deleted_keys {
            write(Summed::Keys, id.as_bytes(), None)?;
            write(Summed::Usage, id.as_bytes(), None)?;
        }
        for account in effects.written_accounts() {
            write(Summed::Accounts, account.id.as_str().as_bytes(), Some(&encode(account)?))?;
        }
        for id in &effects.deleted_accounts {
            write(Summed::Accounts, id.as_str().as_bytes(), None)?;
        }
        for Tombstone { id, tenant, event } in &effects.tombstones {
            let record = DeletedRecord { tenant: tenant.clone(), event: *event };
            write(Summed::Deleted, id.to_string().as_bytes(), Some(&encode(&record)?))?;
        }
        for id in &effects.forgotten_ids {
            write(Summed::Deleted, id.to_string().as_bytes(), None)?;
        }
        for user in &effects.users {
            let key = [user.tenant.as_str(), user.id.as_str()].join("\0");
            write(Summed::Users, key.as_bytes(), Some(&encode(user)?))?;
        }
        for (tenant, policy) in &effects.policies {
            write(Summed::Policies, tenant.as_str().as_bytes(), Some(&encode(policy)?))?;
        }
        for (id, total) in &effects.usage {
            write(Summed::Usage, id.as_bytes(), Some(&encode(total)?))?;
        }
        if let Some((id, writer)) = &effects.writer {
            write(Summed::Writers, id, Some(&encode(&WriterRecord::from(*writer))?))?;
        }
        for id in &effects.forgotten_writers {
            write(Summed::Writers, id, None)?;
        }
        let written = write_events(&transaction, &effects.events)?;
        let forgotten = forget_events(&transaction, &effects.forgotten_events)?;
        let left = |before: u64, written: u64, forgotten: u64| {
            (before + written).checked_sub(forgotten).ok_or_else(events_missing)
        };
        let state = State {
            epoch: epoch.0,
            events: left(self.state.events, written.all, forgotten.all)?,
            events_of_keys: left(self.state.events_of_keys, written.of_keys, forgotten.of_keys)?,
            sum: sum.to_hex(),
        };
        self.commit(transaction, state, sum)
    }

    /// Returns the place to which the keys were moved, if they were.
    pub(super) fn moved_to(&self) -> Option<&str> {
        self.moved_to.as_deref()
    }

    /// Records the place to which the keys were moved, or forgets it. Returns when this is durable.
    /// After an error, the database must not be used.
    pub(super) fn set_moved_to(&mut self, place: Option<&str>) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        if let Some(place) = place {
            put(&transaction, META, "meta", MOVED_KEY, place.as_bytes())?;
        } else {
            let mut meta = transaction.open_table(META).map_err(storage)?;
            meta.remove(MOVED_KEY).map_err(storage)?;
        }
        self.commit(transaction, self.state.clone(), self.sum)?;
        self.moved_to = place.map(str::to_owned);
        Ok(())
    }

    /// Starts a read of the current data. Later writes do not wait for it and are not visible in
    /// it.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.redb.begin_read().map_err(storage)
    }

    fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.redb.begin_write().map_err(storage)?;
        transaction.set_durability(Durability::Immediate).map_err(storage)?;
        // With one phase, redb would silently replace a damaged commit with the one before it.
        transaction.set_two_phase_commit(true);
        Ok(transaction)
    }

    fn commit(
        &mut self,
        transaction: WriteTransaction,
        state: State,
        sum: Sum,
    ) -> Result<(), StoreError> {
        put(&transaction, META, "meta", STATE_KEY, &encode(&state)?)?;
        transaction.commit().map_err(storage)?;
        self.state = state;
        self.sum = sum;
        Ok(())
    }
}

/// Adds a record that was read to the loaded data.
fn take(summed: Summed, key: &[u8], value: &[u8], loaded: &mut Loaded) -> Result<(), StoreError> {
    let table = summed.table();
    let name = table.name();
    match summed {
        Summed::Keys => loaded.keys.push(decode(name, key, value)?),
        Summed::Accounts => loaded.accounts.push(decode(name, key, value)?),
        Summed::Users => loaded.users.push(decode(name, key, value)?),
        Summed::Policies => {
            loaded.policies.push((parse_key(name, key)?, decode(name, key, value)?));
        }
        Summed::Usage => loaded.usage.push((parse_key(name, key)?, decode(name, key, value)?)),
        Summed::Deleted => {
            let id = parse_key(name, key)?;
            let DeletedRecord { tenant, event } = decode(name, key, value)?;
            loaded.tombstones.push(Tombstone { id, tenant, event });
        }
        Summed::Writers => {
            let id = key.try_into().map_err(|_| malformed(name, key))?;
            let record: WriterRecord = decode(name, key, value)?;
            loaded.writers.push((id, record.into()));
        }
    }
    Ok(())
}

/// Returns redb's builder with the options of this crate.
pub(super) fn builder() -> Builder {
    let mut builder = redb::Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Refuses a file of another program or of another format, before anything in it is changed.
pub(super) fn check_format(database: &impl ReadableDatabase) -> Result<(), StoreError> {
    let foreign = || {
        StoreError::unsupported(
            "the file is a redb database of another program, not a keywright store",
        )
    };
    let transaction = database.begin_read().map_err(storage)?;
    let meta = match transaction.open_table(META) {
        Err(redb::TableError::Storage(error)) => return Err(storage(error)),
        Err(_) => return Err(foreign()),
        Ok(meta) => meta,
    };
    let stored = meta.get(FORMAT_KEY).map_err(storage)?.ok_or_else(foreign)?;
    let (_, value) = checksum::check("meta", FORMAT_KEY, stored.value())?;
    let format = std::str::from_utf8(value).ok().and_then(decimal::<u32>);
    match format {
        Some(FORMAT) => Ok(()),
        Some(newer) => Err(StoreError::unsupported(format!(
            "the store has format {newer}, and this version of keywright reads format {FORMAT}: \
             open it with the version that wrote it, or a newer one"
        ))),
        None => Err(StoreError::corrupt(
            "the format number of the store is damaged: restore the file from a backup",
        )),
    }
}

fn read_state(
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

fn read_moved_to(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<Option<String>, StoreError> {
    let Some(stored) = meta.get(MOVED_KEY).map_err(storage)? else { return Ok(None) };
    let (_, value) = checksum::check("meta", MOVED_KEY, stored.value())?;
    Ok(Some(String::from_utf8_lossy(value).into_owned()))
}
