//! The options and the error of the last step of a move.

use std::fmt;
use std::time::Duration;

use super::pass::TransferProgress;
use super::steps::TransferError;
use crate::observe::Ending;
use crate::store::error::StoreError;
use crate::store::postgres::Failure;

/// The default of [`MoveOptions::hold`].
const HOLD: Duration = Duration::from_secs(5);
/// The bounds of [`MoveOptions::hold`]. Few clients wait for more than a minute.
const SHORTEST_HOLD: Duration = Duration::from_millis(10);
const LONGEST_HOLD: Duration = Duration::from_secs(60);

/// Options for finishing the move of a [`MovingStore`](crate::store::MovingStore).
///
/// ```
/// use std::time::Duration;
/// use keywright::store::MoveOptions;
///
/// let options = MoveOptions::new()
///     .hold(Duration::from_secs(2))
///     .on_progress(|progress| eprintln!("{progress}"));
/// # drop(options);
/// ```
#[must_use = "setters take and return by value"]
pub struct MoveOptions {
    pub(super) hold: Duration,
    pub(super) on_progress: Box<dyn FnMut(TransferProgress) + Send>,
}

impl MoveOptions {
    /// Creates options that hold changes back for at most 5 seconds.
    ///
    /// ```
    /// let options = keywright::store::MoveOptions::new();
    /// # drop(options);
    /// ```
    pub fn new() -> Self {
        Self { hold: HOLD, on_progress: Box::new(|_| {}) }
    }

    /// Sets the longest time for which the last step holds changes and flushes back.
    ///
    /// The default is 5 seconds. The value must be between 10 ms and 1 minute. When nine tenths have
    /// passed before the tables are being opened, the old store is in use again. If the whole time
    /// passes while they are being opened, changes fail as
    /// [`Unavailable`](crate::store::StoreErrorKind::Unavailable) until the database answers.
    ///
    /// ```
    /// # use keywright::store::MoveOptions;
    /// let options = MoveOptions::new().hold(std::time::Duration::from_millis(500));
    /// # drop(options);
    /// ```
    pub fn hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// Sets a function that is called after every 1,000 rows of a table and every 500 events.
    ///
    /// ```
    /// # use keywright::store::MoveOptions;
    /// let options = MoveOptions::new().on_progress(|progress| eprintln!("{progress}"));
    /// # drop(options);
    /// ```
    pub fn on_progress(self, on_progress: impl FnMut(TransferProgress) + Send + 'static) -> Self {
        Self { on_progress: Box::new(on_progress), ..self }
    }

    pub(super) fn check(&self) -> Result<(), MoveError> {
        match self.hold {
            hold if (SHORTEST_HOLD..=LONGEST_HOLD).contains(&hold) => Ok(()),
            hold => Err(MoveError::Hold(hold)),
        }
    }
}

impl Default for MoveOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MoveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MoveOptions").field("hold", &self.hold).finish_non_exhaustive()
    }
}

/// A move could not be finished.
///
/// ```
/// use keywright::store::MoveError;
///
/// /// Returns whether the move can simply be begun again later.
/// fn is_transient(error: &MoveError) -> bool {
///     matches!(error, MoveError::HoldExceeded { .. })
/// }
/// assert!(!is_transient(&MoveError::AlreadyMoved));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The last step took longer than changes may be held back. The old store is in use again, and
    /// nothing is lost.
    #[error(
        "changes may be held back for {hold:?}, which passed while {doing}; the old store is in use \
         again: try again with fewer changes, or with a longer hold"
    )]
    HoldExceeded {
        /// The value of [`MoveOptions::hold`].
        hold: Duration,
        /// The part of the last step that was running, such as `copying the last changes`.
        doing: &'static str,
    },
    /// The database did not answer in the last step, which opens its tables. So it is not known yet
    /// whether the move is complete.
    ///
    /// Reads continue, and changes fail as `Unavailable`. The store asks the database again until it
    /// answers, and then uses the new store or goes back to the old one by itself.
    /// [`MovingStore::has_moved`](crate::store::MovingStore::has_moved) shows the result.
    #[error(
        "the database stopped answering in the last step; until it answers, reads continue and \
         changes fail as unavailable"
    )]
    Unconfirmed,
    /// The store was moved before.
    #[error("the store has been moved already, and uses the new store")]
    AlreadyMoved,
    /// The transfer copies the keys of another store.
    #[error("the transfer copies another store: begin it with `MovingStore::begin` of this one")]
    OtherSource,
    /// The value of [`MoveOptions::hold`] is out of its bounds.
    #[error("hold must be between 10 ms and 1 min, got {0:?}")]
    Hold(Duration),
    /// The transfer failed. The old store is in use again, and nothing is lost.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl MoveError {
    /// Returns the ending of a move.
    pub(super) fn ending_of<T>(done: &Result<T, Self>) -> Ending<'_> {
        match done {
            Ok(_) => Ending::Done,
            Err(Self::AlreadyMoved) => Ending::Refused("already_moved"),
            Err(Self::OtherSource) => Ending::Refused("other_source"),
            Err(Self::Hold(_)) => Ending::Refused("invalid_hold"),
            Err(error @ Self::HoldExceeded { .. }) => Ending::Failed("hold_exceeded", error),
            Err(error @ Self::Unconfirmed) => Ending::Failed("unconfirmed", error),
            Err(Self::Transfer(error)) => error.ending(),
        }
    }
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> Self {
        Self::Transfer(error.into())
    }
}

impl From<Failure> for MoveError {
    fn from(failure: Failure) -> Self {
        Self::Transfer(failure.into())
    }
}
