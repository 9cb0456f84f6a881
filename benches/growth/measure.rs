//! The operations among a number of keys.

use std::hint::black_box;
use std::time::Instant;

use futures_lite::future::block_on;
use keywright::store::{KeyQuery, KeySort, KeyStore};
use keywright::{Clock, SystemClock};
use kit::{Figure, Lane, Population, Run, Unit, fill_file, opening, percentile, ready};

/// The operations, as the plot names them.
pub(crate) const LINES: [&str; 5] = [
    "check a random key",
    "generate a key",
    "list 50 keys from the middle, by name",
    "open a file",
    "flush 1,000 used keys",
];

/// Returns the seconds of each operation among this number of keys.
pub(crate) fn measured(run: &Run, keys: usize) -> [f64; LINES.len()] {
    let population = Population::of(keys);
    let (world, tokens) = (&population.world, &population.tokens);
    let tenant = world.admin.tenant();

    // The first use of a key since a flush costs more, so each key is used once before.
    for number in 0..keys {
        ready(world.verifier.verify(tokens.at(number))).expect("accepted");
    }
    let mut walk = tokens.walk();
    let [verify] = run.rounds([Lane::calls(10_000, || {
        black_box(ready(world.verifier.verify(tokens.at(walk.step()))).expect("accepted"));
    })]);
    let mut used = tokens.walk();
    let flush = Lane::measured(|| {
        // Earlier uses are not measured.
        block_on(world.verifier.flush()).expect("it is flushed");
        for _ in 0..1_000 {
            ready(world.verifier.verify(tokens.at(used.step()))).expect("accepted");
        }
        let start = Instant::now();
        block_on(world.verifier.flush()).expect("it is flushed");
        start.elapsed().as_secs_f64()
    });
    let middle = population.middle(keys);
    let middle = block_on(population.store.key(tenant, &middle)).expect("it answers");
    let middle = middle.expect("a key");
    let query = KeyQuery::new().sort(KeySort::Name).limit(50);
    let query = query.behind(query.position(&middle.record, &middle.usage));
    let list = Lane::calls(1, || {
        let page = block_on(population.store.keys(tenant, &query, SystemClock.now()));
        assert_eq!(black_box(page.expect("a page")).items.len(), 50);
    });
    let [flush, list] = run.rounds([flush, list]);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    fill_file(&population, &path);
    let [open] = run.rounds([opening(&path)]);

    // Last, since it adds keys.
    let mut number = keys;
    let [generate] = run.rounds([Lane::calls(500, || {
        number += 1;
        black_box(world.generate_numbered(number));
    })]);

    let lines = [verify, generate, list, open, flush];
    for (name, values) in LINES.iter().zip(&lines) {
        run.show(&Figure::alone(format!("{name}, of {keys}"), Unit::Seconds, values));
    }
    // Other work on the machine only adds time, and the plot compares sizes that were measured minutes apart.
    lines.map(|values| percentile(&values, 0.0))
}
