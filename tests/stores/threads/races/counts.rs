//! Uses are counted exactly during all other operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_lite::future::block_on;
use keywright::{Keywright, Operation};

use super::{THREADS, done, note, together};
use common::stores::in_rounds;
use common::{SECOND, events_of, says};

/// Threads take copies of a snapshot with so many uses, and a flush adds up the uses of all copies.
#[test]
fn t_c05_each_use_of_hot_keys_counts() {
    in_rounds(1, 1, |world| {
        const USES: u64 = 12_000;
        let issued = world.issue("prod-hot");
        let id = issued.key.id;
        let finished = AtomicU64::new(0);
        together(THREADS + 1, |number| {
            if number == THREADS {
                while finished.load(Ordering::SeqCst) < THREADS as u64 {
                    std::thread::sleep(SECOND / 4);
                    block_on(world.verifier.flush()).expect("the uses are written");
                }
                return;
            }
            for _ in 0..USES {
                assert_eq!(says(&world.verifier, issued.token.expose()), "current");
            }
            finished.fetch_add(1, Ordering::SeqCst);
        });
        block_on(world.verifier.flush()).expect("the uses are written");
        let entry = block_on(world.authority.key(&world.admin, &id)).expect("the key");
        assert_eq!(entry.uses, USES * THREADS as u64);
        assert_eq!(entry.last_used_at, Some(world.now()));
    });
}

#[test]
fn t_c05_every_use_counts_once_during_changes() {
    in_rounds(4, 2, |world| {
        const USES: u64 = 1_500;
        let issued = [world.issue("prod-one"), world.issue("prod-two")];
        // Two parts of a program that share only the store.
        let other = Keywright::builder(Arc::clone(&world.store))
            .clock(world.clock.clone())
            .build()
            .expect("a keywright");
        let verifiers = [world.verifier.clone(), other.verifier()];
        let (finished, edits) = (AtomicU64::new(0), AtomicU64::new(0));
        let id = |number: usize| issued[number % 2].key.id;
        together(THREADS + 3, |number| {
            if number < THREADS {
                let verifier = &verifiers[number / 2 % 2];
                let token = &issued[number % 2].token;
                for _ in 0..USES {
                    assert_eq!(says(verifier, token.expose()), "current");
                }
                finished.fetch_add(1, Ordering::SeqCst);
                return;
            }
            for turn in 0_u32.. {
                if finished.load(Ordering::SeqCst) == THREADS as u64 {
                    break;
                }
                match number - THREADS {
                    // The change replaces the snapshot of the first key, or of all keys of the
                    // tenant.
                    0 => {
                        let edit = note(&turn.to_string());
                        let edited = block_on(world.authority.edit(&world.admin, &id(0), edit));
                        assert!(!edited.expect("it is edited").is_unchanged());
                        edits.fetch_add(1, Ordering::SeqCst);
                        world.change_policy(|policy| {
                            policy.settings.retention = Some(SECOND * (turn + 1));
                        });
                    }
                    flusher => {
                        block_on(verifiers[flusher - 1].flush()).expect("the uses are written");
                    }
                }
            }
        });
        for verifier in &verifiers {
            block_on(verifier.flush()).expect("the uses are written");
        }
        for number in 0..2 {
            let entry = block_on(world.authority.key(&world.admin, &id(number))).expect("the key");
            assert_eq!(entry.uses, USES * THREADS as u64 / 2, "of key {number}");
        }
        let told = done(&events_of(world, id(0)), Operation::KeyAnnotate);
        assert_eq!(told as u64, edits.load(Ordering::SeqCst), "one event for each edit");
    });
}

#[test]
fn t_c05_flush_stores_its_own_verifiers_counts() {
    in_rounds(1, 1, |world| {
        let issued = world.issue("prod-main-app");
        let other = world.keywright.verifier();
        assert_eq!(says(&other, issued.token.expose()), "current");
        assert_eq!(world.says(issued.token.expose()), "current");
        block_on(world.verifier.flush()).expect("the uses are written");
        let entry = block_on(world.authority.key(&world.admin, &issued.key.id)).expect("the key");
        assert!(entry.uses >= 1, "the use that was counted before the flush is not stored");
        block_on(other.flush()).expect("the uses are written");
        let entry = block_on(world.authority.key(&world.admin, &issued.key.id)).expect("the key");
        assert_eq!(entry.uses, 2);
    });
}

#[test]
fn t_c05_dropped_verifier_takes_no_others_use() {
    in_rounds(1, 1, |world| {
        let issued = world.issue("prod-main-app");
        let short = world.keywright.verifier();
        assert_eq!(says(&short, issued.token.expose()), "current");
        drop(short);
        for _ in 0..3 {
            assert_eq!(world.says(issued.token.expose()), "current");
        }
        block_on(world.verifier.flush()).expect("the uses are written");
        let entry = block_on(world.authority.key(&world.admin, &issued.key.id)).expect("the key");
        assert!(entry.uses >= 3, "{} uses are stored of the three before the flush", entry.uses);
    });
}
