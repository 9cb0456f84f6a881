//! A store with one flipped bit, anywhere, or truncated to any length: it opens unchanged, or
//! reports damage.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::lifecycle::Life;
use crate::memory;
use crate::opening::{Found, open, open_file};
use common::amount;

/// Length of redb's header in bytes. Only an open through a file repairs the header, so its bits
/// are tried on a file.
const HEADER: usize = 320;
/// One bit of a page number multiplies the length of a 4 KiB page by 65,536. redb reserves that
/// length before it reads and refuses the page. 4 of the 589,824 bits of a small closed store do it.
const LARGEST_PAGE: usize = (4096 << 16) + 64;

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
    if told.contains("panicked") { format!("{kind}, after a panic") } else { kind.to_owned() }
}

#[test]
fn t_f13_flipped_bit_never_changes_the_store() {
    let largest = memory::largest_alone(flip_bits);
    assert!(largest <= LARGEST_PAGE, "{largest} bytes of memory at once");
}

fn flip_bits() {
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
