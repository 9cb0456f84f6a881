//! Checks of one key of a service account among 1,000, with a stored policy, a scope and write access.

use std::hint::black_box;

use keywright::store::MemoryStore;
use keywright::{AccessRequest, PepperRing};
use kit::{
    Figure, FlatMap, Lane, Prototype, Run, Target, Tokens, Unit, World, allocations_of,
    hmac_sha_256, peer, rate_of_two, ready, sha_256_block,
};

/// The number of calls in a round.
const CALLS: u32 = 5_000;
const KEYS: usize = 1_000;

pub(crate) fn measure(run: &Run) {
    hot(run);
    pepper(run);
    two_threads(run);
    refused(run);
    allocations(run);
    generate(run);
}

fn tokens(world: &World) -> Tokens {
    let mut tokens = Tokens::with_room(KEYS);
    (0..KEYS).for_each(|n| tokens.push(world.generate(&format!("key {n}")).token.expose()));
    tokens
}

/// Returns a function that checks a token with everything that a request can need.
fn check<'a>(world: &'a World, token: &'a str) -> impl FnMut() + 'a {
    let request = AccessRequest::token(token).write().scope(&world.scope);
    move || {
        black_box(ready(world.verifier.verify_request(black_box(&request))).expect("accepted"));
    }
}

fn hot(run: &Run) {
    const BLOCK: &str = "verify hot / SHA-256 block";
    const LOOKUP: &str = "verify hot / block and lookup among 1,000";
    const WHOLE: &str = "verify hot / prototype";
    const TURNS: &str = "verify 1,000 in turn / block and lookup";
    const PEER: &str = "verify hot / prefixed-api-key parse and check";
    if !run.wants_one(&[BLOCK, LOOKUP, WHOLE, TURNS, PEER]) {
        return;
    }
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let tokens = tokens(&world);
    let token = tokens.at(KEYS / 2);
    let map = FlatMap::of(&tokens);
    let prototype = Prototype::of(&tokens);
    let peer = peer();
    let (peer_token, peer_hash) = peer.generate_key_and_hash();
    let peer_token = peer_token.to_string();
    let mut walks = [tokens.walk(); 2];
    let [ours, turns] = &mut walks;
    let [hot, block, lookup, prototype, peer, in_turn, lookups] = run.rounds([
        Lane::calls(CALLS, check(&world, token)),
        Lane::calls(CALLS, sha_256_block),
        Lane::calls(CALLS, || map.block_and_lookup(token)),
        Lane::calls(CALLS, || assert!(prototype.accepts(black_box(token)))),
        Lane::calls(CALLS, || {
            let parsed = black_box(&*peer_token).try_into().expect("a token");
            assert!(black_box(peer.check_hash(&parsed, &peer_hash)));
        }),
        Lane::calls(CALLS, || {
            let request = AccessRequest::token(tokens.at(ours.step())).write().scope(&world.scope);
            black_box(ready(world.verifier.verify_request(&request)).expect("accepted"));
        }),
        Lane::calls(CALLS, || map.block_and_lookup(tokens.at(turns.step()))),
    ]);
    let figure = |name, reference: &[f64]| Figure::beside(name, Unit::Seconds, &hot, reference);
    run.show(&figure(BLOCK, &block).target(Target::Most(2.8)));
    run.show(&figure(LOOKUP, &lookup));
    run.show(&figure(WHOLE, &prototype));
    run.show(&Figure::beside(TURNS, Unit::Seconds, &in_turn, &lookups));
    run.show(&figure(PEER, &peer).target(Target::Most(0.4)));
}

fn pepper(run: &Run) {
    const HMAC: &str = "verify hot, pepper / HMAC-SHA-256, ready states";
    if !run.wants(HMAC) {
        return;
    }
    let peppers = PepperRing::none().with(1, [1; 32]).expect("a pepper");
    let world = World::new(MemoryStore::new(), peppers);
    let tokens = tokens(&world);
    let [ours, reference] = run.rounds([
        Lane::calls(CALLS, check(&world, tokens.at(KEYS / 2))),
        Lane::calls(CALLS, hmac_sha_256()),
    ]);
    run.show(&Figure::beside(HMAC, Unit::Seconds, &ours, &reference).target(Target::Most(2.0)));
}

