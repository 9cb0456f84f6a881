//! The random source of the tests, and the seeds and amounts from the environment.

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::{TryCryptoRng, TryRng};

use crate::tokens::ALPHABET;

/// A predictable random source, for tests only. Clones share everything.
#[derive(Clone)]
pub struct Random(Arc<Mutex<Source>>);

enum Source {
    /// The state of `SplitMix64`: a small sequence of random numbers that is the same everywhere.
    Seeded(u64),
    /// One entry for each draw.
    Script(VecDeque<Vec<u8>>),
    Drawing(Fill),
}

type Fill = Box<dyn FnMut(&mut [u8]) + Send>;

/// The error of a [`Random`] whose script has ended.
#[derive(Clone, Copy, Debug)]
pub struct OutOfEntropy;

impl fmt::Display for OutOfEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entropy pool is dry")
    }
}

impl Error for OutOfEntropy {}

impl Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(..)")
    }
}

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self::of(Source::Seeded(seed))
    }

    /// Creates a source of the given draws, which fails after the last one. A draw that is too short is
    /// filled up with zeros.
    pub fn script(draws: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::of(Source::Script(draws.into_iter().collect()))
    }

    /// Creates a source whose every draw fails.
    pub fn failing() -> Self {
        Self::script([])
    }

    /// Creates a source that repeats one byte.
    pub fn repeating(byte: u8) -> Self {
        Self::drawing(move |out| out.fill(byte))
    }

    /// Creates a source that a function fills.
    pub fn drawing(fill: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        Self::of(Source::Drawing(Box::new(fill)))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Mutex::new(source)))
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds draws to a script.
    pub fn add(&self, more: impl IntoIterator<Item = Vec<u8>>) {
        match &mut *self.source() {
            Source::Script(draws) => draws.extend(more),
            Source::Seeded(_) | Source::Drawing(_) => {
                panic!("only a scripted source can get more draws")
            }
        }
    }

    /// Draws any number.
    pub fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes).expect("a source that does not fail");
        u64::from_le_bytes(bytes)
    }

    /// Draws a number below `end`. It is not quite uniform, but good enough to choose test cases.
    pub fn below(&self, end: usize) -> usize {
        usize::try_from(self.number() % end as u64).expect("below a usize")
    }

    /// Draws `count` symbols of the alphabet.
    pub fn symbols(&self, count: usize) -> String {
        let alphabet = ALPHABET.as_bytes();
        (0..count).map(|_| char::from(alphabet[self.below(62)])).collect()
    }

    /// Fills `out` with the next draw.
    pub fn fill(&self, out: &mut [u8]) -> Result<(), OutOfEntropy> {
        match &mut *self.source() {
            Source::Seeded(state) => {
                for chunk in out.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(state).to_le_bytes()[..chunk.len()]);
                }
            }
            Source::Script(draws) => {
                let draw = draws.pop_front().ok_or(OutOfEntropy)?;
                out.fill(0);
                out[..draw.len()].copy_from_slice(&draw);
            }
            Source::Drawing(fill) => fill(out),
        }
        Ok(())
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

impl TryRng for Random {
    type Error = OutOfEntropy;

    fn try_next_u32(&mut self) -> Result<u32, OutOfEntropy> {
        let mut out = [0; 4];
        self.fill(&mut out).map(|()| u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfEntropy> {
        let mut out = [0; 8];
        self.fill(&mut out).map(|()| u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), OutOfEntropy> {
        self.fill(out)
    }
}

/// The trait lets it replace the system's source in tests.
impl TryCryptoRng for Random {}

/// Returns the seed of a test with random input: `KEYWRIGHT_SEED`, or 1. Prints it, so that a failure can be
/// repeated.
pub fn seed() -> u64 {
    seed_or(1)
}

/// Returns the seed of a test with new input in each run: `KEYWRIGHT_SEED`, or a random number. Prints it, so
/// that a failure can be repeated.
pub fn new_seed() -> u64 {
    seed_or(rand::random())
}

fn seed_or(default: u64) -> u64 {
    let seed = from_environment("KEYWRIGHT_SEED").unwrap_or(default);
    println!("KEYWRIGHT_SEED={seed}");
    seed
}

/// Returns the number of repetitions from an environment variable, or `default`.
pub fn amount(variable: &str, default: u32) -> u32 {
    from_environment(variable).unwrap_or(default)
}

fn from_environment<T: FromStr<Err: Debug>>(variable: &str) -> Option<T> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{variable} must be a number, got {text}: {error:?}")),
    )
}
