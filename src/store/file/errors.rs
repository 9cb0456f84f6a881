//! Errors of redb and of the operating system, as errors of a store.

use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};

use redb::Error;

use crate::store::error::StoreError;

/// Converts an error of redb, by what the host can do about it.
pub(super) fn storage(error: impl Into<Error>) -> StoreError {
    let error = error.into();
    match error {
        Error::Io(error) => io_error("the store file can't be read or written", error),
        Error::Corrupted(_) | Error::LockPoisoned(_) => {
            StoreError::corrupt("the store file is damaged: restore it from a backup")
                .with_source(error)
        }
        Error::DatabaseAlreadyOpen => StoreError::unavailable(
            "the store is open in another process, or a second time in this one: close it there first",
        ),
        Error::UpgradeRequired(_) => StoreError::unsupported(
            "the file has an old redb format that keywright does not use: restore the file from a backup",
        )
        .with_source(error),
        Error::PreviousIo | Error::DatabaseClosed => {
            StoreError::unavailable("an earlier write failed: open the store again")
                .with_source(error)
        }
        Error::TableDoesNotExist(_) | Error::TableTypeMismatch { .. } => {
            StoreError::corrupt("a table of the store is missing: restore the file from a backup")
                .with_source(error)
        }
        other => {
            StoreError::unavailable("the database in the store file failed: open the store again")
                .with_source(other)
        }
    }
}

/// Runs work on the database, and converts a panic of redb into an error.
///
/// redb panics on pages that are damaged in ways that its checksums do not cover. Such a panic must
/// not end a thread of the host.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Unwind safety: after a panic, the database is not used again.
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(StoreError::corrupt(
            "the store file is damaged: redb panicked on it; restore it from a backup",
        ))
    })
}

/// Converts an error of the operating system, and adds advice for the common ones.
pub(super) fn io_error(what: &str, error: io::Error) -> StoreError {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "no space is left: make room and open the store again"
        }
        ErrorKind::PermissionDenied => {
            "permission denied: the process must be able to read and write the file and its folder"
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::NotFound => "the folder does not exist",
        ErrorKind::IsADirectory => "the path is a folder",
        _ => return StoreError::unavailable(what).with_source(error),
    };
    StoreError::unavailable(format!("{what}: {advice}")).with_source(error)
}
