//! What the database says, as a store says it.

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use crate::store::error::StoreError;

/// Why an attempt to write failed: the database, or what it says.
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

/// Whether the database gave up a transaction for the sake of another: nothing of it has happened.
pub(super) fn is_given_up(error: &Error) -> bool {
    matches!(code(error), Some("40001" | "40P01"))
}

/// Whether the connection broke, or the server is ending it.
pub(super) fn is_disconnected(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        _ => code(error).is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
    }
}

/// A failure of the database, by what can be done about it.
pub(in crate::store) fn database(error: Error) -> StoreError {
    let message = match code(&error) {
        Some("23505") => return StoreError::already_exists("the id exists or was deleted"),
        Some("40001" | "40P01") => "the database is busy with other changes: try again",
        Some("55P03") => "another change holds the database: try again",
        Some("42P01" | "3F000") => {
            "the tables are missing: let the store make them, or run its migrations"
        }
        Some("42501") => "the database's user may not do this",
        // The second is what a standby says to READ WRITE.
        Some("25006" | "0A000") => "the server can only be read: it is a standby",
        Some(_) => "the database refused a statement",
        None => match &error {
            Error::ColumnDecode { .. }
            | Error::Decode(_)
            | Error::ColumnNotFound(_)
            | Error::RowNotFound => {
                return StoreError::corrupt("a row of the store can't be read").with_source(error);
            }
            Error::PoolTimedOut => "no connection to the database was free in time",
            Error::PoolClosed => "the pool of connections is closed",
            _ => "the database can't be reached",
        },
    };
    StoreError::unavailable(message).with_source(error)
}

pub(super) fn is_moving() -> StoreError {
    StoreError::unavailable("keys are being moved into these tables: finish the move first")
}

fn code(error: &Error) -> Option<&str> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}
