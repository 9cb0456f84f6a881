//! Failing disks: acknowledged changes stay, others may be there or not, and after a failed write
//! no change is acknowledged until the store is reopened.

use std::panic;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{Batch, FileStore, KeyQuery, KeyStore, Marker, StoreError, StoreErrorKind};
use keywright::{Issued, KeyError, NewKey, TenantId, VerifyError};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::disk::{Disk, EXPECTED, Fault};
use crate::{difference, is_typed};
use common::store_lifecycle::live;
use common::{DAY, SECOND, World, amount};

/// Creates a store on a working disk, runs a lifecycle, and closes it.
fn lived_on(disk: &Disk) -> World {
    let store = on(disk).expect("a new store");
    let mut world = World::bare(store.clone());
    live(&mut world);
    block_on(store.close()).expect("the store closes");
    world
}

fn on(disk: &Disk) -> Result<FileStore, StoreError> {
    block_on(FileStore::danger_open_backend(disk.clone()))
}

/// A change of a key. The tests run changes in order until one fails.
type Change = fn(&World) -> Result<Option<Issued>, KeyError>;

const CHANGES: &[(&str, Change)] = &[
    ("rotate", |world| {
        let overlap = DAY;
        block_on(world.authority.rotate(&world.admin, &world.id("plain"), overlap)).map(Some)
    }),
    ("revoke", |world| {
        block_on(world.authority.revoke(&world.admin, &world.id("plain"))).map(|_| None)
    }),
    ("rotate at once", |world| {
        let key = world.id("enabled");
        block_on(world.authority.rotate(&world.admin, &key, Duration::ZERO)).map(Some)
    }),
    ("disable", |world| {
        block_on(world.authority.disable(&world.admin, &world.id("enabled"))).map(|_| None)
    }),
    ("delete", |world| {
        block_on(world.authority.delete(&world.admin, &world.id("replacing"))).map(|()| None)
    }),
    ("revoke all", |world| {
        let owner = world.alice.as_owner();
        block_on(world.authority.revoke_owned(&world.admin, &owner)).map(|_| None)
    }),
];

/// Returns the visible state of both tenants without the events, which are only in the file.
fn in_memory(world: &World) -> Value {
    let keys = block_on(world.authority.keys(&world.admin, &KeyQuery::new())).expect("the keys");
    let said: Vec<_> =
        world.issued.iter().map(|(_, issued)| world.says(issued.token.expose())).collect();
    serde_json::json!({ "keys": keys.items, "said": said })
}

/// Returns the states after each change on a working disk. Visible states contain no random values,
/// so every run on the same store has the same states.
fn states(bytes: &[u8], world: &mut World) -> Vec<Value> {
    let disk = Disk::holding(bytes.to_vec());
    world.reopen(on(&disk).expect("it opens"));
    let mut states = vec![world.state()];
    for (name, change) in CHANGES {
        change(world).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        states.push(world.state());
    }
    states
}

/// Makes each of these faults strike at every operation of the changes, once or permanently. The
/// failed change must return an error of this kind, no further write succeeds, and nothing is lost.
fn fail_at_every_step(faults: &[Fault], once: bool, kind: StoreErrorKind) {
    let original = Disk::default();
    let mut world = lived_on(&original);
    let bytes = original.bytes();
    let states = states(&bytes, &mut world);
    for fault in faults {
        let mut struck = 0;
        for let_through in 0.. {
            let what = format!("{fault:?} after {let_through}, once: {once}");
            let disk = Disk::holding(bytes.clone());
            let store = on(&disk).expect("it opens");
            world.reopen(store.clone());
            disk.fail(*fault, let_through, once);
            let done = change_until_it_fails(&world, kind, &what);
            disk.mend();
            if !disk.has_struck() {
                assert_eq!(done, CHANGES.len(), "{what}");
                break;
            }
            struck += 1;
            let syncs = disk.syncs();
            assert_frozen_as_of(&world, &store, &states[done], &what);
            // A database that panicked can panic again when it closes; the store must contain that
            // panic.
            drop(store);
            world.let_go();
            assert_eq!(disk.syncs(), syncs, "{what}: the write was repeated");
            assert_is_one_of(&mut world, &disk, &states, done, &what);
        }
        println!("{fault:?}, once: {once}: {struck} steps");
        assert!(struck > 6, "{fault:?} struck only {struck} times");
    }
}

