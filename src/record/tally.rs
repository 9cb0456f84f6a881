//! This module counts the uses of one key in memory until they are flushed.
//!
//! Each count belongs to one period of an alert. The period's number and the count share one word,
//! so a use that comes while a period ends counts in its own period and no other. A request takes a
//! lock only if it is the first one of its period, or a late one of the period before.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::record::plan::Plan;
use crate::record::policy::{Policy, TenantPolicy};
use crate::record::settings::Settings;
use crate::record::usage::UseKind;
use crate::value::id::KeyId;
use crate::value::time::Timestamp;
use crate::value::use_alert::UseAlert;

/// The periods that have ended whose uses are kept apart. Flushes come every few seconds, so more
/// of them wait only while the store is down. The oldest ones then count in the totals only, and the
/// memory of a key stays below 1 KB.
const MAX_ENDED: usize = 8;

/// The uses of a key that are counted and not yet taken. The tally holds more than bare counters: a
/// use must find its counter without a lookup, and a flush must find the counters that were used.
///
/// A tally is kept apart from its snapshot, so that a counter that waits for a flush keeps nothing
/// else in memory.
#[derive(Debug)]
pub(crate) struct Tally {
    key: KeyId,
    /// The number of the secret that counts as the current one.
    secret_number: u32,
    alerts: Alerts,
    current: Count,
    retiring: Count,
    /// Uses of secrets before those two, from snapshots that were taken before a rotation.
    older: Count,
    refused: Count,
    /// Uses of periods that ended before they were taken.
    ended: Mutex<Vec<Uses>>,
    /// True while the tally is on a list of tallies to be taken.
    listed: AtomicBool,
}

/// The settings of alerts, and the plan's bound for them, as far as a tenant or the host has set
/// them.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    extensive: Option<UseAlert>,
    suspicious: Option<UseAlert>,
    min_period: Option<Duration>,
}

impl From<&Policy> for Alerts {
    fn from(Policy { plan, settings }: &Policy) -> Self {
        Self::of(Some(plan), Some(settings))
    }
}

impl Alerts {
    pub(crate) fn of_tenant(policy: Option<&TenantPolicy>) -> Self {
        let plan = policy.and_then(|policy| policy.plan.as_ref());
        Self::of(plan, policy.and_then(|policy| policy.settings.as_ref()))
    }

    fn of(plan: Option<&Plan>, settings: Option<&Settings>) -> Self {
        Self {
            extensive: settings.and_then(|settings| settings.extensive_use),
            suspicious: settings.and_then(|settings| settings.suspicious_use),
            min_period: plan.map(|plan| plan.min_alert_period),
        }
    }

    /// Returns the alert for uses of a kind under the host's default policy.
    fn in_force(&self, kind: UseKind, default: &Self) -> Option<UseAlert> {
        let alert = match kind {
            UseKind::Accepted { .. } => self.extensive.or(default.extensive),
            UseKind::Refused => self.suspicious.or(default.suspicious),
        };
        let min = self.min_period.or(default.min_period).unwrap_or_default();
        alert.map(|alert| alert.in_period_of(min))
    }
}

/// The outcome of a use that is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Counted {
    Current,
    Retiring,
    Refused,
}

/// Uses of one kind, and the time of the last one. With an alert, all are in one of its periods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Uses {
    pub(crate) kind: UseKind,
    pub(crate) count: u64,
    pub(crate) last_used_at: Timestamp,
    pub(crate) alert: Option<UseAlert>,
}

impl Uses {
    /// Returns the number of the period; 0 without an alert.
    fn period(&self) -> u64 {
        self.alert.map_or(0, |alert| alert.window_number(self.last_used_at))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.alert == other.alert && self.period() == other.period()
    }
}

impl Tally {
    pub(crate) fn new(key: KeyId, secret_number: u32, alerts: Alerts) -> Self {
        Self {
            key,
            secret_number,
            alerts,
            current: Count::default(),
            retiring: Count::default(),
            older: Count::default(),
            refused: Count::default(),
            ended: Mutex::default(),
            listed: AtomicBool::new(false),
        }
    }

    pub(crate) fn key(&self) -> &KeyId {
        &self.key
    }

    /// Counts a use. Returns whether the tally is on the list of tallies to be taken.
    pub(crate) fn count(&self, counted: Counted, now: Timestamp, default: &Alerts) -> bool {
        let kind = match counted {
            Counted::Current => self.kind_behind(0),
            Counted::Retiring => self.kind_behind(1),
            Counted::Refused => UseKind::Refused,
        };
        let alert = self.alert(kind, default);
        self.add(Uses { kind, count: 1, last_used_at: now, alert });
        self.listed.load(Ordering::SeqCst)
    }

