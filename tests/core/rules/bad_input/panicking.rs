//! A store or a clock of the host panics at each of its calls in turn: nothing is half done, no lock remains, and
//! later calls are answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{EventQuery, KeyStore, MemoryStore, StoreError, async_trait};
use keywright::{Clock, EventOutcome, Issued, KeyEntry, Timestamp};

use super::name;
use common::{HOUR, World, admin, block_on, named, start};

/// The number of further calls until one panics. With 0, none does.
#[derive(Clone, Debug, Default)]
struct Fuse(Arc<AtomicUsize>);

impl Fuse {
    fn set(&self, calls: usize) {
        self.0.store(calls, Ordering::SeqCst);
    }

    fn is_spent(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }

    fn count(&self) {
        let one_less = |calls: usize| calls.checked_sub(1);
        let before = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        assert_ne!(before, Ok(1), "the host's code panics");
    }
}

/// Panics before or after a call of the store.
#[async_trait]
impl Intercept for Fuse {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        self.count();
        let answer = call.pass_on(store).await;
        self.count();
        answer
    }
}

impl Clock for Fuse {
    fn now(&self) -> Timestamp {
        self.count();
        start()
    }
}

type Act = fn(&World, &Issued);

/// The calls during which the host's code panics. Their own failures do not matter here.
const ACTS: [(&str, Act); 7] = [
    ("generate", |world, _| drop(block_on(world.generate(named("prod-new"))))),
    ("rename", |world, key| {
        drop(block_on(world.authority.rename(&admin(), &key.key.id, name("prod-other"))));
    }),
    ("disable", |world, key| drop(block_on(world.authority.disable(&admin(), &key.key.id)))),
    ("rotate", |world, key| drop(block_on(world.authority.rotate(&admin(), &key.key.id, HOUR)))),
    ("revoke", |world, key| drop(block_on(world.authority.revoke(&admin(), &key.key.id)))),
    ("verify", |world, key| drop(block_on(world.verifier.verify(key.token.expose())))),
    ("flush", |world, _| drop(block_on(world.verifier.flush()))),
];

/// Returns the key, and the number of its events that say that something was done.
async fn seen(world: &World, issued: &Issued) -> (KeyEntry, usize) {
    let entry = world.authority.key(&admin(), &issued.key.id).await.expect("the key");
    let query = EventQuery::new().key(issued.key.id).limit(500);
    let events = world.authority.events(&admin(), &query).await.expect("events").items;
    let done = events.iter().filter(|event| event.outcome == EventOutcome::Done).count();
    (entry, done)
}

/// Runs each act with a panic at each call, and returns the number of panics.
fn panic_everywhere(build: impl Fn(&Fuse) -> World) -> usize {
    let mut panics = 0;
    for (what, act) in ACTS {
        for calls in 1.. {
            let fuse = Fuse::default();
            let world = build(&fuse);
            let (subject, other) = (block_on(world.key()), block_on(world.key()));
            block_on(world.verifier.verify(other.token.expose())).expect("it works");
            let (before, done_before) = block_on(seen(&world, &subject));
            fuse.set(calls);
            let outcome = catch_unwind(AssertUnwindSafe(|| act(&world, &subject)));
            let is_over = !fuse.is_spent();
            fuse.set(0);
            let (after, done_after) = block_on(seen(&world, &subject));
            let changes = usize::from(after.key.version != before.key.version);
            assert_eq!(done_after - done_before, changes, "{what} with a panic at call {calls}");
            block_on(world.verifier.verify(other.token.expose())).expect("checks continue");
            block_on(world.verifier.flush()).expect("uses are written");
            let uses = block_on(world.authority.key(&admin(), &other.key.id)).expect("it").uses;
            assert_eq!(uses, 2, "{what} with a panic at call {calls}");
            let new = block_on(world.generate(named("prod-after"))).expect("changes continue");
            block_on(world.verifier.verify(new.token.expose())).expect("the new key works");
            if is_over {
                outcome.expect("no call panicked");
                break;
            }
            assert!(outcome.is_err(), "the host's panic reaches the caller of {what}");
            panics += 1;
        }
    }
    panics
}

#[test]
fn t_f20_panicking_store_leaves_nothing_half_done() {
    let panics =
        panic_everywhere(|fuse| World::on(InterceptedStore::new(MemoryStore::new(), fuse.clone())));
    assert!(panics > 20, "only {panics} panics");
}

#[test]
fn t_f20_panicking_clock_leaves_nothing_half_done() {
    let panics = panic_everywhere(|fuse| {
        World::with(MemoryStore::new(), |builder| builder.clock(fuse.clone()))
    });
    assert!(panics >= 6, "only {panics} panics");
}
