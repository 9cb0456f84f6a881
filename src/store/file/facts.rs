//! The facts of a key that lists filter and sort by, as the index keeps them.
//!
//! The entry of a key in the order of creation has them as its value. So a roster of many keys is
//! built from one range of the index, and reads no record.
//!
//! | part | bytes |
//! |---|---|
//! | CRC-32 of the entry and of everything behind this part | 4 |
//! | time of the last change, expiry, begin of validity | 8 each |
//! | flags: 1 revoked, 2 disabled, 4 with a contact, 8 with a description | 1 |
//! | owner, prefix, name | 2 for the length, and the text |
//! | contact, description, if there are any | 2 for the length, and the text |
//! | metadata: each key and value | 2 for the length, and the text |
//!
//! Numbers have their most significant byte first. A roster is not trusted: a key that it finds is
//! read and checked like any other.

use std::borrow::Cow;

use super::index::{Order, micros_of};
use crate::record::key::Key;
use crate::value::id::KeyId;
use crate::value::note::{Contact, Description};
use crate::value::time::{NEVER, Timestamp};

/// The begin of a key that was valid from the start.
const ALWAYS: i64 = i64::MIN;

const REVOKED: u8 = 1;
const DISABLED: u8 = 2;
const WITH_CONTACT: u8 = 4;
const WITH_DESCRIPTION: u8 = 8;

/// The facts of a key.
#[derive(Debug, PartialEq)]
pub(super) struct Facts<'a> {
    pub(super) id: KeyId,
    /// The time of creation, in microseconds like all times.
    pub(super) created: i64,
    pub(super) updated: i64,
    /// The expiry; [`NEVER`] without one.
    pub(super) expires: i64,
    /// The begin of validity; before all times without one.
    pub(super) begins: i64,
    pub(super) is_revoked: bool,
    pub(super) is_disabled: bool,
    pub(super) owner: Cow<'a, str>,
    pub(super) prefix: &'a str,
    pub(super) name: &'a str,
    pub(super) contact: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    /// The keys and values in turn, each with its length before it.
    pub(super) metadata: Cow<'a, [u8]>,
}

impl<'a> Facts<'a> {
    /// Returns the facts of a key.
    pub(super) fn of(key: &'a Key) -> Self {
        let mut metadata = Vec::new();
        for text in key.metadata.iter().flat_map(|(name, value)| [name, value]) {
            add(&mut metadata, text);
        }
        Self {
            id: key.id,
            created: key.created_at.unix_micros(),
            updated: key.updated_at.unix_micros(),
            expires: key.expires_at.map_or(NEVER, Timestamp::unix_micros),
            begins: key.not_before.map_or(ALWAYS, Timestamp::unix_micros),
            is_revoked: key.revoked_at.is_some(),
            is_disabled: key.disabled,
            owner: key.owner.to_string().into(),
            prefix: key.prefix.as_str(),
            name: key.name.as_str(),
            contact: key.contact.as_ref().map(Contact::as_str),
            description: key.description.as_ref().map(Description::as_str),
            metadata: metadata.into(),
        }
    }

    /// Returns the value of an entry of the index.
    pub(super) fn encode(&self, entry: &[u8]) -> Vec<u8> {
        let mut value = vec![0; 4];
        for time in [self.updated, self.expires, self.begins] {
            value.extend_from_slice(&time.to_be_bytes());
        }
        let flag = |is: bool, flag| if is { flag } else { 0 };
        value.push(
            flag(self.is_revoked, REVOKED)
                | flag(self.is_disabled, DISABLED)
                | flag(self.contact.is_some(), WITH_CONTACT)
                | flag(self.description.is_some(), WITH_DESCRIPTION),
        );
        let texts = [self.owner.as_ref(), self.prefix, self.name];
        for text in texts.into_iter().chain(self.contact).chain(self.description) {
            add(&mut value, text);
        }
        value.extend_from_slice(&self.metadata);
        let checksum = checksum(entry, &value[4..]);
        value[..4].copy_from_slice(&checksum);
        value
    }

