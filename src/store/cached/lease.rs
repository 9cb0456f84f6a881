//! The two rules of the cache: how long it may answer from memory, and which answers it may keep.
//!
//! The rules are pure: they read no clock and ask no store. A moment is the time since a fixed point,
//! on a clock that never goes back and continues while the machine sleeps.
//!
//! # The lease
//!
//! A sync that began at some moment and succeeded proves that the cache knows every commit that was
//! acknowledged before that moment: the marker of the store's answer includes it, and the answer named
//! what the commits since the marker before have touched. The cache may answer until the bound has
//! passed since the beginning of the sync, not since its end. The proof needs no order of commits. It
//! needs that each marker includes all commits of the one before, and that the subjects of a commit
//! are forgotten before the lease that includes it is renewed.
//!
//! # A fill
//!
//! The cache may keep an answer unless a change of its key, owner or tenant became known after the
//! store was asked. Let the answer lack a commit that touches one of them.
//!
//! * If the cache has not heard of the commit yet, its marker does not include it. A later sync names
//!   it, and the answer is forgotten before that sync renews the lease.
//! * If the cache heard of it after the store was asked, a stamp has moved, and the answer is dropped.
//! * The cache cannot have heard of it before: a commit that a marker includes is visible to every call
//!   that starts later.
//!
//! So changes of other tenants and keys drop no fill, unless they share a stamp with it.

use std::sync::Arc;
use std::time::Duration;

use super::stamps::{Generation, Places, Stamps};
use crate::store::{Age, Changes, Freshness, Marker, Subject};
use crate::value::id::KeyId;

/// The bounds on the age of an answer from memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The bound while the store can be reached.
    pub(super) max_staleness: Duration,
    /// The bound while the store cannot be reached; `None` if it is the same one.
    pub(super) outage: Option<Duration>,
}

impl Bounds {
    /// Returns the age of an answer from memory, if the cache may give one. `confirmed` is the moment at
    /// which the last successful sync began.
    pub(super) fn usable(
        &self,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        let bound = match freshness {
            Freshness::StoreDefault => self.max_staleness,
            // The clock is too coarse to prove that nothing has changed since.
            Freshness::AtMost(Duration::ZERO) => return None,
            Freshness::AtMost(age) => age.min(self.max_staleness),
        };
        let age = now.checked_sub(confirmed?)?;
        (age <= bound).then_some(Age::at_most(age))
    }

    /// Returns the age of an answer from memory while the store cannot be reached, if the cache may give
    /// one. A caller that asked for a fresher answer gets none.
    pub(super) fn usable_during_outage(
        &self,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        let bound = self.outage?;
        let age = now.checked_sub(confirmed?)?;
        (freshness == Freshness::StoreDefault && age <= bound).then_some(Age::during_outage(age))
    }
}

/// The state of the lease and of fills.
///
/// It holds the marker of the known commits, the moment at which that was confirmed, the number of
/// losses, and the generation of the last known change.
#[derive(Debug)]
pub(super) struct Ledger {
    marker: Marker,
    confirmed: Option<Duration>,
    regressions: u64,
    generation: Generation,
    stamps: Arc<Stamps>,
}

/// A sync that has begun.
#[derive(Clone, Debug)]
pub(super) struct Sync {
    pub(super) since: Marker,
    began: Duration,
}

/// The generation in which the store was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fill(pub(super) Generation);

/// The keys to remove from memory. Changed owners and tenants have new stamps already.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Forget {
    These(Vec<KeyId>),
    /// All entries are outdated by a stamp. They only take up memory.
    Everything,
}

impl Ledger {
    pub(super) fn new(stamps: Arc<Stamps>) -> Self {
        Self {
            marker: Marker::default(),
            confirmed: None,
            regressions: 0,
            generation: Generation::default(),
            stamps,
        }
    }

    pub(super) fn confirmed(&self) -> Option<Duration> {
        self.confirmed
    }

    /// Returns how many times the store had lost commits.
    pub(super) fn regressions(&self) -> u64 {
        self.regressions
    }

    /// Begins a sync. Only one may run at a time, and `now` must be read before the store is asked.
    pub(super) fn begin_sync(&self, now: Duration) -> Sync {
        Sync { since: self.marker.clone(), began: now }
    }

    /// Ends a sync with the store's answer, and returns the keys to remove. The caller must remove
    /// them before a reader sees the renewed lease.
    pub(super) fn end_sync(&mut self, sync: &Sync, changes: Changes) -> Forget {
        self.regressions += u64::from(changes.has_lost);
        self.marker = changes.at;
        self.confirmed = self.confirmed.max(Some(sync.began));
        match changes.touched {
            Some(touched) if !changes.has_lost => Forget::These(self.note(&touched)),
            _ => {
                self.note_everything();
                Forget::Everything
            }
        }
    }

    /// Notes a change that went through this cache, and returns the keys to remove.
    pub(super) fn note(&mut self, touched: &[Subject]) -> Vec<KeyId> {
        if touched.is_empty() {
            return Vec::new();
        }
        self.generation = self.generation.next();
        let mut keys = Vec::new();
        for subject in touched {
            self.stamps.move_to(subject, self.generation);
            if let Subject::Key(key) = subject {
                keys.push(*key);
            }
        }
        keys
    }

    /// Notes that anything may have changed.
    pub(super) fn note_everything(&mut self) {
        self.generation = self.generation.next();
        self.stamps.move_all_to(self.generation);
    }

    /// Begins a fill. The store must be asked after this call.
    pub(super) fn begin_fill(&self) -> Fill {
        Fill(self.generation)
    }

    /// Returns whether no change of a key became known since a fill began. `places` are those of the
    /// key's owner and tenant; `None` if there is no such key.
    pub(super) fn admits(&self, fill: Fill, key: &KeyId, places: Option<Places>) -> bool {
        self.stamps.has_kept_key(key, fill.0)
            && places.is_none_or(|places| self.stamps.has_kept(places, fill.0))
    }
}
