//! Checksums: what shows that a record is the one that was written, and stands where it was written.
//!
//! A stored value is a checksum of 16 bytes and the value. The checksum is the beginning of SHA-256 over the
//! table's name, the record's key and the value, each with its length in front. So a changed bit, a
//! value under another key and a value in another table are all seen. The sum of all checksums stands in
//! the state record, which is written with every commit: a record that is missing, or an old one
//! that came back, is seen too.

use sha2::{Digest, Sha256};

use crate::store::error::StoreError;

const LEN: usize = 16;
/// How much of a key an error repeats, in characters: all of the longest that there should be.
const LONGEST_SHOWN: usize = 200;

/// The sum of checksums, modulo 2¹²⁸, in whatever order they are added and taken away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sum(pub(super) u128);

impl Sum {
    pub(super) fn add(&mut self, checksum: u128) {
        self.0 = self.0.wrapping_add(checksum);
    }

    pub(super) fn take_away(&mut self, checksum: u128) {
        self.0 = self.0.wrapping_sub(checksum);
    }
}

/// Puts the checksum before a value.
pub(super) fn prepend(table: &str, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(LEN + value.len());
    stored.extend_from_slice(&compute(table, key, value).to_be_bytes());
    stored.extend_from_slice(value);
    stored
}

/// A key as an error repeats it: on one line, and no longer than those that we write.
pub(super) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).escape_debug().take(LONGEST_SHOWN).collect()
}

/// Checks a stored value. Returns its checksum, and the value itself.
pub(super) fn check<'a>(
    table: &str,
    key: &[u8],
    stored: &'a [u8],
) -> Result<(u128, &'a [u8]), StoreError> {
    let broken = || {
        let key = shown(key);
        StoreError::corrupt(format!("the record {key} in table {table} is not what was written"))
    };
    let (checksum, value) = stored.split_first_chunk::<LEN>().ok_or_else(broken)?;
    let checksum = u128::from_be_bytes(*checksum);
    if checksum != compute(table, key, value) {
        return Err(broken());
    }
    Ok((checksum, value))
}

/// The checksum of a value that this process wrote or has checked before.
pub(super) fn of_stored(stored: &[u8]) -> u128 {
    stored.first_chunk::<LEN>().map_or(0, |checksum| u128::from_be_bytes(*checksum))
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
