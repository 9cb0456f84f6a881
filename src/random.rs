//! The random source: the operating system's, or one that a test gives.
//!
//! A source that fails makes the operation fail; nothing falls back to a weaker one.

use std::sync::{Mutex, PoisonError};

use rand_core::TryCryptoRng;

/// The random source failed, so no key was made and nothing was stored.
#[derive(Debug, thiserror::Error)]
#[error("the random source failed: {0}")]
pub struct RandomError(String);

/// A random source behind one door, so that ids, secrets and batch ids draw from the same one.
pub(crate) struct Random(Mutex<Box<dyn Fill>>);

impl Random {
    pub(crate) fn new<R: TryCryptoRng + Send + 'static>(source: R) -> Self {
        Self(Mutex::new(Box::new(source)))
    }

    /// The operating system's source.
    pub(crate) fn system() -> Self {
        Self::new(getrandom::SysRng)
    }

    pub(crate) fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
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
        self.try_fill_bytes(out).map_err(|error| RandomError(error.to_string()))
    }
}
