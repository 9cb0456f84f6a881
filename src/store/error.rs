//! The error of every store: its kind, its message and its source.

use std::error::Error;
use std::fmt;

use crate::observe::Ending;
use crate::record::snapshot::SnapshotError;
use crate::record::usage::WriterConflict;

/// The error of a store: a failure, or a batch that it refuses.
///
/// It never means that a key is invalid. A request that it interrupts is refused as unavailable.
///
/// Programs act on [`StoreError::kind`]. The text is for people and is not an API.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::KeyId;
/// use keywright::store::{Batch, Change, KeyStore, MemoryStore, StoreErrorKind};
///
/// let absent: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// let batch = Batch { changes: vec![Change::DeleteKey(absent)], ..Batch::of("globex".parse()?) };
/// let error = MemoryStore::new().commit(batch).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Conflict);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: StoreErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kind of a [`StoreError`].
///
/// ```
/// use keywright::store::{StoreError, StoreErrorKind};
///
/// /// Returns whether the same call may succeed later.
/// fn is_transient(error: &StoreError) -> bool {
///     error.kind() == StoreErrorKind::Unavailable
/// }
/// assert!(is_transient(&StoreError::unavailable("the database is restarting; try again")));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// A condition or a version of the batch no longer holds, because another caller changed the
    /// record first. Read again and retry.
    Conflict,
    /// The id of an insert exists or was deleted.
    AlreadyExists,
    /// The owner holds as many live keys as [`Condition::LiveKeysBelow`] allows.
    ///
    /// [`Condition::LiveKeysBelow`]: super::Condition::LiveKeysBelow
    LimitReached,
    /// The store cannot be read or written now. A write may or may not have happened.
    Unavailable,
    /// The stored data contradicts itself or its checksum.
    Corrupt,
    /// The store does not support the call, or its data has a format that this version does not
    /// know.
    Unsupported,
}

impl StoreErrorKind {
    /// Returns the kind as one word for logs and counters, such as `unavailable`.
    ///
    /// ```
    /// use keywright::store::StoreErrorKind;
    ///
    /// assert_eq!(StoreErrorKind::AlreadyExists.code(), "already_exists");
    /// ```
    pub const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::AlreadyExists => "already_exists",
            Self::LimitReached => "limit_reached",
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Unsupported => "unsupported",
        }
    }
}

impl StoreError {
    /// Creates an error of a kind, with a message for operators.
    ///
    /// The message says what is wrong and what to do, and never contains a secret.
    ///
    /// ```
    /// use keywright::store::{StoreError, StoreErrorKind};
    ///
    /// let error = StoreError::new(StoreErrorKind::Corrupt, "the record of key 4fQ2 is truncated");
    /// assert_eq!(error.to_string(), "the record of key 4fQ2 is truncated");
    /// ```
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// Sets the source: the error that caused this one.
    ///
    /// ```
    /// use std::error::Error;
    /// use keywright::store::StoreError;
    ///
    /// let cause = std::io::Error::other("connection reset");
    /// let error = StoreError::unavailable("the database can't be reached").with_source(cause);
    /// assert_eq!(error.source().map(ToString::to_string), Some("connection reset".into()));
    /// ```
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Creates an error of the kind [`Conflict`](StoreErrorKind::Conflict).
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Conflict, message)
    }

    /// Creates an error of the kind [`AlreadyExists`](StoreErrorKind::AlreadyExists).
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::AlreadyExists, message)
    }

    /// Creates an error of the kind [`LimitReached`](StoreErrorKind::LimitReached).
    pub fn limit_reached(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::LimitReached, message)
    }

    /// Creates an error of the kind [`Unavailable`](StoreErrorKind::Unavailable).
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unavailable, message)
    }

    /// Creates an error of the kind [`Corrupt`](StoreErrorKind::Corrupt).
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, message)
    }

    /// Creates an error of the kind [`Unsupported`](StoreErrorKind::Unsupported).
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unsupported, message)
    }

    /// Returns the kind of the failure.
    ///
    /// ```
    /// use keywright::store::{StoreError, StoreErrorKind};
    ///
    /// let error = StoreError::limit_reached("user:alice holds 10 live keys");
    /// assert_eq!(error.kind(), StoreErrorKind::LimitReached);
    /// ```
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Returns whether the kind is [`Conflict`](StoreErrorKind::Conflict): the caller reads again
    /// and retries.
    ///
    /// ```
    /// # use keywright::store::StoreError;
    /// assert!(StoreError::conflict("the policy of globex has changed").is_conflict());
    /// ```
    pub fn is_conflict(&self) -> bool {
        self.0.kind == StoreErrorKind::Conflict
    }
}

impl StoreError {
    /// Returns the ending of work that only a failing store can end.
    pub(crate) fn ending_of<T>(done: &Result<T, Self>) -> Ending<'_> {
        match done {
            Ok(_) => Ending::Done,
            Err(error) => Ending::Failed(error.kind().code(), error),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

/// Converts into a [`StoreErrorKind::Conflict`]: another process uses the same writer id, and
/// nothing was added.
impl From<WriterConflict> for StoreError {
    fn from(error: WriterConflict) -> Self {
        Self::conflict(error.to_string())
    }
}

/// Converts into a [`StoreErrorKind::Corrupt`]: the stored parts of a key do not belong together.
impl From<SnapshotError> for StoreError {
    fn from(error: SnapshotError) -> Self {
        Self::corrupt(error.to_string())
    }
}
