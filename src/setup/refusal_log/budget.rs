//! How many refused calls are recorded each by itself, and the counts of the others. Pure: the state
//! and the time go in, a decision comes out.

use std::collections::HashMap;
use std::time::Duration;

use crate::record::event::{
    DetailField, Event, EventActor, EventDetails, EventKind, EventOutcome, RefusalCode,
};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

/// How many refused calls of an actor and a minute are recorded each by itself: more than a person
/// makes by mistake, and enough to see what a program is trying. With the event that counts the rest
/// it is 11 events a minute, so at 640 bytes each an actor adds at most 10 MB a day.
pub(super) const RECORDED: u32 = 10;
/// One minute: short enough to see in the trail when calls were refused, long enough that the event
/// which counts them adds little.
const WINDOW: Duration = Duration::from_secs(60);
/// The most actors that are kept apart, about 2 MB. A process that serves more actors with refused
/// calls in one minute has a fault or is under attack, and counts the others by their tenant.
const MAX_ACTORS: usize = 10_000;
/// The most tenants with a count of their own for actors that are not kept apart. Refused calls of
/// further tenants are not recorded until a minute is over: the memory has an end.
const MAX_TENANTS: usize = 1_000;

/// The caller whose refused calls are counted together: an actor, or as [`EventActor::System`] all
/// actors of the tenant that are not kept apart.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Caller {
    tenant: TenantId,
    actor: EventActor,
}

impl Caller {
    pub(super) fn of(event: &Event) -> Self {
        Self { tenant: event.tenant.clone(), actor: event.actor.clone() }
    }

    /// Returns an order among counts of the same time: any that is always the same.
    fn order(&self) -> (&str, String) {
        (self.tenant.as_str(), self.actor.to_string())
    }

    fn all_others(&self) -> Self {
        Self { tenant: self.tenant.clone(), actor: EventActor::System }
    }
}

/// Refused calls that were counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Count {
    refusals: u64,
    since: Timestamp,
    until: Timestamp,
}

impl Count {
    fn and(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self {
            refusals: self.refusals.saturating_add(other.refusals),
            since: self.since.min(other.since),
            until: self.until.max(other.until),
        }
    }
}

/// A count whose minute is over, taken out to be written.
#[derive(Clone, Debug)]
pub(super) struct Due {
    caller: Caller,
    count: Count,
}

impl Due {
    /// Returns the event that records the count.
    pub(super) fn event(&self, now: Timestamp) -> Event {
        let Caller { tenant, actor } = self.caller.clone();
        let details = EventDetails::NONE
            .value(DetailField::Refusals, self.count.refusals)
            .text(DetailField::Since, self.count.since)
            .text(DetailField::Until, self.count.until);
        let outcome = EventOutcome::Refused(RefusalCode::Counted);
        Event { outcome, details, ..Event::new(tenant, now, actor, EventKind::Refusals) }
    }
}

/// One minute of an actor's refused calls.
#[derive(Debug)]
struct Minute {
    began: Timestamp,
    recorded: u32,
    /// Calls of this minute that are not recorded each by itself.
    counted: Option<Count>,
    /// Calls of earlier minutes that no event counts yet.
    due: Option<Count>,
}

impl Minute {
    fn new(now: Timestamp) -> Self {
        Self { began: now, recorded: 0, counted: None, due: None }
    }

    /// Returns whether the minute is over. A clock that went back further than a minute ends it
    /// too; a little less is a thread that read the clock before another.
    fn is_over(&self, now: Timestamp) -> bool {
        apart(self.began, now) >= WINDOW
    }

    /// Makes the count due if the minute is over.
    fn settle(&mut self, now: Timestamp) {
        if self.is_over(now)
            && let Some(count) = self.counted.take()
        {
            self.due = Some(count.and(self.due));
        }
    }

    /// Begins the next minute if this one is over.
    fn turn(&mut self, now: Timestamp) {
        if self.is_over(now) {
            self.settle(now);
            *self = Self { due: self.due, ..Self::new(now) };
        }
    }
}

/// The decision on a refused call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    /// Record it by itself. If that fails, [`Budget::give_back`] is called with this time.
    Record(Timestamp),
    /// Count it, or drop it if the memory for counts is full.
    Count,
}

/// How long a full table is not searched again for minutes that can be forgotten: a search takes
/// about 0.1 ms.
const SEARCH_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Table {
    minutes: HashMap<Caller, Minute>,
    /// When it was last searched for minutes that can be forgotten.
    searched: Option<Timestamp>,
}

