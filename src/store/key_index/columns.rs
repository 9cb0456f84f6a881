//! The facts of each key by which a query filters and sorts, in one column for each fact.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::bits::slot;
use super::slots::Slots;
use crate::record::key::{Key, KeyRecord, Owner, OwnerKind};
use crate::record::usage::Usage;
use crate::store::query::KeySort;
use crate::value::id::KeyId;
use crate::value::note::Contact;
use crate::value::time::{NEVER, NEVER_YET, Timestamp};
use crate::value::token::Prefix;

/// The columns of an index. A key has one slot, which is its place in every column.
///
/// Only the last use of a slot changes. A key that changes otherwise gets a new slot, so the order
/// of slots by another fact never changes.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) ids: Vec<KeyId>,
    pub(super) flags: Vec<u8>,
    pub(super) created: Vec<i64>,
    pub(super) updated: Vec<i64>,
    pub(super) expires: Vec<i64>,
    pub(super) used: Vec<i64>,
    /// The time from which a key is valid; 0 if it is so from the beginning.
    pub(super) begins: Sparse<i64>,
    /// The number of the key's owner.
    pub(super) owners: Vec<u32>,
    /// The number of the key's prefix.
    pub(super) prefixes: Sparse<u32>,
    /// A hash of the key's contact; 0 if it has none.
    pub(super) contacts: Sparse<u32>,
    /// The bits of the key's metadata; see [`Columns::metadata_bits`].
    pub(super) metadata: Sparse<u64>,
    pub(super) numbers: Numbers,
    slots: Slots,
    dead: usize,
    hasher: RandomState,
}

/// The numbers of owners and prefixes.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) owners: HashMap<Owner, u32, RandomState>,
    pub(super) prefixes: HashMap<Prefix, u32, RandomState>,
}

/// A column in which most keys have the default.
#[derive(Default)]
pub(super) struct Sparse<T>(Vec<T>);

impl<T: Copy + Default + PartialEq> Sparse<T> {
    pub(super) fn get(&self, slot: u32) -> T {
        self.0.get(slot as usize).copied().unwrap_or_default()
    }

    fn set(&mut self, slot: u32, value: T) {
        if value != T::default() {
            self.0.resize(slot as usize, T::default());
            push(&mut self.0, value);
        }
    }
}

/// The key was not removed or replaced.
pub(super) const ALIVE: u8 = 1;
pub(super) const REVOKED: u8 = 2;
pub(super) const DISABLED: u8 = 4;
/// The bits of the kind of the owner.
pub(super) const KIND: u8 = 8 | 16;

impl Columns {
    pub(super) fn with_room(keys: usize) -> Self {
        Self {
            ids: Vec::with_capacity(keys),
            flags: Vec::with_capacity(keys),
            created: Vec::with_capacity(keys),
            updated: Vec::with_capacity(keys),
            expires: Vec::with_capacity(keys),
            used: Vec::with_capacity(keys),
            owners: Vec::with_capacity(keys),
            slots: Slots::with_room(keys),
            ..Self::default()
        }
    }

    /// Returns the number of all slots.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns the number of slots whose key was removed or replaced.
    pub(super) fn dead(&self) -> usize {
        self.dead
    }

    pub(super) fn is_alive(&self, slot: u32) -> bool {
        self.flags[slot as usize] & ALIVE != 0
    }

    /// Returns the slot of a key that the index has.
    pub(super) fn slot(&self, id: &KeyId) -> Option<u32> {
        self.slots.get(id, &self.ids).filter(|slot| self.is_alive(*slot))
    }

