//! The rule of the lease as the model calls it, and wrong variants of it.

use std::time::Duration;

use keywright::KeyId;

use super::history::History;
use crate::lease::{Bounds, Fill, Forget, Ledger, Sync};
use crate::stamps::{Places, Stamps};
use crate::store::{Age, Changes, Freshness, Marker, Subject};

/// The default methods are the real rule.
pub(super) trait Rule {
    /// Whether a sync removes changed records before it renews the lease.
    const FORGETS_FIRST: bool = true;

    /// `answered` is the marker of the last answer, if its sync was given up.
    fn begin_sync(ledger: &Ledger, now: Duration, _answered: Option<Marker>) -> Sync {
        ledger.begin_sync(now)
    }

    /// Returns the store's answer.
    fn ask(history: &History, since: &Marker) -> Changes {
        history.changes(since)
    }

    fn end_sync(ledger: &mut Ledger, sync: &Sync, changes: Changes, _now: Duration) -> Forget {
        ledger.end_sync(sync, changes)
    }

    fn give_sync_up(_ledger: &mut Ledger, _sync: &Sync) {}

    fn note_own_change(ledger: &mut Ledger, touched: Subject) -> Vec<KeyId> {
        ledger.note(&[touched])
    }

    fn admits(ledger: &Ledger, fill: Fill, key: &KeyId, places: Places) -> bool {
        ledger.admits(fill, key, Some(places))
    }

    /// Returns the fill that an entry keeps.
    fn kept_fill(_ledger: &Ledger, fill: Fill) -> Fill {
        fill
    }

    /// Returns whether the owner and the tenant of an entry have not changed.
    fn has_kept(stamps: &Stamps, places: Places, fill: Fill) -> bool {
        stamps.has_kept(places, fill.0)
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
    fn end_sync(ledger: &mut Ledger, sync: &Sync, changes: Changes, now: Duration) -> Forget {
        let at_the_end = ledger.begin_sync(now);
        assert_eq!(at_the_end.since, sync.since, "there is one sync at a time");
        ledger.end_sync(&at_the_end, changes)
    }
}

pub(super) struct RenewsFirst;

impl Rule for RenewsFirst {
    const FORGETS_FIRST: bool = false;
}

pub(super) struct RenewsInAnyCase;

impl Rule for RenewsInAnyCase {
    fn give_sync_up(ledger: &mut Ledger, sync: &Sync) {
        let at = sync.since.clone();
        let nothing = Changes { at, touched: Some(Vec::new()), has_lost: false };
        assert_eq!(ledger.end_sync(sync, nothing), Forget::These(Vec::new()));
    }
}

pub(super) struct AdmitsEveryFill;

impl Rule for AdmitsEveryFill {
    fn admits(_: &Ledger, _: Fill, _: &KeyId, _: Places) -> bool {
        true
    }
}

pub(super) struct NoticesNoOwnChange;

impl Rule for NoticesNoOwnChange {
    fn note_own_change(_: &mut Ledger, touched: Subject) -> Vec<KeyId> {
        if let Subject::Key(key) = touched { vec![key] } else { Vec::new() }
    }
}

pub(super) struct StampOfTheKeyAlone;

impl Rule for StampOfTheKeyAlone {
    fn admits(ledger: &Ledger, fill: Fill, key: &KeyId, _: Places) -> bool {
        ledger.admits(fill, key, None)
    }

    fn kept_fill(ledger: &Ledger, _: Fill) -> Fill {
        ledger.begin_fill()
    }
}

pub(super) struct ReadsNoStamps;

impl Rule for ReadsNoStamps {
    fn has_kept(_: &Stamps, _: Places, _: Fill) -> bool {
        true
    }
}

pub(super) struct MovesNoStampOfTenants;

impl Rule for MovesNoStampOfTenants {
    fn end_sync(ledger: &mut Ledger, sync: &Sync, changes: Changes, _: Duration) -> Forget {
        ledger.end_sync(sync, without(changes, |subject| matches!(subject, Subject::Policy(_))))
    }
}

pub(super) struct MovesNoStampOfOwners;

impl Rule for MovesNoStampOfOwners {
    fn end_sync(ledger: &mut Ledger, sync: &Sync, changes: Changes, _: Duration) -> Forget {
        ledger.end_sync(sync, without(changes, |subject| matches!(subject, Subject::User(..))))
    }
}

fn without(mut changes: Changes, is_lost: impl Fn(&Subject) -> bool) -> Changes {
    if let Some(touched) = &mut changes.touched {
        touched.retain(|subject| !is_lost(subject));
    }
    changes
}

pub(super) struct MarkerAheadOfForget;

impl Rule for MarkerAheadOfForget {
    fn begin_sync(ledger: &Ledger, now: Duration, answered: Option<Marker>) -> Sync {
        let mut sync = ledger.begin_sync(now);
        sync.since = answered.unwrap_or(sync.since);
        sync
    }
}

pub(super) struct ChecksOneShard;

impl Rule for ChecksOneShard {
    fn ask(history: &History, since: &Marker) -> Changes {
        history.changes_with_checks(since, 1)
    }
}

pub(super) struct NoticesNoLoss;

impl Rule for NoticesNoLoss {
    fn end_sync(ledger: &mut Ledger, sync: &Sync, changes: Changes, _: Duration) -> Forget {
        let touched = Some(changes.touched.unwrap_or_default());
        ledger.end_sync(sync, Changes { touched, has_lost: false, ..changes })
    }
}

pub(super) struct NoticesNoRegression;

impl Rule for NoticesNoRegression {
    fn end_sync(ledger: &mut Ledger, sync: &Sync, changes: Changes, _: Duration) -> Forget {
        ledger.end_sync(sync, Changes { has_lost: false, ..changes })
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
