//! The campaign `moves`: a store moves while every kind of call continues, and the longest call of
//! each kind is measured.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use keywright::store::{
    Batch, CacheOptions, CachedStore, Change, FileStore, KeyRecord, KeyStore, MoveOptions,
    MovingStore,
};
use keywright::{Issued, Owner, UserId};

use common::transfer::Place;
use common::{World, amount, named};

/// The most keys that are verified or rotated, half of them each. All others are only moved.
const MOST_IN_USE: usize = 2_000;
/// The number of keys of each owner.
const KEYS_OF_ONE: usize = 100;
/// The time for which the calls go on before and after the move.
const AROUND: Duration = Duration::from_millis(500);

/// The calls of each kind, and the longest of them.
#[derive(Default)]
struct Calls(Mutex<BTreeMap<&'static str, (u64, Duration)>>);

impl Calls {
    /// Makes a call and measures it.
    fn time<T>(&self, what: &'static str, call: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let answer = call();
        let took = begin.elapsed();
        let mut calls = self.0.lock().expect("no call panics");
        let (count, longest) = calls.entry(what).or_default();
        *count += 1;
        *longest = took.max(*longest);
        answer
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, (count, longest)) in &*self.0.lock().expect("no call panics") {
            writeln!(f, "{what}: {count} calls, the longest took {longest:?}")?;
        }
        Ok(())
    }
}

/// Generates keys that are in use, and inserts copies of one of them until the store has as many keys
/// as it should have.
fn fill(world: &World, store: &impl KeyStore, keys: usize) -> Vec<Issued> {
    world.change_policy(|policy| policy.settings.max_keys_per_user = Some(1_000));
    let issued = generate(world, keys.min(MOST_IN_USE));
    let id = &issued[0].key.id;
    let stored = block_on(store.key(world.tenant(), id)).expect("it answers").expect("the key");
    let record = serde_json::to_value(stored.record).expect("JSON").to_string();
    let event = block_on(world.events_of(id)).expect("its events").remove(0);
    let copies: Vec<_> = (issued.len()..keys).collect();
    for copies in copies.chunks(1_000) {
        let mut batch = Batch::of(world.tenant().clone());
        for number in copies {
            let copy = record.replace(id.as_str(), &format!("{number:016}"));
            let record: KeyRecord = serde_json::from_str(&copy).expect("a record");
            let mut event = event.clone();
            event.key = Some(*record.id());
            batch.changes.push(Change::InsertKey(record));
            batch.events.push(event);
        }
        block_on(store.commit(batch)).expect("they are inserted");
    }
    issued
}

fn generate(world: &World, keys: usize) -> Vec<Issued> {
    let generate = |number: usize| {
        let owner = UserId::new(format!("user-{}", number / KEYS_OF_ONE)).expect("an id");
        let new = named("prod-main-app").owner(Owner::User(owner));
        block_on(world.authority.generate(&world.admin, new)).expect("a key")
    };
    (0..keys).map(generate).collect()
}

/// The work of a thread of the service.
type Work<'a> = Box<dyn FnOnce(&Service<'a>) + Send + 'a>;

/// The calls of a service, which go on until `ends` is set.
struct Service<'a> {
    world: &'a World,
    calls: &'a Calls,
    ends: &'a AtomicBool,
}