    /// Returns whether the tally's secret is newer than that of another snapshot of the key.
    pub(crate) fn is_ahead_of(&self, other: &Self) -> bool {
        self.secret_number > other.secret_number
    }

    /// Moves the counts of another snapshot of the key, whose secret is not newer, into this tally.
    pub(crate) fn absorb(&self, other: &Self, default: &Alerts) {
        for mut uses in other.take(default) {
            if let UseKind::Accepted { secret_number } = &mut uses.kind {
                // All secrets that no longer work count as the newest of them.
                *secret_number = (*secret_number).max(self.secret_number.saturating_sub(2));
            }
            if self.alert(uses.kind, default) == uses.alert {
                self.add(uses);
            } else {
                put(&mut self.ended(), uses);
            }
        }
    }

    /// Returns whether the tally is on the list of tallies to be taken.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// Marks the tally as listed. Returns false if it was marked before.
    pub(crate) fn mark_listed(&self) -> bool {
        !self.listed.swap(true, Ordering::SeqCst)
    }

    /// Marks the tally as not listed.
    pub(crate) fn unlist(&self) {
        self.listed.store(false, Ordering::SeqCst);
    }

    /// Takes the counted uses and marks the tally as not listed.
    pub(crate) fn take(&self, default: &Alerts) -> Vec<Uses> {
        self.unlist();
        // A period ends under the same lock, so its uses are either still counted or on the list.
        let mut ended = self.ended();
        let mut taken = std::mem::take(&mut *ended);
        let kinds = [2, 1, 0].map(|behind| (behind, self.kind_behind(behind)));
        let counts = kinds.map(|(behind, kind)| (self.of_secret(behind), kind));
        for (count, kind) in counts.into_iter().chain([(&self.refused, UseKind::Refused)]) {
            let alert = self.alert(kind, default);
            let none = Uses { kind, count: 0, last_used_at: Timestamp::MIN, alert };
            taken.extend(count.take(none));
        }
        taken
    }

    /// Adds uses whose alert is the tally's own.
    fn add(&self, uses: Uses) {
        let count = match uses.kind {
            UseKind::Accepted { secret_number } => {
                self.of_secret(self.secret_number.saturating_sub(secret_number))
            }
            UseKind::Refused => &self.refused,
        };
        if count.add(&uses).is_err() {
            self.add_to_next(count, uses);
        }
    }

    /// Adds uses to a count that does not hold their period, or to the list of ended periods.
    #[cold]
    fn add_to_next(&self, count: &Count, uses: Uses) {
        let mut ended = self.ended();
        // Another thread may have begun the period meanwhile.
        while let Err(held) = count.add(&uses) {
            let before = Uses { count: held.uses(), last_used_at: count.last(held, uses), ..uses };
            if before.count > 0 && before.period() > uses.period() {
                put(&mut ended, uses);
                return;
            }
            if count.begin(held, uses) && before.count > 0 {
                put(&mut ended, before);
            }
        }
    }

    fn alert(&self, kind: UseKind, default: &Alerts) -> Option<UseAlert> {
        self.alerts.in_force(kind, default)
    }

    fn kind_behind(&self, behind: u32) -> UseKind {
        UseKind::Accepted { secret_number: self.secret_number.saturating_sub(behind) }
    }

    fn of_secret(&self, behind: u32) -> &Count {
        match behind {
            0 => &self.current,
            1 => &self.retiring,
            _ => &self.older,
        }
    }

    fn ended(&self) -> MutexGuard<'_, Vec<Uses>> {
        // A panic cannot leave the list half changed.
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds uses of a period that has ended to a list.
fn put(ended: &mut Vec<Uses>, uses: Uses) {
    if let Some(known) = ended.iter_mut().find(|known| known.is_like(&uses)) {
        known.count = known.count.saturating_add(uses.count);
        known.last_used_at = known.last_used_at.max(uses.last_used_at);
        return;
    }
    ended.push(uses);
    let of_periods = ended.iter().enumerate().filter(|(_, uses)| uses.alert.is_some());
    if of_periods.clone().count() > MAX_ENDED
        && let Some((oldest, _)) = of_periods.min_by_key(|(_, uses)| uses.last_used_at)
    {
        let oldest = ended.swap_remove(oldest);
        put(ended, Uses { alert: None, ..oldest });
    }
}

/// The uses of one kind in one period.
#[derive(Debug, Default)]
struct Count {
    packed: AtomicU64,
    last_used_at: AtomicI64,
}

/// A number of uses in the lower 40 bits, and the last 24 bits of its period's number above them.
/// With the shortest period, the same 24 bits return after 31 years.
#[derive(Clone, Copy)]
struct Packed(u64);

impl Packed {
    const BITS: u32 = 40;
    const MAX_USES: u64 = (1 << Self::BITS) - 1;
    const PERIODS: u64 = u64::MAX >> Self::BITS;

