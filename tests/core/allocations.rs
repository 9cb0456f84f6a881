//! Parsing a credential and verifying a key that is in memory allocate nothing.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use keywright::store::{KeyQuery, KeySort, MemoryStore};
use keywright::{AccessRequest, Grant, KeyEdit, Name, PepperRing, Prefix, Scope, VerifyError};

use common::allocations::{Counting, allocations_of, held_bytes};
use common::faults::Fault;
use common::{HOUR, World, add_role, admin, block_on, denied, developer, named, render};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Polls the future once, and returns its answer and the number of allocations. Panics if the
/// future would have to wait.
fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let mut polled = Poll::Pending;
    let allocations = allocations_of(|| polled = future.as_mut().poll(&mut context));
    let Poll::Ready(answer) = polled else { panic!("the future is not ready") };
    (answer, allocations)
}

fn free_of_allocations<T>(future: impl Future<Output = T>) -> T {
    let (answer, allocations) = counted(future);
    assert_eq!(allocations, 0);
    answer
}

#[test]
fn allocation_is_counted_by_test() {
    let (boxed, allocations) = counted(async { Box::new(std::hint::black_box(7)) });
    assert_eq!((*boxed, allocations), (7, 1));
}

#[test]
fn t_d01_malformed_token_is_refused_without_allocation() {
    let world = World::in_memory();
    let issued = block_on(world.key());
    let token = issued.token.expose();
    let texts = [
        String::new(),
        token[1..].to_owned(),
        token.to_lowercase(),
        format!("{token}0"),
        "\0".repeat(64),
        "a".repeat(129),
        "é".repeat(1 << 19),
        token.repeat(10_000),
    ];
    for text in &texts {
        let verified = free_of_allocations(world.verifier.verify(text));
        assert_eq!(denied(verified), "malformed");
    }
}

#[test]
fn t_d03_unknown_key_is_refused_without_allocation() {
    for peppers in [PepperRing::none(), PepperRing::none().with(1, [7; 32]).expect("a pepper")] {
        let world = World::with(MemoryStore::new(), |builder| builder.peppers(peppers));
        let issued = block_on(world.key());
        let secret = "00000000000000000000000000000000";
        let unknown = render("acme_live", "0000000000000000", secret);
        let wrong = render("acme_live", issued.key.id.as_str(), secret);
        // The first refused use after a flush adds the key to the list of keys to flush.
        assert_eq!(denied(block_on(world.verifier.verify(&wrong))), "unrecognized");
        for token in [unknown, wrong] {
            let verified = free_of_allocations(world.verifier.verify(&token));
            assert_eq!(denied(verified), "unrecognized");
        }
    }
}

fn hot(world: &World, request: &AccessRequest<'_>) -> Result<Grant, VerifyError> {
    // The first use after a flush adds the key to the list of keys to flush, which allocates.
    block_on(world.verifier.verify_request(request)).expect("accepted");
    free_of_allocations(world.verifier.verify_request(request))
}

#[test]
fn loaded_key_is_accepted_without_allocation() {
    for peppers in [PepperRing::none(), PepperRing::none().with(1, [7; 32]).expect("a pepper")] {
        let world = World::with(MemoryStore::new(), |builder| builder.peppers(peppers));
        let issued = block_on(world.key());
        hot(&world, &AccessRequest::token(issued.token.expose())).expect("accepted");
        let parts = AccessRequest::parts(issued.key.id.as_str(), issued.token.expose_key_secret());
        hot(&world, &parts).expect("accepted");
    }
}

