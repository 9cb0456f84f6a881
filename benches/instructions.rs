//! The instructions of one check, for callgrind. `scripts/instructions` runs it.
//!
//! ```text
//! instructions CASE CALLS [OBSERVER]
//! ```
//!
//! It prepares the case in 64 stores, and calls [`counted`] for each, in which callgrind counts. The
//! keys come from a seeded source. Each store hashes ids with a random number of its own, so the length
//! of a lookup differs by a few percent between two stores, but hardly between two means of 64.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use common::Random;
use futures_lite::future::block_on;
use keywright::store::{CacheOptions, CachedStore, KeyStore, ManualMonotonicClock, MemoryStore};
use keywright::{AccessRequest, PepperRing, TenantId};
use kit::{Tokens, Walk, World, ready, sha_256_block};

/// The number of keys in each store.
const KEYS: usize = 128;
const STORES: u32 = 64;

type Case = (&'static str, fn(u32));

const CASES: [Case; 9] = [
    ("block", |calls| counted(calls, sha_256_block)),
    ("hmac", |calls| counted(calls, kit::hmac_sha_256())),
    ("hot", |calls| accepted(MemoryStore::new(), PepperRing::none(), false, calls)),
    ("cold", |calls| accepted(MemoryStore::new(), PepperRing::none(), true, calls)),
    ("pepper", |calls| accepted(MemoryStore::new(), pepper(), false, calls)),
    ("cached", |calls| accepted(cached(), PepperRing::none(), false, calls)),
    ("unknown", unknown),
    ("denied", denied),
    ("malformed", malformed),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = match &*arguments {
        [name, calls, observer @ ..] if observer.iter().all(|observer| observe(observer)) => {
            let case = CASES.iter().find(|(case, _)| case == name).map(|(_, case)| case);
            case.zip(calls.parse::<u32>().ok())
        }
        // Cargo runs it without a case beside the other benchmarks.
        _ => None,
    };
    let Some((case, calls)) = chosen else {
        let names = CASES.map(|(name, _)| name).join(", ");
        println!("run scripts/instructions, or this program with a case and calls: {names}");
        println!("with the feature metrics: recorder; with the feature tracing: info or debug");
        return ExitCode::SUCCESS;
    };
    // The cache waits on its timers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let _context = runtime.enter();
    (0..STORES).for_each(|_| case(calls / STORES));
    ExitCode::SUCCESS
}

/// Installs what observes the checks: a recorder of metrics, or a subscriber that formats spans of this level and
/// throws them away. Returns false if the program was built without its feature.
fn observe(observer: &str) -> bool {
    match observer {
        #[cfg(feature = "metrics")]
        "recorder" => {
            let recorder = metrics_util::debugging::DebuggingRecorder::new();
            recorder.install().expect("there is no other recorder");
            true
        }
        #[cfg(feature = "tracing")]
        "info" | "debug" => {
            let level = if observer == "debug" {
                tracing_subscriber::filter::LevelFilter::DEBUG
            } else {
                tracing_subscriber::filter::LevelFilter::INFO
            };
            let spans = tracing_subscriber::fmt().with_max_level(level);
            spans.with_writer(std::io::sink).init();
            true
        }
        _ => false,
    }
}

/// The function in which callgrind counts: `scripts/instructions` names it.
#[inline(never)]
fn counted(calls: u32, mut work: impl FnMut()) {
    for _ in 0..calls {
        work();
    }
}

fn pepper() -> PepperRing {
    PepperRing::none().with(1, [1; 32]).expect("a pepper")
}

/// Creates a cache whose clock is not counted: valgrind cannot run the reading of the system's clock.
fn cached() -> CachedStore {
    let clock = ManualMonotonicClock::new();
    let options = CacheOptions::new().max_staleness(Duration::from_secs(3_600)).clock(clock);
    let cached = CachedStore::new(MemoryStore::new(), options).expect("a cache");
    block_on(cached.sync()).expect("the store answers");
    cached
}

/// Creates a world whose keys are the same in each run.
fn world(store: impl KeyStore, peppers: PepperRing) -> (World, Tokens) {
    seeded(1, store, peppers)
}

fn seeded(seed: u64, store: impl KeyStore, peppers: PepperRing) -> (World, Tokens) {
    let keywright = World::setup(store, peppers).random(Random::seeded(seed)).build();
    let world = World::of(&keywright.expect("a setup"), TenantId::default());
    let mut tokens = Tokens::with_room(KEYS);
    for number in 0..KEYS {
        tokens.push(world.generate_numbered(number).token.expose());
    }
    (world, tokens)
}

/// Counts checks of all keys in turn, or of one key after the other many times.
fn accepted(store: impl KeyStore, peppers: PepperRing, is_cold: bool, calls: u32) {
    let (world, tokens) = world(store, peppers);
    // The first use of a key since a flush is noted, and a cache fetches the key.
    for token in tokens.iter() {
        block_on(world.verifier.verify(token)).expect("accepted");
    }
    let mut walk = Walk::over(KEYS);
    let mut call = 0_u32;
    let mut at = 0;
    counted(calls, || {
        // A hot key is checked 20 times before the next one: the steps of a lookup depend on the key.
        if is_cold || call.is_multiple_of(20) {
            at = walk.step();
        }
        call += 1;
        let request = AccessRequest::token(tokens.at(at)).write().scope(&world.scope);
        black_box(ready(world.verifier.verify_request(black_box(&request))).expect("accepted"));
    });
}

fn unknown(calls: u32) {
    let (world, _) = world(MemoryStore::new(), PepperRing::none());
    let (_, strangers) = seeded(2, MemoryStore::new(), PepperRing::none());
    let mut walk = strangers.walk();
    counted(calls, || refused(&world, &AccessRequest::token(strangers.at(walk.step()))));
}

fn denied(calls: u32) {
    let (world, tokens) = world(MemoryStore::new(), PepperRing::none());
    let scope = "jobs:stop".parse().expect("a scope");
    let request = |place| AccessRequest::token(tokens.at(place)).scope(&scope);
    (0..KEYS).for_each(|place| refused(&world, &request(place)));
    let mut walk = Walk::over(KEYS);
    counted(calls, || refused(&world, &request(walk.step())));
}

fn malformed(calls: u32) {
    let (world, tokens) = world(MemoryStore::new(), PepperRing::none());
    let typos: Vec<String> =
        tokens.iter().take(20).map(|token| format!("{}-", &token[1..])).collect();
    let mut next = typos.iter().cycle();
    counted(calls, || {
        let token = next.next().expect("an endless walk");
        refused(&world, &AccessRequest::token(token));
    });
}

fn refused(world: &World, request: &AccessRequest<'_>) {
    black_box(ready(world.verifier.verify_request(black_box(request))).expect_err("refused"));
}