    /// Returns no uses in a period.
    fn none_in(period: u64) -> Self {
        Self((period & Self::PERIODS) << Self::BITS)
    }

    fn uses(self) -> u64 {
        self.0 & Self::MAX_USES
    }

    /// Returns the number of the period, which is at most `latest`.
    fn period(self, latest: u64) -> u64 {
        let behind = latest.wrapping_sub(self.0 >> Self::BITS) & Self::PERIODS;
        latest.saturating_sub(behind)
    }

    /// Adds uses of a period. Returns `None` if this is another period, or the sum is too large.
    fn plus(self, uses: u64, period: u64) -> Option<Self> {
        let counted = self.0.wrapping_sub(Self::none_in(period).0);
        let sum = counted.checked_add(uses).filter(|sum| *sum <= Self::MAX_USES)?;
        Some(Self(Self::none_in(period).0 | sum))
    }
}

impl Count {
    /// Adds uses, or returns the uses of another period that are counted here.
    fn add(&self, uses: &Uses) -> Result<(), Packed> {
        let (period, at) = (uses.period(), uses.last_used_at.unix_micros());
        let mut held = Packed(self.packed.load(Ordering::SeqCst));
        loop {
            let sum = held.plus(uses.count, period).ok_or(held)?;
            if self.last_used_at.load(Ordering::Relaxed) < at {
                self.last_used_at.fetch_max(at, Ordering::Relaxed);
            }
            // `count` adds before it reads `listed`, and `take` clears `listed` before it swaps, in one
            // total order. So a flush that takes a listed tally sees every use that found the tally listed.
            match self.replace(held, sum) {
                Ok(()) => return Ok(()),
                Err(other) => held = other,
            }
        }
    }

    /// Begins the period of `uses` with no uses. Returns false if the count is no longer `held`.
    fn begin(&self, held: Packed, uses: Uses) -> bool {
        self.replace(held, Packed::none_in(uses.period())).is_ok()
    }

    fn replace(&self, held: Packed, next: Packed) -> Result<(), Packed> {
        let (order, failed) = (Ordering::SeqCst, Ordering::SeqCst);
        let replaced = self.packed.compare_exchange(held.0, next.0, order, failed);
        replaced.map(|_| ()).map_err(Packed)
    }

    /// Returns the time of the last of the held uses. It is within their period of the alert of
    /// `like`, also while a thread counts the first use of the next one.
    fn last(&self, held: Packed, like: Uses) -> Timestamp {
        let last = Timestamp::from_unix_micros(self.last_used_at.load(Ordering::Relaxed));
        let last = last.unwrap_or(Timestamp::MIN);
        let Some(alert) = like.alert else { return last };
        let next = held.period(alert.window_number(last)).saturating_add(1);
        let end = Timestamp::from_unix_micros(alert.start_of(next).unix_micros() - 1);
        last.min(end.unwrap_or(Timestamp::MAX))
    }

    /// Takes the uses, which are of the kind and the alert of `like`.
    fn take(&self, like: Uses) -> Option<Uses> {
        let held = Packed(self.packed.fetch_and(!Packed::MAX_USES, Ordering::SeqCst));
        let last_used_at = self.last(held, like);
        (held.uses() > 0).then_some(Uses { count: held.uses(), last_used_at, ..like })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_798_761_600 + second).expect("a time")
    }

    fn tally(alert: Option<&str>) -> Tally {
        let alert = alert.map(|text| text.parse().expect("an alert"));
        let alerts = Alerts { extensive: alert, suspicious: alert, min_period: None };
        let key = "4fQ2xk9ZrT7bWm1c".parse().expect("an id");
        Tally::new(key, 3, alerts)
    }