#[test]
fn t_f01_fault_during_change_loses_nothing_acknowledged() {
    let faults = [Fault::Full, Fault::ReadOnly, Fault::Broken, Fault::Interrupted];
    fail_at_every_step(&faults, true, StoreErrorKind::Unavailable);
}

#[test]
fn t_f02_lasting_fault_ends_all_writes() {
    let faults = [Fault::Full, Fault::ReadOnly, Fault::Broken, Fault::Interrupted, Fault::Sync];
    fail_at_every_step(&faults, false, StoreErrorKind::Unavailable);
}

#[test]
fn t_f03_half_write_loses_nothing_acknowledged() {
    for once in [false, true] {
        fail_at_every_step(&[Fault::Short], once, StoreErrorKind::Unavailable);
    }
}

#[test]
fn t_f09_failed_sync_is_not_retried() {
    fail_at_every_step(&[Fault::Sync], true, StoreErrorKind::Unavailable);
}

#[test]
fn t_c13_panic_during_write_only_ends_writes() {
    silence_panics(EXPECTED);
    for once in [false, true] {
        fail_at_every_step(&[Fault::Panic], once, StoreErrorKind::Corrupt);
    }
}

#[test]
fn t_f05_power_cut_loses_nothing_acknowledged() {
    let seed = common::new_seed();
    let mut random = StdRng::seed_from_u64(seed);
    let original = Disk::default();
    let mut world = lived_on(&original);
    let bytes = original.bytes();
    let states = states(&bytes, &mut world);
    for round in 0..amount("KEYWRIGHT_ROUNDS", 200) {
        let disk = Disk::holding(bytes.clone());
        let store = on(&disk).expect("it opens");
        world.reopen(store.clone());
        // From this operation on no write reaches the disk, as after a power cut.
        disk.fail(Fault::ReadOnly, round % 70, false);
        let what = format!("power cut {round}");
        let done = change_until_it_fails(&world, StoreErrorKind::Unavailable, &what);
        let left = Disk::holding(disk.after_a_power_cut(&mut random));
        drop(store);
        world.let_go();
        assert_is_one_of(&mut world, &left, &states, done, &what);
    }
}

#[test]
fn t_f01_creation_on_failing_disk_is_an_error() {
    for fault in Fault::ALL {
        for let_through in 0.. {
            let disk = Disk::default();
            disk.fail(fault, let_through, false);
            match on(&disk) {
                Ok(_) => break,
                Err(error) => assert!(is_typed(&error), "{fault:?} after {let_through}: {error:?}"),
            }
        }
    }
}

#[test]
fn t_f01_fault_during_open_loses_nothing() {
    let original = Disk::default();
    let mut world = lived_on(&original);
    let closed = original.bytes();
    let disk = Disk::holding(closed.clone());
    let store = on(&disk).expect("it opens");
    world.reopen(store.clone());
    block_on(world.authority.revoke(&world.admin, &world.id("plain"))).expect("it is revoked");
    // The file of a process that is killed here.
    let killed = disk.bytes();
    let state = world.state();
    world.let_go();
    drop(store);
    for fault in Fault::ALL {
        for once in [false, true] {
            let mut struck = 0;
            for let_through in 0.. {
                let what = format!("{fault:?} after {let_through}, once: {once}");
                let disk = Disk::holding(killed.clone());
                disk.fail(fault, let_through, once);
                let opened = on(&disk);
                let has_struck = disk.has_struck();
                disk.mend();
                match opened {
                    Err(error) => {
                        assert!(has_struck && is_typed(&error), "{what}: {error:?}");
                        let kind = error.kind();
                        assert_eq!(kind, StoreErrorKind::Unavailable, "{what}: {error:?}");
                    }
                    // A store that opens in spite of the fault is complete.
                    Ok(store) => {
                        world.reopen(store.clone());
                        assert!(world.state() == state, "{what}: the state has changed");
                        world.let_go();
                        block_on(store.close()).expect("the store closes");
                    }
                }
                assert_is_one_of(&mut world, &disk, std::slice::from_ref(&state), 0, &what);
                world.let_go();
                if !has_struck {
                    break;
                }
                struck += 1;
            }
            println!("{fault:?}, once: {once}: {struck} steps");
            assert!(struck > 0, "{fault:?} never struck");
        }
    }
}

