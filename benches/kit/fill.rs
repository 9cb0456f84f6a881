//! Many keys: generated once in memory, and copied to other stores in large batches.

use futures_lite::future::block_on;
use keywright::store::{Batch, Change, Freshness, KeyRecord, KeyStore, MemoryStore};
use keywright::{KeyId, PepperRing};

use common::allocations::{held_by_size, held_bytes};

use crate::process_memory::resident_bytes;
use crate::ready::ready;
use crate::tokens::Tokens;
use crate::world::World;

/// Many keys of one tenant in memory, with their tokens.
pub struct Population {
    pub store: MemoryStore,
    pub world: World,
    pub tokens: Tokens,
    /// The bytes that the keys hold, as requested from the allocator.
    pub held: isize,
    /// The growth of the process.
    pub resident: usize,
    /// The bytes by the size of the allocation: largest first.
    pub by_size: Vec<(Option<usize>, isize)>,
}

impl Population {
    /// Generates keys in a new store.
    ///
    /// # Panics
    /// Panics if the random source fails.
    pub fn of(keys: usize) -> Self {
        let mut tokens = Tokens::with_room(keys);
        let store = MemoryStore::new();
        let (held, by_size, resident) = (held_bytes(), held_by_size(), resident_bytes());
        let world = World::new(store.clone(), PepperRing::none());
        for number in 0..keys {
            tokens.push(world.generate_numbered(number).token.expose());
        }
        let held = held_bytes() - held;
        let resident = resident_bytes().saturating_sub(resident);
        let now = held_by_size().into_iter();
        let mut by_size: Vec<_> =
            now.zip(by_size).map(|((size, now), (_, before))| (size, now - before)).collect();
        by_size.sort_by_key(|(_, bytes)| -bytes);
        Self { store, world, tokens, held, resident, by_size }
    }

    /// Returns the stored record of a key.
    ///
    /// # Panics
    /// Panics if there are fewer keys.
    pub fn record(&self, place: usize) -> KeyRecord {
        let id: KeyId = self.tokens.id(place).parse().expect("an id");
        let found = ready(self.store.resolve(&id, Freshness::StoreDefault));
        found.expect("it answers").expect("a key").record().clone()
    }

    /// Returns the id in the middle of the first `keys` ids in order, out of those that are neither
    /// among the oldest nor among the newest.
    ///
    /// # Panics
    /// Panics if there are no keys.
    pub fn middle(&self, keys: usize) -> KeyId {
        let mut ids: Vec<&str> =
            (keys / 4..=keys - 1 - keys / 4).map(|place| self.tokens.id(place)).collect();
        let middle = ids.len() / 2;
        ids.select_nth_unstable(middle).1.parse().expect("an id")
    }
}

/// The number of keys in one commit.
const TOGETHER: usize = 2_000;

/// Copies the first keys of a population to another store, without their events.
///
/// # Panics
/// Panics if the store fails.
pub fn copy_keys(population: &Population, keys: usize, to: &impl KeyStore) {
    let tenant = population.world.admin.tenant();
    let mut changes = Vec::with_capacity(TOGETHER);
    for place in 0..keys {
        changes.push(Change::InsertKey(population.record(place)));
        if changes.len() == TOGETHER || place + 1 == keys {
            let changes = std::mem::take(&mut changes);
            let batch = Batch { changes, ..Batch::of(tenant.clone()) };
            block_on(to.commit(batch)).expect("the keys are copied");
        }
    }
}
