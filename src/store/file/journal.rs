//! The database file: which tables there are, how effects are written and read back.
//!
//! Format 1: a redb database with these tables, all from bytes to bytes.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format` | the number of the format, in decimal |
//! | `meta` | `state` | [`State`] |
//! | `keys` | key id | `KeyRecord` |
//! | `accounts` | account id | `ServiceAccount` |
//! | `policies` | tenant id | `Policy` |
//! | `usage` | key id | `Usage` |
//! | `deleted` | `key:` or `account:` and the id | [`DeletedRecord`] |
//! | `writers` | writer of usage, 16 bytes | [`WriterRecord`] |
//! | `events` | tenant id, a zero byte, sequence | `Event` |
//! | `events_by_key` | tenant id, a zero byte, key id, sequence | nothing |
//!
//! Values are JSON behind a seal (see `seal`), sequences 8 bytes, most significant first. Every
//! commit is one redb transaction in two phases, synced before it is acknowledged.

use std::collections::HashMap;

use redb::{
    Builder, Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, TableDefinition, WriteTransaction,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::errors::storage;
use super::seal::{self, Sum};
use crate::record::event::Event;
use crate::record::usage::LastBatch;
use crate::store::StoreError;
use crate::store::image::{Contents, Effects, Tombstone, Writer};
use crate::value::id::{KeyId, TenantId};
use crate::value::text::decimal;
use crate::value::time::Timestamp;

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

const META: Table = TableDefinition::new("meta");
const KEYS: Table = TableDefinition::new("keys");
const ACCOUNTS: Table = TableDefinition::new("accounts");
const POLICIES: Table = TableDefinition::new("policies");
const USAGE: Table = TableDefinition::new("usage");
const DELETED: Table = TableDefinition::new("deleted");
const WRITERS: Table = TableDefinition::new("writers");
pub(super) const EVENTS: Table = TableDefinition::new("events");
pub(super) const EVENTS_BY_KEY: Table = TableDefinition::new("events_by_key");

/// The tables whose records are counted into the sum of the state.
const SUMMED: [(Table, &str); 6] = [
    (KEYS, "keys"),
    (ACCOUNTS, "accounts"),
    (POLICIES, "policies"),
    (USAGE, "usage"),
    (DELETED, "deleted"),
    (WRITERS, "writers"),
];

/// The format that this version writes.
const FORMAT: u32 = 1;
const FORMAT_KEY: &[u8] = b"format";
const STATE_KEY: &[u8] = b"state";

/// The database's cache. Reads come from the image, so it serves commits and events alone.
const CACHE_BYTES: usize = 16 << 20;

/// What every commit writes anew.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct State {
    epoch: u64,
    /// How many events there are, of all tenants.
    events: u64,
    /// How many of the events are of a key.
    events_of_keys: u64,
    /// The sum of the tags of all records in the summed tables, in hex.
    sum: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DeletedRecord {
    tenant: TenantId,
    event: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WriterRecord {
    sequence: u64,
    #[serde(with = "crate::value::text::hex")]
    fingerprint: [u8; 16],
    at: Timestamp,
}

impl From<WriterRecord> for Writer {
    fn from(WriterRecord { sequence, fingerprint, at }: WriterRecord) -> Self {
        Self { last: LastBatch { sequence, fingerprint }, at }
    }
}

impl From<Writer> for WriterRecord {
    fn from(Writer { last: LastBatch { sequence, fingerprint }, at }: Writer) -> Self {
        Self { sequence, fingerprint, at }
    }
}

/// The open database, and the state as of the last commit.
#[derive(Debug)]
pub(super) struct Journal {
    database: Database,
    state: State,
    sum: Sum,
}

impl Journal {
    /// Writes the tables and the state of an empty store.
    pub(super) fn initialise(database: Database) -> Result<Self, StoreError> {
        let mut journal = Self { database, state: State::default(), sum: Sum::default() };
        let transaction = journal.begin()?;
        put(&transaction, META, "meta", FORMAT_KEY, FORMAT.to_string().as_bytes())?;
        for table in SUMMED.map(|(table, _)| table).into_iter().chain([EVENTS, EVENTS_BY_KEY]) {
            transaction.open_table(table).map_err(storage)?;
        }
        let sum = Sum::default();
        journal.commit(transaction, State { sum: to_hex(sum), ..State::default() }, sum)?;
        Ok(journal)
    }

    /// Checks the format and reads everything back but the events.
    pub(super) fn load(mut database: Database) -> Result<(Self, Contents), StoreError> {
        check_format(&database)?;
        database.check_integrity().map_err(storage)?;
        let transaction = database.begin_read().map_err(storage)?;
        let (_, state) = read_one::<State>(&transaction.open_table(META).map_err(storage)?)?;

        let mut contents = Contents::default();
        let effects = &mut contents.effects;
        effects.epoch = state.epoch;
        let mut sum = Sum::default();
        for (table, name) in SUMMED {
            let rows = transaction.open_table(table).map_err(storage)?;
            for row in rows.iter().map_err(storage)? {
                let (key, sealed) = row.map_err(storage)?;
                let (tag, value) = seal::open(name, key.value(), sealed.value())?;
                sum.add(tag);
                let key = key.value();
                match name {
                    "keys" => effects.keys.push(decode(name, key, value)?),
                    "accounts" => effects.accounts.push(decode(name, key, value)?),
                    "policies" => {
                        let tenant = parse_key::<TenantId>(name, key)?;
                        effects.policies.push((tenant, decode(name, key, value)?));
                    }
                    "usage" => {
                        effects.usage.push((parse_key(name, key)?, decode(name, key, value)?));
                    }
                    "deleted" => {
                        let id = parse_key(name, key)?;
                        let DeletedRecord { tenant, event } = decode(name, key, value)?;
                        effects.tombstones.push(Tombstone { id, tenant, event });
                    }
                    _ => {
                        let id = key.try_into().map_err(|_| malformed(name, key))?;
                        let record: WriterRecord = decode(name, key, value)?;
                        contents.writers.push((id, record.into()));
                    }
                }
            }
        }
        if state.sum != to_hex(sum) {
            return Err(StoreError::corrupt("records are missing or older than the last commit"));
        }
        let count = |table| {
            let rows = transaction.open_table(table).map_err(storage)?;
            rows.len().map_err(storage)
        };
        let numbers = event_numbers(&transaction.open_table(EVENTS).map_err(storage)?)?;
        // Events are forgotten from the oldest on, so each tenant's numbers have no gap.
        let numbered = numbers.values().try_fold(0_u64, |all, (first, last)| {
            all.checked_add(last.checked_sub(*first)?)?.checked_add(1)
        });
        effects.last_events = numbers.into_iter().map(|(id, (_, last))| (id, last)).collect();
        let whole = numbered == Some(state.events) && count(EVENTS)? == state.events;
        if !whole || count(EVENTS_BY_KEY)? != state.events_of_keys {
            return Err(events_missing());
        }
        drop(transaction);
        Ok((Self { database, state, sum }, contents))
    }

    /// Writes effects and returns when they are durable. After an error the journal may not be used.
    pub(super) fn write(&mut self, effects: &Effects) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        let mut sum = self.sum;
        let mut write = |(table, name): (Table, &str), key: &[u8], value: Option<&[u8]>| {
            let mut rows = transaction.open_table(table).map_err(storage)?;
            let old = match value {
                Some(value) => {
                    let sealed = seal::seal(name, key, value);
                    sum.add(seal::stored_tag(&sealed));
                    rows.insert(key, sealed.as_slice()).map_err(storage)?
                }
                None => rows.remove(key).map_err(storage)?,
            };
            if let Some(old) = old {
                sum.take_away(seal::stored_tag(old.value()));
            }
            Ok::<(), StoreError>(())
        };
        let [keys, accounts, policies, usage, deleted, writers] = SUMMED;
        for record in &effects.keys {
            write(keys, record.id().as_bytes(), Some(&encode(record)?))?;
        }
        for id in &effects.deleted_keys {
            write(keys, id.as_bytes(), None)?;
            write(usage, id.as_bytes(), None)?;
        }
        for account in &effects.accounts {
            write(accounts, account.id.as_str().as_bytes(), Some(&encode(account)?))?;
        }
        for id in &effects.deleted_accounts {
            write(accounts, id.as_str().as_bytes(), None)?;
        }
        for Tombstone { id, tenant, event } in &effects.tombstones {
            let record = DeletedRecord { tenant: tenant.clone(), event: *event };
            write(deleted, id.to_string().as_bytes(), Some(&encode(&record)?))?;
        }
        for id in &effects.forgotten_ids {
            write(deleted, id.to_string().as_bytes(), None)?;
        }
        for (tenant, policy) in &effects.policies {
            write(policies, tenant.as_str().as_bytes(), Some(&encode(policy)?))?;
        }
        for (id, total) in &effects.usage {
            write(usage, id.as_bytes(), Some(&encode(total)?))?;
        }
        if let Some((id, writer)) = &effects.writer {
            write(writers, id, Some(&encode(&WriterRecord::from(*writer))?))?;
        }
        for id in &effects.forgotten_writers {
            write(writers, id, None)?;
        }
        let written = write_events(&transaction, &effects.events)?;
        let forgotten = forget_events(&transaction, &effects.forgotten)?;
        let left = |before: u64, written: u64, forgotten: u64| {
            (before + written).checked_sub(forgotten).ok_or_else(events_missing)
        };
        let state = State {
            epoch: effects.epoch,
            events: left(self.state.events, written.all, forgotten.all)?,
            events_of_keys: left(self.state.events_of_keys, written.of_keys, forgotten.of_keys)?,
            sum: to_hex(sum),
        };
        self.commit(transaction, state, sum)
    }

    /// What is in the file now; later writes neither wait for it nor show in it.
    pub(super) fn look(&self) -> Result<ReadTransaction, StoreError> {
        self.database.begin_read().map_err(storage)
    }

    fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.database.begin_write().map_err(storage)?;
        transaction.set_durability(Durability::Immediate).map_err(storage)?;
        // With one phase, a damaged commit slot would silently give way to the commit before it.
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

pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Refuses what this version did not write, before anything of it is touched.
pub(super) fn check_format(database: &impl ReadableDatabase) -> Result<(), StoreError> {
    let foreign = || StoreError::unsupported("the file is a database of another program");
    let transaction = database.begin_read().map_err(storage)?;
    let meta = match transaction.open_table(META) {
        Err(redb::TableError::Storage(error)) => return Err(storage(error)),
        Err(_) => return Err(foreign()),
        Ok(meta) => meta,
    };
    let sealed = meta.get(FORMAT_KEY).map_err(storage)?.ok_or_else(foreign)?;
    let (_, value) = seal::open("meta", FORMAT_KEY, sealed.value())?;
    let format = std::str::from_utf8(value).ok().and_then(decimal::<u32>);
    match format {
        Some(FORMAT) => Ok(()),
        Some(newer) => Err(StoreError::unsupported(format!(
            "the store has format {newer} and this version of keywright knows format {FORMAT}: \
             open it with the version that wrote it, or a newer one"
        ))),
        None => Err(StoreError::corrupt("the format of the store is no number")),
    }
}

fn read_one<T: DeserializeOwned>(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<(u128, T), StoreError> {
    let missing = || StoreError::corrupt("the state record is missing");
    let sealed = meta.get(STATE_KEY).map_err(storage)?.ok_or_else(missing)?;
    let (tag, value) = seal::open("meta", STATE_KEY, sealed.value())?;
    Ok((tag, decode("meta", STATE_KEY, value)?))
}

fn put(
    transaction: &WriteTransaction,
    table: Table,
    name: &str,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    let mut rows = transaction.open_table(table).map_err(storage)?;
    rows.insert(key, seal::seal(name, key, value).as_slice()).map_err(storage)?;
    Ok(())
}

/// How many events, and how many of them are of a key.
#[derive(Default)]
struct Counts {
    all: u64,
    of_keys: u64,
}

fn write_events(transaction: &WriteTransaction, events: &[Event]) -> Result<Counts, StoreError> {
    let mut written = Counts::default();
    for event in events {
        let place = sequenced(&event_prefix(&event.tenant), event.sequence);
        put(transaction, EVENTS, "events", &place, &encode(event)?)?;
        written.all += 1;
        if let Some(key) = event.key {
            let place = sequenced(&key_prefix(&event.tenant, &key), event.sequence);
            put(transaction, EVENTS_BY_KEY, "events_by_key", &place, b"")?;
            written.of_keys += 1;
        }
    }
    Ok(written)
}

/// Removes each tenant's events up to a number.
fn forget_events(
    transaction: &WriteTransaction,
    forgotten: &[(TenantId, u64)],
) -> Result<Counts, StoreError> {
    let mut removed = Counts::default();
    for (tenant, through) in forgotten {
        let prefix = event_prefix(tenant);
        let (from, to) = (sequenced(&prefix, 0), sequenced(&prefix, *through));
        let mut events = transaction.open_table(EVENTS).map_err(storage)?;
        let mut by_key = transaction.open_table(EVENTS_BY_KEY).map_err(storage)?;
        let rows = events.extract_from_if(from.as_slice()..=to.as_slice(), |_, _| true);
        for row in rows.map_err(storage)? {
            let (place, sealed) = row.map_err(storage)?;
            let (_, value) = seal::open("events", place.value(), sealed.value())?;
            let event: Event = decode("events", place.value(), value)?;
            removed.all += 1;
            if let Some(key) = event.key {
                let place = sequenced(&key_prefix(tenant, &key), event.sequence);
                by_key.remove(place.as_slice()).map_err(storage)?.ok_or_else(events_missing)?;
                removed.of_keys += 1;
            }
        }
    }
    Ok(removed)
}

/// Tenant ids have no zero byte, so no tenant's events lie between those of another.
pub(super) fn event_prefix(tenant: &TenantId) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0]].concat()
}