fn two_threads(run: &Run) {
    const ONE: &str = "verify hot, rate of two threads / of one";
    const BLOCK: &str = "SHA-256 block, rate of two threads / of one";
    if !run.wants_one(&[ONE, BLOCK]) {
        return;
    }
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let token = world.generate("hot").token;
    let calls = CALLS * 10;
    let both = || {
        let [mut a, mut b] = [(); 2].map(|()| check(&world, token.expose()));
        rate_of_two(calls, [&mut a, &mut b])
    };
    let one = Lane::calls(calls, check(&world, token.expose()));
    let block = Lane::calls(calls, sha_256_block);
    let [two, one, two_blocks, block] = run.rounds([
        Lane::measured(both),
        one,
        Lane::measured(|| rate_of_two(calls, [&mut sha_256_block, &mut sha_256_block])),
        block,
    ]);
    let rates = |times: Vec<f64>| times.into_iter().map(f64::recip).collect::<Vec<_>>();
    let figure = |name, two: &[f64], one| Figure::beside(name, Unit::PerSecond, two, &rates(one));
    run.show(&figure(ONE, &two, one).target(Target::Least(1.8)));
    run.show(&figure(BLOCK, &two_blocks, block));
}

fn refused(run: &Run) {
    const CRC: &str = "verify malformed / CRC-32 of a token";
    const PEER: &str = "verify malformed / prefixed-api-key parse";
    const UNKNOWN: &str = "verify unknown / SHA-256 block";
    const WRONG: &str = "verify without the scope / SHA-256 block";
    if !run.wants_one(&[CRC, PEER, UNKNOWN, WRONG]) {
        return;
    }
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let token = world.generate("refused").token;
    let malformed = format!("{}-", &token.expose()[..World::TOKEN_BYTES - 1]);
    let other = World::new(MemoryStore::new(), PepperRing::none()).generate("other").token;
    let missing = "jobs:stop".parse().expect("a scope");
    let refused = |request: AccessRequest<'_>| {
        black_box(ready(world.verifier.verify_request(black_box(&request))).expect_err("refused"));
    };
    let [ours, crc, peer, unknown, wrong, block] = run.rounds([
        Lane::calls(CALLS, || refused(AccessRequest::token(&malformed))),
        Lane::calls(CALLS, || {
            black_box(crc32fast::hash(black_box(malformed.as_bytes())));
        }),
        Lane::calls(CALLS, || {
            let parsed: Result<prefixed_api_key::PrefixedApiKey, _> =
                black_box(&*malformed).try_into();
            black_box(parsed.is_ok());
        }),
        Lane::calls(CALLS, || refused(AccessRequest::token(other.expose()))),
        Lane::calls(CALLS, || refused(AccessRequest::token(token.expose()).scope(&missing))),
        Lane::calls(CALLS, sha_256_block),
    ]);
    let figure = |name, ours: &[f64], reference: &[f64]| {
        run.show(&Figure::beside(name, Unit::Seconds, ours, reference));
    };
    figure(CRC, &ours, &crc);
    figure(PEER, &ours, &peer);
    figure(UNKNOWN, &unknown, &block);
    figure(WRONG, &wrong, &block);
}

fn allocations(run: &Run) {
    const ACCEPTED: &str = "allocations per accepted verify";
    const MALFORMED: &str = "allocations per malformed token";
    if !run.wants_one(&[ACCEPTED, MALFORMED]) {
        return;
    }
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let token = world.generate("hot").token;
    let mut accepted = check(&world, token.expose());
    let mut malformed = || {
        black_box(ready(world.verifier.verify(black_box("acme_live_typo"))).expect_err("refused"));
    };
    let show = |name, work: &mut dyn FnMut()| {
        let calls = 10_000_u32;
        // The first uses since a flush are noted, and a key may get more counters as it becomes hot.
        (0..calls).for_each(|_| work());
        let all = u32::try_from(allocations_of(|| (0..calls).for_each(|_| work())));
        let each = f64::from(all.unwrap_or(u32::MAX)) / f64::from(calls);
        run.show(&Figure::alone(name, Unit::Count, &[each]).target(Target::Most(0.0)));
    };
    show(ACCEPTED, &mut accepted);
    show(MALFORMED, &mut malformed);
}

fn generate(run: &Run) {
    const PEER: &str = "generate in memory / prefixed-api-key";
    if !run.wants(PEER) {
        return;
    }
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let peer = peer();
    let mut number = 0;
    let [ours, reference] = run.rounds([
        Lane::calls(CALLS / 5, || {
            number += 1;
            black_box(world.generate_numbered(number));
        }),
        Lane::calls(CALLS / 5, || {
            black_box(peer.generate_key_and_hash());
        }),
    ]);
    run.show(&Figure::beside(PEER, Unit::Seconds, &ours, &reference));
}
