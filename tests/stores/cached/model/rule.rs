//! The rule of the lease as the model calls it, and wrong variants of it.

use std::time::Duration;

use crate::lease::{Bounds, Fill, Forget, Ledger, Sync};
use crate::store::{Age, Changes, Freshness};

/// The default methods are the real rule.
pub(super) trait Rule {
    /// Whether a sync removes changed records before it renews the lease.
    const FORGETS_FIRST: bool = true;

    fn end_sync(ledger: &mut Ledger, sync: Sync, changes: Changes, _now: Duration) -> Forget {
        ledger.end_sync(sync, changes)
    }

    fn give_sync_up(_ledger: &mut Ledger, _sync: Sync) {}

    fn note_own_change(ledger: &mut Ledger) {
        ledger.note_own_change();
    }

    fn admits(ledger: &Ledger, fill: Fill) -> bool {
        ledger.admits(fill)
    }

    fn usable(
        bounds: Bounds,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        bounds.usable(confirmed, now, freshness)
    }

    fn usable_during_outage(
        bounds: Bounds,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        bounds.usable_during_outage(confirmed, now, freshness)
    }
}

pub(super) struct Right;

impl Rule for Right {}

pub(super) struct LeaseFromTheEnd;

impl Rule for LeaseFromTheEnd {
    fn end_sync(ledger: &mut Ledger, sync: Sync, changes: Changes, now: Duration) -> Forget {
        let at_the_end = ledger.begin_sync(now);
        assert_eq!(at_the_end.since, sync.since, "there is one sync at a time");
        ledger.end_sync(at_the_end, changes)
    }
}

pub(super) struct RenewsFirst;

impl Rule for RenewsFirst {
    const FORGETS_FIRST: bool = false;
}

pub(super) struct RenewsInAnyCase;

impl Rule for RenewsInAnyCase {
    fn give_sync_up(ledger: &mut Ledger, sync: Sync) {
        let nothing = Changes { epoch: sync.since, touched: Some(Vec::new()) };
        assert_eq!(ledger.end_sync(sync, nothing), Forget::Nothing);
    }
}

pub(super) struct AdmitsEveryFill;

impl Rule for AdmitsEveryFill {
    fn admits(_: &Ledger, _: Fill) -> bool {
        true
    }
}

pub(super) struct NoticesNoOwnChange;

impl Rule for NoticesNoOwnChange {
    fn note_own_change(_: &mut Ledger) {}
}

pub(super) struct NoticesNoLoss;

impl Rule for NoticesNoLoss {
    fn end_sync(ledger: &mut Ledger, sync: Sync, changes: Changes, _: Duration) -> Forget {
        let touched = Some(changes.touched.unwrap_or_default());
        ledger.end_sync(sync, Changes { touched, ..changes })
    }
}

pub(super) struct NoticesNoRegression;

impl Rule for NoticesNoRegression {
    fn end_sync(ledger: &mut Ledger, sync: Sync, changes: Changes, _: Duration) -> Forget {
        let epoch = changes.epoch.max(sync.since);
        ledger.end_sync(sync, Changes { epoch, ..changes })
    }
}

pub(super) struct IgnoresAtMost;

impl Rule for IgnoresAtMost {
    fn usable(
        bounds: Bounds,
        confirmed: Option<Duration>,
        now: Duration,
        _: Freshness,
    ) -> Option<Age> {
        bounds.usable(confirmed, now, Freshness::StoreDefault)
    }
}

pub(super) struct IgnoresAtMostDuringOutages;

impl Rule for IgnoresAtMostDuringOutages {
    fn usable_during_outage(
        bounds: Bounds,
        confirmed: Option<Duration>,
        now: Duration,
        _: Freshness,
    ) -> Option<Age> {
        bounds.usable_during_outage(confirmed, now, Freshness::StoreDefault)
    }
}

pub(super) struct IgnoresOutageBound;

impl Rule for IgnoresOutageBound {
    fn usable_during_outage(
        bounds: Bounds,
        confirmed: Option<Duration>,
        now: Duration,
        freshness: Freshness,
    ) -> Option<Age> {
        let unbounded = Bounds { outage: bounds.outage.map(|_| Duration::MAX), ..bounds };
        unbounded.usable_during_outage(confirmed, now, freshness)
    }
}
