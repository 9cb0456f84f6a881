//! Checks the guide's page on the file format: reads files by its text, with only the database and
//! the hash function, and compares the result with the store's view.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use futures_lite::future::block_on;
use keywright::store::{
    AccountQuery, Batch, EventQuery, FileStore, KeyQuery, KeyStore, Marker, StoreErrorKind, Usage,
};
use keywright::{TenantId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::format_reader::{Row, Rows, SUMMED, checksum, code, definition, section, tables};
use crate::{open, write_private};

/// The key of the usage row in the page's example.
const EXAMPLE: &str = "TWiCklIClVKcp4Tb";

/// Returns the bytes in a code block of the page: for each label, the hex digits before the bar.
fn bytes_in(section: &str, block: usize) -> BTreeMap<&str, Vec<u8>> {
    let mut found: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut label = "";
    let block = section.split("```").skip(1).step_by(2).nth(block).expect("a block of code");
    for line in block.lines().skip(1) {
        let (hex, _) = line.split_once('|').expect("a bar");
        let mut words = hex.split_whitespace();
        if !hex.starts_with(' ') {
            label = words.next().expect("a label");
        }
        let bytes = words.map(|byte| u8::from_str_radix(byte, 16).expect("a byte in hex"));
        found.entry(label).or_default().extend(bytes);
    }
    found
}

/// Returns the first and the last number of a text, as in `10 to 137` and `16`.
fn bounds(text: &str) -> Option<(usize, usize)> {
    let mut numbers = text.split(' ').filter_map(|word| word.parse().ok());
    let first = numbers.next()?;
    Some((first, numbers.next_back().unwrap_or(first)))
}

const GOLDEN: [&str; 3] = ["empty", "lived", "crashed"];

/// Copies a golden file.
pub(crate) fn copy(name: &str) -> (TempDir, PathBuf) {
    let kept = common::root().join("tests/data/golden/v2").join(name);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    write_private(&path, &fs::read(kept.with_extension("db")).expect("the file"));
    (folder, path)
}

pub(crate) fn golden(name: &str) -> Rows {
    let (_folder, path) = copy(name);
    Rows::read(&path)
}

pub(crate) fn each_golden() -> impl Iterator<Item = (&'static str, Rows)> {
    GOLDEN.into_iter().map(|name| (name, golden(name)))
}

/// Returns the tenant of an event row, and the bytes after the zero byte.
fn of_tenant(key: &[u8]) -> (&str, &[u8]) {
    let end = key.iter().position(|byte| *byte == 0).expect("a zero byte");
    (std::str::from_utf8(&key[..end]).expect("text"), &key[end + 1..])
}

fn is_id(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes.iter().all(u8::is_ascii_alphanumeric)
}

#[test]
fn file_has_exactly_the_documented_tables() {
    let listed: Vec<_> = tables("The tables").remove(0);
    let listed: BTreeSet<_> = listed.iter().map(|row| code(&row[0])[0].to_owned()).collect();
    for (name, rows) in each_golden() {
        assert_eq!(rows.0.keys().cloned().collect::<BTreeSet<_>>(), listed, "{name}");
    }
    let (_folder, path) = copy("empty");
    let store = open(&path).expect("it opens");
    block_on(store.commit(Batch::of(TenantId::default()))).expect("a commit");
    block_on(store.close()).expect("the store closes");
    let written = Rows::read(&path).0.into_keys().collect::<BTreeSet<_>>();
    assert_eq!(written, listed, "left: the store; right: the page");
}

#[test]
fn values_have_the_documented_checksum() {
    for (name, rows) in each_golden() {
        for (table, rows) in rows.with_checksums() {
            for Row { key, checksum: stored, value } in rows {
                let shown = String::from_utf8_lossy(key);
                assert_eq!(*stored, checksum(table, key, value), "{name}: {table} {shown:?}");
            }
        }
        let format = rows.row("meta", "format");
        assert_eq!(format.value, b"2", "{name}");
        assert!(section("The checksum").contains(&format!("`{:032x}`", format.checksum)), "{name}");
    }
}

#[test]
fn rows_have_the_documented_witnesses() {
    for (name, rows) in each_golden() {
        let stored = rows.of("witnesses").iter();
        let stored: BTreeMap<_, _> =
            stored.map(|row| (row.key.clone(), row.value.clone())).collect();
        assert_eq!(stored, rows.needed_witnesses(), "{name}");
    }
}

#[test]
fn documented_examples_are_kept_rows() {
    let section = section("One record, byte by byte");
    let example = bytes_in(section, 0);
    let rows = golden("lived");
    let table = std::str::from_utf8(&example["table"]).expect("a name");
    let key = std::str::from_utf8(&example["key"]).expect("an id");
    let row = rows.row(table, key);
    assert_eq!(row.value, example["value"]);
    assert_eq!(row.checksum.to_be_bytes(), example["checksum"][..]);
    assert_eq!(checksum(table, &example["key"], &example["value"]), row.checksum);
    let together = 16 + row.value.len();
    let hashed = 3 * 8 + table.len() + key.len() + row.value.len();
    for text in [format!("over {hashed} bytes"), format!("{together} bytes together")] {
        assert!(section.contains(&text), "{text}");
    }
    for part in [table.len(), key.len(), row.value.len()] {
        let length = (part as u64).to_be_bytes().map(|byte| format!("{byte:02x}")).join(" ");
        assert!(section.contains(&format!("`{length}`")), "{part}");
    }
    for (table, key) in bytes_in(section, 1) {
        assert!(rows.of(table).iter().any(|row| row.key == key), "{table}");
    }
}

#[test]
fn keys_are_ordered_as_documented() {
    for (name, rows) in each_golden() {
        for row in tables("The tables").remove(0) {
            let table = code(&row[0])[0];
            let (least, most) = bounds(&row[2]).expect("a length");
            let rows = rows.of(table);
            let fits = |row: &Row| (least..=most).contains(&row.key.len());
            assert!(rows.iter().all(fits), "{name}: {table}");
            assert!(rows.is_sorted_by(|a, b| a.key < b.key), "{name}: {table}");
        }
        let ids = ["keys", "accounts", "usage"].into_iter().flat_map(|table| rows.of(table));
        let ids: BTreeSet<&[u8]> = ids.map(|row| row.key.as_slice()).collect();
        assert!(ids.iter().all(|id| is_id(id)), "{name}");
        let tenants = rows.of("policies").iter().flat_map(|row| &row.key);
        assert!(tenants.into_iter().all(u8::is_ascii_graphic), "{name}");
        for row in rows.of("deleted") {
            let (kind, id) = row.text().split_once(':').expect("a colon");
            assert!(["key", "account"].contains(&kind) && is_id(id.as_bytes()), "{name}");
            assert!(!ids.contains(id.as_bytes()), "{name}: {kind}:{id}");
        }
    }
}

#[test]
fn events_are_numbered_as_documented() {
    for (name, rows) in each_golden() {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut of_keys = BTreeSet::new();
        for row in rows.of("events") {
            let (tenant, number) = of_tenant(&row.key);
            let begin = u64::from_be_bytes(*number.last_chunk().expect("8 bytes"));
            let last = last.entry(tenant).or_insert(begin - 1);
            *last += 1;
            assert_eq!(number, last.to_be_bytes(), "{name}: without gaps");
            let event = row.json();
            assert_eq!(json!([event["tenant"], event["sequence"]]), json!([tenant, last]));
            if let Some(key) = event["key"].as_str() {
                of_keys.insert([b"k", tenant.as_bytes(), &[0], key.as_bytes(), number].concat());
            }
        }
        let index = rows.of("index").iter().filter(|row| row.key.starts_with(b"k"));
        assert!(index.map(|row| &row.key).eq(&of_keys), "{name}");
        for row in rows.of("tenants") {
            let newest = last.get(row.text()).copied().unwrap_or(0);
            assert_eq!(row.json()["last_event"], newest, "{name}: {}", row.text());
        }
        let state = rows.row("meta", "state").json();
        let counts: Vec<_> = SUMMED.iter().map(|table| rows.of(table).len()).collect();
        assert_eq!(state["rows"]["records"], json!(counts), "{name}");
        for table in ["events", "index", "witnesses"] {
            assert_eq!(state["rows"][table], rows.of(table).len(), "{name}: {table}");
        }
        assert_eq!(state["sum"], format!("{:032x}", rows.sum()), "{name}");
    }
}

/// Returns whether a value has the type that the page's second column names.
pub(crate) fn fits(kind: &str, value: &Value) -> bool {
    let is_time = |text: &str| text.parse().is_ok_and(|time: Timestamp| time.to_string() == text);
    match kind {
        "text" => value.is_string(),
        "time" => value.as_str().is_some_and(is_time),
        "number" => value.is_u64(),
        "flag" => value.is_boolean(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "scopes" | "networks" => value.as_array().is_some_and(|v| v.iter().all(Value::is_string)),
        _ => match kind.split_once(", ").expect("a kind") {
            (kind, "null") => value.is_null() || fits(kind, value),
            (kind, _) => fits(kind, value),
        },
    }
}

#[track_caller]
fn assert_has_members(members: &[Vec<String>], record: &Value) {
    let mut found: BTreeSet<_> = record.as_object().expect("an object").keys().collect();
    for member in members {
        let (name, kind) = (code(&member[0])[0].to_owned(), &member[1]);
        let is_there = found.remove(&name);
        let fits = if is_there { fits(kind, &record[&name]) } else { kind.ends_with(", missing") };
        assert!(fits, "{name} is to be {kind}: {record}");
    }
    assert!(found.is_empty(), "{found:?} are not on the page: {record}");
}

#[test]
fn records_have_the_documented_members() {
    // The object inside a record that has its own list.
    let records = [
        ("keys", "A key", "/key"),
        ("accounts", "A service account", ""),
        ("users", "A user", ""),
        ("policies", "A policy", ""),
        ("deleted", "A deleted id", ""),
        ("writers", "A writer of usage", ""),
        ("tenants", "The numbers of a tenant", ""),
        ("events", "An event", ""),
    ];
    for (_, rows) in each_golden() {
        let state = rows.row("meta", "state").json();
        assert_has_members(&tables("The state")[0], &state);
        assert_has_members(&tables("The state")[1], &state["rows"]);
        for (table, heading, inner) in records {
            let lists = tables(heading);
            for record in rows.of(table).iter().map(Row::json) {
                assert_has_members(&lists[0], &record);
                let inner = record.pointer(inner).expect("its fields");
                assert_has_members(lists.last().expect("a list"), inner);
            }
        }
        for record in rows.of("policies").iter().map(Row::json) {
            for (part, heading) in [("plan", "The plan"), ("settings", "The settings")] {
                if !record[part].is_null() {
                    assert_has_members(&tables(heading)[0], &record[part]);
                }
            }
        }
        let [row, usage, windows, by_secret] = &tables("Usage")[..] else { panic!("four lists") };
        for record in rows.of("usage").iter().map(Row::json) {
            assert_has_members(row, &record);
            let record = &record["usage"];
            assert_has_members(usage, record);
            let lists =
                [("by_secret", by_secret), ("windows", windows), ("refused_windows", windows)];
            for (name, members) in lists {
                let items = record[name].as_array().expect("a list");
                assert_eq!(items.len(), 2, "{name}");
                let items = items.iter().filter(|item| !item.is_null());
                items.for_each(|item| assert_has_members(members, item));
            }
        }
        let of_details = &tables("Details of an event")[0];
        for record in rows.of("events").iter().map(Row::json) {
            assert_has_members(of_details, &record["details"]);
        }
    }
}

/// Returns records as JSON texts, in order.
fn texts<T: Serialize>(records: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    let as_json = |record| serde_json::to_value(record).expect("JSON").to_string();
    records.into_iter().map(as_json).collect()
}

#[test]
fn store_and_documented_reader_agree() {
    for name in GOLDEN {
        let (_folder, path) = copy(name);
        let rows = Rows::read(&path);
        let store = open(&path).expect("it opens");
        let marker = block_on(store.changes(&Marker::default())).expect("the changes").at;
        let epoch = marker.as_bytes().try_into().map(u64::from_be_bytes).expect("8 bytes");
        assert_eq!(rows.row("meta", "state").json()["epoch"], epoch, "{name}");
        let tenants = rows.of("events").iter().map(|row| of_tenant(&row.key).0);
        let tenants = tenants.chain(rows.of("policies").iter().map(Row::text));
        let tenants: BTreeSet<_> = tenants.map(|id| TenantId::new(id).expect("an id")).collect();
        let seen: usize = tenants.iter().map(|tenant| compare(&store, &rows, tenant)).sum();
        let in_file =
            ["keys", "accounts", "users", "policies", "usage", "events"].map(|t| rows.of(t).len());
        assert_eq!(seen, in_file.iter().sum::<usize>(), "{name}: a row has no tenant");
        block_on(store.close()).expect("the store closes");
    }
}

/// Compares the rows of a tenant with the store's view, and returns the number of rows.
fn compare(store: &FileStore, rows: &Rows, tenant: &TenantId) -> usize {
    let of = |table: &str, place: &str| {
        let records = rows.of(table).iter().map(Row::json);
        texts(records.filter(|record| record.pointer(place) == Some(&json!(tenant))))
    };
    let query = KeyQuery::new().limit(500);
    let keys = block_on(store.keys(tenant, &query, Timestamp::MIN)).expect("the keys").items;
    assert_eq!(texts(keys.iter().map(|key| &key.record)), of("keys", "/key/tenant"));
    let query = AccountQuery::new().limit(500);
    let accounts = block_on(store.accounts(tenant, &query)).expect("the accounts").items;
    assert_eq!(texts(&accounts), of("accounts", "/tenant"));
    let query = EventQuery::new().limit(500);
    let events = block_on(store.events(tenant, &query)).expect("the events").items;
    assert_eq!(texts(&events), of("events", "/tenant"));
    let of_tenant = |row: &&Row| of_tenant(&row.key).0 == tenant.as_str();
    let mut users = 0;
    for row in rows.of("users").iter().filter(of_tenant) {
        let (_, id) = row.text().split_once('\0').expect("a zero byte");
        let user = block_on(store.user(tenant, &common::user(id))).expect("the user");
        assert_eq!(texts([user]), texts([row.json()]));
        users += 1;
    }
    let policy = block_on(store.policies(slice::from_ref(tenant))).expect("the policy").remove(0);
    let stored = rows.of("policies").iter().filter(|row| row.key == tenant.as_str().as_bytes());
    assert_eq!(texts(&policy), texts(stored.map(Row::json)));
    let mut used = 0;
    for key in &keys {
        let id = key.record.id();
        let row = rows.of("usage").iter().find(|row| row.key == id.as_str().as_bytes());
        let usage = row.map_or(json!(Usage::default()), |row| row.json()["usage"].clone());
        assert_eq!(texts([key.usage]), texts([usage]));
        used += usize::from(row.is_some());
        let found = block_on(store.events(tenant, &query.clone().key(*id))).expect("the events");
        let prefix = format!("k{tenant}\0{id}");
        let index = rows.of("index").iter().map(|row| &row.key);
        let index = index.filter(|key| key.starts_with(prefix.as_bytes()));
        assert_eq!(found.items.len(), index.count());
    }
    keys.len() + accounts.len() + users + events.len() + policy.iter().count() + used
}

/// Writes other JSON into the page's example row, with its checksum, and with or without the sum.
fn write_usage(path: &Path, value: &Value, with_sum: bool) {
    let rows = Rows::read(path);
    let key = EXAMPLE.as_bytes();
    let value = serde_json::to_vec(value).expect("JSON");
    let mended = checksum("usage", key, &value).wrapping_sub(rows.row("usage", EXAMPLE).checksum);
    let mut state = rows.row("meta", "state").json();
    state["sum"] = format!("{:032x}", rows.sum().wrapping_add(mended)).into();
    let state = serde_json::to_vec(&state).expect("JSON");
    let written = [("usage", key, value), ("meta", b"state", state)];
    let database = common::sealed::database(path);
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_two_phase_commit(true);
    for (table, key, value) in written.into_iter().take(1 + usize::from(with_sum)) {
        let stored = [checksum(table, key, &value).to_be_bytes().as_slice(), &value].concat();
        let mut rows = transaction.open_table(definition(table)).expect("the table");
        rows.insert(key, stored.as_slice()).expect("a row");
    }
    transaction.commit().expect("a commit");
}

#[test]
fn documented_writer_makes_valid_files() {
    let mut usage = golden("lived").row("usage", EXAMPLE).json();
    usage["usage"]["uses"] = u64::MAX.into();
    let mut larger = usage.clone();
    larger["more"] = 1.into();
    let corrupt = Err(StoreErrorKind::Corrupt);
    let table = [(&usage, true, Ok(u64::MAX)), (&usage, false, corrupt), (&larger, true, corrupt)];
    for (value, with_sum, expected) in table {
        let (_folder, path) = copy("lived");
        write_usage(&path, value, with_sum);
        let (tenant, key) = ("globex".parse().expect("an id"), EXAMPLE.parse().expect("an id"));
        let store = open(&path).expect("it opens");
        let uses = block_on(store.check()).and_then(|()| {
            let key = block_on(store.key(&tenant, &key))?;
            Ok(key.expect("the key").usage.uses())
        });
        assert_eq!(uses.map_err(|error| error.kind()), expected, "{value}");
    }
}

#[test]
fn header_is_as_documented() {
    let lists = tables("The header and the current commit");
    let at = |list: usize, row: usize| -> usize { lists[list][row][0].parse().expect("an offset") };
    let magic = code(&lists[0][0][2])[0].replace(' ', "");
    let (flags, slots, version, number) = (at(0, 1), [at(0, 5), at(0, 6)], at(1, 0), at(1, 1));
    let sizes = [2, 3, 4].map(|row| {
        let (_, size) = lists[0][row][2].rsplit_once(": ").expect("a size");
        (at(0, row), size.replace(',', "").parse::<u32>().expect("a number"))
    });
    for name in GOLDEN {
        let (_folder, path) = copy(name);
        let bytes = fs::read(&path).expect("the file");
        let begin = u128::from_be_bytes(*bytes.first_chunk().expect("a header"));
        assert_eq!(format!("{:018x}", begin >> 56), magic, "{name}");
        assert_eq!(bytes[flags] & 0b110, if name == "crashed" { 0b110 } else { 0b100 }, "{name}");
        let holds = usize::from(bytes[flags] & 1);
        let number = |slot: usize| bytes[slot + number..].first_chunk().expect("a slot");
        let numbers = slots.map(|slot| u64::from_le_bytes(*number(slot)));
        assert!(numbers[holds] > numbers[1 - holds], "{name}: the newest holds");
        for (place, size) in sizes {
            assert_eq!(bytes[place..place + 4], size.to_le_bytes(), "{name}");
            let mut changed = bytes.clone();
            changed[place + 1] ^= 1;
            fs::write(&path, &changed).expect("the file");
            assert_eq!(open(&path).expect_err("another size").kind(), StoreErrorKind::Corrupt);
        }
        for (other, kind) in [(2, StoreErrorKind::Unsupported), (4, StoreErrorKind::Corrupt)] {
            let mut changed = bytes.clone();
            for slot in slots {
                assert_eq!(bytes[slot + version], 3, "{name}");
                changed[slot + version] = other;
            }
            fs::write(&path, &changed).expect("the file");
            assert_eq!(open(&path).expect_err("another format").kind(), kind, "{name}: {other}");
        }
    }
}