/// The refused calls of the current minute of each actor. All sizes are bounded.
#[derive(Debug, Default)]
pub(super) struct Budget {
    actors: Table,
    tenants: Table,
    /// Whether anything may be counted. Most of the time nothing is, and nothing is searched.
    has_counts: bool,
}

impl Budget {
    /// Decides on a refused call.
    pub(super) fn refused(&mut self, caller: &Caller, now: Timestamp) -> Decision {
        let Some(minute) = self.minute(caller, now) else { return Decision::Count };
        minute.turn(now);
        if minute.recorded < RECORDED {
            minute.recorded += 1;
            return Decision::Record(minute.began);
        }
        let one = Count { refusals: 1, since: now, until: now };
        minute.counted = Some(one.and(minute.counted));
        self.has_counts = true;
        Decision::Count
    }

    /// Takes back a decision to record, made in the minute that began then: the call was not
    /// recorded.
    pub(super) fn give_back(&mut self, caller: &Caller, began: Timestamp) {
        let others = caller.all_others();
        let minute = self.actors.minutes.get_mut(caller);
        let minute = minute.or_else(|| self.tenants.minutes.get_mut(&others));
        if let Some(minute) = minute.filter(|minute| minute.began == began) {
            minute.recorded = minute.recorded.saturating_sub(1);
        }
    }

    /// Takes out counts whose minute is over, of one tenant or of all, the oldest first and so many
    /// at most.
    pub(super) fn take(
        &mut self,
        now: Timestamp,
        tenant: Option<&TenantId>,
        most: usize,
    ) -> Vec<Due> {
        if !self.has_counts {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut has_others = false;
        for (caller, minute) in self.actors.minutes.iter_mut().chain(&mut self.tenants.minutes) {
            minute.settle(now);
            has_others |= minute.counted.is_some();
            match minute.due {
                Some(count) if tenant.is_none_or(|tenant| *tenant == caller.tenant) => {
                    found.push((count, caller, minute));
                }
                due => has_others |= due.is_some(),
            }
        }
        found.sort_by(|(a, of_a, _), (b, of_b, _)| {
            a.since.cmp(&b.since).then_with(|| of_a.order().cmp(&of_b.order()))
        });
        self.has_counts = has_others || found.len() > most;
        let taken = found.into_iter().take(most).map(|(count, caller, minute)| {
            minute.due = None;
            Due { caller: caller.clone(), count }
        });
        taken.collect()
    }

    /// Makes a count due again that was taken out and not written.
    pub(super) fn put_back(&mut self, due: &Due, now: Timestamp) {
        if let Some(minute) = self.minute(&due.caller, now) {
            minute.due = Some(due.count.and(minute.due));
            self.has_counts = true;
        }
    }

    /// Returns the minute of an actor, or that of the tenant's other actors if there is no room for
    /// it.
    fn minute(&mut self, caller: &Caller, now: Timestamp) -> Option<&mut Minute> {
        if self.actors.has_room(caller, MAX_ACTORS, now) {
            return Some(self.actors.minute(caller.clone(), now));
        }
        let others = caller.all_others();
        let has_room = self.tenants.has_room(&others, MAX_TENANTS, now);
        has_room.then(|| self.tenants.minute(others, now))
    }
}

impl Table {
    fn minute(&mut self, caller: Caller, now: Timestamp) -> &mut Minute {
        self.minutes.entry(caller).or_insert_with(|| Minute::new(now))
    }

