//! Seals: what shows that a record is the one that was written, and stands where it was written.
//!
//! A sealed value is a tag of 16 bytes and the value. The tag is the beginning of SHA-256 over the
//! table's name, the record's key and the value, each with its length in front. So a changed bit, a
//! value under another key and a value in another table are all seen. The sum of all tags stands in
//! the state record, which is written with every commit: a record that is missing, or an old one
//! that came back, is seen too.

use sha2::{Digest, Sha256};

use crate::store::StoreError;

const TAG_LEN: usize = 16;
/// How much of a key an error repeats, in characters: all of the longest that there should be.
const LONGEST_SHOWN: usize = 200;

/// The sum of tags, modulo 2¹²⁸, in whatever order they are added and taken away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sum(pub(super) u128);

impl Sum {
    pub(super) fn add(&mut self, tag: u128) {
        self.0 = self.0.wrapping_add(tag);
    }

    pub(super) fn take_away(&mut self, tag: u128) {
        self.0 = self.0.wrapping_sub(tag);
    }
}

/// The tag and the value behind it.
pub(super) fn seal(table: &str, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(TAG_LEN + value.len());
    sealed.extend_from_slice(&tag(table, key, value).to_be_bytes());
    sealed.extend_from_slice(value);
    sealed
}

/// A key as an error repeats it: on one line, and no longer than those that we write.
pub(super) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).escape_debug().take(LONGEST_SHOWN).collect()
}

/// The value behind an unbroken seal, and its tag.
pub(super) fn open<'a>(
    table: &str,
    key: &[u8],
    sealed: &'a [u8],
) -> Result<(u128, &'a [u8]), StoreError> {
    let broken = || {
        let key = shown(key);
        StoreError::corrupt(format!("the record {key} in table {table} is not what was written"))
    };
    let (stored, value) = sealed.split_first_chunk::<TAG_LEN>().ok_or_else(broken)?;
    let stored = u128::from_be_bytes(*stored);
    if stored != tag(table, key, value) {
        return Err(broken());
    }
    Ok((stored, value))
}

/// The tag of a record that was sealed by this process or has been opened before.
pub(super) fn stored_tag(sealed: &[u8]) -> u128 {
    sealed.first_chunk::<TAG_LEN>().map_or(0, |tag| u128::from_be_bytes(*tag))
}

fn tag(table: &str, key: &[u8], value: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    for part in [table.as_bytes(), key, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let (tag, _) = hash.split_first_chunk::<TAG_LEN>().expect("32 bytes hold 16");
    u128::from_be_bytes(*tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_breaks_with_any_bit_of_the_record_its_key_or_its_table() {
        let sealed = seal("keys", b"id", b"a value");
        assert_eq!(open("keys", b"id", &sealed).expect("unbroken").1, b"a value");
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open("keys", b"id", &flipped).is_err(), "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert!(open("keys", b"id", &sealed[..end]).is_err(), "cut at {end}");
        }
        assert!(open("keys", b"di", &sealed).is_err());
        assert!(open("usage", b"id", &sealed).is_err());
    }
}
