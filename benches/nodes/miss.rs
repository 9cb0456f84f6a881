//! A read that the cache does not have, beside one bare row by its primary key.

use std::hint::black_box;

use futures_lite::future::block_on;
use keywright::PepperRing;
use keywright::store::{Freshness, KeyStore};
use kit::{Figure, Lane, Unit, World};

use crate::Database;

const MISS: &str = "verify of a key not cached / one bare row";

pub(crate) fn measure(database: &Database<'_>) {
    if !database.run.wants(MISS) {
        return;
    }
    let store = database.store("miss");
    let world = World::new(store.clone(), PepperRing::none());
    let id = world.generate("missed").key.id;
    let text = id.to_string();
    let [ours, reference] = database.run.rounds([
        Lane::calls(100, || {
            black_box(block_on(store.resolve(&id, Freshness::StoreDefault)).expect("it answers"));
        }),
        Lane::calls(100, || {
            let query = sqlx::query("SELECT * FROM miss.keys WHERE id = $1").bind(&text);
            black_box(block_on(query.fetch_one(&database.pool)).expect("a row"));
        }),
    ]);
    database.run.show(&Figure::beside(MISS, Unit::Seconds, &ours, &reference));
}
