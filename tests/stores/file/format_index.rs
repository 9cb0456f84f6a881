//! The index is as the guide's page on the file format says.

use std::collections::BTreeSet;

use keywright::Timestamp;
use serde_json::Value;

use super::format::each_golden;
use super::format_reader::{Row, Rows};

/// Returns the bytes of a time in the index.
fn sortable(micros: i64) -> [u8; 8] {
    (micros ^ i64::MIN).to_be_bytes()
}

/// Returns a time of a record in microseconds.
fn micros(time: &Value) -> Option<i64> {
    Some(time.as_str()?.parse::<Timestamp>().expect("a time").unix_micros())
}

/// Returns the entries that the page describes for the keys, accounts, deleted ids and writers.
fn documented_entries(rows: &Rows) -> BTreeSet<Vec<u8>> {
    let mut entries = BTreeSet::new();
    for record in rows.of("keys").iter().map(Row::json) {
        let key = &record["key"];
        let text = |name: &str| key[name].as_str().expect("text").as_bytes();
        let (id, owner) = (text("id"), text("owner"));
        let created = micros(&key["created_at"]).expect("a time");
        let expiry = micros(&key["expires_at"]).unwrap_or(i64::MAX);
        let used = rows.of("usage").iter().find(|row| row.key == id).map(Row::json);
        let used = used.and_then(|row| micros(&row["usage"]["last_used_at"])).unwrap_or(-1);
        let mut add = |letter: &[u8], parts: &[&[u8]]| {
            let parts = parts.concat();
            entries.insert([letter, text("tenant"), &[0], &parts, id].concat());
        };
        add(b"c", &[&sortable(created)]);
        add(b"m", &[&sortable(micros(&key["updated_at"]).expect("a time"))]);
        add(b"e", &[&sortable(expiry)]);
        add(b"l", &[&sortable(used)]);
        add(b"n", &[text("name"), &[0]]);
        add(b"o", &[owner, &[0], &sortable(created)]);
        if key["revoked_at"].is_null() {
            add(b"v", &[owner, &[0], &sortable(expiry)]);
            if !key["expires_at"].is_null() {
                add(b"x", &[&sortable(expiry)]);
            }
        }
    }
    for account in rows.of("accounts").iter().map(Row::json) {
        let text = |name: &str| account[name].as_str().expect("text").as_bytes();
        let created = sortable(micros(&account["created_at"]).expect("a time"));
        entries.insert([b"a", text("tenant"), &[0], &created, text("id")].concat());
    }
    for row in rows.of("deleted") {
        let record = row.json();
        let tenant = record["tenant"].as_str().expect("text").as_bytes();
        let event = record["event"].as_u64().expect("a number").to_be_bytes();
        entries.insert([b"d", tenant, &[0], &event, &row.key].concat());
    }
    for row in rows.of("writers") {
        let at = sortable(micros(&row.json()["at"]).expect("a time"));
        entries.insert([b"w".as_slice(), &at, &row.key].concat());
    }
    entries
}

#[test]
fn index_is_as_documented() {
    for (name, rows) in each_golden() {
        let others = rows.of("index").iter().filter(|row| !row.key.starts_with(b"k"));
        let found: BTreeSet<_> = others.map(|row| row.key.clone()).collect();
        assert_eq!(found, documented_entries(&rows), "{name}");
        for row in rows.of("index") {
            let Some((crc, facts)) = row.value.split_first_chunk() else { continue };
            assert!(row.key.starts_with(b"c"), "{name}: only entries by creation have facts");
            let crc = u32::from_be_bytes(*crc);
            assert_eq!(crc, crc32(&[row.key.as_slice(), facts].concat()), "{name}");
        }
    }
}

/// Computes CRC-32 (IEEE 802.3), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    })
}
