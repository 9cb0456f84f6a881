//! The two rules of the cache: until when it may give an answer from memory, and which answers it may keep.
//!
//! The rules read no clock and ask no store: moments and answers go in. A moment is the time since a
//! fixed one, on a clock that never goes back and continues while the machine sleeps.
//!
//! The lease: a sync that began at a moment and succeeded proves that every change that was acknowledged
//! before that moment is known here. Answers may be given until the bound is over, measured
//! from the beginning of the sync and not from its end.
//!
//! A fill: an answer may be kept if no change became known while it was read. The generation is taken
//! before the store is asked and must be the same when the answer is kept.

use std::time::Duration;

use crate::store::{Age, Changes, Epoch, Freshness, Subject};

/// How old an answer from memory may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// While the store can be reached.
    pub(super) max_staleness: Duration,
    /// While the store cannot be reached, if the host accepts older answers then.
    pub(super) outage: Option<Duration>,
}

impl Bounds {
    /// Returns the age of an answer from memory, if one may be given. `confirmed` is when the last
    /// successful sync began.
    pub(super) fn usable(
        &self,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        let bound = match freshness {
            Freshness::Usual => self.max_staleness,
            // A clock is too coarse to tell that nothing changed since.
            Freshness::AtMost(Duration::ZERO) => return None,
            Freshness::AtMost(age) => age.min(self.max_staleness),
        };
        let age = now.checked_sub(confirmed?)?;
        (age <= bound).then_some(Age::at_most(age))
    }

    /// Returns the age of an answer from memory after the store could not be reached. A caller that asked
    /// for a fresher answer gets none.
    pub(super) fn usable_during_outage(
        &self,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        let bound = self.outage?;
        let age = now.checked_sub(confirmed?)?;
        (freshness == Freshness::Usual && age <= bound).then_some(Age::during_outage(age))
    }
}

/// The cached state: the last known commit, when it was confirmed, and how often entries were forgotten.
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

/// The generation before the store was asked.
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

    /// Returns how often the store had fewer commits than before: it lost some, or is another store.
    pub(super) fn regressions(&self) -> u64 {
        self.regressions
    }

    /// Begins a sync; only one may run at a time. `now` is read before the store is asked.
    pub(super) fn begin_sync(&self, now: Duration) -> Sync {
        Sync { since: self.epoch, began: now }
    }

    /// Ends a sync with the store's answer. The caller must forget before a reader sees the renewed lease.
    pub(super) fn end_sync(&mut self, sync: Sync, changes: Changes) -> Forget {
        // A store that does not know what happened since a commit that it had has lost that commit.
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

    /// Notes a change by this node itself.
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
