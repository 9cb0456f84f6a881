//! Any JSON as a stored record: it is refused, or is written as a text that reads as the same record.

use common::block_on;
use keywright::store::{
    Batch, Change, KeyRecord, KeyStore, LastBatch, MemoryStore, StoreErrorKind, TenantPolicy, Usage,
};
use keywright::{
    Event, Key, Metadata, NamePattern, Plan, ServiceAccount, Settings, TenantId, User,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

const KINDS: &[fn(&str)] = &[
    read_alone::<Key>,
    |json| {
        if let Some(record) = read::<KeyRecord>(json) {
            insert(&record.key().tenant.clone(), Change::InsertKey(record));
        }
    },
    |json| {
        if let Some(account) = read::<ServiceAccount>(json) {
            insert(&account.tenant.clone(), Change::InsertAccount(account));
        }
    },
    read_alone::<TenantPolicy>,
    read_alone::<Plan>,
    read_alone::<Settings>,
    read_alone::<User>,
    read_alone::<Usage>,
    read_alone::<LastBatch>,
    read_alone::<Event>,
    read_alone::<Metadata>,
    read_alone::<NamePattern>,
];

fn read_alone<T: DeserializeOwned + Serialize>(json: &str) {
    let _ = read::<T>(json);
}

/// The first byte chooses the kind of record.
pub(crate) fn run(data: &[u8]) {
    let Some((kind, json)) = data.split_first() else { return };
    let Ok(json) = std::str::from_utf8(json) else { return };
    KINDS[usize::from(*kind) % KINDS.len()](json);
}

fn read<T: DeserializeOwned + Serialize>(json: &str) -> Option<T> {
    let record: T = match serde_json::from_str(json) {
        Ok(record) => record,
        Err(error) => {
            let (error, given) = (error.to_string(), json.len());
            assert!(error.len() <= given + 1_000, "{} bytes about {given}", error.len());
            return None;
        }
    };
    let written = serde_json::to_string(&record).expect("a record is written");
    let again = serde_json::from_str::<T>(&written);
    let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(serde_json::to_string(&again).expect("a record is written"), written);
    Some(record)
}

/// Inserts a record into an empty store, which takes it or says that it is none for this store.
fn insert(tenant: &TenantId, change: Change) {
    let batch = Batch { changes: vec![change], ..Batch::of(tenant.clone()) };
    if let Err(error) = block_on(MemoryStore::new().commit(batch)) {
        let kinds = [StoreErrorKind::Conflict, StoreErrorKind::Unsupported];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
}
