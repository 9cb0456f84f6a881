//! What the database says, as a store says it.

use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};

use redb::Error;

use crate::store::error::StoreError;

/// A failure of the database, by what can be done about it.
pub(super) fn storage(error: impl Into<Error>) -> StoreError {
    let error = error.into();
    match error {
        Error::Io(error) => io_error("the store file can't be read or written", error),
        Error::Corrupted(_) | Error::LockPoisoned(_) => {
            StoreError::corrupt("the store file is damaged").with_source(error)
        }
        Error::DatabaseAlreadyOpen => StoreError::unavailable(
            "the store is open in another process, or once more in this one: a file has one user at a time",
        ),
        Error::UpgradeRequired(_) => {
            StoreError::unsupported("the file has an old database format").with_source(error)
        }
        Error::PreviousIo | Error::DatabaseClosed => {
            StoreError::unavailable("an earlier write failed: open the store again")
                .with_source(error)
        }
        Error::TableDoesNotExist(_) | Error::TableTypeMismatch { .. } => {
            StoreError::corrupt("a table of the store is missing").with_source(error)
        }
        other => StoreError::unavailable("the store file can't be used").with_source(other),
    }
}

/// Runs work on the database. Pages that are damaged in ways that its checksums do not cover make it
/// panic: that is an answer too, and not one that may end a thread of the host's.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // What a panic leaves half done is the database's own: it is not used again.
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(StoreError::corrupt("the store file is damaged: the database panicked on it"))
    })
}

/// A failure of the operating system, with what to do about the usual ones.
pub(super) fn io_error(what: &str, error: io::Error) -> StoreError {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "no space is left: make room and open the store again"
        }
        ErrorKind::PermissionDenied => "permission denied: the process must own file and folder",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::NotFound => "the folder does not exist",
        ErrorKind::IsADirectory => "it is a folder",
        _ => return StoreError::unavailable(what).with_source(error),
    };
    StoreError::unavailable(format!("{what}: {advice}")).with_source(error)
}
