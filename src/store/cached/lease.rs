//! Until when may an answer from memory be given, and what may be kept? Here, and nowhere else.
//!
//! There is no clock in it and no store: moments and answers go in. A moment is the time since some
//! fixed one, by a clock that never goes back and goes on while the machine sleeps.
//!
//! The lease: a sync that began at a moment and succeeded proves that whatever was acknowledged
//! before is known here. From then on answers may be given for as long as the bound says, measured
//! from the beginning of the sync and not from its end.
//!
//! A fill: what was read while nothing became known to have changed. The generation is taken before the
//! store is asked and must be the same when the answer is kept.

use std::time::Duration;

use crate::store::{Age, Changes, Epoch, Freshness, Subject};

/// How old an answer from memory may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Usually.
    pub(super) max_staleness: Duration,
    /// While the store can't be reached, if it may be older then.
    pub(super) outage: Option<Duration>,
}

impl Bounds {
    /// The age of an answer from memory, if one may be given. `confirmed` is when the last sync that
    /// succeeded began.
    pub(super) fn usable(
        &self,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        let bound = match freshness {
            Freshness::Usual => self.max_staleness,
            // Not even what is as old as the clock is fine.
            Freshness::AtMost(Duration::ZERO) => return None,
            Freshness::AtMost(age) => age.min(self.max_staleness),
        };
        let age = now.checked_sub(confirmed?)?;
        (age <= bound).then_some(Age::at_most(age))
    }

    /// The same after the store could not be reached. Who asked for something fresher gets nothing.
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

/// What is known of the store: up to which commit, since when, and how often something was forgotten.
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

/// What must go before the lease is renewed.
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

    /// How often the store had fewer commits than before: it lost some, or is another one.
    pub(super) fn regressions(&self) -> u64 {
        self.regressions
    }

    /// One sync at a time. `now` is before the store is asked.
    pub(super) fn begin_sync(&self, now: Duration) -> Sync {
        Sync { since: self.epoch, began: now }
    }

    /// What the store said. The caller forgets before anybody sees the lease that this renews.
    pub(super) fn end_sync(&mut self, sync: Sync, changes: Changes) -> Forget {
        // Who no longer knows what happened since the last commit that it had has lost that commit.
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

    /// Something was changed by this node itself.
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
