//! Parsing a credential and verifying a key that is in memory allocate nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use keywright::store::{KeyQuery, MemoryStore};
use keywright::{AccessRequest, Grant, PepperRing, Prefix, Scope, VerifyError};

use common::faults::Fault;
use common::{HOUR, World, add_role, admin, block_on, denied, developer, named, render};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread holds: allocated and not yet freed.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

/// The system allocator with counters for each thread.
struct Counting;

fn count(bytes: usize) {
    // Thread locals are gone while a thread ends; such an allocation is not counted.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
    hold(bytes.cast_signed());
}

fn hold(bytes: isize) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

#[expect(unsafe_code, reason = "there is no other way to see allocations; all is passed on")]
// SAFETY: every call is passed unchanged to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        hold(-layout.size().cast_signed());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Polls the future once, and returns its answer and the number of allocations. Panics if the
/// future would have to wait.
fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let before = ALLOCATIONS.get();
    let Poll::Ready(answer) = future.as_mut().poll(&mut context) else {
        panic!("the future is not ready");
    };
    (answer, ALLOCATIONS.get() - before)
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
fn malformed_token_is_refused_without_allocation() {
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
fn unknown_key_is_refused_without_allocation() {
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
    let before = HELD.get();
    for _ in 0..rounds {
        for token in tokens {
            world.verifier.verify(token).await.expect("accepted");
        }
    }
    HELD.get() - before
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
