//! Racing changes of one key: the result is one consistent state, and a revocation always takes
//! effect.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    Event, Issued, KeyError, KeyId, KeyStatus, Keywright, NewKey, Operation, Outcome, PepperRing,
};

use super::{THREADS, done, is_accepted, note, together};
use common::stores::in_rounds;
use common::{DAY, MOMENT, World, all_events, events_of, name, says};

#[test]
fn t_c02_last_concurrent_rotation_wins() {
    in_rounds(20, 3, |world| {
        for overlap in [Duration::ZERO, DAY] {
            let first = world.issue("prod-main-app");
            let id = first.key.id;
            let rotated = together(THREADS, |_| {
                let rotate = |_| {
                    block_on(world.authority.rotate(&world.admin, &id, overlap))
                        .expect("it is rotated")
                };
                (0..5).map(rotate).collect::<Vec<_>>()
            });
            let mut all: Vec<Issued> = rotated.into_iter().flatten().collect();
            all.push(first);
            all.sort_by_key(|issued| issued.key.secret_number);
            let numbers: Vec<_> = all.iter().map(|issued| issued.key.secret_number).collect();
            assert_eq!(numbers, (1..=41).collect::<Vec<u32>>(), "each has its own number");
            let before = if overlap.is_zero() { "unrecognized" } else { "retiring" };
            for issued in &all {
                let expected = match issued.key.secret_number {
                    41 => "current",
                    40 => before,
                    _ => "unrecognized",
                };
                assert_eq!(
                    world.says(issued.token.expose()),
                    expected,
                    "{}",
                    issued.key.secret_number
                );
            }
            assert_eq!(done(&events_of(world, id), Operation::KeyRotate), 40);
        }
    });
}

/// Returns two rings of the same two peppers, each with another current one.
fn rings() -> [PepperRing; 2] {
    let with = |a: u32, b: u32| {
        let pepper = |id: u32| [u8::try_from(id).expect("a small id"); 32];
        PepperRing::none().with(a, pepper(a)).and_then(|ring| ring.with(b, pepper(b)))
    };
    [with(2, 1).expect("a ring"), with(1, 2).expect("a ring")]
}

#[test]
fn t_c04_revocation_wins_against_every_change() {
    in_rounds(15, 3, |world| {
        let [old, new] =
            rings().map(|ring| world.builder.clone().peppers(ring).build().expect("a keywright"));
        let authority = old.authority();
        let verifiers = [&old, &new].map(Keywright::verifier);
        let owner = world.admin.as_owner();
        let new_key = NewKey::new(name("prod-main-app"));
        let first = block_on(authority.generate(&world.admin, new_key.owner(owner.clone())))
            .expect("a key");
        let (id, admin) = (first.key.id, &world.admin);
        let (revoked, moved) = (AtomicBool::new(false), AtomicU64::new(0));
        let tokens = Mutex::new(vec![first]);
        let tokens = || tokens.lock().expect("no thread panics");
        together(7, |number| {
            for turn in 0_u32.. {
                // One more turn after the revocation: a late change has no effect either.
                let last = revoked.load(Ordering::SeqCst);
                let text = format!("prod-{number}-{turn}");
                match number {
                    0 if last => {}
                    0 if moved.load(Ordering::SeqCst) > 10 => {
                        let outcome = block_on(authority.revoke(admin, &id)).expect("revoked");
                        assert!(!outcome.is_unchanged());
                        revoked.store(true, Ordering::SeqCst);
                    }
                    0 => drop(block_on(authority.finish_rotation(admin, &id))),
                    1 => {
                        let rotated = block_on(authority.rotate(admin, &id, DAY));
                        tokens().extend(rotated);
                    }
                    2 => drop(block_on(authority.edit(admin, &id, note(&text)))),
                    3 => drop(block_on(authority.rename(admin, &id, name(&text)))),
                    4 => drop(block_on(authority.disable(admin, &id))),
                    5 => drop(block_on(authority.enable(admin, &id))),
                    _ => {
                        // Each verify moves the digest from one pepper to the other.
                        let newest = tokens().last().map(|issued| issued.token.expose().to_owned());
                        let newest = newest.expect("the first token");
                        for verifier in &verifiers {
                            let accepted = is_accepted(says(verifier, &newest));
                            block_on(verifier.flush()).expect("the store is up");
                            moved.fetch_add(accepted.into(), Ordering::SeqCst);
                        }
                    }
                }
                if last {
                    break;
                }
            }
        });
        let entry = block_on(authority.key(admin, &id)).expect("the key stays in the listing");
        assert_eq!(entry.status, KeyStatus::Revoked);
        for issued in tokens().iter() {
            for verifier in &verifiers {
                let said = says(verifier, issued.token.expose());
                assert!(!is_accepted(said), "secret {}: {said}", issued.key.secret_number);
            }
        }
        let events = events_of(world, id);
        assert_eq!(done(&events, Operation::KeyRevoke), 1);
        let end = events.iter().position(|event| event.kind == Operation::KeyRevoke.into());
        let after = &events[end.expect("the revocation is recorded")..];
        let live = [Operation::KeyRotate, Operation::KeyDisable, Operation::KeyEnable];
        assert_eq!(live.map(|operation| done(after, operation)), [0; 3], "none was done later");
    });
}

