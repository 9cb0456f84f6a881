//! Checks of random keys among many.

use std::hint::black_box;

use keywright::{AccessRequest, Verifier};
use kit::{
    Figure, FlatMap, Lane, Population, Prototype, Run, Target, Unit, Walk, rate_of_two, ready,
};

use crate::Many;

/// The number of calls in a round.
const CALLS: u32 = 20_000;
/// The number of keys of the largest figure.
const LARGE: usize = 10_000_000;

const LOOKUP: &str = "verify random of 1,000,000 / block and lookup";
const PROTOTYPE: &str = "verify random of 1,000,000 / prototype";
const THREADS: &str = "verify random of 1,000,000, rate of two threads / of one";
const LARGE_LOOKUP: &str = "verify random of 10,000,000 / block and lookup";

pub(crate) fn measure(run: &Run, many: &Many<'_>) {
    if run.wants_one(&[LOOKUP, PROTOTYPE]) {
        let target = Target::Most(1.5);
        beside_floors(run, many.get(), LOOKUP, Some(PROTOTYPE), target);
    }
    if run.wants(THREADS) {
        two_threads(run, many.get());
    }
}

pub(crate) fn measure_large(run: &Run) {
    if run.is_large() && run.wants(LARGE_LOOKUP) {
        let keys = run.size(LARGE, 20_000);
        beside_floors(run, &Population::of(keys), LARGE_LOOKUP, None, Target::Most(1.3));
    }
}

fn check(population: &Population, mut walk: Walk) -> impl FnMut() + '_ {
    let (world, tokens) = (&population.world, &population.tokens);
    let verifier: Verifier = world.verifier.clone();
    move || {
        let request = AccessRequest::token(tokens.at(walk.step())).write().scope(&world.scope);
        black_box(ready(verifier.verify_request(&request)).expect("accepted"));
    }
}

fn beside_floors(
    run: &Run,
    population: &Population,
    name: &str,
    prototype_name: Option<&str>,
    target: Target,
) {
    let tokens = &population.tokens;
    let map = FlatMap::of(tokens);
    let (mut at, mut prototype_at) = (tokens.walk(), tokens.walk());
    let ours = Lane::calls(CALLS, check(population, tokens.walk()));
    let lookup = Lane::calls(CALLS, || map.block_and_lookup(tokens.at(at.step())));
    let Some(prototype_name) = prototype_name else {
        let [ours, lookup] = run.rounds([ours, lookup]);
        return run.show(&Figure::beside(name, Unit::Seconds, &ours, &lookup).target(target));
    };
    let prototype = Prototype::of(tokens);
    let whole = Lane::calls(CALLS, || {
        assert!(prototype.accepts(tokens.at(prototype_at.step())));
    });
    let [ours, lookup, whole] = run.rounds([ours, lookup, whole]);
    run.show(&Figure::beside(name, Unit::Seconds, &ours, &lookup).target(target));
    run.show(&Figure::beside(prototype_name, Unit::Seconds, &ours, &whole));
}

fn two_threads(run: &Run, population: &Population) {
    let start = population.tokens.walk();
    let calls = CALLS * 2;
    let mut turn = 0;
    // Each round walks over other keys.
    let mut next = move || {
        turn += calls as usize;
        start.from(turn)
    };
    let mut one = check(population, next());
    let both = || {
        let mut a = check(population, next());
        let mut b = check(population, next());
        rate_of_two(calls, [&mut a, &mut b])
    };
    let [two, one] = run.rounds([Lane::measured(both), Lane::calls(calls, &mut one)]);
    let one: Vec<f64> = one.into_iter().map(f64::recip).collect();
    run.show(&Figure::beside(THREADS, Unit::PerSecond, &two, &one).target(Target::Least(1.9)));
}
