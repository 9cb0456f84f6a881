//! When the random source repeats itself, returns useless bytes, or calls back, the operation fails
//! and names the reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{
    EventQuery, KeyStore, MemoryStore, StoreError, StoreErrorKind, UsageBatch, async_trait,
};
use keywright::{
    AccountError, Authority, Drawn, EventOutcome, GenerateError, KeyError, NewAccount, Operation,
    PepperRing, RandomError,
};

use super::{name, role};
use common::{HOUR, Random, World, admin, block_on, developer, drawing, named};

fn world_drawing(from: impl FnMut(&mut [u8]) + Send + 'static) -> World {
    World::with(MemoryStore::new(), |builder| builder.random(Random::drawing(from)))
}

fn repeating(byte: u8) -> World {
    World::with(MemoryStore::new(), |builder| builder.random(Random::repeating(byte)))
}

/// Returns how many refused operations of this kind have an audit event.
async fn refused(world: &World, operation: Operation) -> usize {
    let query = EventQuery::new().kind(operation);
    let events = world.authority.events(&admin(), &query).await.expect("events").items;
    events.iter().filter(|event| matches!(event.outcome, EventOutcome::Refused(_))).count()
}

#[test]
fn t_k03_rotation_to_same_secret_is_refused() {
    block_on(async {
        let world = repeating(7);
        let issued = world.key().await;
        let rotated = world.authority.rotate(&developer("alice"), &issued.key.id, HOUR).await;
        let error = rotated.expect_err("the secret is the same");
        let expected = RandomError::Repeats(Drawn::Secret);
        assert!(matches!(&error, KeyError::Random(random) if *random == expected), "{error:?}");
        assert!(error.to_string().contains("random source repeats"), "{error}");
        assert_eq!(refused(&world, Operation::KeyRotate).await, 1);
        let entry = world.authority.key(&admin(), &issued.key.id).await.expect("the key");
        assert_eq!((entry.key.secret_number, entry.key.version), (1, 1), "nothing was changed");
    });
}

#[test]
fn t_k03_rotation_to_retiring_secret_is_refused() {
    block_on(async {
        let (one, other) = ("a".repeat(32), "b".repeat(32));
        let script = Random::script([
            drawing("0123456789abcdef"),
            drawing(&one),
            drawing(&other),
            drawing(&one),
        ]);
        let world = World::with(MemoryStore::new(), |builder| builder.random(script));
        let issued = world.key().await;
        let (alice, id) = (developer("alice"), issued.key.id);
        world.authority.rotate(&alice, &id, HOUR).await.expect("another secret");
        let error = world.authority.rotate(&alice, &id, HOUR).await.expect_err("it is the first");
        let expected = RandomError::Repeats(Drawn::Secret);
        assert!(matches!(&error, KeyError::Random(random) if *random == expected), "{error:?}");
    });
}

#[test]
fn t_k03_repeated_secret_is_found_despite_pepper() {
    block_on(async {
        let store = MemoryStore::new();
        let ring = || PepperRing::none().with(1, [1; 32]).expect("a pepper");
        let source = || Random::repeating(7);
        let before = World::with(store.clone(), |builder| builder.peppers(ring()).random(source()));
        let issued = before.key().await;
        let two = ring().with(2, [2; 32]).expect("a pepper");
        let after = World::with(store, |builder| builder.peppers(two).random(source()));
        let rotated = after.authority.rotate(&developer("alice"), &issued.key.id, HOUR).await;
        assert!(matches!(rotated, Err(KeyError::Random(RandomError::Repeats(Drawn::Secret)))));
    });
}

