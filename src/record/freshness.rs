//! How fresh the knowledge must be that an answer rests on, and how old it is.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::record::snapshot::Snapshot;

/// How old the knowledge may be that an answer rests on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Freshness {
    /// What the store allows by itself. A store that does not cache knows how things are now.
    #[default]
    Usual,
    /// At most so old, if that is less: with zero, a cache asks the store behind it.
    AtMost(Duration),
}

/// How old the knowledge is that an answer rests on.
///
/// A change that was acknowledged longer ago than this is in the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Age {
    at_most: Duration,
    is_during_outage: bool,
}

impl Age {
    /// Of an answer that the store gave when it was asked.
    pub const NONE: Self = Self { at_most: Duration::ZERO, is_during_outage: false };

    /// Of an answer from a cache.
    pub fn at_most(age: Duration) -> Self {
        Self { at_most: age, ..Self::NONE }
    }

    /// Of an answer from a cache that can't reach the store, and was set to answer all the same.
    pub fn during_outage(age: Duration) -> Self {
        Self { at_most: age, is_during_outage: true }
    }

    /// The age. It is never less than this says.
    pub fn duration(self) -> Duration {
        self.at_most
    }

    /// Whether the store could not be asked, and the answer is older than it usually may be.
    pub fn is_during_outage(self) -> bool {
        self.is_during_outage
    }
}

/// A snapshot, and how old the knowledge is that it is the last one.
#[derive(Clone, Debug)]
pub struct Found {
    /// The key with its account and policy.
    pub snapshot: Arc<Snapshot>,
    /// How old that is.
    pub age: Age,
}

impl Deref for Found {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// As of now.
impl From<Arc<Snapshot>> for Found {
    fn from(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, age: Age::NONE }
    }
}
