//! The tables of the file: their names, and the encoding of their records.
//!
//! Format 2 is a redb database with these tables. All keys and values are bytes.
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
//! | `usage` | key id | [`UsageRecord`]; only of keys that were used |
//! | `deleted` | `key:` or `account:` and the id | [`DeletedRecord`] |
//! | `writers` | writer of usage, 16 bytes | [`WriterRecord`] |
//! | `tenants` | tenant id | [`TenantRecord`] |
//! | `events` | tenant id, a zero byte, sequence | `Event` |
//! | `index` | see `index` | nothing, or see `facts` |
//! | `witnesses` | the letter of a table, the key of a record | the checksum of the record |
//!
//! A value is a checksum (see `checksum`) followed by JSON. A sequence number has 8 bytes, most
//! significant byte first. Every commit is one redb transaction in two phases, synced before it is
//! acknowledged.
//!
//! A witness repeats the checksum of a record in another tree. If a disk loses the write of a page,
//! the older copy of the page has valid checksums (see `pages`), and so have its records. One lost
//! page is not in two trees. So a record is accepted only together with its witness.

use redb::TableDefinition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::checksum::{self, Sum};
use crate::record::usage::{LastBatch, Usage};
use crate::store::error::StoreError;
use crate::store::plan::Writer;
use crate::value::id::{TenantId, UserId};
use crate::value::text::hex;
use crate::value::time::Timestamp;

pub(super) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

pub(super) const META: Table = TableDefinition::new("meta");
pub(super) const EVENTS: Table = TableDefinition::new("events");
pub(super) const INDEX: Table = TableDefinition::new("index");
pub(super) const WITNESSES: Table = TableDefinition::new("witnesses");

/// The format that this version reads and writes.
pub(super) const FORMAT: u32 = 2;
pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const STATE_KEY: &[u8] = b"state";
pub(super) const MOVED_KEY: &[u8] = b"moved";

/// The tables whose checksums are included in the sum of the state record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Summed {
    Keys,
    Accounts,
    Users,
    Policies,
    Usage,
    Deleted,
    Writers,
    Tenants,
}

impl Summed {
    pub(super) const ALL: [Self; 8] = [
        Self::Keys,
        Self::Accounts,
        Self::Users,
        Self::Policies,
        Self::Usage,
        Self::Deleted,
        Self::Writers,
        Self::Tenants,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Accounts => "accounts",
            Self::Users => "users",
            Self::Policies => "policies",
            Self::Usage => "usage",
            Self::Deleted => "deleted",
            Self::Writers => "writers",
            Self::Tenants => "tenants",
        }
    }

    pub(super) const fn table(self) -> Table {
        TableDefinition::new(self.name())
    }

    /// Returns the letter of the table in the keys of witnesses; `None` if its records have none.
    pub(super) const fn letter(self) -> Option<u8> {
        match self {
            Self::Keys => Some(b'k'),
            Self::Accounts => Some(b'a'),
            Self::Users => Some(b'u'),
            Self::Policies => Some(b'p'),
            Self::Deleted => Some(b'd'),
            // An old copy of these records changes no decision.
            Self::Usage | Self::Writers | Self::Tenants => None,
        }
    }
}

/// Returns the key of the witness of a record.
pub(super) fn witness_key(letter: u8, key: &[u8]) -> Vec<u8> {
    [&[letter], key].concat()
}

/// Returns the key of a user's record.
pub(super) fn user_key(tenant: &TenantId, user: &UserId) -> Vec<u8> {
    [tenant.as_str(), user.as_str()].join("\0").into_bytes()
}

/// The state record, which every commit writes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// The number of the transaction. Each transaction has a greater number than the one before it.
    pub(super) transaction: u64,
    pub(super) epoch: u64,
    pub(super) rows: RowCounts,
    /// The sum of the checksums of all records in the summed tables, in hexadecimal.
    pub(super) sum: String,
}

/// The number of rows of each table.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowCounts {
    /// In the order of [`Summed::ALL`].
    pub(super) records: [u64; 8],
    pub(super) events: u64,
    pub(super) index: u64,
    pub(super) witnesses: u64,
}

/// The numbers of a tenant.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantRecord {
    /// The number of the newest event; 0 if there was none.
    pub(super) last_event: u64,
    /// The number of keys, dead keys included.
    pub(super) keys: u64,
    /// The number of keys that are not revoked.
    pub(super) unrevoked: u64,
    /// The number of service accounts.
    pub(super) accounts: u64,
}

/// The usage of a key, with the tenant of the key, so that a flush need not read the key.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageRecord {
    pub(super) tenant: TenantId,
    pub(super) usage: Usage,
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

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).map(u128::from_be_bytes).map(Self)
    }
}
