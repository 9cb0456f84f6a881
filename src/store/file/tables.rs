//! The tables of the file: their names, and the encoding of their records.
//!
//! Format 1 is a redb database with these tables. All keys and values are bytes.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format` | the number of the format, in decimal |
//! | `meta` | `state` | [`State`] |
//! | `meta` | `moved` | the place to which the keys were moved, as text; only if they were |
//! | `keys` | key id | `KeyRecord` |
//! | `accounts` | account id | `ServiceAccount` |
//! | `users` | tenant id, a zero byte, user id | `User` |
//! | `policies` | tenant id | `TenantPolicy` |
//! | `usage` | key id | `Usage` |
//! | `deleted` | `key:` or `account:` and the id | [`DeletedRecord`] |
//! | `writers` | writer of usage, 16 bytes | [`WriterRecord`] |
//! | `events` | tenant id, a zero byte, sequence | `Event` |
//! | `events_by_key` | tenant id, a zero byte, key id, sequence | nothing |
//!
//! A value is a checksum (see `checksum`) followed by JSON. A sequence number has 8 bytes, most
//! significant byte first. Every commit is one redb transaction in two phases, synced before it is
//! acknowledged.

use redb::{TableDefinition, WriteTransaction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::checksum::{self, Sum};
use super::errors::storage;
use crate::record::usage::LastBatch;
use crate::store::error::StoreError;
use crate::store::plan::Writer;
use crate::value::id::TenantId;
use crate::value::text::hex;
use crate::value::time::Timestamp;

pub(super) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

pub(super) const META: Table = TableDefinition::new("meta");
pub(super) const EVENTS: Table = TableDefinition::new("events");
pub(super) const EVENTS_BY_KEY: Table = TableDefinition::new("events_by_key");

/// The format that this version reads and writes.
pub(super) const FORMAT: u32 = 1;
pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const STATE_KEY: &[u8] = b"state";
pub(super) const MOVED_KEY: &[u8] = b"moved";

/// The tables whose checksums are included in the sum of the state record.
#[derive(Clone, Copy)]
pub(super) enum Summed {
    Keys,
    Accounts,
    Users,
    Policies,
    Usage,
    Deleted,
    Writers,
}

impl Summed {
    pub(super) const ALL: [Self; 7] = [
        Self::Keys,
        Self::Accounts,
        Self::Users,
        Self::Policies,
        Self::Usage,
        Self::Deleted,
        Self::Writers,
    ];

    pub(super) fn table(self) -> Table {
        match self {
            Self::Keys => TableDefinition::new("keys"),
            Self::Accounts => TableDefinition::new("accounts"),
            Self::Users => TableDefinition::new("users"),
            Self::Policies => TableDefinition::new("policies"),
            Self::Usage => TableDefinition::new("usage"),
            Self::Deleted => TableDefinition::new("deleted"),
            Self::Writers => TableDefinition::new("writers"),
        }
    }
}

/// The state record, which every commit writes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) epoch: u64,
    /// The number of events of all tenants.
    pub(super) events: u64,
    /// The number of events that name a key.
    pub(super) events_of_keys: u64,
    /// The sum of the checksums of all records in the summed tables, in hexadecimal.
    pub(super) sum: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeletedRecord {
    pub(super) tenant: TenantId,
    pub(super) event: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriterRecord {
    sequence: u64,
    #[serde(with = "hex")]
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

/// Writes a record of a table that is not in the sum.
pub(super) fn put(
    transaction: &WriteTransaction,
    table: Table,
    name: &str,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    let mut rows = transaction.open_table(table).map_err(storage)?;
    rows.insert(key, checksum::prepend(name, key, value).as_slice()).map_err(storage)?;
    Ok(())
}

/// Parses the key of a record that is text.
pub(super) fn parse_key<T: std::str::FromStr>(table: &str, key: &[u8]) -> Result<T, StoreError> {
    let text = std::str::from_utf8(key).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| malformed(table, key))
}

pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| {
        StoreError::unsupported("a record can't be encoded as JSON").with_source(error)
    })
}

pub(super) fn decode<T: DeserializeOwned>(
    table: &str,
    key: &[u8],
    value: &[u8],
) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| malformed(table, key).with_source(error))
}

/// Returns the error for a record whose checksum matches and whose key or value cannot be decoded.
pub(super) fn malformed(table: &str, key: &[u8]) -> StoreError {
    let key = checksum::shown(key);
    StoreError::corrupt(format!(
        "the record {key} in table {table} can't be decoded: restore the file from a backup"
    ))
}

impl Sum {
    pub(super) fn to_hex(self) -> String {
        hex::encode(&self.0.to_be_bytes())
    }
}
