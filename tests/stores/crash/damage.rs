//! A store with one flipped bit, anywhere, or truncated to any length: it opens unchanged, or
//! reports damage.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::hostile::assert_little_memory;
use crate::lifecycle::Life;
use crate::opening::{Found, change, open, open_file};
use common::amount;

/// Length of redb's header in bytes. Only an open through a file repairs the header, so its bits
/// are tried on a file.
const HEADER: usize = 320;

const AFTER_PANIC: &str = ", after a panic";

/// The results for many damaged files.
#[derive(Debug, Default)]
struct Tally {
    as_it_was: usize,
    refused: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, life: &Life, found: Found, what: impl FnOnce() -> String) {
        match found {
            Found::State(number) if number == life.last() => self.as_it_was += 1,
            Found::Refused(told) => *self.refused.entry(kind(&told)).or_default() += 1,
            other => self.wrong.push(format!("{}: {other:?}", what())),
        }
    }

    fn add(&mut self, other: Self) {
        self.as_it_was += other.as_it_was;
        for (told, count) in other.refused {
            *self.refused.entry(told).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }

    /// Returns the number of refusals after a panic of redb, which could end a process that aborts
    /// on panics.
    fn panics(&self) -> usize {
        let panics = self.refused.iter().filter(|(told, _)| told.ends_with(AFTER_PANIC));
        panics.map(|(_, count)| count).sum()
    }

    fn refusals(&self) -> usize {
        self.refused.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.as_it_was + self.refusals() + self.wrong.len();
        write!(
            f,
            "{all} tried, {} opened as they were, refused: {:?}",
            self.as_it_was, self.refused
        )?;
        self.wrong.iter().take(10).try_for_each(|wrong| write!(f, "\n{wrong}"))
    }
}

/// Returns the kind of a refusal, and whether the database panicked on the way to it.
fn kind(told: &str) -> String {
    let kind = told.split(':').next().unwrap_or_default();
    if told.contains("panicked") { format!("{kind}{AFTER_PANIC}") } else { kind.to_owned() }
}

#[test]
fn t_f13_flipped_bit_never_changes_the_store() {
    let most = amount("KEYWRIGHT_FLIPS", 4_000) as usize;
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let life = Life::lead();
    for (what, whole) in [("closed", &life.closed), ("killed", &life.killed)] {
        let bits = whole.len() * 8;
        // All bits, or a random selection.
        let flips: Vec<usize> = if most < bits {
            (0..most).map(|_| random.random_range(0..bits)).collect()
        } else {
            (0..bits).collect()
        };
        let tally = on_all_cores(&life, &flips, whole, |file, bytes, bit| {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = if bit / 8 < HEADER {
                open_file(&life, file, bytes)
            } else {
                open(&life, bytes.clone())
            };
            bytes[bit / 8] ^= 1 << (bit % 8);
            (found, format!("bit {} of byte {}", bit % 8, bit / 8))
        });
        println!("{what}, {bits} bits: {tally}");
        assert!(tally.wrong.is_empty(), "{} did neither", tally.wrong.len());
        assert!(tally.as_it_was > 0 && tally.refusals() > 0, "flips of used bytes are detected");
        assert_eq!(tally.panics(), 0, "redb never sees a damaged page");
    }
    assert_little_memory();
}