    /// Takes the uses and returns, for each part: refused or not, uses, period, and whether it counts in it.
    fn taken(tally: &Tally) -> Vec<(bool, u64, i64, bool)> {
        let start = at(0).unix_micros();
        let mut parts: Vec<_> = tally
            .take(&Alerts::default())
            .into_iter()
            .map(|uses| {
                let minute = (uses.last_used_at.unix_micros() - start).div_euclid(60_000_000);
                (uses.kind == UseKind::Refused, uses.count, minute, uses.alert.is_some())
            })
            .collect();
        parts.sort_by_key(|part| (part.2, part.0));
        parts
    }

    #[test]
    fn period_that_ends_begins_a_new_part() {
        let tally = tally(Some("10/60s"));
        for second in [0, 59, 60, 61, 58, 119, 120] {
            tally.count(Counted::Current, at(second), &Alerts::default());
        }
        tally.count(Counted::Refused, at(121), &Alerts::default());
        let expected =
            [(false, 3, 0, true), (false, 3, 1, true), (false, 1, 2, true), (true, 1, 2, true)];
        assert_eq!(taken(&tally), expected);
        assert_eq!(taken(&tally), []);
        tally.count(Counted::Current, at(30), &Alerts::default());
        assert_eq!(taken(&tally), [(false, 1, 0, true)], "a clock that was set back");
    }

    #[test]
    fn uses_without_alert_are_one_part() {
        let tally = tally(None);
        for second in [0, 60, 1_000_000, 5] {
            tally.count(Counted::Current, at(second), &Alerts::default());
        }
        assert_eq!(taken(&tally), [(false, 4, 16_666, false)]);
    }

    #[test]
    fn outage_keeps_latest_periods_apart() {
        let tally = tally(Some("10/60s"));
        for minute in 0..20 {
            tally.count(Counted::Current, at(minute * 60), &Alerts::default());
        }
        let parts = taken(&tally);
        assert_eq!(parts.iter().map(|part| part.1).sum::<u64>(), 20);
        let apart: Vec<i64> = parts.iter().filter(|part| part.3).map(|part| part.2).collect();
        assert_eq!(apart, (11..20).collect::<Vec<_>>());
        assert_eq!(parts.iter().filter(|part| !part.3).count(), 1);
    }

    #[test]
    fn absorbed_uses_stay_in_their_periods() {
        let (one, other) = (tally(Some("10/60s")), tally(Some("10/60s")));
        let changed = tally(Some("10/120s"));
        for second in [10, 70] {
            one.count(Counted::Current, at(second), &Alerts::default());
            other.count(Counted::Current, at(second), &Alerts::default());
            changed.count(Counted::Refused, at(second), &Alerts::default());
        }
        one.absorb(&other, &Alerts::default());
        one.absorb(&changed, &Alerts::default());
        let expected = [(false, 2, 0, true), (false, 2, 1, true), (true, 2, 1, true)];
        assert_eq!(taken(&one), expected);
    }

    #[test]
    fn full_count_begins_a_new_part() {
        let tally = tally(None);
        let kind = UseKind::Refused;
        let most = Uses { kind, count: Packed::MAX_USES, last_used_at: at(0), alert: None };
        tally.add(most);
        tally.count(Counted::Refused, at(1), &Alerts::default());
        let parts = taken(&tally);
        assert_eq!(parts.iter().map(|part| part.1).sum::<u64>(), Packed::MAX_USES + 1);
    }

    #[test]
    fn each_thread_counts_in_its_own_period() {
        let tally = tally(Some("10/60s"));
        let (sums, clock) = ([const { AtomicU64::new(0) }; 5], AtomicI64::new(0));
        let taken_sums = [const { AtomicU64::new(0) }; 5];
        let take = || {
            for (_, uses, minute, in_period) in taken(&tally) {
                assert!(in_period);
                let minute = usize::try_from(minute).expect("not before the start");
                taken_sums[minute].fetch_add(uses, Ordering::Relaxed);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..3_000 {
                        let second = clock.fetch_add(1, Ordering::Relaxed) / 40;
                        tally.count(Counted::Current, at(second), &Alerts::default());
                        let minute = usize::try_from(second / 60).expect("not negative");
                        sums[minute].fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            scope.spawn(|| (0..500).for_each(|_| take()));
        });
        take();
        let read = |sums: &[AtomicU64; 5]| sums.each_ref().map(|sum| sum.load(Ordering::Relaxed));
        assert_eq!(read(&taken_sums), read(&sums));
    }
}
