//! Exhaustive cuts: each byte of a write, each growth of the file, each step of a recovery.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sha2::{Digest, Sha256};

use crate::cuts::Cut;
use crate::disk::{Disk, Step};
use crate::lifecycle::Life;
use crate::opening::{Found, Opened, open};
use common::amount;

/// The change that is torn at every byte. Other changes are torn at random bytes, to save time.
const TORN_AT_EVERY_BYTE: &str = "revoke";
/// One in this many cuts of a recovery is followed by cuts of the next recovery.
const RECOVERIES: usize = 40;
/// Up to this number of unsynced steps every subset is tried; above it, a random selection.
const MOST_PENDING: usize = 5;

/// Runs `work` for each item, on all cores.
fn on_all_cores<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

/// Opens the file after a cut at this step, and asserts that it has the acknowledged changes, with
/// or without the one in flight. Returns whether that one is there.
fn assert_whole(life: &Life, at: usize, left: Vec<u8>, how: &str) -> bool {
    let (found, allowed) = (open(life, left), life.allowed(at));
    let Found::State(number) = found else { panic!("{}, {how}: {found:?}", life.name(at)) };
    assert!(allowed.contains(&number), "{}, {how}: {number}, not {allowed:?}", life.name(at));
    number > *allowed.start()
}

#[test]
fn t_f04_torn_write_is_whole_or_undone() {
    let one_in = amount("KEYWRIGHT_TEARS", 400) as usize;
    let life = Life::lead();
    let steps = life.changes().flat_map(|(what, steps)| steps.map(move |at| (what, at)));
    let steps: Vec<_> = steps.collect();
    let [torn, changed] = [0, 0].map(AtomicUsize::new);
    on_all_cores(&steps, |&(what, at)| {
        let Step::Write(offset, data) = &life.steps[at] else { return };
        // Every earlier write has arrived.
        let [before, after] = [at, at + 1].map(|count| Cut::after(count, &life.steps, &[]).all());
        for place in 0..data.len() {
            let middle = offset + place;
            // If the write changes no byte, a torn write gives the same file.
            if before[middle] == after[middle] {
                continue;
            }
            let is_drawn = (at + place).is_multiple_of(one_in);
            let tear = |part: &str, left: Vec<u8>| {
                let how = format!("{part} byte {place} of the write");
                torn.fetch_add(1, Ordering::Relaxed);
                let is_there = assert_whole(&life, at + 1, left, &how);
                changed.fetch_add(is_there.into(), Ordering::Relaxed);
            };
            if is_drawn || what == TORN_AT_EVERY_BYTE {
                tear("up to", [&after[..=middle], &before[middle + 1..]].concat());
            }
            if is_drawn {
                tear("from", [&before[..middle], &after[middle..]].concat());
            }
        }
    });
    let [torn, changed] = [torn, changed].map(AtomicUsize::into_inner);
    println!("{torn} tears, {changed} with the change in flight");
    assert!(torn > 5_000 && changed > 0 && changed < torn);
}

#[test]
fn t_f06_lost_file_growth_loses_nothing_acknowledged() {
    let life = Life::lead();
    let mut cuts = 0;
    for at in life.made..=life.steps.len() {
        let cut = Cut::after(at, &life.steps, &[]);
        let grows = |step: &Step| matches!(step, Step::Resize(to) if *to > cut.synced().len());
        if !cut.unsynced().iter().any(grows) {
            continue;
        }
        cuts += 1;
        let header = |step: &Step| matches!(step, Step::Write(0, _));
        assert!(!cut.unsynced().iter().any(header), "the header waits for the growth's sync");
        // Bytes written past the end are lost with the growth, or lengthen the file again.
        let mut short = cut.all();
        short.truncate(cut.synced().len());
        let kept = |kept: &dyn Fn(&Step) -> bool| cut.keep(|place| kept(&cut.unsynced()[place]));
        assert_whole(&life, at, short, "without the part after the old end");
        assert_whole(&life, at, kept(&|step| !grows(step)), "without the growth");
        assert_whole(&life, at, kept(&grows), "with nothing but the growth");
    }
    println!("{cuts} cuts before a growth was synced");
    assert!(cuts > 5, "the file was about to grow at only {cuts} steps");
}

#[test]
fn t_f10_cut_during_recovery_changes_nothing() {
    let life = Life::lead();
    let [once, twice] = [0, 0].map(AtomicUsize::new);
    let changes: Vec<_> = life.changes().collect();
    on_all_cores(&changes, |(what, steps)| {
        // The file of a process that is killed when the change is acknowledged.
        let killed = Cut::after(steps.end, &life.steps, &[]).all();
        let number = *life.allowed(steps.end).start();
        let recovers = |file: &[u8]| {
            let (found, opened) = Opened::on(&life, Disk::holding(file.to_vec()));
            assert_eq!(found, Found::State(number), "after \"{what}\"");
            opened.disk.steps()
        };
        for first in cuts(&recovers(&killed), &killed) {
            let steps = recovers(&first);
            if once.fetch_add(1, Ordering::Relaxed).is_multiple_of(RECOVERIES) {
                for second in cuts(&steps, &first) {
                    twice.fetch_add(1, Ordering::Relaxed);
                    recovers(&second);
                }
            }
        }
    });
    let [once, twice] = [once, twice].map(AtomicUsize::into_inner);
    println!("{once} recoveries were cut, {twice} of the next ones");
    assert!(once > 500 && twice > 300);
}

/// Returns the distinct files that cuts at the steps can leave. They are made one after the other,
/// because the tests measure memory.
fn cuts<'a>(steps: &'a [Step], file: &'a [u8]) -> impl Iterator<Item = Vec<u8>> + 'a {
    let mut seen = HashSet::new();
    let all = (0..=steps.len()).flat_map(move |within| {
        let cut = Cut::after(within, steps, file);
        cut.leaves(1 << cut.pending().min(MOST_PENDING), 0).collect::<Vec<_>>()
    });
    all.filter(move |left| seen.insert(<[u8; 32]>::from(Sha256::digest(left))))
}
