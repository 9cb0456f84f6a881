//! The two rules of the cache: how long it may answer from memory, and which answers it may keep.
//!
//! The rules are pure: they read no clock and ask no store. A moment is the time since a fixed point,
//! on a clock that never goes back and continues while the machine sleeps.
//!
//! The lease: a sync that began at some moment and succeeded proves that the cache knows every change
//! that was acknowledged before that moment. The cache may answer until the bound has passed since the
//! beginning of the sync, not since its end.
//!
//! A fill: the cache may keep an answer if no change became known while the answer was read. The
//! generation is read before the store is asked, and must be the same when the answer is kept.

use std::time::Duration;

use crate::store::{Age, Changes, Epoch, Freshness, Subject};

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
/// It holds the last known epoch, the moment at which that was confirmed, the generation, and the
/// number of regressions.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    epoch: Epoch,
    confirmed: Option<Duration>,
    generation: u64,
    regressions: u64,
}

/// A sync that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sync {
    pub(super) since: Epoch,
    began: Duration,
}

/// The generation at the time at which the store was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fill(u64);

/// The entries that must be removed before the lease is renewed.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Forget {
    Nothing,
    These(Vec<Subject>),
    Everything,
}

impl Ledger {
    pub(super) fn confirmed(&self) -> Option<Duration> {
        self.confirmed
    }

    /// Returns how many times the store had fewer commits than before: it lost some, or is another
    /// store.
    pub(super) fn regressions(&self) -> u64 {
        self.regressions
    }

    /// Begins a sync. Only one may run at a time, and `now` must be read before the store is asked.
    pub(super) fn begin_sync(&self, now: Duration) -> Sync {
        Sync { since: self.epoch, began: now }
    }

    /// Ends a sync with the store's answer, and returns the entries to forget. The caller must forget
    /// them before a reader sees the renewed lease.
    pub(super) fn end_sync(&mut self, sync: Sync, changes: Changes) -> Forget {
        // A store that no longer knows the changes since its own newest epoch has lost that commit.
        let knows = changes.touched.is_some() || sync.since == Epoch::default();
        let has_regressed = changes.epoch < sync.since || !knows && changes.epoch == sync.since;
        self.regressions += u64::from(has_regressed);
        self.epoch = changes.epoch;
        self.confirmed = self.confirmed.max(Some(sync.began));
        let forget = match changes.touched {
            Some(touched) if touched.is_empty() && !has_regressed => return Forget::Nothing,
            Some(touched) if !has_regressed => Forget::These(touched),
            _ => Forget::Everything,
        };
        self.generation += 1;
        forget
    }

    /// Notes a change that went through this cache.
    pub(super) fn note_own_change(&mut self) {
        self.generation += 1;
    }

    pub(super) fn begin_fill(&self) -> Fill {
        Fill(self.generation)
    }

    pub(super) fn admits(&self, fill: Fill) -> bool {
        fill == self.begin_fill()
    }
}