    /// Gives a key a new slot.
    pub(super) fn push(&mut self, record: &KeyRecord, usage: &Usage) -> u32 {
        let key = record.key();
        self.remove(&key.id);
        let slot = Slots::next(&self.ids);
        self.slots.insert(&key.id, slot, &self.ids);
        let numbers = &mut self.numbers;
        let owner = number(&mut numbers.owners, &key.owner);
        let prefix = number(&mut numbers.prefixes, &key.prefix);
        let contact = key.contact.as_ref().map_or(0, |contact| self.contact_hash(contact));
        let metadata = key.metadata.iter().map(|(name, value)| self.metadata_bits(name, value));
        let metadata = metadata.fold(0, |all, bits| all | bits);
        push(&mut self.ids, key.id);
        push(&mut self.flags, flags(key));
        push(&mut self.created, key.created_at.unix_micros());
        push(&mut self.updated, key.updated_at.unix_micros());
        push(&mut self.expires, key.expires_at.map_or(NEVER, Timestamp::unix_micros));
        push(&mut self.used, used(usage));
        push(&mut self.owners, owner);
        self.begins.set(slot, key.not_before.map_or(0, Timestamp::unix_micros));
        self.prefixes.set(slot, prefix);
        self.contacts.set(slot, contact);
        self.metadata.set(slot, metadata);
        slot
    }

    /// Removes a key. Its slot keeps its facts.
    pub(super) fn remove(&mut self, id: &KeyId) {
        if let Some(slot) = self.slot(id) {
            self.flags[slot as usize] &= !ALIVE;
            self.dead += 1;
        }
    }

    /// Sets the last use of a key, and returns its slot if the time has changed.
    pub(super) fn set_used(&mut self, id: &KeyId, usage: &Usage) -> Option<u32> {
        let slot = self.slot(id)?;
        let before = std::mem::replace(&mut self.used[slot as usize], used(usage));
        (before != self.used[slot as usize]).then_some(slot)
    }

    /// Returns the column of an order by time; `None` for the order by name.
    pub(super) fn times(&self, sort: KeySort) -> Option<&[i64]> {
        match sort {
            KeySort::Created => Some(&self.created),
            KeySort::Updated => Some(&self.updated),
            KeySort::Expires => Some(&self.expires),
            KeySort::LastUsed => Some(&self.used),
            KeySort::Name => None,
        }
    }

    /// Returns a hash of a contact, which is not 0. Two contacts can have the same hash.
    pub(super) fn contact_hash(&self, contact: &Contact) -> u32 {
        let hash = (self.hasher.hash_one(contact.as_str()) >> 32) as u32;
        hash.max(1)
    }

    /// Returns two of 64 bits, by a hash of an entry of the metadata. A key has the bits of all its
    /// entries, so a key without the bits does not have the entry.
    pub(super) fn metadata_bits(&self, name: &str, value: &str) -> u64 {
        let hash = self.hasher.hash_one((name, value));
        1 << (hash >> 58) | 1 << (hash >> 52 & 63)
    }
}

/// Returns the bits of a kind of owner.
pub(super) fn kind_bits(kind: OwnerKind) -> u8 {
    match kind {
        OwnerKind::User => 0,
        OwnerKind::Account => 8,
        OwnerKind::Organization => 16,
    }
}

fn flags(key: &Key) -> u8 {
    let revoked = if key.revoked_at.is_some() { REVOKED } else { 0 };
    let disabled = if key.disabled { DISABLED } else { 0 };
    ALIVE | revoked | disabled | kind_bits(key.owner.kind())
}

fn used(usage: &Usage) -> i64 {
    usage.last_used_at().map_or(NEVER_YET, Timestamp::unix_micros)
}

/// Returns the number of a value, or gives it the next number.
fn number<T: Clone + Eq + std::hash::Hash>(
    numbers: &mut HashMap<T, u32, RandomState>,
    value: &T,
) -> u32 {
    if let Some(known) = numbers.get(value) {
        return *known;
    }
    let next = slot(numbers.len());
    numbers.insert(value.clone(), next);
    next
}

/// Adds a value to a column. A column grows by an eighth and not to its double, because it is large.
pub(super) fn push<T>(column: &mut Vec<T>, value: T) {
    if column.len() == column.capacity() {
        column.reserve_exact(column.len() / 8 + 64);
    }
    column.push(value);
}
