//! The one error of stores: a kind to act on, a message to read, a source to follow.

use std::error::Error;
use std::fmt;

use crate::record::snapshot::SnapshotError;
use crate::record::usage::WriterConflict;

/// A store could not do what it was asked. Never "invalid key", and never a way in.
///
/// Act on [`StoreError::kind`]; the text is for people and no API.
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: StoreErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// A condition of the batch does not hold: somebody else was faster. Read again and retry.
    Conflict,
    /// An insert met an id that exists or once existed.
    AlreadyExists,
    /// The owner holds as many live keys as the condition allows.
    LimitReached,
    /// The store can't be reached or written now. A write may or may not have happened.
    Unavailable,
    /// What is stored contradicts itself or its checksum.
    Corrupt,
    /// The store can't do this, or was written by something that this version does not know.
    Unsupported,
}

impl StoreError {
    /// An error of this kind.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// The same error with what caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// [`StoreErrorKind::Conflict`].
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Conflict, message)
    }

    /// [`StoreErrorKind::AlreadyExists`].
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::AlreadyExists, message)
    }

    /// [`StoreErrorKind::LimitReached`].
    pub fn limit_reached(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::LimitReached, message)
    }

    /// [`StoreErrorKind::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unavailable, message)
    }

    /// [`StoreErrorKind::Corrupt`].
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, message)
    }

    /// [`StoreErrorKind::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unsupported, message)
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Whether a condition of the batch did not hold.
    pub fn is_conflict(&self) -> bool {
        self.0.kind == StoreErrorKind::Conflict
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

/// Two processes count uses under one id, and nothing was added.
impl From<WriterConflict> for StoreError {
    fn from(error: WriterConflict) -> Self {
        Self::conflict(error.to_string())
    }
}

/// What is stored of a key contradicts itself.
impl From<SnapshotError> for StoreError {
    fn from(error: SnapshotError) -> Self {
        Self::corrupt(error.to_string())
    }
}
