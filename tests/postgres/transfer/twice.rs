//! Two moves of one source: a move that is dropped does not reopen the source for the other one.

use futures_lite::future::block_on;
use keywright::NewKey;
use keywright::store::MemoryStore;

use common::World;
use common::transfer::{Place, lived};

use crate::polled;

/// Returns whether the store accepts a new key.
fn takes_changes(world: &World) -> bool {
    let new = NewKey::named("prod-made-late").expect("a name");
    let owner = world.alice.as_owner();
    block_on(world.authority.generate(&world.alice, new.owner(owner.clone()))).is_ok()
}

#[common::test(postgres)]
fn second_move_does_not_release_first() {
    let (place, other) = (Place::new(), Place::new());
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    let mut second = Some(other.begin(source.clone()).expect("a move into another schema"));
    let mut first = place.begin(source).expect("a move");
    block_on(first.copy(|_| {})).expect("it is copied");
    let mut took_changes = false;
    let finished = block_on(first.finish(|progress| {
        // This table is the last one in the final pass over the source.
        if progress.what == "numbers of events"
            && let Some(second) = second.take()
        {
            let _ = polled(second.finish(|_| {}), 3);
            took_changes = takes_changes(&world);
        }
    }));
    assert!(finished.is_ok() && second.is_none());
    assert!(!took_changes, "a change after the last comparison is lost");
}

#[common::test(postgres)]
fn dropped_move_keeps_moved_store_closed() {
    let (place, other) = (Place::new(), Place::new());
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    block_on(place.begin(source.clone()).expect("a move").finish(|_| {})).expect("it has moved");
    let second = other.begin(source).expect("a move into another schema");
    assert!(polled(second.finish(|_| {}), 3).is_none(), "it was cut off");
    assert!(!takes_changes(&world), "the first move holds");
}
