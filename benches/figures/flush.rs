//! Flushes of many used keys in memory, and the checks beside them.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use kit::{Figure, Lane, Population, Run, Target, Unit, percentile, ready};

use crate::Many;

const FLUSH: &str = "flush of 200,000 used keys, memory";
const BESIDE: &str = "p99 of verify beside that flush / without";
const LONGEST: &str = "longest verify beside that flush / without";

pub(crate) fn measure(run: &Run, many: &Many<'_>) {
    if run.wants(FLUSH) {
        flush(run, many.get());
    }
    if run.wants_one(&[BESIDE, LONGEST]) {
        beside(run, many.get());
    }
}

/// Uses 200,000 keys.
fn use_keys(run: &Run, population: &Population) {
    for token in population.tokens.iter().take(run.size(200_000, 500)) {
        ready(population.world.verifier.verify(token)).expect("accepted");
    }
}

fn flush(run: &Run, population: &Population) {
    let [values] = run.rounds([Lane::measured(|| {
        use_keys(run, population);
        let start = Instant::now();
        block_on(population.world.verifier.flush()).expect("it is flushed");
        start.elapsed().as_secs_f64()
    })]);
    run.show(&Figure::alone(FLUSH, Unit::Seconds, &values).target(Target::Most(0.1)));
}

/// Measures each check of one key while `during` runs on another thread. Returns the 99th percentile
/// and the longest, in seconds.
fn slowest(population: &Population, during: impl FnOnce() + Send) -> [f64; 2] {
    let token = population.tokens.at(population.tokens.len() - 1);
    let verifier = &population.world.verifier;
    let is_over = AtomicBool::new(false);
    let mut times = Vec::with_capacity(1 << 22);
    thread::scope(|scope| {
        scope.spawn(|| {
            during();
            is_over.store(true, Ordering::Relaxed);
        });
        while !is_over.load(Ordering::Relaxed) {
            let start = Instant::now();
            black_box(ready(verifier.verify(token)).expect("accepted"));
            times.push(start.elapsed().as_secs_f64());
        }
    });
    [0.99, 1.0].map(|part| percentile(&times, part))
}

fn beside(run: &Run, population: &Population) {
    let pause = run.time(Duration::from_millis(500));
    // Lanes return one number each; the longest check of the same round is kept beside it.
    let [ours, reference] = [Mutex::new(Vec::new()), Mutex::new(Vec::new())];
    let lane = |longest: &Mutex<Vec<f64>>, [p99, most]: [f64; 2]| {
        longest.lock().expect("no panic").push(most);
        p99
    };
    let [beside, without] = run.rounds([
        Lane::measured(|| {
            use_keys(run, population);
            let flush = || block_on(population.world.verifier.flush()).expect("it is flushed");
            lane(&ours, slowest(population, flush))
        }),
        Lane::measured(|| lane(&reference, slowest(population, || thread::sleep(pause)))),
    ]);
    let target = Target::Most(2.0);
    run.show(&Figure::beside(BESIDE, Unit::Seconds, &beside, &without).target(target));
    let [ours, reference] = [ours, reference].map(|all| all.into_inner().expect("no panic"));
    run.show(&Figure::beside(LONGEST, Unit::Seconds, &ours[1..], &reference[1..]));
}
