//! This module counts the uses of one key in memory until they are flushed.
//!
//! Each count belongs to one period of an alert. The period's number and the count share one word,
//! so a use that comes while a period ends counts in its own period and no other. A request takes a
//! lock only if it is the first one of its period, or a late one of the period before.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::record::alerts::Alerts;
use crate::record::usage::UseKind;
use crate::value::time::Timestamp;
use crate::value::use_alert::UseAlert;

/// The periods that have ended whose uses are kept apart. Flushes come every few seconds, so more
/// of them wait only while the store is down. The oldest ones then count in the totals only, and the
/// memory of a key stays below 1 KB.
const MAX_ENDED: usize = 8;

/// A key has many uses if this number was counted since the last flush. Its counter then becomes a
/// bottleneck of the threads that use it.
const MANY_USES: u64 = 8_192;

/// The uses of a key that are counted and not yet taken. The tally holds more than bare counters: a
/// use must find its counter without a lookup, and a flush must find the counters that were used.
///
/// A tally is the first part of its snapshot: a use finds it in the cache line of the snapshot's
/// reference count, and a key has one allocation less.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Tally {
    // In the order of use: a request with the current secret reads and writes one cache line.
    current: Count,
    /// True while the tally is on a list of tallies to be taken.
    listed: AtomicBool,
    /// The number of the secret that counts as the current one.
    secret_number: u32,
    alerts: Alerts,
    rare: OnceLock<Box<Rare>>,
}

/// The uses that most keys do not have.
#[derive(Debug, Default)]
struct Rare {
    retiring: Count,
    /// Uses of secrets before those two, from snapshots that were taken before a rotation.
    older: Count,
    refused: Count,
    /// Uses of periods that ended before they were taken.
    ended: Mutex<Vec<Uses>>,
}

/// The answer of a tally to a use that it has counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    /// Whether the tally is on a list of tallies to be taken.
    pub(crate) is_listed: bool,
    /// Whether the use made them many.
    pub(crate) are_many: bool,
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
    pub(crate) fn new(secret_number: u32, alerts: Alerts) -> Self {
        Self {
            secret_number,
            alerts,
            current: Count::default(),
            listed: AtomicBool::new(false),
            rare: OnceLock::new(),
        }
    }

    /// Counts a use.
    pub(crate) fn count(&self, counted: Counted, now: Timestamp, default: &Alerts) -> Noted {
        // The usual case in few steps. If another thread counts at the same time, the other ones do it.
        if counted == Counted::Current
            && !self.alerts.are_set(default)
            && let Some(sum) = self.current.add_one(now)
        {
            return self.noted(sum.uses());
        }
        let kind = match counted {
            Counted::Current => self.kind_behind(0),
            Counted::Retiring => self.kind_behind(1),
            Counted::Refused => UseKind::Refused,
        };
        let alert = self.alert(kind, default);
        let sum = self.add(Uses { kind, count: 1, last_used_at: now, alert });
        self.noted(sum)
    }

    fn noted(&self, sum: u64) -> Noted {
        let is_listed = self.listed.load(Ordering::SeqCst);
        Noted { is_listed, are_many: sum > 0 && sum.is_multiple_of(MANY_USES) }
    }

    /// Returns whether the tally's secret is newer than that of another snapshot of the key.
    pub(crate) fn is_ahead_of(&self, other: &Self) -> bool {
        self.secret_number > other.secret_number
    }

    /// Moves the counts of another snapshot of the key, whose secret is not newer, into this tally.
    pub(crate) fn absorb(&self, other: &Self, default: &Alerts) {
        other.take(default, |mut uses| {
            if let UseKind::Accepted { secret_number } = &mut uses.kind {
                // All secrets that no longer work count as the newest of them.
                *secret_number = (*secret_number).max(self.secret_number.saturating_sub(2));
            }
            if self.alert(uses.kind, default) == uses.alert {
                self.add(uses);
            } else {
                put(&mut self.rare().ended(), uses);
            }
        });
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

    /// Takes the counted uses, passes them to `taken`, and marks the tally as not listed.
    pub(crate) fn take(&self, default: &Alerts, mut taken: impl FnMut(Uses)) {
        self.unlist();
        let mut take = |count: &Count, kind| {
            let alert = self.alert(kind, default);
            let none = Uses { kind, count: 0, last_used_at: Timestamp::MIN, alert };
            count.take(none).into_iter().for_each(&mut taken);
        };
        // A period of this count that ends before this step is on the list, which is read after it.
        take(&self.current, self.kind_behind(0));
        let Some(rare) = self.rare.get() else { return };
        // A period ends under the same lock, so its uses are either still counted or on the list.
        let mut ended = rare.ended();
        take(&rare.retiring, self.kind_behind(1));
        take(&rare.older, self.kind_behind(2));
        take(&rare.refused, UseKind::Refused);
        std::mem::take(&mut *ended).into_iter().for_each(taken);
    }

    /// Adds uses whose alert is the tally's own. Returns the sum of uses that the count holds, or 0
    /// if a period has ended.
    fn add(&self, uses: Uses) -> u64 {
        let count = match uses.kind {
            UseKind::Accepted { secret_number } => {
                self.of_secret(self.secret_number.saturating_sub(secret_number))
            }
            UseKind::Refused => &self.rare().refused,
        };
        if let Ok(sum) = count.add(&uses) {
            return sum.uses();
        }
        self.add_to_next(count, uses);
        0
    }

    /// Adds uses to a count that does not hold their period, or to the list of ended periods.
    #[cold]
    fn add_to_next(&self, count: &Count, uses: Uses) {
        let mut ended = self.rare().ended();
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
            1 => &self.rare().retiring,
            _ => &self.rare().older,
        }
    }

    fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }
}

