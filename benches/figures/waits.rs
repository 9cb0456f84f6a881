//! The slowest checks while another thread commits without a pause.

use std::hint::black_box;
use std::time::Instant;

use futures_lite::future::block_on;
use keywright::PepperRing;
use keywright::store::{FileStore, KeyStore, MemoryStore};
use kit::{Beside, Figure, Lane, Run, Target, Unit, World, is_ready, percentile};

const MEMORY: &str = "p99 of verify while a writer commits / without, memory";
const FILE: &str = "p99 of verify while a writer commits / without, file";

pub(crate) fn measure(run: &Run) {
    if run.wants(MEMORY) {
        beside_writer(run, MEMORY, MemoryStore::new());
    }
    if run.wants(FILE) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
        beside_writer(run, FILE, store);
    }
}

fn beside_writer(run: &Run, name: &str, store: impl KeyStore) {
    let world = World::new(store, PepperRing::none());
    let token = world.generate("hot").token;
    let calls = run.size(100_000, 1_000);
    let p99 = || {
        let times: Vec<f64> = (0..calls)
            .map(|_| {
                let start = Instant::now();
                black_box(is_ready(world.verifier.verify(token.expose())).1.expect("accepted"));
                start.elapsed().as_secs_f64()
            })
            .collect();
        percentile(&times, 0.99)
    };
    let mut number = 0;
    let [beside, without] = run.rounds([
        Lane::measured(|| {
            number += 10_000_000;
            let (writer, mut next) = (world.clone(), number);
            let _writer = Beside::start(move || {
                next += 1;
                writer.generate_numbered(next);
            });
            p99()
        }),
        Lane::measured(p99),
    ]);
    let figure = Figure::beside(name, Unit::Seconds, &beside, &without);
    run.show(&figure.target(Target::Most(2.0)));
}