    /// Returns whether there is a minute of this caller or room for one. Forgets minutes that are
    /// over and written.
    fn has_room(&mut self, caller: &Caller, most: usize, now: Timestamp) -> bool {
        if self.minutes.contains_key(caller) || self.minutes.len() < most {
            return true;
        }
        let is_recent = |time: Timestamp| apart(time, now) < SEARCH_PAUSE;
        if !self.searched.is_some_and(is_recent) {
            self.searched = Some(now);
            let is_written = |minute: &Minute| minute.counted.is_none() && minute.due.is_none();
            self.minutes.retain(|_, minute| !(is_written(minute) && minute.is_over(now)));
        }
        self.minutes.len() < most
    }
}

/// Returns how far two times are apart, whichever is first.
fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds).expect("a time")
    }

    fn caller(tenant: usize, actor: usize) -> Caller {
        let tenant = format!("tenant-{tenant}").parse().expect("an id");
        let actor = EventActor::User(format!("user-{actor}").parse().expect("an id"));
        Caller { tenant, actor }
    }

    fn refuse(budget: &mut Budget, caller: &Caller, now: Timestamp, times: u32) -> u32 {
        let decisions = (0..times).map(|_| budget.refused(caller, now));
        let recorded = decisions.filter(|decision| *decision != Decision::Count).count();
        u32::try_from(recorded).expect("few")
    }

    fn counts(due: &[Due]) -> Vec<u64> {
        due.iter().map(|due| due.count.refusals).collect()
    }

    #[test]
    fn ten_refusals_per_minute_are_recorded() {
        let mut budget = Budget::default();
        let (one, other) = (caller(1, 1), caller(1, 2));
        assert_eq!(refuse(&mut budget, &one, at(0), 25), 10);
        assert_eq!(refuse(&mut budget, &one, at(59), 5), 0);
        assert_eq!(refuse(&mut budget, &other, at(59), 5), 5);
        assert!(budget.take(at(59), None, 8).is_empty());
        assert_eq!(refuse(&mut budget, &one, at(60), 11), 10);
        assert_eq!(counts(&budget.take(at(60), None, 8)), [20]);
        assert!(budget.take(at(60), None, 8).is_empty());
        assert_eq!(counts(&budget.take(at(120), None, 8)), [1]);
    }

    #[test]
    fn unwritten_counts_are_kept() {
        let mut budget = Budget::default();
        let one = caller(1, 1);
        refuse(&mut budget, &one, at(0), 12);
        let mut due = budget.take(at(60), None, 8);
        refuse(&mut budget, &one, at(61), 13);
        budget.put_back(&due.remove(0), at(61));
        let due = budget.take(at(130), None, 8);
        assert_eq!(counts(&due), [5]);
        assert_eq!((due[0].count.since, due[0].count.until), (at(0), at(61)));
    }

    #[test]
    fn failed_record_frees_its_place() {
        let mut budget = Budget::default();
        let one = caller(1, 1);
        let Decision::Record(began) = budget.refused(&one, at(0)) else { panic!("the first") };
        refuse(&mut budget, &one, at(0), 9);
        budget.give_back(&one, began);
        assert_eq!(refuse(&mut budget, &one, at(1), 2), 1);
        // A place of a minute that is over is worth nothing in the next.
        refuse(&mut budget, &one, at(60), 10);
        budget.give_back(&one, began);
        assert_eq!(refuse(&mut budget, &one, at(60), 1), 0);
    }

    #[test]
    fn backward_clock_neither_locks_nor_loses() {
        let mut budget = Budget::default();
        let one = caller(1, 1);
        refuse(&mut budget, &one, at(100_000), 15);
        assert_eq!(refuse(&mut budget, &one, at(99_990), 1), 0);
        assert_eq!(refuse(&mut budget, &one, at(0), 11), 10);
        assert_eq!(counts(&budget.take(at(0), None, 8)), [6]);
        assert_eq!(counts(&budget.take(at(60), None, 8)), [1]);
    }

    #[test]
    fn counts_are_drained_by_tenant() {
        let mut budget = Budget::default();
        for n in 0..9 {
            refuse(&mut budget, &caller(n % 3, n), at(0), 11);
        }
        assert_eq!(budget.take(at(60), Some(&caller(1, 0).tenant), 9).len(), 3);
        assert_eq!(budget.take(at(60), None, 4).len(), 4);
        assert_eq!(budget.take(at(60), None, 4).len(), 2);
        assert!(!budget.has_counts);
    }

    #[test]
    fn memory_is_bounded() {
        let mut budget = Budget::default();
        for tenant in 0..4 {
            for actor in 0..MAX_ACTORS {
                refuse(&mut budget, &caller(tenant, actor), at(0), 1);
            }
        }
        for tenant in 0..2 * MAX_TENANTS {
            refuse(&mut budget, &caller(tenant, 0), at(1), 20);
        }
        assert_eq!(budget.actors.minutes.len(), MAX_ACTORS);
        assert_eq!(budget.tenants.minutes.len(), MAX_TENANTS);
        let told: u64 = counts(&budget.take(at(61), None, usize::MAX)).into_iter().sum();
        assert!(told > 30_000, "only {told} were counted");
        // Room again for actors that have not been seen.
        assert_eq!(refuse(&mut budget, &caller(9_999, 1), at(130), 11), 10);
        assert_eq!(budget.actors.minutes.len(), 1);
    }
}
