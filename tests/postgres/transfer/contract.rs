//! The store contract on a store that moves: before the move, and while a move ends in the rule.

use std::sync::Arc;

use futures_lite::future::block_on;
use keywright::store::conformance::{Host, RULES, Running};
use keywright::store::{KeyStore, MemoryStore, MoveOptions, MovingStore};

use common::Trial;
use common::needs::Need;
use common::suite::trial;
use common::transfer::Place;

/// A store that is not moved.
struct Unmoved;

impl Host for Unmoved {
    fn store(&self) -> Arc<dyn KeyStore> {
        Arc::new(MovingStore::new(MemoryStore::new()))
    }

    fn run(&self, future: Running<'_>) {
        block_on(future);
    }
}

/// A store that moves while the rule is checked.
struct Moves(Place);

impl Host for Moves {
    fn store(&self) -> Arc<dyn KeyStore> {
        let store = MovingStore::new(MemoryStore::new());
        let (options, pool, moving) = (self.0.options(), self.0.pool.clone(), store.clone());
        // A rule that opens a second store finds the schema in use, and checks it unmoved.
        self.0.runtime.spawn(async move {
            if let Ok(transfer) = moving.begin(options, pool).await {
                let target = transfer.database();
                moving.finish(transfer, target, MoveOptions::new()).await.expect("it has moved");
            }
        });
        Arc::new(store)
    }

    fn run(&self, future: Running<'_>) {
        self.0.runtime.block_on(future);
    }
}

/// Returns a trial for each rule on both hosts.
pub(crate) fn trials() -> Vec<Trial> {
    let unmoved = RULES.iter().map(|rule| {
        trial(format!("contract::unmoved::{}", rule.name), &[], || (rule.check)(&Unmoved))
    });
    let moves = RULES.iter().map(|rule| {
        let check = || (rule.check)(&Moves(Place::new()));
        trial(format!("contract::moves::{}", rule.name), &[Need::Postgres], check)
    });
    unmoved.chain(moves).collect()
}
