//! The random source: the operating system's, or one that a test gives.
//!
//! A source that fails makes the operation fail; nothing falls back to a weaker one.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand_core::TryCryptoRng;

use crate::value::reentrancy::Inside;

/// The random source is of no use, so nothing was made and nothing was stored.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RandomError {
    /// The source said that it failed, for the reason that it gives.
    #[error("the random source failed: {0}")]
    Failed(String),
    /// The source gave no byte that stands for a character of an id or a secret, in [`RandomError::DRAWS`] draws.
    #[error("the random source gave no usable byte in {draws} draws: replace it", draws = Self::DRAWS)]
    Stuck,
    /// The source drew what exists already. It repeats itself, as it does on a machine that was cloned while it ran.
    #[error(
        "the random source repeats itself: it drew {0} again; seed it anew before the next key is made"
    )]
    Repeats(Drawn),
    /// The source called back into this crate for random bytes while it was asked for some.
    #[error(
        "the random source asked for random bytes while it was asked for some: it must not call this crate"
    )]
    Reentered,
}

/// What was drawn at random.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Drawn {
    /// The id of a key.
    KeyId,
    /// The id of a service account.
    AccountId,
    /// The secret that the key had before.
    Secret,
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KeyId => "a key id",
            Self::AccountId => "an account id",
            Self::Secret => "the secret of a key",
        })
    }
}

impl RandomError {
    /// How often a source is asked for 64 bytes more before it counts as stuck. A sound source gives the 32
    /// characters of a secret with the first draw, but for once in 10^31 times.
    pub const DRAWS: u32 = 16;
}

/// A random source behind one door, so that ids, secrets and batch ids draw from the same one.
pub(crate) struct Random(Mutex<Box<dyn Fill>>);

impl Random {
    pub(crate) fn new<R: TryCryptoRng + Send + 'static>(source: R) -> Self {
        Self(Mutex::new(Box::new(source)))
    }

    /// Returns the operating system's source.
    pub(crate) fn system() -> Self {
        Self::new(getrandom::SysRng)
    }

    pub(crate) fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        // A source that calls back would wait for the lock that its own call holds.
        let _inside = Inside::enter(self).ok_or(RandomError::Reentered)?;
        // A panic inside a source leaves no state of ours half written.
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        source.fill(out)
    }
}

/// `TryCryptoRng` with its error type taken away, so that it can be boxed.
trait Fill: Send {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

impl<R: TryCryptoRng + Send> Fill for R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.try_fill_bytes(out).map_err(|error| RandomError::Failed(error.to_string()))
    }
}
