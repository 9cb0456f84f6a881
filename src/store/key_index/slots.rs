//! The slot of each key id: a hash table of slots alone, because the ids are in a column.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::bits::slot;
use crate::value::id::KeyId;

/// A table of slots with linear probing. It holds the latest slot of each id.
///
/// A slot whose key was removed stays, and its place is used again if the id comes back. The index
/// is built anew before many such slots gather.
#[derive(Default)]
pub(super) struct Slots {
    places: Vec<u32>,
    taken: usize,
    hasher: RandomState,
}

/// A place without a slot.
const FREE: u32 = u32::MAX;
/// The number of places of the smallest table.
const SMALLEST: usize = 16;

impl Slots {
    /// Returns the latest slot of an id. `ids` are the ids of all slots.
    pub(super) fn get(&self, id: &KeyId, ids: &[KeyId]) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        let found = self.places[self.place(id, ids)];
        (found != FREE).then_some(found)
    }

    /// Sets the slot of an id. `ids` are the ids of all slots before.
    pub(super) fn insert(&mut self, id: &KeyId, slot: u32, ids: &[KeyId]) {
        // At most three of four places are taken, so probing ends soon.
        if (self.taken + 1) * 4 > self.places.len() * 3 {
            self.grow(ids);
        }
        let place = self.place(id, ids);
        self.taken += usize::from(self.places[place] == FREE);
        self.places[place] = slot;
    }

    /// Returns the place of an id, or the free place where it belongs.
    fn place(&self, id: &KeyId, ids: &[KeyId]) -> usize {
        let mask = self.places.len() - 1;
        let is_here = |place: &usize| {
            let slot = self.places[*place];
            slot == FREE || ids[slot as usize] == *id
        };
        #[expect(clippy::cast_possible_truncation, reason = "the mask cuts the hash anyway")]
        let first = self.hasher.hash_one(id) as usize;
        (0..=mask).map(|step| first.wrapping_add(step) & mask).find(is_here).unwrap_or(0)
    }

    fn grow(&mut self, ids: &[KeyId]) {
        let places = (self.places.len() * 2).max(SMALLEST);
        let before = std::mem::replace(&mut self.places, vec![FREE; places]);
        for slot in before.into_iter().filter(|slot| *slot != FREE) {
            let place = self.place(&ids[slot as usize], ids);
            self.places[place] = slot;
        }
    }

    /// Creates a table with room for a number of ids.
    pub(super) fn with_room(ids: usize) -> Self {
        let places = (ids / 3 * 4 + SMALLEST).next_power_of_two();
        Self { places: vec![FREE; places], ..Self::default() }
    }

    /// Returns the number of the slot that comes after `ids`.
    pub(super) fn next(ids: &[KeyId]) -> u32 {
        slot(ids.len())
    }
}
