//! The random source: the operating system's, or one that the host provides.
//!
//! If the source fails, the operation fails. The crate never falls back to a weaker source.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand_core::TryCryptoRng;

use crate::value::reentrancy::Inside;

/// A failure of the random source.
///
/// Nothing was generated and nothing was stored.
///
/// ```
/// use keywright::{Drawn, GenerateError, RandomError};
///
/// fn should_stop_service(error: &GenerateError) -> bool {
///     // A machine that was cloned while it ran draws the same numbers as its copy.
///     matches!(error, GenerateError::Random(RandomError::Repeats(_)))
/// }
/// # assert!(should_stop_service(&RandomError::Repeats(Drawn::KeyId).into()));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RandomError {
    /// The source returned an error. The text is the source's own message.
    #[error("the random source failed: {0}")]
    Failed(String),
    /// The source gave too few usable bytes for an id or secret in [`RandomError::DRAWS`] draws.
    #[error(
        "the random source gave too few usable bytes in {draws} draws: replace it",
        draws = Self::DRAWS
    )]
    Stuck,
    /// The source drew a value that already exists.
    ///
    /// A typical cause is a virtual machine that was cloned while it ran: both copies draw the same
    /// values.
    #[error(
        "the random source repeats itself: it drew {0} again; reseed it before generating more keys"
    )]
    Repeats(Drawn),
    /// The source called this crate while the crate was drawing bytes from it.
    #[error(
        "the random source called keywright while it drew random bytes: it must not call this crate"
    )]
    Reentered,
}

/// The kind of value that a random source drew twice.
///
/// ```
/// use keywright::{Drawn, RandomError};
///
/// let error = RandomError::Repeats(Drawn::KeyId).to_string();
/// assert!(error.contains("it drew a key id again"));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Drawn {
    /// The id of a key.
    KeyId,
    /// The id of a service account.
    AccountId,
    /// The secret of a key: the new secret equals the old one.
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
    /// The number of draws of 64 bytes after which a source counts as stuck.
    ///
    /// With a sound source, the first draw suffices for the 32 characters of a secret, with a
    /// probability of failure of about 10⁻³¹.
    pub const DRAWS: u32 = 16;
}

/// The random source that ids, secrets and batch ids share.
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
        // A source that calls back would deadlock on the lock that its own call holds.
        let _inside = Inside::enter(self).ok_or(RandomError::Reentered)?;
        // The lock guards no state of the crate: after a panic in a source nothing is half written.
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        source.fill(out)
    }
}

/// A `TryCryptoRng` without its error type, so that it can be boxed.
trait Fill: Send {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

impl<R: TryCryptoRng + Send> Fill for R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.try_fill_bytes(out).map_err(|error| RandomError::Failed(error.to_string()))
    }
}
