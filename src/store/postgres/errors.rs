//! The conversion of database errors into store errors.

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use super::schema::SchemaName;
use crate::store::error::StoreError;

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
        Some("40001" | "40P01") => {
            "the database is busy with other changes; nothing was changed, try again"
        }
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

/// Returns the error for tables without the row that every commit locks.
pub(super) fn missing_state(schema: &SchemaName) -> StoreError {
    StoreError::corrupt(format!("table state in schema {schema} must have one row, but is empty"))
}

fn code(error: &Error) -> Option<&str> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}
