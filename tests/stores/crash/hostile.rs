//! Malicious files: an open returns an error or the store, and its memory stays within a bound for
//! the size of the file.

use std::fs;

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sha2::{Digest, Sha256};

use crate::disk::Disk;
use crate::lifecycle::Life;
use crate::opening::{Found, open, open_file};
use crate::{LARGEST_PIECE, MOST_MEMORY, memory};

/// The longest that an open may make the file of a small store, in bytes.
const LONGEST: u64 = 64 << 20;
/// Length of redb's header, which has the sizes of everything else, in bytes.
const HEADER: usize = 320;
/// Sizes, counts and offsets that are zero, too large, or just past a bound.
const NUMBERS: [&[u8]; 6] = [
    &0_u32.to_le_bytes(),
    &(1_u32 << 31).to_le_bytes(),
    &u32::MAX.to_le_bytes(),
    &(1_u64 << 32).to_le_bytes(),
    &(i64::MAX as u64).to_le_bytes(),
    &u64::MAX.to_le_bytes(),
];

pub(crate) fn assert_little_memory() {
    let (most, largest) = memory::most();
    assert!(most < MOST_MEMORY && largest < LARGEST_PIECE, "{most} and {largest} bytes of memory");
}

#[test]
fn t_f22_lying_header_is_refused_in_little_memory() {
    let life = Life::lead();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keys.db");
    let (mut refused, mut as_it_was) = (0, 0);
    for whole in [&life.closed, &life.killed] {
        // The magic bytes are left out. The two commit slots start at byte 64 and have a checksum.
        let places = (8..64).step_by(4).chain((64..HEADER).step_by(8));
        for (at, number) in places.flat_map(|at| NUMBERS.map(|number| (at, number))) {
            let mut told = whole.clone();
            told[at..at + number.len()].copy_from_slice(number);
            match open_file(&life, &file, &told) {
                Found::Refused(_) => refused += 1,
                Found::State(state) if state == life.last() => as_it_was += 1,
                found => panic!("{number:?} at {at}: {found:?}"),
            }
            let long = fs::metadata(&file).expect("the file").len();
            assert!(long < LONGEST, "{number:?} at {at}: the file has {long} bytes now");
        }
    }
    println!("{refused} were refused, {as_it_was} opened as they were");
    assert!(refused > 50 && as_it_was > 50, "some wrong values are refused, others are unused");
    assert_little_memory();
}

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;
/// A table, a key and a value that no version of the store has written.
type Row = (&'static str, Vec<u8>, Vec<u8>);

#[test]
fn t_f22_lying_record_is_refused_in_little_memory() {
    let life = Life::lead();
    let state = |events: u64, epoch: u64| {
        format!(r#"{{"epoch":{epoch},"events":{events},"events_of_keys":{events},"sum":""}}"#)
    };
    let event = |tenant: &str| [tenant.as_bytes(), &[0], &u64::MAX.to_be_bytes()].concat();
    let id = b"0123456789ABCDEF".to_vec();
    let deep = |open: &str| open.repeat(200_000).into_bytes();
    let meta = |state: String| ("meta", b"state".to_vec(), state.into_bytes());
    let all: Vec<(&str, Vec<Row>)> = vec![
        ("the maximum number of events", vec![meta(state(u64::MAX, 1))]),
        ("the last of all epochs", vec![meta(state(0, u64::MAX))]),
        ("a state that is a list without end", vec![("meta", b"state".to_vec(), deep("["))]),
        (
            "events with more numbers than possible",
            vec![
                ("events", event("a"), b"{}".to_vec()),
                ("events", event("b"), b"{}".to_vec()),
                meta(state(u64::MAX - 1, 1)),
            ],
        ),
        ("a key that is a list without end", vec![("keys", id.clone(), deep("["))]),
        ("a key that is objects without end", vec![("keys", id.clone(), deep("{\"key\":"))]),
        ("a use that is no number", vec![("usage", id.clone(), vec![b'9'; 100_000])]),
        (
            "a policy of a tenant with a long name",
            vec![("policies", vec![b'a'; 1 << 20], deep("["))],
        ),
        (
            "a writer with a number that is too long",
            vec![("writers", vec![0xFF; 1 << 16], b"{}".to_vec())],
        ),
        ("a deleted key that is none", vec![("deleted", b"key:".to_vec(), Vec::new())]),
        ("a format that is a long number", vec![("meta", b"format".to_vec(), vec![b'1'; 1 << 16])]),
    ];
    for (what, rows) in all {
        let bytes = with_rows(&life, &rows);
        match open(&life, bytes) {
            Found::Refused(told) => assert!(told.len() < 1_000, "{what}: {} bytes", told.len()),
            found => panic!("{what}: {found:?}"),
        }
    }
    assert_little_memory();
}

/// Returns the store at the end of its lifecycle with these rows added, each with a valid checksum.
fn with_rows(life: &Life, rows: &[Row]) -> Vec<u8> {
    let disk = Disk::holding(life.closed.clone());
    let database = common::sealed::database_on(disk.clone());
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_two_phase_commit(true);
    for (table, key, value) in rows {
        put(&transaction, table, key, value);
    }
    transaction.commit().expect("a commit");
    drop(database);
    disk.bytes()
}

fn put(transaction: &WriteTransaction, table: &'static str, key: &[u8], value: &[u8]) {
    let mut rows = transaction.open_table(Table::new(table)).expect("the table");
    let mut hash = Sha256::new();
    for part in [table.as_bytes(), key, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let stored = [&hash.finalize()[..16], value].concat();
    rows.insert(key, stored.as_slice()).expect("a row");
    assert!(rows.get(key).expect("a row").is_some());
}
