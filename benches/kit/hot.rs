//! The check of one key that is in memory, in a store beside the store in memory.

use std::hint::black_box;

use futures_lite::future::block_on;
use keywright::store::{KeyStore, MemoryStore};
use keywright::{AccessRequest, PepperRing, Token};

use crate::figure::{Figure, Target, Unit};
use crate::ready::is_ready;
use crate::rounds::Lane;
use crate::run::Run;
use crate::world::World;

/// Measures the check of one key in a store that keeps it in memory, beside the same check in
/// [`MemoryStore`].
///
/// # Panics
/// Panics if the store fails.
pub fn hot_beside_memory(run: &Run, name: &str, store: impl KeyStore) {
    let worlds =
        [World::new(store, PepperRing::none()), World::new(MemoryStore::new(), PepperRing::none())];
    let keys = worlds.each_ref().map(|world| world.generate("hot").token);
    for (world, token) in worlds.iter().zip(&keys) {
        block_on(world.verifier.verify(token.expose())).expect("it is fetched once");
    }
    let check = |world: &World, token: &Token| {
        let request = AccessRequest::token(token.expose()).write().scope(&world.scope);
        black_box(
            is_ready(world.verifier.verify_request(black_box(&request))).1.expect("accepted"),
        );
    };
    let [ours, reference] = run.rounds([
        Lane::calls(5_000, || check(&worlds[0], &keys[0])),
        Lane::calls(5_000, || check(&worlds[1], &keys[1])),
    ]);
    run.show(&Figure::beside(name, Unit::Seconds, &ours, &reference).target(Target::Most(1.2)));
}
