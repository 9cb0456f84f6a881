//! Uses are counted exactly during flushes.

use std::pin::pin;

use futures_lite::future::poll_once;
use shuttle::future::{block_on, yield_now};
use shuttle::rand::{Rng, thread_rng};

use super::{Work, together};
use crate::failing::Failing;
use crate::store::MemoryStore;
use crate::store::conformance::InterceptedStore;
use crate::value::digest::PepperRing;
use crate::world::World;

pub(super) fn t_c05_every_use_is_stored_once() {
    let world = World::new();
    let apart = world.apart();
    let issued = world.generate();
    let twice = |world: &World| {
        let (world, token) = (world.clone(), issued.token.expose().to_owned());
        Box::new(move || {
            assert_eq!(world.says(&token), "current");
            assert_eq!(world.says(&token), "current");
        }) as Work
    };
    let flush = |world: &World| {
        let world = world.clone();
        Box::new(move || world.flush()) as Work
    };
    let changing = world.clone();
    // The change replaces the snapshot of the key, with a new counter.
    let change = move || changing.raise_limit();
    together([twice(&world), twice(&apart), flush(&world), flush(&apart), Box::new(change)]);
    world.flush();
    apart.flush();
    assert_eq!(world.uses(&issued.key.id), 4);
}

pub(super) fn t_c05_flush_stores_all_earlier_uses() {
    let world = World::new();
    let issued = world.generate();
    let use_and_look = |_| {
        let (world, token) = (world.clone(), issued.token.expose().to_owned());
        let id = issued.key.id;
        Box::new(move || {
            for used in 1..=2 {
                assert_eq!(world.says(&token), "current");
                world.flush();
                let stored = world.uses(&id);
                assert!(stored >= used, "{stored} are stored after {used} and a flush");
            }
        }) as Work
    };
    together((0..3).map(use_and_look));
    assert_eq!(world.uses(&issued.key.id), 6);
}

pub(super) fn t_c05_lost_batches_store_each_use_once() {
    let failing = Failing::default();
    let store = InterceptedStore::new(MemoryStore::new(), failing.clone());
    let world = World::on(store, PepperRing::none());
    let issued = world.generate();
    let use_and_flush = |_| {
        let (world, token) = (world.clone(), issued.token.expose().to_owned());
        Box::new(move || {
            for _ in 0..2 {
                assert_eq!(world.says(&token), "current");
                block_on(flush_for_a_while(&world));
            }
        }) as Work
    };
    together((0..3).map(use_and_flush));
    failing.mend();
    world.flush();
    assert_eq!(world.uses(&issued.key.id), 6);
}

/// Starts a flush that can fail, and drops it if it takes long.
async fn flush_for_a_while(world: &World) {
    let mut flush = pin!(world.verifier.flush());
    for _ in 0..thread_rng().gen_range(1..8) {
        if poll_once(&mut flush).await.is_some() {
            return;
        }
        yield_now().await;
    }
}

pub(super) fn t_c05_dropped_verifier_leaves_its_uses() {
    let world = World::new();
    let issued = world.generate();
    let token = issued.token.expose().to_owned();
    let (going, its_token) = (world.apart(), token.clone());
    let (staying, other_token) = (world.clone(), token.clone());
    together([
        Box::new(move || {
            assert_eq!(going.says(&its_token), "current");
            drop(going);
        }) as Work,
        Box::new(move || {
            assert_eq!(staying.says(&other_token), "current");
            staying.flush();
        }),
    ]);
    // The uses in the counter are flushed with the next use.
    assert_eq!(world.says(&token), "current");
    world.flush();
    assert_eq!(world.uses(&issued.key.id), 3);
}
