//! The conversion of database errors into store errors.

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use super::schema::SchemaName;
use crate::store::error::{StoreError, StoreErrorKind};

const BUSY: &str = "the database is busy with other changes; nothing was changed, try again";
/// A commit divides by zero if it writes fewer rows than planned.
const CHANGED: &str = "another process changed these rows during the commit; nothing was written";

/// The failure of an attempt to write: an error of the database, or one that the store found itself.
pub(in crate::store) enum Failure {
    Store(StoreError),
    Database(Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Database(error) => database(error),
        }
    }
}

/// Returns whether the database rolled the transaction back in favor of another one, so that nothing of
/// it was written.
pub(super) fn is_given_up(error: &Error) -> bool {
    matches!(code(error), Some("40001" | "40P01"))
}

/// Returns whether an id that was free when it was read is taken, by another tenant for example. Nothing
/// was written; the rows must be read again.
pub(super) fn is_taken(error: &Error) -> bool {
    code(error) == Some("23505")
}

/// The part of a group that a failure is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// One of the batches may be the reason. Nothing was written.
    Batch,
    /// Other transactions hold or change one of the shards. Nothing was written.
    Shard,
    /// The connection. It is unknown whether the group was written.
    Connection,
    /// The database as a whole. Nothing was written.
    Database,
}

impl Failure {
    pub(super) fn fault(&self) -> Fault {
        let error = match self {
            Self::Store(error) if error.kind() == StoreErrorKind::Corrupt => return Fault::Batch,
            Self::Store(_) => return Fault::Database,
            Self::Database(error) => error,
        };
        match (code(error), error) {
            _ if is_disconnected(error) => Fault::Connection,
            (Some(code), _) if code.starts_with("22") || code.starts_with("23") => Fault::Batch,
            (Some("40001" | "40P01" | "55P03"), _) => Fault::Shard,
            (None, Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnNotFound(_)) => {
                Fault::Batch
            }
            _ => Fault::Database,
        }
    }
}

/// Returns the error of a call that others have overtaken again and again.
pub(super) fn too_busy() -> StoreError {
    StoreError::unavailable(BUSY)
}

/// Returns whether the connection is broken, or is being closed by the server.
pub(super) fn is_disconnected(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        _ => code(error).is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
    }
}

/// Converts an error of the database, by its SQLSTATE, into an error that says what to do.
pub(in crate::store) fn database(error: Error) -> StoreError {
    let message = match code(&error) {
        Some("23505") => {
            return StoreError::already_exists("the id is in use, or was used and deleted");
        }
        Some("22012") => return StoreError::conflict(CHANGED),
        Some("40001" | "40P01") => BUSY,
        Some("55P03") => {
            "another change held the lock of the database too long; nothing was changed, try again"
        }
        Some("42P01" | "3F000") => {
            "the tables are missing; let the store create them, or run its migrations first"
        }
        Some("42501") => "the database user lacks a privilege that the store needs",
        // A standby answers READ WRITE with 0A000.
        Some("25006" | "0A000") => {
            "the database server is a read-only standby; connect to the primary"
        }
        Some(_) => "the database rejected a statement",
        None => match &error {
            Error::ColumnDecode { .. }
            | Error::Decode(_)
            | Error::ColumnNotFound(_)
            | Error::RowNotFound => {
                return StoreError::corrupt("a row in the database cannot be decoded")
                    .with_source(error);
            }
            Error::PoolTimedOut => {
                "no database connection became free in time; try again, or enlarge the pool"
            }
            Error::PoolClosed => "the pool of database connections is closed",
            _ => "the database cannot be reached",
        },
    };
    StoreError::unavailable(message).with_source(error)
}

/// Returns the error for tables into which a transfer has not finished.
pub(super) fn is_moving() -> StoreError {
    StoreError::unavailable("keys are being moved into these tables; finish the move first")
}

/// Returns the error for tables without a row that every commit reads.
pub(super) fn missing_state(schema: &SchemaName) -> StoreError {
    StoreError::corrupt(format!(
        "schema {schema} must have one row in table state and at least one of each shard in table changes"
    ))
}

fn code(error: &Error) -> Option<&str> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}