#[test]
fn t_k03_repeated_id_names_the_source() {
    block_on(async {
        let world = repeating(7);
        world.key().await;
        let alice = developer("alice");
        let error = world.authority.generate(&alice, named("b")).await;
        let error = error.expect_err("the id is taken");
        let expected = RandomError::Repeats(Drawn::KeyId);
        assert!(matches!(&error, GenerateError::Random(e) if *e == expected), "{error:?}");
        assert_eq!(refused(&world, Operation::KeyGenerate).await, 1);

        let new = || NewAccount::new(name("nightly"), role("analyst"));
        world.authority.create_account(&admin(), new()).await.expect("the first");
        let error = world.authority.create_account(&admin(), new()).await.expect_err("taken");
        let expected = RandomError::Repeats(Drawn::AccountId);
        assert!(matches!(&error, AccountError::Random(e) if *e == expected), "{error:?}");
        assert_eq!(refused(&world, Operation::AccountCreate).await, 1);
    });
}

#[test]
fn t_k03_constant_random_source_is_an_error() {
    block_on(async {
        for stuck in [248, 255] {
            let world = repeating(stuck);
            let alice = developer("alice");
            let made = world.authority.generate(&alice, named("a")).await;
            let error = made.expect_err("no byte is usable");
            assert!(matches!(&error, GenerateError::Random(RandomError::Stuck)), "{error:?}");
            assert!(error.to_string().contains("too few usable bytes in 16 draws"), "{error}");
            let new = NewAccount::new(name("nightly"), role("analyst"));
            let made = world.authority.create_account(&admin(), new).await;
            assert!(matches!(made, Err(AccountError::Random(RandomError::Stuck))));
        }
        // A source that breaks later prevents a rotation too.
        let broken = Arc::new(AtomicBool::new(false));
        let (switch, random) = (Arc::clone(&broken), Random::seeded(1));
        let world = world_drawing(move |out| {
            if switch.load(Ordering::SeqCst) {
                out.fill(255);
            } else {
                random.fill(out).expect("it does not end");
            }
        });
        let issued = world.key().await;
        broken.store(true, Ordering::SeqCst);
        let rotated = world.authority.rotate(&developer("alice"), &issued.key.id, HOUR).await;
        assert!(matches!(rotated, Err(KeyError::Random(RandomError::Stuck))));
        world.verifier.verify(issued.token.expose()).await.expect("the key as it was");
    });
}

#[test]
fn t_c14_reentrant_random_source_is_refused() {
    block_on(async {
        let authority: Arc<OnceLock<Authority>> = Arc::default();
        let told: Arc<Mutex<Vec<bool>>> = Arc::default();
        let (caller, seen, random) = (Arc::clone(&authority), Arc::clone(&told), Random::seeded(1));
        let world = world_drawing(move |out| {
            if let Some(authority) = caller.get() {
                let alice = developer("alice");
                let made = block_on(authority.generate(&alice, named("inner")));
                let is_refused = matches!(made, Err(GenerateError::Random(RandomError::Reentered)));
                seen.lock().expect("no panic").push(is_refused);
            }
            random.fill(out).expect("it does not end");
        });
        assert!(authority.set(world.authority.clone()).is_ok());
        world.key().await;
        world.key().await;
        let told = told.lock().expect("no panic");
        assert!(!told.is_empty() && told.iter().all(|refused| *refused), "{told:?}");
    });
}

#[test]
fn t_k03_writers_under_repeating_source_keep_apart() {
    block_on(async {
        let store = MemoryStore::new();
        let first = World::with(store.clone(), |builder| builder.random(Random::seeded(7)));
        let issued = first.key().await;
        // A process on a cloned machine draws the same values as the original.
        let worlds = [9, 9, 9]
            .map(|seed| World::with(store.clone(), |builder| builder.random(Random::seeded(seed))));
        for world in &worlds {
            for _ in 0..5 {
                world.verifier.verify(issued.token.expose()).await.expect("accepted");
            }
            world.verifier.flush().await.expect("it is stored");
        }
        let entry = first.authority.key(&admin(), &issued.key.id).await.expect("the key");
        assert_eq!(entry.uses, 15);
    });
}

/// Writes a batch under the next writer's id before the writer's own batch, with another number,
/// while the flag is set.
#[derive(Clone, Debug, Default)]
struct Thief(Arc<AtomicBool>);

