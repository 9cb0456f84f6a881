//! The ending of an operation, for its span and its counts.

use crate::observe::Ending;
use crate::record::operation::Outcome;
use crate::store::{StoreError, StoreErrorKind};
use crate::value::random::RandomError;

use super::errors::{AccountError, GenerateError, KeyError, ListError, SetPolicyError, UserError};
use super::refusal::ManagementError;

/// The code of an operation whose attempts all lost to concurrent changes.
const CONTENDED: &str = StoreErrorKind::Conflict.code();
/// The code of a query with a limit that is out of bounds.
const INVALID_LIMIT: &str = "invalid_limit";
/// The code of a random source that failed.
const RANDOM_SOURCE: &str = "random_source";

/// An error that names its failure.
pub(super) trait Fails {
    /// Returns a code for an error that is no refusal. The codes are a closed set.
    fn failure(&self) -> &'static str;
}

/// Returns the ending of an operation.
pub(super) fn of<T, E>(done: &Result<Outcome<T>, E>) -> Ending<'_>
where
    E: Fails + ManagementError,
{
    match done {
        Ok(Outcome::Done(_)) => Ending::Done,
        Ok(Outcome::Unchanged(_)) => Ending::Unchanged,
        Err(error) => of_error(error),
    }
}

/// Returns the ending of an operation that only reads.
pub(super) fn of_read<T, E>(read: &Result<T, E>) -> Ending<'_>
where
    E: Fails + ManagementError,
{
    match read {
        Ok(_) => Ending::Done,
        Err(error) => of_error(error),
    }
}

fn of_error<E: Fails + ManagementError>(error: &E) -> Ending<'_> {
    match (error.refusal(), error.failure()) {
        (Some(refusal), _) => Ending::Refused(refusal.code.as_str()),
        // The caller has chosen the limit, so it is no failure that an operator can end.
        (None, INVALID_LIMIT) => Ending::Refused(INVALID_LIMIT),
        (None, failure) => Ending::Failed(failure, error),
    }
}

impl Fails for RandomError {
    fn failure(&self) -> &'static str {
        RANDOM_SOURCE
    }
}

impl Fails for StoreError {
    fn failure(&self) -> &'static str {
        self.kind().code()
    }
}

/// Implements [`Fails`] for an error of management: its variants that are no refusals have these codes.
macro_rules! fails {
    ($($error:ty { $($variant:ident => $code:expr),* })+) => {$(
        impl Fails for $error {
            fn failure(&self) -> &'static str {
                match self {
                    Self::Store(error) => error.failure(),
                    $(Self::$variant(_) => $code,)*
                    // A refusal has its own code.
                    _ => "refused",
                }
            }
        }
    )+};
}

fails! {
    GenerateError { Random => RANDOM_SOURCE, Contended => CONTENDED }
    KeyError { Random => RANDOM_SOURCE, Contended => CONTENDED }
    AccountError { Random => RANDOM_SOURCE, Contended => CONTENDED }
    UserError { Contended => CONTENDED }
    ListError { Limit => INVALID_LIMIT }
    SetPolicyError {}
}
