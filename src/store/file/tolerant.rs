//! A storage backend that survives failed writes, so that reads continue after them.
//!
//! redb refuses every later read and write after a failed write. A store must refuse only the writes:
//! a full disk must not end the verification of keys. So this backend notes the first failure, hides
//! it from redb, and keeps that write and all later ones in memory. The writer asks for the failure
//! before it acknowledges a commit. The file stays as the failure left it.

use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use redb::{BackendError, StorageBackend};

use super::dry_run::DryRun;
use super::errors::{io_error, storage};
use crate::store::error::StoreError;

/// A backend, and what comes after its first failed write.
#[derive(Debug)]
pub(super) struct Tolerant {
    backend: Arc<dyn StorageBackend>,
    /// The failure, until it is reported.
    failure: Mutex<Option<Failure>>,
    has_failed: AtomicBool,
    /// The file with the writes since the failure.
    frozen: OnceLock<DryRun>,
}

#[derive(Debug)]
enum Failure {
    Io(io::Error),
    Panic,
}

impl Tolerant {
    pub(super) fn new(backend: impl StorageBackend) -> Self {
        Self {
            backend: Arc::new(backend),
            failure: Mutex::default(),
            has_failed: AtomicBool::new(false),
            frozen: OnceLock::new(),
        }
    }

    /// Returns whether a write has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Returns the error of a write after which a write has failed. The first call returns the
    /// cause.
    pub(super) fn failure(&self) -> Option<StoreError> {
        if !self.has_failed() {
            return None;
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(match failure {
            Some(Failure::Io(error)) => io_error("the store file can't be written", error),
            Some(Failure::Panic) => {
                StoreError::corrupt("a write of the store file panicked: open the store again")
            }
            None => storage(redb::StorageError::PreviousIo),
        })
    }

    /// Changes the file, or the memory if the file has failed.
    fn change(&self, change: impl Fn(&dyn StorageBackend) -> io::Result<()>) -> io::Result<()> {
        if !self.has_failed() {
            let done = catch_unwind(AssertUnwindSafe(|| change(self.backend.as_ref())));
            let failure = match done {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => Failure::Io(error),
                Err(_) => Failure::Panic,
            };
            let frozen = DryRun::on(Arc::clone(&self.backend))?;
            let _ = self.frozen.set(frozen);
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            self.has_failed.store(true, Ordering::Release);
        }
        match self.frozen.get() {
            Some(frozen) => change(frozen),
            None => Err(io::Error::other("an earlier write failed")),
        }
    }

    /// Returns the file, or the memory if the file has failed.
    fn current(&self) -> &dyn StorageBackend {
        match self.frozen.get() {
            Some(frozen) if self.has_failed() => frozen,
            _ => self.backend.as_ref(),
        }
    }
}

/// A backend that the database shares with its owner.
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Tolerant>);

impl StorageBackend for Shared {
    fn len(&self) -> io::Result<u64> {
        self.0.current().len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.current().read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.change(|backend| backend.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.change(StorageBackend::sync_data)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.change(|backend| backend.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.backend.close()
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.0.backend.try_lock_range(from, to)
    }

    fn try_lock_shared_range(
        &self,
        from: Bound<u64>,
        to: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.backend.try_lock_shared_range(from, to)
    }

    fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.0.backend.lock_range(from, to)
    }

    fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.0.backend.lock_shared_range(from, to)
    }

    fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.0.backend.unlock_range(from, to)
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.0.backend.query_lock_range(from, to)
    }
}
