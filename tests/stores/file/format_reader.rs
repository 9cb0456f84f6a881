//! Reads a store file by the guide's page on the format, with only the database and the hash
//! function, and reads the page itself.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The tables of `records` in the state, in its order.
pub(crate) const SUMMED: [&str; 8] =
    ["keys", "accounts", "users", "policies", "usage", "deleted", "writers", "tenants"];
/// The tables whose values have no checksum.
const BARE: [&str; 2] = ["index", "witnesses"];

/// A row, with its value after the checksum.
pub(crate) struct Row {
    pub(crate) key: Vec<u8>,
    pub(crate) checksum: u128,
    pub(crate) value: Vec<u8>,
}

impl Row {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.value).expect("JSON")
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.key).expect("a key of text")
    }
}

/// All rows of a file by table.
pub(crate) struct Rows(pub(crate) BTreeMap<String, Vec<Row>>);

impl Rows {
    pub(crate) fn read(path: &Path) -> Self {
        let database = common::sealed::database(path);
        let transaction = database.begin_read().expect("a transaction");
        assert_eq!(transaction.list_multimap_tables().expect("the tables").count(), 0);
        let tables = transaction.list_tables().expect("the tables");
        let read = |name: &str| {
            let table = transaction.open_table(definition(name)).expect("from bytes to bytes");
            let rows = table.iter().expect("the rows").map(|row| {
                let (key, stored) = row.expect("a row");
                let (key, stored) = (key.value().to_vec(), stored.value());
                if BARE.contains(&name) {
                    return Row { key, checksum: 0, value: stored.to_vec() };
                }
                let (checksum, value) = stored.split_first_chunk().expect("16 bytes of checksum");
                let checksum = u128::from_be_bytes(*checksum);
                Row { key, checksum, value: value.to_vec() }
            });
            rows.collect()
        };
        Self(tables.map(|table| (table.name().to_owned(), read(table.name()))).collect())
    }

    pub(crate) fn of(&self, table: &str) -> &[Row] {
        &self.0[table]
    }

    pub(crate) fn row(&self, table: &str, key: &str) -> &Row {
        self.of(table).iter().find(|row| row.key == key.as_bytes()).expect(key)
    }

    /// Returns the tables whose values have a checksum.
    pub(crate) fn with_checksums(&self) -> impl Iterator<Item = (&String, &Vec<Row>)> {
        self.0.iter().filter(|(table, _)| !BARE.contains(&table.as_str()))
    }

    /// Returns the witnesses that the rows need.
    pub(crate) fn needed_witnesses(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let lists = &tables("The witnesses")[0];
        let letters = lists.iter().map(|row| (code(&row[0])[0], code(&row[1])[0]));
        let of_table = |(letter, table): (&str, &str)| {
            let witness = |row: &Row| witness(letter, row);
            self.of(table).iter().map(witness).collect::<Vec<_>>()
        };
        letters.flat_map(of_table).collect()
    }

    pub(crate) fn sum(&self) -> u128 {
        let checksums = SUMMED.iter().flat_map(|table| self.of(table)).map(|row| row.checksum);
        checksums.fold(0, u128::wrapping_add)
    }
}

/// Returns the key and the value of the witness of a row.
pub(crate) fn witness(letter: &str, row: &Row) -> (Vec<u8>, Vec<u8>) {
    ([letter.as_bytes(), &row.key].concat(), row.checksum.to_be_bytes().to_vec())
}

pub(crate) fn definition(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// Computes the checksum by the page's formula.
pub(crate) fn checksum(table: &str, key: &[u8], value: &[u8]) -> u128 {
    let parts = [table.as_bytes(), key, value]
        .map(|part| [(part.len() as u64).to_be_bytes().as_slice(), part].concat());
    let hash = Sha256::digest(parts.concat());
    u128::from_be_bytes(*hash.first_chunk().expect("32 bytes"))
}

/// Returns the text under a heading, up to the next heading.
pub(crate) fn section(heading: &str) -> &'static str {
    let page = include_str!("../../../src/guide/format.md");
    let (_, rest) = page.split_once(&format!("# {heading}\n")).expect(heading);
    rest.split("\n#").next().expect("the text under it")
}

/// Returns the tables under a heading, each without its header.
pub(crate) fn tables(heading: &str) -> Vec<Vec<Vec<String>>> {
    let blocks =
        section(heading).split("\n\n").map(str::trim).filter(|block| block.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
    blocks.map(|block| block.lines().skip(2).map(cells).collect()).collect()
}

/// Returns the inline code of a text.
pub(crate) fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