/// Where the index has the events of a key. Another tenant's attempts on it stand elsewhere.
pub(super) fn key_prefix(tenant: &TenantId, key: &KeyId) -> Vec<u8> {
    [&event_prefix(tenant), key.as_bytes().as_slice()].concat()
}

/// The numbers of each tenant's first and last event: the rows at the ends of those that begin with
/// the tenant.
fn event_numbers(
    events: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<HashMap<TenantId, (u64, u64)>, StoreError> {
    let mut numbers = HashMap::new();
    let mut from = Vec::new();
    loop {
        let first = events.range(from.as_slice()..).map_err(storage)?.next().transpose();
        let Some((first, _)) = first.map_err(storage)? else { return Ok(numbers) };
        let key = first.value();
        let malformed = || malformed("events", key);
        let tenant = key.split(|byte| *byte == 0).next().unwrap_or_default();
        // The prefix ends with a zero byte; whatever begins with a one in its place comes behind.
        from = [tenant, &[1]].concat();
        let mine = events.range(key..from.as_slice()).map_err(storage)?.next_back().transpose();
        let (last, _) = mine.map_err(storage)?.ok_or_else(malformed)?;
        let number = |place: &[u8]| place.last_chunk().copied().map(u64::from_be_bytes);
        let ends = number(key).zip(number(last.value())).ok_or_else(malformed)?;
        numbers.insert(parse_key::<TenantId>("events", tenant)?, ends);
    }
}

pub(super) fn sequenced(prefix: &[u8], sequence: u64) -> Vec<u8> {
    [prefix, &sequence.to_be_bytes()].concat()
}

fn parse_key<T: std::str::FromStr>(table: &str, key: &[u8]) -> Result<T, StoreError> {
    let text = std::str::from_utf8(key).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| malformed(table, key))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value)
        .map_err(|error| StoreError::unsupported("a record can't be written").with_source(error))
}

pub(super) fn decode<T: DeserializeOwned>(
    table: &str,
    key: &[u8],
    value: &[u8],
) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| malformed(table, key).with_source(error))
}

fn events_missing() -> StoreError {
    StoreError::corrupt("events are missing")
}

fn malformed(table: &str, key: &[u8]) -> StoreError {
    let key = seal::shown(key);
    StoreError::corrupt(format!("the record {key} in table {table} can't be read"))
}

fn to_hex(sum: Sum) -> String {
    format!("{:032x}", sum.0)
}