#[test]
fn request_and_setup_add_no_allocation() {
    let live = Prefix::new("acme_live").expect("a prefix");
    let world = World::with(MemoryStore::new(), |builder| builder.accept_prefixes([live]));
    let alice = developer("alice");
    let new = named("prod-main-app")
        .scopes("invoices:read invoices:write".parse().expect("scopes"))
        .networks("203.0.113.0/24".parse().expect("networks"))
        .rate("1000/60s".parse().expect("a rate"));
    let issued = block_on(world.key_of(&alice, new));
    let rotated = block_on(world.authority.rotate(&alice, &issued.key.id, HOUR));
    let rotated = rotated.expect("the key is active");
    let scope = Scope::new("invoices:write").expect("a scope");
    for token in [&issued.token, &rotated.token] {
        let source = "203.0.113.7".parse().expect("an address");
        let request = AccessRequest::token(token.expose()).source(source).write().scope(&scope);
        let request = request.tenant(world.tenant());
        let grant = hot(&world, &request).expect("accepted");
        assert!(free_of_allocations(async { grant.allows(&scope) }));
    }
}

#[test]
fn revoked_key_is_refused_without_allocation() {
    let world = World::in_memory();
    let issued = block_on(world.key());
    block_on(world.authority.revoke(&admin(), &issued.key.id)).expect("the key is active");
    // The first refused use after a flush adds the key to the list of keys to flush.
    assert_eq!(denied(block_on(world.verifier.verify(issued.token.expose()))), "revoked");
    let verified = free_of_allocations(world.verifier.verify(issued.token.expose()));
    assert_eq!(denied(verified), "revoked");
}

/// Upper bound in bytes on what the uses of one key hold until the next flush.
const MOST_PER_KEY: isize = 256;
/// Upper bound in bytes on what the uses of a few keys hold.
const MOST_OF_FEW: isize = 48 * 1024;

/// Verifies each token `rounds` times and returns how many more bytes the thread holds afterwards.
async fn held_by_uses(world: &World, tokens: &[String], rounds: usize) -> isize {
    let before = held_bytes();
    for _ in 0..rounds {
        for token in tokens {
            world.verifier.verify(token).await.expect("accepted");
        }
    }
    held_bytes() - before
}

#[test]
fn t_c16_uses_of_fresh_snapshots_hold_little_memory() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        faults.make_snapshots_anew();
        world
            .set_policy(|policy| {
                let scopes: Vec<_> = (0..64).map(|n| format!("scope{n}:read")).collect();
                for n in 0..60 {
                    add_role(&mut policy.plan, &format!("role{n}"), &scopes.join(" "));
                }
            })
            .await
            .expect("the policy is set");
        let mut tokens = Vec::new();
        for _ in 0..300 {
            tokens.push(world.key().await.token.expose().to_owned());
        }
        let most = MOST_OF_FEW + MOST_PER_KEY * 300;
        let held = held_by_uses(&world, &tokens, 20).await;
        assert!(held < most, "{held} bytes");
        // During an outage the verifier continues to count uses, in the same memory.
        faults.set(Fault::UsageLost);
        world.verifier.flush().await.expect_err("the store is down");
        let held = held_by_uses(&world, &tokens, 20).await;
        assert!(held < most, "{held} bytes in an outage");
        faults.set(None);
        world.verifier.flush().await.expect("the store is up again");
        let all = KeyQuery::new().limit(300);
        let page = world.authority.keys(&admin(), &all).await.expect("a page");
        assert!(page.items.iter().all(|entry| entry.uses == 40), "every use was stored");
    });
}

#[test]
fn t_c16_uses_over_many_rotations_hold_little_memory() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        faults.make_snapshots_anew();
        faults.set(Fault::UsageLost);
        let mut issued = world.key().await;
        let alice = developer("alice");
        let mut held = Vec::new();
        for _ in 0..30 {
            world.verifier.verify(issued.token.expose()).await.expect("accepted");
            let old = issued.token;
            issued = world.authority.rotate(&alice, &issued.key.id, HOUR).await.expect("a secret");
            world.verifier.verify(old.expose()).await.expect("in the overlap");
            held.push(held_by_uses(&world, &[issued.token.expose().to_owned()], 10).await);
        }
        assert!(held.iter().sum::<isize>() < MOST_OF_FEW, "{held:?}");
        faults.set(None);
        world.verifier.flush().await.expect("the store is up again");
        let stored = world.store.key(&issued.key.tenant, &issued.key.id).await;
        let usage = stored.expect("the store works").expect("the key").usage;
        assert_eq!(usage.uses(), 30 * 12);
        let number = issued.key.secret_number;
        assert!(usage.last_use_of(number).is_some() && usage.last_use_of(number - 1).is_some());
    });
}