#[test]
fn t_f02_failed_flush_leaves_verification_working() {
    let disk = Disk::default();
    let store = on(&disk).expect("a new store");
    let world = World::new(store.clone());
    let issued = world.issue("prod-main-app");
    for _ in 0..5 {
        assert_eq!(world.says(issued.token.expose()), "current");
    }
    disk.fail(Fault::Full, 0, true);
    let error = block_on(world.verifier.flush()).expect_err("the disk is full");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let error = block_on(world.verifier.flush()).expect_err("it is not opened again yet");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    for _ in 0..5 {
        assert_eq!(world.says(issued.token.expose()), "current", "verification continues");
    }
}

#[test]
fn t_f01_full_disk_is_named() {
    let disk = Disk::default();
    let store = on(&disk).expect("a new store");
    let world = World::new(store);
    disk.fail(Fault::Full, 0, false);
    let new = NewKey::named("prod-main-app").expect("a name");
    let error = block_on(world.authority.generate(&world.admin, new));
    let keywright::GenerateError::Store(error) = error.expect_err("the disk is full") else {
        panic!("another error");
    };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("no space is left"), "{error}");
}

/// Silences the panics that a test requests; their messages would hide all other output.
fn silence_panics(expected: &'static str) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(expected) {
            usual(panic);
        }
    }));
}

/// Runs the changes in order and returns the number of acknowledged ones. The first failed change
/// ends the run, and its error must be a store error of this kind.
#[track_caller]
fn change_until_it_fails(world: &World, kind: StoreErrorKind, what: &str) -> usize {
    for (done, (name, change)) in CHANGES.iter().enumerate() {
        match change(world) {
            Ok(_) => {}
            Err(KeyError::Store(error)) => {
                assert_eq!(error.kind(), kind, "{what}, {name}: {error:?}");
                return done;
            }
            Err(error) => panic!("{what}, {name}: {error:?}"),
        }
    }
    CHANGES.len()
}

/// Asserts that after the disk works again, no write is acknowledged, and that verification
/// continues with the last acknowledged state.
#[track_caller]
fn assert_frozen_as_of(world: &World, store: &FileStore, state: &Value, what: &str) {
    let said = in_memory(world)["said"].clone();
    let expected: Vec<_> =
        state["verify"].as_array().expect("a list").iter().map(|v| v[1].clone()).collect();
    assert_eq!(said, Value::Array(expected), "{what}");
    for (name, change) in CHANGES {
        match change(world) {
            Err(KeyError::Store(error)) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
            // A change that is refused without a write keeps its reason.
            other => panic!("{what}: {name} fails for another reason: {other:?}"),
        }
    }
    let before = block_on(store.changes(&Marker::default())).expect("reads still work").at;
    let empty = Batch::of(TenantId::default());
    let error = block_on(store.commit(empty)).expect_err("nothing is written");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{what}");
    let now = block_on(store.changes(&Marker::default())).expect("reads still work").at;
    assert_eq!(now, before, "{what}: no unacknowledged change is visible");
}

/// Asserts that the store on `disk` has the state after `done` changes, or after the failed one as
/// well.
#[track_caller]
fn assert_is_one_of(world: &mut World, disk: &Disk, states: &[Value], done: usize, what: &str) {
    let store = on(disk).unwrap_or_else(|error| panic!("{what}: it does not open: {error:?}"));
    world.reopen(store.clone());
    let seen = world.state();
    let possible = &states[done..states.len().min(done + 2)];
    assert!(
        possible.contains(&seen),
        "{what}: after {done} changes it is\n{}",
        difference(&states[done], &seen)
    );
    block_on(store.close()).expect("the store closes");
}

#[test]
fn t_f02_failed_store_still_decides_correctly() {
    let disk = Disk::default();
    let mut world = lived_on(&disk);
    let store = on(&disk).expect("it opens");
    world.reopen(store);
    let before = in_memory(&world);
    disk.fail(Fault::Sync, 0, false);
    let revoked = block_on(world.authority.revoke(&world.admin, &world.id("plain")));
    assert!(matches!(revoked, Err(KeyError::Store(_))), "{revoked:?}");
    assert_eq!(in_memory(&world), before);
    world.clock.advance(SECOND);
    let said = block_on(world.verifier.verify("acme_live_0"));
    assert!(matches!(said, Err(VerifyError::Denied(_))), "{said:?}");
}
