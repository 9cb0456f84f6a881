//! The cost of keywright's operations, each beside its floor or a peer, in one run.
//!
//! ```text
//! cargo bench -p keywright-benches --bench figures [-- FILTER]
//! ```
//!
//! Each line is one figure: name, ours, reference and ratio. All are medians over rounds in which
//! ours and the reference alternate. The range of the ratio, from its 10th to its 90th percentile,
//! is the noise of the machine. Quote the ratios; the times hold only for one machine.

#[path = "kit/mod.rs"]
mod kit;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_lite::future::block_on;
use keywright::store::{FileStore, MemoryStore};
use keywright::{AccessRequest, Name, PepperRing};
use prefixed_api_key::PakControllerOsSha256;
use rand::seq::SliceRandom;
use redb::{Database, TableDefinition};
use sha2::{Digest, Sha256};

use crate::kit::{World, figure, head, ready};

const MANY: usize = 1_000_000;
const TABLE: TableDefinition<&str, u64> = TableDefinition::new("table");

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = |name: &str| filter.as_deref().is_none_or(|filter| name.contains(filter));
    head();

    if wanted("verify hot") || wanted("malformed") {
        hot();
    }
    if wanted("verify random") {
        random();
    }
    if wanted("generate") {
        generate();
    }
    if wanted("commit") {
        commit();
    }
}

/// Measures the check of one key of a service account, with a stored policy, a scope and write
/// access.
fn hot() {
    for (peppers, name) in [
        (PepperRing::none(), "verify hot"),
        (PepperRing::none().with(1, [1; 32]).expect("a pepper"), "verify hot, pepper"),
    ] {
        let world = World::new(MemoryStore::new(), peppers);
        let token = world.generate("hot").token;
        let (token, scope) = (token.expose(), world.scope.clone());
        let request = AccessRequest::token(token).write().scope(&scope);
        let ours = || {
            black_box(ready(world.verifier.verify_request(black_box(&request))).expect("accepted"));
        };

        figure(&format!("{name} / SHA-256 block"), 2_000, ours, sha_256_block);
        let map: HashMap<&str, u64> = HashMap::from([(&token[10..26], 1)]);
        figure(&format!("{name} / block and lookup"), 2_000, ours, || {
            sha_256_block();
            black_box(map.get(black_box(&token[10..26])));
        });
        let peer = peer();
        let (peer_token, peer_hash) = peer.generate_key_and_hash();
        let peer_token = peer_token.to_string();
        figure(&format!("{name} / prefixed-api-key"), 2_000, ours, || {
            let parsed = black_box(&*peer_token).try_into().expect("a token");
            assert!(black_box(peer.check_hash(&parsed, &peer_hash)));
        });

        let (one, two) = (world.verifier.clone(), world.verifier.clone());
        let beside = Beside::start({
            let (token, scope) = (token.to_owned(), scope.clone());
            move || {
                let request = AccessRequest::token(&token).write().scope(&scope);
                black_box(ready(two.verify_request(&request)).expect("accepted"));
            }
        });
        let ours = || {
            black_box(ready(one.verify_request(black_box(&request))).expect("accepted"));
        };
        figure(&format!("{name}, two threads / block"), 2_000, ours, sha_256_block);
        drop(beside);
    }

    let world = World::new(MemoryStore::new(), PepperRing::none());
    let mut token = world.generate("malformed").token.expose().to_owned();
    token.pop();
    token.push('-');
    let crc = || {
        black_box(crc32fast::hash(black_box(token.as_bytes())));
    };
    let ours = || {
        black_box(ready(world.verifier.verify(black_box(&token))).expect_err("malformed"));
    };
    figure("malformed / CRC-32 of a token", 5_000, ours, crc);
    let peer = peer();
    figure("malformed / prefixed-api-key parse", 5_000, ours, || {
        let parsed: Result<prefixed_api_key::PrefixedApiKey, _> = black_box(&*token).try_into();
        black_box(parsed.map(|parsed| peer.long_token_hashed(&parsed)).is_ok());
    });
}

/// Measures checks of a million keys of 100,000 owners, in random order.
fn random() {
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let mut tokens: Vec<String> = (0..MANY)
        .map(|n| world.generate(&format!("u{}", n / 10)).token.expose().to_owned())
        .collect();
    tokens.shuffle(&mut rand::rng());
    let ids: Vec<&str> = tokens.iter().map(|token| &token[10..26]).collect();
    let map: HashMap<&str, [u64; 8]> = ids.iter().map(|id| (*id, [1; 8])).collect();

    let mut at = 0;
    let mut ours = Walk::over(&tokens);
    let mut theirs = Walk::over(&ids);
    let mut verify = || {
        black_box(ready(world.verifier.verify(ours.next())).expect("accepted"));
    };
    let mut floor = || {
        sha_256_block();
        black_box(map.get(theirs.next()).map(|value| value[0]));
    };
    figure("verify random of 1M / block+lookup", 20_000, &mut verify, &mut floor);
    let beside = Beside::start({
        let (verifier, tokens) = (world.verifier.clone(), tokens.clone());
        move || {
            at = (at + 7) % tokens.len();
            black_box(ready(verifier.verify(&tokens[at])).expect("accepted"));
        }
    });
    figure("verify random, two threads / same", 20_000, &mut verify, &mut floor);
    drop(beside);
}

fn generate() {
    let world = World::new(MemoryStore::new(), PepperRing::none());
    let peer = peer();
    let mut n = 0;
    figure(
        "generate / prefixed-api-key",
        1_000,
        || {
            n += 1;
            black_box(world.generate(&format!("u{n}")));
        },
        || {
            black_box(peer.generate_key_and_hash());
        },
    );
}

fn commit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
    let world = World::new(store, PepperRing::none());
    let key = world.generate("commit").key;

    let database = Database::create(folder.path().join("bare.redb")).expect("a database");
    let mut n = 0;
    let mut name = 0;
    figure(
        "durable rename / redb commit",
        20,
        || {
            name += 1;
            let name = Name::new(format!("name {name}")).expect("a name");
            black_box(block_on(world.authority.rename(&world.admin, &key.id, name)))
                .expect("renamed");
        },
        || {
            n += 1;
            let transaction = database.begin_write().expect("a transaction");
            transaction.open_table(TABLE).expect("a table").insert("key", n).expect("inserted");
            transaction.commit().expect("committed");
        },
    );
}

fn sha_256_block() {
    black_box(Sha256::digest(black_box([7_u8; 48])));
}

fn peer() -> PakControllerOsSha256 {
    PakControllerOsSha256::configure()
        .prefix("acme".to_owned())
        .seam_defaults()
        .finalize()
        .expect("the peer's own defaults")
}

struct Walk<'a, T>(&'a [T], usize);

impl<'a, T: AsRef<str>> Walk<'a, T> {
    fn over(all: &'a [T]) -> Self {
        Self(all, 0)
    }

    fn next(&mut self) -> &'a str {
        self.1 = (self.1 + 1) % self.0.len();
        self.0[self.1].as_ref()
    }
}

/// Work on another thread, until this value is dropped.
struct Beside(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Beside {
    fn start(mut work: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                work();
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        if let Some(thread) = self.1.take() {
            thread.join().expect("the other thread has not panicked");
        }
    }
}
