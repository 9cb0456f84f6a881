//! Keys of many tenants in a store, written in large batches.

use futures_lite::future::block_on;
use keywright::store::{Batch, Change, Freshness, KeyStore, MemoryStore};
use keywright::{KeyId, PepperRing};
use kit::{Tokens, World, ready};

/// The number of keys in one commit.
const TOGETHER: usize = 1_000;

/// Writes keys of many tenants to a store. The token at each place is one of the tenant with the
/// number `place % tenants`.
pub(crate) fn populate(
    store: &(impl KeyStore + Clone),
    tenants: usize,
    keys: usize,
) -> (Vec<World>, Tokens) {
    let source = MemoryStore::new();
    let from = World::tenants(source.clone(), tenants, PepperRing::none());
    let worlds = World::tenants(store.clone(), tenants, PepperRing::none());
    let mut tokens = Tokens::with_room(keys);
    for number in 0..keys {
        let world = &from[number % tenants];
        tokens.push(world.generate_numbered(number / tenants).token.expose());
    }
    for (tenant, world) in worlds.iter().enumerate() {
        let places: Vec<usize> = (tenant..keys).step_by(tenants).collect();
        for places in places.chunks(TOGETHER) {
            let changes = places.iter().map(|place| {
                let id: KeyId = tokens.id(*place).parse().expect("an id");
                let found = ready(source.resolve(&id, Freshness::StoreDefault));
                let found = found.expect("it answers").expect("a key");
                Change::InsertKey(found.record().clone())
            });
            let batch =
                Batch { changes: changes.collect(), ..Batch::of(world.admin.tenant().clone()) };
            block_on(store.commit(batch)).expect("the keys are written");
        }
    }
    (worlds, tokens)
}
