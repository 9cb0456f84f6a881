//! Caches above and below a store that moves.

use futures_lite::future::block_on;
use keywright::TenantId;
use keywright::store::{
    Batch, CacheOptions, CacheState, CachedStore, Freshness, KeyStore, ManualMonotonicClock,
    Marker, MemoryStore, MoveOptions, MovingStore,
};

use common::World;
use common::transfer::{Place, lived};

fn cache(store: impl KeyStore) -> CachedStore {
    let options = CacheOptions::new().clock(ManualMonotonicClock::new());
    CachedStore::new(store, options).expect("the options are possible")
}

#[common::test(postgres)]
fn b12_cache_of_target_knows_earlier_revoke() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = World::new(store.clone());
    let revoked = world.issue("prod-main-app");
    let mut transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    block_on(transfer.copy(|_| {})).expect("it is copied");
    // This cache has read the tables before the revoke, and its clock stands still.
    let target = cache(transfer.database());
    block_on(target.sync()).expect("the tables answer");
    let found =
        block_on(target.resolve(&revoked.key.id, Freshness::StoreDefault)).expect("it answers");
    assert!(found.is_some() && target.keys_kept() == 1);
    let late = world.issue("prod-made-late");
    let absent =
        block_on(target.resolve(&late.key.id, Freshness::StoreDefault)).expect("it answers");
    assert!(absent.is_none(), "it is not copied yet");
    block_on(world.authority.revoke(&world.admin, &revoked.key.id)).expect("it is revoked");
    block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
    assert_eq!(world.says(revoked.token.expose()), "revoked");
    assert_eq!(world.says(late.token.expose()), "current");
}

/// A node that was started too early reads the tables while they are filled.
#[common::test(postgres)]
fn b12_early_cache_knows_earlier_revoke() {
    let place = Place::new();
    let _runtime = place.enter();
    let early = cache(place.open().expect("the tables are empty"));
    block_on(early.sync()).expect("the tables answer");
    let store = MovingStore::new(MemoryStore::new());
    let world = World::new(store.clone());
    let revoked = world.issue("prod-main-app");
    let mut transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    block_on(transfer.copy(|_| {})).expect("it is copied");
    block_on(early.sync()).expect("the tables answer");
    let resolve = || block_on(early.resolve(&revoked.key.id, Freshness::StoreDefault));
    assert!(resolve().expect("it answers").is_some() && early.keys_kept() == 1);
    block_on(world.authority.revoke(&world.admin, &revoked.key.id)).expect("it is revoked");
    let target = transfer.database();
    block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
    block_on(early.sync()).expect("the tables answer");
    let found = resolve().expect("it answers").expect("the key is there");
    assert!(found.snapshot.record().key().revoked_at.is_some(), "the copy before the revoke");
}

#[common::test(postgres)]
fn b12_cache_above_forgets_the_old_store() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let above = cache(store.clone());
    let world = World::new(above.clone());
    let keys = ["prod-one", "prod-two"].map(|name| world.issue(name));
    block_on(above.sync()).expect("the store answers");
    for key in &keys {
        assert_eq!(world.says(key.token.expose()), "current");
    }
    let transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    let target = transfer.database();
    block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
    // A change through the cache is visible at once, one of another node after a sync.
    block_on(world.authority.revoke(&world.admin, &keys[0].key.id)).expect("it is revoked");
    assert_eq!(world.says(keys[0].token.expose()), "revoked");
    let node = World::bare(place.open().expect("the tables are open"));
    block_on(node.authority.revoke(&world.admin, &keys[1].key.id)).expect("it is revoked");
    block_on(above.sync()).expect("the store answers");
    assert_eq!(world.says(keys[1].token.expose()), "revoked");
    assert_eq!(above.regressions(), 0, "no commit was lost");
}

#[common::test(postgres)]
fn b12_cache_above_forgets_everything() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let _world = lived(store.clone());
    let last = block_on(store.changes(&Marker::default())).expect("it answers").at;
    let transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    let target = transfer.database();
    block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
    let changes = block_on(store.changes(&last)).expect("it answers");
    assert_eq!((changes.touched, changes.has_lost), (None, false));
    block_on(store.commit(Batch::of(TenantId::default()))).expect("a commit");
    let next = block_on(store.changes(&changes.at)).expect("it answers");
    assert_eq!(next.touched, Some(Vec::new()));
}

#[common::test(postgres)]
fn b12_shutdown_releases_the_pool() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = World::new(store.clone());
    let running = world.keywright.start().expect("a runtime");
    let transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    let database = transfer.database();
    let hints = block_on(database.hints()).expect("the server listens");
    let target = CachedStore::with_hints(database, CacheOptions::new(), hints).expect("a cache");
    block_on(store.finish(transfer, target.clone(), MoveOptions::new())).expect("it has moved");
    while target.state() != CacheState::Fresh {}
    block_on(running.shutdown()).expect("the last flush");
    // It would wait for the connection of the hints.
    block_on(place.pool.close());
}