#[test]
fn t_f13_damaged_header_revives_nothing() {
    /// The offset of the flags, which follow the magic number.
    const FLAGS: usize = 9;
    /// Each of eight bits is flipped, or the byte becomes zero or 255.
    const WAYS: usize = 10;
    let life = Life::lead();
    let cases: Vec<_> = (FLAGS * WAYS..HEADER * WAYS).collect();
    for (what, whole) in [("closed", &life.closed), ("killed", &life.killed)] {
        // The same commits, each in the other slot.
        let mut mirrored = whole.clone();
        mirrored[64..HEADER].rotate_left(128);
        mirrored[FLAGS] ^= 1;
        for (slots, whole) in [("as written", whole), ("mirrored", &mirrored)] {
            let tally = on_all_cores(&life, &cases, whole, |file, bytes, case| {
                let (byte, way) = (case / WAYS, case % WAYS);
                let before = bytes[byte];
                bytes[byte] = match way {
                    8 => 0,
                    9 => 0xFF,
                    bit => before ^ 1 << bit,
                };
                let found = match open_file(&life, file, bytes) {
                    Found::Refused(told) if !told.contains(": restore ") => Found::Wrong(told),
                    found => found,
                };
                let what = format!("byte {byte} is {:#x} instead of {before:#x}", bytes[byte]);
                bytes[byte] = before;
                (found, what)
            });
            println!("{what}, {slots}: {tally}");
            assert!(tally.wrong.is_empty(), "{} did neither", tally.wrong.len());
            assert!(tally.as_it_was > 0 && tally.refusals() > 0, "damage of the slots is detected");
            assert_eq!(tally.panics(), 0, "redb never sees a damaged page");
        }
    }
}

#[test]
fn t_f13_change_of_damaged_store_revives_nothing() {
    let flips = amount("KEYWRIGHT_FLIPS", 4_000) / 4;
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let life = Life::lead();
    for (what, whole) in [("closed", &life.closed), ("killed", &life.killed)] {
        let bits: Vec<_> =
            (0..flips).map(|_| random.random_range(HEADER * 8..whole.len() * 8)).collect();
        let [done, refused] = [0, 0].map(AtomicUsize::new);
        let tally = on_all_cores(&life, &bits, whole, |_, bytes, bit| {
            let place = format!("bit {} of byte {}", bit % 8, bit / 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (results, is_revived) = change(&life, bytes.clone());
            bytes[bit / 8] ^= 1 << (bit % 8);
            let errors: Vec<_> =
                results.iter().filter_map(|result| result.as_ref().err()).collect();
            done.fetch_add(results.len() - errors.len(), Ordering::Relaxed);
            refused.fetch_add(errors.len(), Ordering::Relaxed);
            let panic = errors.iter().find(|error| error.contains("panicked"));
            let found = match panic {
                _ if is_revived => Found::Wrong("a dead token is accepted".to_owned()),
                Some(panic) => Found::Wrong((*panic).clone()),
                None => Found::State(life.last()),
            };
            (found, place)
        });
        println!("{what}: {tally}; changes done and refused: {done:?}, {refused:?}");
        assert!(tally.wrong.is_empty(), "{} are wrong", tally.wrong.len());
        assert!(done.into_inner() > 0 && refused.into_inner() > 0, "some changes meet the damage");
    }
}

#[test]
fn t_f15_truncated_store_never_opens_changed() {
    let life = Life::lead();
    for (what, whole) in [("closed", &life.closed), ("killed", &life.killed)] {
        // An empty file is excluded: here it becomes a new store, while a real empty file is
        // refused.
        let lengths: Vec<usize> = (1..whole.len()).collect();
        let tally = on_all_cores(&life, &lengths, whole, |_, bytes, length| {
            (open(&life, bytes[..length].to_vec()), format!("cut off at {length}"))
        });
        println!("{what}, {} bytes: {tally}", whole.len());
        assert!(tally.wrong.is_empty(), "{} did neither", tally.wrong.len());
        assert!(tally.refusals() > 0, "no cut was detected");
    }
}

/// Tries each case on all cores, with a file and a copy of the bytes for each thread.
fn on_all_cores(
    life: &Life,
    all: &[usize],
    whole: &[u8],
    attempt: impl Fn(&std::path::Path, &mut Vec<u8>, usize) -> (Found, String) + Sync,
) -> Tally {
    let next = AtomicUsize::new(0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let work = |number: usize| {
        let file = folder.path().join(format!("{number}.db"));
        let (mut bytes, mut tally) = (whole.to_vec(), Tally::default());
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (found, what) = attempt(&file, &mut bytes, *one);
            tally.count(life, found, || what);
        }
        tally
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> =
            (0..threads).map(|number| scope.spawn(move || work(number))).collect();
        let mut tally = Tally::default();
        for worker in workers {
            tally.add(worker.join().expect("no panic"));
        }
        tally
    })
}
