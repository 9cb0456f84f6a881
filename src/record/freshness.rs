//! Freshness: how old an answer of the store may be, and how old it is.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::record::snapshot::Snapshot;

/// How old the answer of a store may be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Freshness {
    /// As the store allows. A store that does not cache always answers with the current state.
    #[default]
    Usual,
    /// At most this old, if that is less. With zero a cache asks the store behind it.
    AtMost(Duration),
}

/// How old an answer is.
///
/// A change that was acknowledged longer ago than this is in the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Age {
    at_most: Duration,
    is_during_outage: bool,
}

impl Age {
    /// The age of an answer that was read from the store.
    pub const NONE: Self = Self { at_most: Duration::ZERO, is_during_outage: false };

    /// Creates the age of an answer from a cache.
    pub fn at_most(age: Duration) -> Self {
        Self { at_most: age, ..Self::NONE }
    }

    /// Creates the age of an answer from a cache that cannot reach the store and is set to answer
    /// during an outage.
    pub fn during_outage(age: Duration) -> Self {
        Self { at_most: age, is_during_outage: true }
    }

    /// Returns an upper bound on the age.
    pub fn duration(self) -> Duration {
        self.at_most
    }

    /// Returns whether the store could not be asked and the answer may be older than usual.
    pub fn is_during_outage(self) -> bool {
        self.is_during_outage
    }
}

/// A snapshot with its age.
#[derive(Clone, Debug)]
pub struct Found {
    /// The key with its account and policy.
    pub snapshot: Arc<Snapshot>,
    /// The age of the snapshot.
    pub age: Age,
}

impl Deref for Found {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// A snapshot that was just read.
impl From<Arc<Snapshot>> for Found {
    fn from(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, age: Age::NONE }
    }
}
