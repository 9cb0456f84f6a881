//! Records in the file with a missing field or an impossible number. Their checksums are valid, so
//! the reader of the record must refuse them.

use std::path::Path;

use futures_lite::future::block_on;
use keywright::store::{EventQuery, KeyStore, StoreErrorKind};
use serde_json::{Value, json};

use crate::format::{copy, golden};
use crate::format_reader::{Rows, checksum, code, definition, tables};
use crate::open;

/// Replaces the value of a row, and updates its checksum and the sum.
fn rewrite(path: &Path, table: &str, key: &[u8], value: &Value) {
    let rows = Rows::read(path);
    let row = rows.of(table).iter().find(|row| row.key == key).expect("the row");
    let value = serde_json::to_vec(value).expect("JSON");
    let mut written = vec![(table, key, value.clone())];
    if !["events", "meta"].contains(&table) {
        let mut state = rows.row("meta", "state").json();
        let mended = checksum(table, key, &value).wrapping_sub(row.checksum);
        state["sum"] = format!("{:032x}", rows.sum().wrapping_add(mended)).into();
        written.push(("meta", b"state", serde_json::to_vec(&state).expect("JSON")));
    }
    let own = checksum(table, key, &written[0].2).to_be_bytes();
    let database = common::sealed::database(path);
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_two_phase_commit(true);
    for (table, key, value) in written {
        let stored = [checksum(table, key, &value).to_be_bytes().as_slice(), &value].concat();
        let mut rows = transaction.open_table(definition(table)).expect("the table");
        rows.insert(key, stored.as_slice()).expect("a row");
    }
    if let Some(letter) = letter_of(table) {
        let mut witnesses = transaction.open_table(definition("witnesses")).expect("the table");
        let key = [letter.as_bytes(), key].concat();
        assert!(witnesses.insert(key.as_slice(), own.as_slice()).expect("a row").is_some());
    }
    transaction.commit().expect("a commit");
}

/// Returns the letter of the witnesses of a table's rows.
fn letter_of(table: &str) -> Option<String> {
    let lists = &tables("The witnesses")[0];
    let row = lists.iter().find(|row| code(&row[1])[0] == table)?;
    Some(code(&row[0])[0].to_owned())
}

/// Returns the result of an open and a check after a row's value was replaced.
fn open_with(table: &str, key: &[u8], value: &Value) -> Result<(), StoreErrorKind> {
    let (_folder, path) = copy("lived");
    rewrite(&path, table, key, value);
    let store = open(&path).map_err(|error| error.kind())?;
    if table != "events" {
        return block_on(store.check()).map_err(|error| error.kind());
    }
    // The check compares the sequence of an event with its place.
    let tenant = "globex".parse().expect("an id");
    let query = EventQuery::new().limit(500);
    block_on(store.events(&tenant, &query)).map(drop).map_err(|error| error.kind())
}

/// Returns a row of each table with JSON: the table, the key and the value.
fn rows() -> Vec<(&'static str, Vec<u8>, Value)> {
    let golden = golden("lived");
    let first = |table: &'static str| {
        let mut rows = golden.of(table).iter();
        let row = rows.find(|row| table != "events" || row.key.starts_with(b"globex\0"));
        let row = row.expect("a row");
        (table, row.key.clone(), row.json())
    };
    let mut all: Vec<_> = [
        "keys", "accounts", "users", "policies", "usage", "deleted", "writers", "tenants", "events",
    ]
    .map(first)
    .into();
    all.push(("meta", b"state".to_vec(), golden.row("meta", "state").json()));
    all
}

#[test]
fn record_without_member_is_corrupt() {
    let mut tried = 0;
    for (table, key, value) in rows() {
        assert_eq!(open_with(table, &key, &value), Ok(()), "{table}");
        for inner in ["", "/key", "/plan", "/settings", "/usage", "/rows"] {
            let Some(Value::Object(members)) = value.pointer(inner) else { continue };
            for name in members.keys().filter(|name| *name != "retiring") {
                let mut less = value.clone();
                let object = less.pointer_mut(inner).and_then(Value::as_object_mut);
                object.expect("an object").remove(name);
                let opened = open_with(table, &key, &less);
                assert_eq!(opened, Err(StoreErrorKind::Corrupt), "{table} without {name}");
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn record_with_impossible_version_is_corrupt() {
    let places = [
        ("keys", "/key/version"),
        ("accounts", "/version"),
        ("users", "/version"),
        ("policies", "/version"),
        ("policies", "/plan/version"),
        ("policies", "/settings/version"),
        ("events", "/sequence"),
    ];
    for (table, place) in places {
        let all = rows();
        let (_, key, value) = all.iter().find(|(known, ..)| *known == table).expect("a row");
        for (number, expected) in [
            (i64::MAX.cast_unsigned(), Ok(())),
            (i64::MAX.cast_unsigned() + 1, Err(StoreErrorKind::Corrupt)),
            (u64::MAX, Err(StoreErrorKind::Corrupt)),
        ] {
            let mut value = value.clone();
            *value.pointer_mut(place).expect("the number") = json!(number);
            assert_eq!(open_with(table, key, &value), expected, "{table} {number}");
        }
    }
}