impl Rare {
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
    /// Adds a use that counts in no period. Returns `None` and adds nothing if the count is of a period,
    /// or if another thread changes it meanwhile.
    fn add_one(&self, now: Timestamp) -> Option<Packed> {
        let held = Packed(self.packed.load(Ordering::SeqCst));
        let sum = held.plus(1, 0)?;
        self.touch(now.unix_micros());
        self.replace(held, sum).ok()?;
        Some(sum)
    }

    /// Moves the time of the last use forward.
    fn touch(&self, at: i64) {
        if self.last_used_at.load(Ordering::Relaxed) < at {
            self.last_used_at.fetch_max(at, Ordering::Relaxed);
        }
    }

    /// Adds uses, or returns the uses of another period that are counted here.
    fn add(&self, uses: &Uses) -> Result<Packed, Packed> {
        let (period, at) = (uses.period(), uses.last_used_at.unix_micros());
        let mut held = Packed(self.packed.load(Ordering::SeqCst));
        loop {
            let sum = held.plus(uses.count, period).ok_or(held)?;
            self.touch(at);
            // `count` adds before it reads `listed`, and `take` clears `listed` before it swaps, in one
            // total order. So a flush that takes a listed tally sees every use that found the tally listed.
            match self.replace(held, sum) {
                Ok(()) => return Ok(sum),
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
    use crate::record::policy::TenantPolicy;
    use crate::record::settings::Settings;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_798_761_600 + second).expect("a time")
    }

    fn tally(alert: Option<&str>) -> Tally {
        let alert = alert.map(|text| text.parse().expect("an alert"));
        let settings =
            Settings { extensive_use: alert, suspicious_use: alert, ..Settings::default() };
        let policy = TenantPolicy { settings: Some(settings), ..TenantPolicy::default() };
        Tally::new(3, Alerts::of_tenant(Some(&policy)))
    }

    /// Takes the uses and returns, for each part: refused or not, uses, period, and whether it counts in it.
    fn taken(tally: &Tally) -> Vec<(bool, u64, i64, bool)> {
        let start = at(0).unix_micros();
        let mut parts = Vec::new();
        tally.take(&Alerts::default(), |uses| {
            let minute = (uses.last_used_at.unix_micros() - start).div_euclid(60_000_000);
            parts.push((uses.kind == UseKind::Refused, uses.count, minute, uses.alert.is_some()));
        });
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
    fn uses_are_many_after_the_stated_number() {
        for alert in [None, Some("10/60s")] {
            let tally = tally(alert);
            for counted in [Counted::Current, Counted::Refused, Counted::Retiring] {
                let many = |_: &u64| tally.count(counted, at(0), &Alerts::default()).are_many;
                let found: Vec<u64> = (1..=2 * MANY_USES).filter(many).collect();
                assert_eq!(found, [MANY_USES, 2 * MANY_USES], "{alert:?} {counted:?}");
            }
            // The first use of the next period is not one of many.
            assert!(!tally.count(Counted::Current, at(60), &Alerts::default()).are_many);
        }
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