#[test]
fn t_c16_uses_hold_no_old_text() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        faults.set(Fault::UsageLost);
        let mut keys = Vec::new();
        for _ in 0..100 {
            let text = "x".repeat(1_000);
            let new = named("prod-main-app").description(text.parse().expect("a description"));
            keys.push(world.key_of(&developer("alice"), new).await);
        }
        let before = held_bytes();
        for issued in keys {
            world.verifier.verify(issued.token.expose()).await.expect("accepted");
            let edit = KeyEdit::new().description(None);
            world.authority.edit(&admin(), &issued.key.id, edit).await.expect("the key is live");
        }
        world.verifier.flush().await.expect_err("the store is down");
        let more = held_bytes() - before;
        assert!(more < 0, "{more} bytes");
    });
}

/// Returns the bytes that a store holds for each of its keys, after they were renamed some times.
fn held_for_a_key(renames: usize, is_listed: bool) -> isize {
    const KEYS: usize = 5_000;
    let before = held_bytes();
    let world = World::in_memory();
    let mut keys = Vec::new();
    for n in 0..KEYS {
        let owner = developer(&format!("user-{}", n / 10)).as_owner();
        let new = named(&format!("prod-app-number-{n:04}")).owner(owner);
        let issued = block_on(world.authority.generate(&admin(), new)).expect("a key");
        keys.push(issued.key.id);
    }
    let list = || {
        for sort in [KeySort::Updated, KeySort::Name, KeySort::Expires, KeySort::LastUsed] {
            let query = KeyQuery::new().sort(sort).search("no such text");
            let page = block_on(world.authority.keys(&admin(), &query)).expect("a page");
            assert_eq!(page.items.len(), 0);
        }
    };
    for round in 0..=renames {
        if is_listed {
            list();
        }
        for key in keys.iter().filter(|_| round > 0) {
            let name = Name::new(format!("prod-app-renamed-{round}")).expect("a name");
            block_on(world.authority.rename(&admin(), key, name)).expect("active");
        }
    }
    if is_listed {
        list();
    }
    (held_bytes() - before) / KEYS.cast_signed()
}

#[test]
fn index_of_a_large_tenant_is_small() {
    let index = held_for_a_key(0, true) - held_for_a_key(0, false);
    assert!((20..220).contains(&index), "{index} bytes for each key");
    // A rename gives a key a new place in the index. The old places do not gather.
    let worn = held_for_a_key(4, true) - held_for_a_key(4, false);
    assert!(worn < 2 * index, "{worn} bytes for each key after renames, {index} before");
}

#[test]
fn order_of_last_use_stays_small() {
    const KEYS: usize = 1_500;
    block_on(async {
        let world = World::in_memory();
        let mut tokens = Vec::new();
        for n in 0..KEYS {
            let owner = developer(&format!("user-{}", n / 10)).as_owner();
            let new = named(&format!("prod-app-number-{n:04}")).owner(owner);
            let issued = world.authority.generate(&admin(), new).await.expect("a key");
            tokens.push(issued.token.expose().to_owned());
        }
        let query = KeyQuery::new().sort(KeySort::LastUsed);
        world.authority.keys(&admin(), &query).await.expect("a page");
        let mut held = Vec::new();
        for _ in 0..30 {
            world.clock.advance(HOUR);
            for token in &tokens {
                world.verifier.verify(token).await.expect("accepted");
            }
            world.verifier.flush().await.expect("the store works");
            held.push(held_bytes());
        }
        let grown = held[29] - held[1];
        assert!(grown < 8 * KEYS.cast_signed(), "{grown} bytes for {KEYS} keys");
    });
}