#[async_trait]
impl Intercept for Thief {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        if let Call::AddUsage(batch) = call
            && self.0.swap(false, Ordering::SeqCst)
        {
            let stolen = UsageBatch { sequence: batch.sequence + 3, deltas: Vec::new(), ..*batch };
            store.add_usage(&stolen).await?;
        }
        call.pass_on(store).await
    }
}

#[test]
fn t_k03_cloned_writer_id_is_replaced() {
    block_on(async {
        // The store refuses the first batches, as it does for a writer id that another process
        // uses.
        let store = InterceptedStore::new(MemoryStore::new(), Thief::default());
        let world = World::on(store.clone());
        let issued = world.key().await;
        for round in 1..=3 {
            world.verifier.verify(issued.token.expose()).await.expect("accepted");
            store.interceptor().0.store(true, Ordering::SeqCst);
            world.verifier.flush().await.expect("it is stored under another id");
            let entry = world.authority.key(&admin(), &issued.key.id).await.expect("the key");
            assert_eq!(entry.uses, round);
        }
    });
}

#[test]
fn t_c14_store_that_flushes_while_adding_is_refused() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        let issued = world.key().await;
        let verifier = world.verifier.clone();
        let told: Arc<Mutex<Vec<StoreErrorKind>>> = Arc::default();
        let seen = Arc::clone(&told);
        faults.before_usage(move || {
            let (verifier, seen) = (verifier.clone(), Arc::clone(&seen));
            async move {
                let error = verifier.flush().await.expect_err("a flush within a flush");
                assert!(error.to_string().contains("from within a flush"), "{error}");
                seen.lock().expect("no panic").push(error.kind());
            }
        });
        for uses in 1..=2 {
            world.verifier.verify(issued.token.expose()).await.expect("accepted");
            world.verifier.flush().await.expect("the outer flush succeeds");
            let stored = world.store.key(&issued.key.tenant, &issued.key.id).await;
            let stored = stored.expect("the store works").expect("the key");
            assert_eq!(stored.usage.uses(), uses);
        }
        assert_eq!(*told.lock().expect("no panic"), [StoreErrorKind::Unsupported; 2]);
    });
}

#[test]
fn random_source_that_flushes_is_refused() {
    block_on(async {
        let verifier: Arc<OnceLock<keywright::Verifier>> = Arc::default();
        let told: Arc<Mutex<Vec<StoreErrorKind>>> = Arc::default();
        let (caller, seen, random) = (Arc::clone(&verifier), Arc::clone(&told), Random::seeded(1));
        let world = world_drawing(move |out| {
            if let Some(verifier) = caller.get() {
                // The random source runs inside a flush and must not wait for another one: the
                // other flush may itself wait for the source.
                let error = block_on(verifier.flush()).expect_err("from within the source");
                seen.lock().expect("no panic").push(error.kind());
            }
            random.fill(out).expect("it does not end");
        });
        assert!(verifier.set(world.verifier.clone()).is_ok());
        world.key().await;
        let told = told.lock().expect("no panic");
        assert!(!told.is_empty(), "the source was asked");
        assert!(told.iter().all(|kind| *kind == StoreErrorKind::Unsupported), "{told:?}");
    });
}

#[test]
fn uses_of_impossible_secret_numbers_are_counted() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        let first = world.key().await;
        let id = first.key.id;
        let rotated = world.authority.rotate(&developer("alice"), &id, HOUR).await;
        let second = rotated.expect("another secret");
        for number in [0, 1] {
            let mut record = world.stored(&id).await;
            record["key"]["secret_number"] = number.into();
            faults.forge(id, record);
            for token in [&first.token, &second.token] {
                world.verifier.verify(token.expose()).await.expect("accepted");
            }
        }
        world.verifier.flush().await.expect("it is stored");
        let stored = world.store.key(&first.key.tenant, &id).await.expect("the store works");
        assert_eq!(stored.expect("the key").usage.uses(), 4);
    });
}