#[test]
fn t_c04_revocation_succeeds_during_endless_edits() {
    in_rounds(10, 2, |world| {
        let id = world.issue("prod-main-app").key.id;
        let stop = AtomicBool::new(false);
        let edits = AtomicU64::new(0);
        together(THREADS + 1, |number| {
            if number == 0 {
                while edits.load(Ordering::SeqCst) < 50 {
                    thread::yield_now();
                }
                let outcome = block_on(world.authority.revoke(&world.admin, &id));
                stop.store(true, Ordering::SeqCst);
                assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
            } else {
                for turn in 0_u32.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let edit = note(&format!("{number} {turn}"));
                    match block_on(world.authority.edit(&world.admin, &id, edit)) {
                        Ok(_) => drop(edits.fetch_add(1, Ordering::SeqCst)),
                        Err(KeyError::Contended(_)) => {}
                        Err(error) => panic!("metadata can always be edited: {error:?}"),
                    }
                }
            }
        });
        let entry = block_on(world.authority.key(&world.admin, &id)).expect("the key");
        assert_eq!(entry.status, KeyStatus::Revoked);
    });
}

/// A change of state that only one of many threads can make; it returns whether this thread made
/// it.
type Change = (Operation, fn(&World, &KeyId) -> Result<bool, KeyError>);

const CHANGES: &[Change] = &[
    (Operation::KeyDisable, |world, id| {
        block_on(world.authority.disable(&world.admin, id)).map(|outcome| !outcome.is_unchanged())
    }),
    (Operation::KeyEnable, |world, id| {
        block_on(world.authority.enable(&world.admin, id)).map(|outcome| !outcome.is_unchanged())
    }),
    (Operation::KeyRename, |world, id| {
        let renamed = world.authority.rename(&world.admin, id, name("prod-renamed"));
        block_on(renamed).map(|outcome| !outcome.is_unchanged())
    }),
    (Operation::KeyRevoke, |world, id| {
        block_on(world.authority.revoke(&world.admin, id)).map(|outcome| !outcome.is_unchanged())
    }),
    (Operation::KeyDelete, |world, id| match block_on(world.authority.delete(&world.admin, id)) {
        Err(KeyError::NotFound(_)) => Ok(false),
        deleted => deleted.map(|()| true),
    }),
];

#[test]
fn state_changes_once_with_one_event() {
    in_rounds(20, 4, |world| {
        let id = world.issue("prod-main-app").key.id;
        for (operation, change) in CHANGES {
            let made = together(THREADS, |_| change(world, &id).expect("the change is possible"));
            // A delete is a success for each thread whose key another one deletes at the same time.
            let most = if *operation == Operation::KeyDelete { THREADS } else { 1 };
            let made = made.iter().filter(|made| **made).count();
            assert!((1..=most).contains(&made), "{operation}: {made}");
            assert_eq!(done(&events_of(world, id), *operation), 1, "{operation}");
        }
    });
}

#[test]
fn t_c01_mass_revocation_misses_no_older_key() {
    in_rounds(20, 3, |world| {
        world.change_policy(|policy| policy.settings.max_keys_per_user = Some(1_000));
        let owner = world.alice.as_owner();
        together(5, |number| {
            for _ in 0..8 {
                if number == 0 {
                    block_on(world.authority.revoke_owned(&world.admin, &owner)).expect("revoked");
                } else {
                    let new = NewKey::new(name("prod-main-app"));
                    block_on(world.authority.generate(&world.alice, new.owner(owner.clone())))
                        .expect("a key");
                }
            }
        });
        let query = KeyQuery::new().owner(owner.clone()).limit(500);
        let keys = block_on(world.authority.keys(&world.admin, &query)).expect("the keys").items;
        assert_eq!(keys.len(), 32);
        let events = block_on(all_events(&world.authority, &world.admin, EventQuery::new()));
        let is = |event: &&Event, operation: Operation| event.kind == operation.into();
        let last =
            events.iter().filter(|event| is(event, Operation::KeyRevoke) && event.key.is_some());
        let last = last.map(|event| event.sequence).max().unwrap_or(0);
        for entry in keys {
            let made = events
                .iter()
                .find(|event| event.key == Some(entry.key.id) && is(event, Operation::KeyGenerate));
            let made = made.expect("its creation is recorded").sequence;
            let expected = if made < last { KeyStatus::Revoked } else { KeyStatus::Active };
            assert_eq!(entry.status, expected, "generated at {made}, all were revoked at {last}");
        }
    });
}

#[test]
fn t_c08_second_rotation_drops_oldest_at_once() {
    in_rounds(1, 1, |world| {
        let rotate =
            |id| block_on(world.authority.rotate(&world.admin, &id, DAY)).expect("rotated");
        let oldest = world.issue("prod-main-app");
        let old = rotate(oldest.key.id);
        assert_eq!(world.says(oldest.token.expose()), "retiring");
        // The clock is fixed, so the first overlap still has a day left.
        let new = rotate(oldest.key.id);
        let said = [&oldest, &old, &new].map(|issued| world.says(issued.token.expose()));
        assert_eq!(said, ["unrecognized", "retiring", "current"]);
    });
}

#[test]
fn t_c09_both_secrets_work_until_overlap_ends() {
    in_rounds(1, 1, |world| {
        let old = world.issue("prod-main-app");
        let rotated = block_on(world.authority.rotate(&world.admin, &old.key.id, DAY));
        let new = rotated.expect("it is rotated");
        let end = new.key.overlap_ends_at.expect("an overlap");
        let asked = || {
            // All threads see the same time, so their answers must agree.
            let said = together(4, |_| [&old, &new].map(|one| world.says(one.token.expose())));
            assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
            said[0]
        };
        world.clock.set(end.saturating_sub(MOMENT));
        assert_eq!(asked(), ["retiring", "current"]);
        world.clock.set(end);
        assert_eq!(asked(), ["superseded", "current"]);
        world.clock.set(end.saturating_add(MOMENT));
        assert_eq!(asked(), ["superseded", "current"]);
    });
}
