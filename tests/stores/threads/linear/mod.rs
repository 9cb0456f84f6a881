//! Histories of concurrent calls, checked against a sequential model: all answers must fit one
//! order of the calls that respects the times at which they ran.
//!
//! `KEYWRIGHT_HISTORIES` sets the number of histories of each kind, `KEYWRIGHT_SEED` the seed.

mod callers;
mod checker;
mod history;
mod model;
mod stores;

use std::sync::Arc;

use futures_lite::future::block_on;
use keywright::store::{FileStore, KeyStore, MemoryStore};
use rand::SeedableRng;
use rand::rngs::StdRng;

use self::callers::{Callers, on_one_thread, on_threads};
use self::checker::{Searched, check};
use self::history::{Answer, Call, History};
use self::stores::Troubles;
use common::{amount, new_seed};

/// Records a history on a store, over its own keys, with the random choices of the seed.
type Take = fn(&Callers, &mut StdRng);

/// Records and checks `count` histories on `store`, and returns their statistics.
fn campaign(store: impl KeyStore, troubles: Troubles, count: u32, take: Take) -> Searched {
    let seed = new_seed();
    let mut total = Searched::default();
    let store: Arc<dyn KeyStore> = Arc::new(store);
    for number in 0..count {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number.into()));
        let callers = Callers::new(&store, troubles, &mut random);
        take(&callers, &mut random);
        let history = callers.history();
        match check(&history) {
            Ok(searched) => total.add(&searched),
            Err(why) => panic!("history {number} of seed {seed} fits no order:\n{why}"),
        }
    }
    println!("{total}");
    total
}

/// Returns the number of histories of each kind, in memory and in a file, where each change is
/// synced.
fn histories() -> (u32, u32) {
    let histories = amount("KEYWRIGHT_HISTORIES", 1_000);
    (histories, histories.div_ceil(10))
}

fn in_a_file<T>(test: impl FnOnce(FileStore) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a new store");
    let tested = test(store.clone());
    block_on(store.close()).expect("the store closes");
    tested
}

#[test]
fn t_c12_memory_calls_fit_one_order() {
    let seen = campaign(MemoryStore::new(), Troubles::NONE, histories().0, on_threads);
    seen.assert_varied();
}

#[test]
fn t_c12_file_calls_fit_one_order() {
    let seen = in_a_file(|store| campaign(store, Troubles::NONE, histories().1, on_threads));
    seen.assert_varied();
}

#[test]
fn t_c11_unknown_memory_outcomes_happen_at_most_once() {
    let seen = campaign(MemoryStore::new(), Troubles::ALL, histories().0, on_threads);
    seen.assert_varied();
    assert!(seen.unknown > 0, "no call was of unknown outcome: {seen}");
}

#[test]
fn t_c11_unknown_file_outcomes_happen_at_most_once() {
    let seen = in_a_file(|store| campaign(store, Troubles::ALL, histories().1, on_threads));
    seen.assert_varied();
    assert!(seen.unknown > 0, "no call was of unknown outcome: {seen}");
}

#[test]
fn t_c12_alternating_calls_fit_one_order() {
    let seen = campaign(MemoryStore::new(), Troubles::TURNS, histories().0, on_one_thread);
    seen.assert_varied();
}

#[test]
fn t_c10_dropped_alternating_calls_happen_at_most_once() {
    let troubles = Troubles { turns: true, ..Troubles::ALL };
    let seen = campaign(MemoryStore::new(), troubles, histories().0, on_one_thread);
    seen.assert_varied();
    assert!(seen.unknown > 0, "no call was of unknown outcome: {seen}");
}

/// Records histories on a faulty store until one of them fits no order.
fn is_caught(troubles: Troubles) -> String {
    let seed = new_seed();
    let store: Arc<dyn KeyStore> = Arc::new(MemoryStore::new());
    let troubles = Troubles { turns: true, ..troubles };
    for number in 0..2_000 {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number));
        let callers = Callers::new(&store, troubles, &mut random);
        on_one_thread(&callers, &mut random);
        if let Err(why) = check(&callers.history()) {
            println!("caught in history {number}:\n{why}");
            return why;
        }
    }
    panic!("2,000 histories of seed {seed} fit an order each");
}

#[test]
fn t_c12_stale_reading_store_is_caught() {
    is_caught(Troubles { stale: true, ..Troubles::NONE });
}

#[test]
fn t_c12_write_losing_store_is_caught() {
    is_caught(Troubles { forgets: true, ..Troubles::NONE });
}

#[test]
fn t_c12_early_acknowledging_store_is_caught() {
    is_caught(Troubles { late: true, ..Troubles::NONE });
}

#[test]
fn t_c12_false_conflict_store_is_caught() {
    is_caught(Troubles { denies: true, ..Troubles::NONE });
}

#[test]
fn shown_history_is_short() {
    let history = History::written(&[
        (0, Call::Generate(0), Some(Answer::Issued(1)), 1, 2),
        (1, Call::Disable(0), Some(Answer::Done), 3, 4),
        (1, Call::Enable(0), Some(Answer::Done), 5, 6),
        (0, Call::Verify(0, 1), Some(Answer::Current), 7, 8),
        (2, Call::Revoke(0), Some(Answer::Done), 9, 12),
        (0, Call::Verify(0, 1), Some(Answer::Current), 13, 14),
        (0, Call::Verify(0, 1), Some(Answer::Denied("revoked")), 15, 16),
    ]);
    let why = check(&history).expect_err("it was accepted after the revoke had returned");
    let lines: Vec<&str> = why.lines().collect();
    assert_eq!(lines.len(), 6, "{why}");
    assert!(lines[4].contains("Revoke(0)") && lines[5].contains("Current"), "{why}");
}

#[test]
fn unanswered_call_may_have_happened() {
    let begin = (0, Call::Generate(0), Some(Answer::Issued(1)), 1, 2);
    let unknown = (1, Call::Revoke(0), None, 3, 4);
    let said = |answer, at| (0, Call::Verify(0, 1), Some(answer), at, at + 1);
    let revoked = Answer::Denied("revoked");
    for fits in [
        [said(Answer::Current, 5), said(Answer::Current, 7)],
        [said(Answer::Current, 5), said(revoked.clone(), 7)],
        [said(revoked.clone(), 5), said(revoked.clone(), 7)],
    ] {
        let [first, second] = fits;
        let history = History::written(&[begin.clone(), unknown.clone(), first, second]);
        assert!(check(&history).is_ok(), "{history}");
    }
    let undone = [said(revoked.clone(), 5), said(Answer::Current, 7)];
    let [first, second] = undone;
    let history = History::written(&[begin.clone(), unknown, first, second]);
    assert!(check(&history).is_err(), "{history}");
    let late = (1, Call::Revoke(0), None, 9, 10);
    let history = History::written(&[begin, said(revoked, 5), late]);
    assert!(check(&history).is_err(), "{history}");
}
