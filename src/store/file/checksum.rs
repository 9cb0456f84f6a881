//! Checksums, which detect changed, moved, missing and old records.
//!
//! A stored value is a checksum of 16 bytes, followed by the value. The checksum is the first 16
//! bytes of SHA-256 over the table's name, the record's key and the value, each preceded by its
//! length. So it detects a changed bit, a value under another key and a value in another table.
//!
//! A second copy of the checksum, the witness, is in another tree of the file. So a missing record
//! and an old record that reappeared are detected when the record is read. Every commit also writes
//! the sum of all checksums to the state record, for the check of the whole file.

use sha2::{Digest, Sha256};

use crate::store::error::StoreError;

/// The length of a checksum, in bytes.
const LEN: usize = 16;
/// The most characters of a key that an error shows. Every key that this crate writes is shorter.
const LONGEST_SHOWN: usize = 200;

/// The sum of checksums, modulo 2¹²⁸. It does not depend on the order of additions and
/// subtractions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sum(pub(super) u128);

impl Sum {
    pub(super) fn add(&mut self, checksum: u128) {
        self.0 = self.0.wrapping_add(checksum);
    }

    pub(super) fn subtract(&mut self, checksum: u128) {
        self.0 = self.0.wrapping_sub(checksum);
    }
}

/// Returns a value with its checksum in front, as it is stored.
pub(super) fn prepend(table: &str, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(LEN + value.len());
    stored.extend_from_slice(&compute(table, key, value).to_be_bytes());
    stored.extend_from_slice(value);
    stored
}

/// Returns a key as an error shows it: escaped, on one line and of at most [`LONGEST_SHOWN`]
/// characters.
pub(super) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).escape_debug().take(LONGEST_SHOWN).collect()
}

/// Checks a stored value, and returns its checksum and the value without it.
pub(super) fn check<'a>(
    table: &str,
    key: &[u8],
    stored: &'a [u8],
) -> Result<(u128, &'a [u8]), StoreError> {
    let broken = || {
        let key = shown(key);
        StoreError::corrupt(format!(
            "the checksum of record {key} in table {table} does not match: restore the file from a backup"
        ))
    };
    let (checksum, value) = stored.split_first_chunk::<LEN>().ok_or_else(broken)?;
    let checksum = u128::from_be_bytes(*checksum);
    if checksum != compute(table, key, value) {
        return Err(broken());
    }
    Ok((checksum, value))
}

/// Returns the checksum of a stored value that this process wrote or has checked already.
pub(super) fn of_stored(stored: &[u8]) -> u128 {
    stored.first_chunk::<LEN>().map_or(0, |checksum| u128::from_be_bytes(*checksum))
}

/// Returns a stored value without its checksum, which was checked already.
pub(super) fn value_of(stored: &[u8]) -> &[u8] {
    stored.get(LEN..).unwrap_or_default()
}

/// Returns the error for a record that its witness contradicts: the record or the witness is
/// missing or old.
pub(super) fn contradicted(table: &str, key: &[u8]) -> StoreError {
    let key = shown(key);
    StoreError::corrupt(format!(
        "record {key} in table {table} is missing or older than its last change: restore the file \
         from a backup"
    ))
}

fn compute(table: &str, key: &[u8], value: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    for part in [table.as_bytes(), key, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let (checksum, _) = hash.split_first_chunk::<LEN>().expect("32 bytes hold 16");
    u128::from_be_bytes(*checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_bit_key_or_table_is_detected() {
        let stored = prepend("keys", b"id", b"a value");
        assert_eq!(check("keys", b"id", &stored).expect("as written").1, b"a value");
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(check("keys", b"id", &flipped).is_err(), "bit {bit}");
        }
        for end in 0..stored.len() {
            assert!(check("keys", b"id", &stored[..end]).is_err(), "cut at {end}");
        }
        assert!(check("keys", b"di", &stored).is_err());
        assert!(check("usage", b"id", &stored).is_err());
    }
}
