//! Many keys in a file, and the time to open it.

use std::path::Path;
use std::time::Instant;

use futures_lite::future::block_on;
use keywright::PepperRing;
use keywright::store::FileStore;

use crate::fill::{Population, copy_keys};
use crate::rounds::Lane;
use crate::world::World;

/// Copies all keys of a population to a new file.
///
/// # Panics
/// Panics if the file can't be written.
pub fn fill_file(population: &Population, path: &Path) {
    let store = block_on(FileStore::open(path)).expect("a store");
    // It sets the policy that the keys need.
    World::new(store.clone(), PepperRing::none());
    copy_keys(population, population.tokens.len(), &store);
}

/// Returns a lane that measures the seconds of opening a file.
///
/// # Panics
/// Each call of the lane panics if the file can't be opened.
pub fn opening(path: &Path) -> Lane<'_> {
    Lane::measured(move || {
        let start = Instant::now();
        let store = block_on(FileStore::open(path)).expect("a store");
        let time = start.elapsed().as_secs_f64();
        drop(store);
        time
    })
}