    /// Decodes the value of an entry of the index; `None` if it is damaged.
    pub(super) fn decode(entry: &[u8], value: &'a [u8]) -> Option<Self> {
        let (sum, value) = value.split_first_chunk::<4>()?;
        if *sum != checksum(entry, value) {
            return None;
        }
        let (front, id) = entry.split_last_chunk::<{ KeyId::LEN }>()?;
        let id = std::str::from_utf8(id).ok()?.parse().ok()?;
        let created = micros_of(*front.last_chunk()?);
        let mut rest = value;
        let mut time = || {
            let (time, behind) = rest.split_first_chunk()?;
            rest = behind;
            Some(i64::from_be_bytes(*time))
        };
        let (updated, expires, begins) = (time()?, time()?, time()?);
        let (flags, mut rest) = rest.split_first()?;
        let (owner, prefix, name) = (text(&mut rest)?, text(&mut rest)?, text(&mut rest)?);
        let mut note =
            |flag| if flags & flag == 0 { Some(None) } else { text(&mut rest).map(Some) };
        let (contact, description) = (note(WITH_CONTACT)?, note(WITH_DESCRIPTION)?);
        Some(Self {
            id,
            created,
            updated,
            expires,
            begins,
            is_revoked: flags & REVOKED != 0,
            is_disabled: flags & DISABLED != 0,
            owner: owner.into(),
            prefix,
            name,
            contact,
            description,
            metadata: rest.into(),
        })
    }
}

/// Returns the value of an entry of a key in the index: its facts in the order of creation, and
/// nothing in the others.
pub(super) fn value_of_entry(entry: &[u8], key: &Key) -> Vec<u8> {
    if Order::Created.has(entry) { Facts::of(key).encode(entry) } else { Vec::new() }
}

/// Returns the value of an entry of metadata in the encoding of [`Facts::metadata`].
pub(super) fn metadata_value<'a>(mut metadata: &'a [u8], key: &str) -> Option<&'a str> {
    loop {
        let (name, value) = (text(&mut metadata)?, text(&mut metadata)?);
        if name == key {
            return Some(value);
        }
    }
}

fn add(bytes: &mut Vec<u8>, text: &str) {
    let len = u16::try_from(text.len()).expect("a name, note or value is shorter than 64 KiB");
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (len, behind) = rest.split_first_chunk()?;
    let (text, behind) = behind.split_at_checked(u16::from_be_bytes(*len).into())?;
    *rest = behind;
    std::str::from_utf8(text).ok()
}

fn checksum(entry: &[u8], value: &[u8]) -> [u8; 4] {
    let mut hash = crc32fast::Hasher::new();
    hash.update(entry);
    hash.update(value);
    hash.finalize().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        let mut metadata = Vec::new();
        for text in ["team", "billing", "ticket", "OPS-1"] {
            add(&mut metadata, text);
        }
        Facts {
            id: "4fQ2xk9ZrT7bWm1c".parse().expect("an id"),
            created: 7,
            updated: 8,
            expires: NEVER,
            begins: ALWAYS,
            is_revoked: false,
            is_disabled: true,
            owner: "user:alice".into(),
            prefix: "acme_live",
            name: "Größe",
            contact: None,
            description: Some("two\nlines"),
            metadata: metadata.into(),
        }
    }

    fn entry() -> Vec<u8> {
        super::super::index::timed(b"cglobex\0".to_vec(), 7, b"4fQ2xk9ZrT7bWm1c")
    }

    #[test]
    fn facts_are_decoded_as_encoded() {
        let (facts, entry) = (facts(), entry());
        let value = facts.encode(&entry);
        assert_eq!(Facts::decode(&entry, &value), Some(facts));
    }

    #[test]
    fn changed_bit_is_detected() {
        let entry = entry();
        let value = facts().encode(&entry);
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Facts::decode(&entry, &flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn metadata_is_found_by_its_key() {
        let facts = facts();
        assert_eq!(metadata_value(&facts.metadata, "ticket"), Some("OPS-1"));
        assert_eq!(metadata_value(&facts.metadata, "OPS-1"), None);
    }
}