impl Service<'_> {
    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::SeqCst)
    }

    fn verify(&self, token: &str) -> &'static str {
        self.calls.time("verify", || self.world.says(token))
    }

    /// Verifies keys that nobody changes, and counts the uses of each.
    fn verify_all(&self, keys: &[Issued], uses: &[AtomicU64], from: usize) {
        for number in (0..keys.len()).cycle().skip(from) {
            if !self.goes_on() {
                return;
            }
            assert_eq!(self.verify(keys[number].token.expose()), "current");
            uses[number].fetch_add(1, Ordering::SeqCst);
        }
    }

    fn rotate_all(&self, keys: &[Issued]) {
        let mut tokens: Vec<_> = keys.iter().map(|key| key.token.expose().to_owned()).collect();
        for number in (0..keys.len()).cycle() {
            if !self.goes_on() {
                return;
            }
            let (authority, admin) = (&self.world.authority, &self.world.admin);
            let rotate = || block_on(authority.rotate(admin, &keys[number].key.id, Duration::ZERO));
            let new = self.calls.time("rotate", rotate).expect("it is rotated");
            assert_eq!(self.verify(&tokens[number]), "unrecognized", "the old secret");
            new.token.expose().clone_into(&mut tokens[number]);
            assert_eq!(self.verify(&tokens[number]), "current", "the new secret");
        }
    }

    /// Generates and revokes one key after another. Verifies each of them again until the end.
    fn revoke(&self) {
        let (authority, admin) = (&self.world.authority, &self.world.admin);
        let mut keys: Vec<Issued> = Vec::new();
        while self.goes_on() {
            let new = named("prod-main-app").owner(Owner::User(UserId::new("bob").expect("an id")));
            let generate = || block_on(authority.generate(admin, new));
            let key = self.calls.time("generate", generate).expect("a key");
            assert_eq!(self.verify(key.token.expose()), "current", "before it is revoked");
            let revoke = || block_on(authority.revoke(admin, &key.key.id));
            self.calls.time("revoke", revoke).expect("it is revoked");
            keys.push(key);
            for key in keys.iter().rev().take(20) {
                assert_eq!(self.verify(key.token.expose()), "revoked", "after it was revoked");
            }
        }
        for key in &keys {
            assert_eq!(self.verify(key.token.expose()), "revoked", "at the end");
        }
    }

    fn generate(&self) {
        let owner = |number: usize| UserId::new(format!("new-{}", number / KEYS_OF_ONE));
        for number in 0.. {
            if !self.goes_on() {
                return;
            }
            let new = named("prod-main-app").owner(Owner::User(owner(number).expect("an id")));
            let generate = || block_on(self.world.authority.generate(&self.world.admin, new));
            let new = self.calls.time("generate", generate).expect("a key");
            assert_eq!(self.verify(new.token.expose()), "current", "a new key");
        }
    }

    fn flush(&self) {
        while self.goes_on() {
            let flush = || block_on(self.world.verifier.flush());
            self.calls.time("flush", flush).expect("the uses are written");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[common::test(postgres)]
fn b12_running_service_moves_without_a_failed_call() {
    let keys = usize::try_from(amount("KEYWRIGHT_MOVED_KEYS", 400)).expect("a number of keys");
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir().expect("a folder");
    let file = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
    let store = MovingStore::new(file);
    let world = World::new(store.clone());
    let begin = Instant::now();
    let all = keys;
    let keys = fill(&world, &store, keys);
    println!("{all} keys, {} of them in use, were made in {:?}", keys.len(), begin.elapsed());
    let (verified, rotated) = keys.split_at(keys.len() / 2);
    let uses: Vec<_> = verified.iter().map(|_| AtomicU64::new(0)).collect();
    let (calls, ends) = (Calls::default(), AtomicBool::new(false));
    let service = Service { world: &world, calls: &calls, ends: &ends };
    let held = thread::scope(|scope| {
        let works: Vec<Work<'_>> = vec![
            Box::new(|service| service.verify_all(verified, &uses, 0)),
            Box::new(|service| service.verify_all(verified, &uses, verified.len() / 2)),
            Box::new(|service| service.rotate_all(rotated)),
            Box::new(Service::revoke),
            Box::new(Service::generate),
            Box::new(Service::flush),
        ];
        let (place, service) = (&place, &service);
        let works = works.into_iter().map(|work| {
            scope.spawn(move || {
                let _runtime = place.enter();
                work(service);
            })
        });
        let threads: Vec<_> = works.collect();
        thread::sleep(AROUND);
        let begin = Instant::now();
        let moved = place.runtime.block_on(async {
            let mut transfer = store.begin(place.options(), place.pool.clone()).await?;
            transfer.copy(|_| {}).await?;
            println!("everything was copied after {:?}", begin.elapsed());
            let cache = CachedStore::new(transfer.database(), CacheOptions::new());
            let cache = cache.expect("the defaults are possible");
            store.finish(transfer, cache, MoveOptions::new()).await
        });
        println!("the move took {:?}", begin.elapsed());
        thread::sleep(AROUND);
        ends.store(true, Ordering::SeqCst);
        for thread in threads {
            thread.join().expect("every call has its answer");
        }
        moved.expect("it has moved")
    });
    block_on(world.verifier.flush()).expect("the last uses are written");
    println!("changes were held back for {held:?}\n{calls}");
    let database: Arc<dyn KeyStore> = Arc::new(place.open().expect("the tables are open"));
    let mut all = 0;
    for (key, uses) in verified.iter().zip(&uses) {
        let stored = block_on(database.key(&key.key.tenant, &key.key.id)).expect("it answers");
        let uses = uses.load(Ordering::SeqCst);
        assert_eq!(stored.expect("the key").usage.uses(), uses, "each use is counted once");
        all += uses;
    }
    println!("{all} uses of {} keys were counted, each once", verified.len());
    assert!(all > 0 && store.has_moved());
}
