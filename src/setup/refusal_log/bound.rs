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

/// Whose refused calls are counted together: an actor's, or as [`EventActor::System`] those of all
/// actors of the tenant that are not kept apart.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Who {
    tenant: TenantId,
    actor: EventActor,
}

impl Who {
    pub(super) fn of(event: &Event) -> Self {
        Self { tenant: event.tenant.clone(), actor: event.actor.clone() }
    }

    /// Among counts of the same time: any order that is always the same.
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
    who: Who,
    count: Count,
}

impl Due {
    /// The event that tells of it.
    pub(super) fn event(&self, now: Timestamp) -> Event {
        let Who { tenant, actor } = self.who.clone();
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
    /// Those of this minute that are not recorded each by itself.
    counted: Option<Count>,
    /// Those of minutes before it that no event tells of yet.
    due: Option<Count>,
}

impl Minute {
    fn new(now: Timestamp) -> Self {
        Self { began: now, recorded: 0, counted: None, due: None }
    }

    /// A clock that went back ends the minute too, if it went further than the minute is long:
    /// threads read the clock in another order than they come here.
    fn is_over(&self, now: Timestamp) -> bool {
        apart(self.began, now) >= WINDOW
    }

    /// What was counted in a minute that is over is due.
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

/// What is done with a refused call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    /// It is recorded by itself. If that fails, [`Bound::give_back`] is called with this time.
    Record(Timestamp),
    /// It is counted, or the memory for counts is full.
    Count,
}

/// How long a full table is not searched again for minutes that can be forgotten: a search takes
/// about 0.1 ms.
const SEARCH_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Table {
    minutes: HashMap<Who, Minute>,
    /// When it was last searched for minutes that can be forgotten.
    searched: Option<Timestamp>,
}

/// The refused calls of the current minute of each actor. All sizes are bounded.
#[derive(Debug, Default)]
pub(super) struct Bound {
    actors: Table,
    tenants: Table,
    /// Whether anything may be counted. Most of the time nothing is, and nothing is searched.
    has_counts: bool,
}

impl Bound {
    /// Decides on a refused call.
    pub(super) fn refused(&mut self, who: &Who, now: Timestamp) -> Decision {
        let Some(minute) = self.minute(who, now) else { return Decision::Count };
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

    /// A call was to be recorded in the minute that began then, and was not.
    pub(super) fn give_back(&mut self, who: &Who, began: Timestamp) {
        let others = who.all_others();
        let minute = self.actors.minutes.get_mut(who);
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
        for (who, minute) in self.actors.minutes.iter_mut().chain(&mut self.tenants.minutes) {
            minute.settle(now);
            has_others |= minute.counted.is_some();
            match minute.due {
                Some(count) if tenant.is_none_or(|tenant| *tenant == who.tenant) => {
                    found.push((count, who, minute));
                }
                due => has_others |= due.is_some(),
            }
        }
        found.sort_by(|(a, of_a, _), (b, of_b, _)| {
            a.since.cmp(&b.since).then_with(|| of_a.order().cmp(&of_b.order()))
        });
        self.has_counts = has_others || found.len() > most;
        let taken = found.into_iter().take(most).map(|(count, who, minute)| {
            minute.due = None;
            Due { who: who.clone(), count }
        });
        taken.collect()
    }

    /// A count that was taken out was not written: it is due again.
    pub(super) fn put_back(&mut self, due: &Due, now: Timestamp) {
        if let Some(minute) = self.minute(&due.who, now) {
            minute.due = Some(due.count.and(minute.due));
            self.has_counts = true;
        }
    }

    /// The minute of an actor, or that of the tenant's other actors if there is no room for it.
    fn minute(&mut self, who: &Who, now: Timestamp) -> Option<&mut Minute> {
        if self.actors.has_room(who, MAX_ACTORS, now) {
            return Some(self.actors.minute(who.clone(), now));
        }
        let others = who.all_others();
        let has_room = self.tenants.has_room(&others, MAX_TENANTS, now);
        has_room.then(|| self.tenants.minute(others, now))
    }
}

impl Table {
    fn minute(&mut self, who: Who, now: Timestamp) -> &mut Minute {
        self.minutes.entry(who).or_insert_with(|| Minute::new(now))
    }

    /// Whether it has a minute of this one or room for it, after forgetting those that are over and
    /// told.
    fn has_room(&mut self, who: &Who, most: usize, now: Timestamp) -> bool {
        if self.minutes.contains_key(who) || self.minutes.len() < most {
            return true;
        }
        let is_recent = |time: Timestamp| apart(time, now) < SEARCH_PAUSE;
        if !self.searched.is_some_and(is_recent) {
            self.searched = Some(now);
            let is_told = |minute: &Minute| minute.counted.is_none() && minute.due.is_none();
            self.minutes.retain(|_, minute| !(is_told(minute) && minute.is_over(now)));
        }
        self.minutes.len() < most
    }
}

/// How far two times are apart, whichever is first.
fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds).expect("a time")
    }

    fn who(tenant: usize, actor: usize) -> Who {
        let tenant = format!("tenant-{tenant}").parse().expect("an id");
        let actor = EventActor::User(format!("user-{actor}").parse().expect("an id"));
        Who { tenant, actor }
    }

    fn refuse(bound: &mut Bound, who: &Who, now: Timestamp, times: u32) -> u32 {
        let decisions = (0..times).map(|_| bound.refused(who, now));
        let recorded = decisions.filter(|decision| *decision != Decision::Count).count();
        u32::try_from(recorded).expect("few")
    }

    fn counts(due: &[Due]) -> Vec<u64> {
        due.iter().map(|due| due.count.refusals).collect()
    }

    #[test]
    fn ten_of_a_minute_are_recorded() {
        let mut bound = Bound::default();
        let (one, other) = (who(1, 1), who(1, 2));
        assert_eq!(refuse(&mut bound, &one, at(0), 25), 10);
        assert_eq!(refuse(&mut bound, &one, at(59), 5), 0);
        assert_eq!(refuse(&mut bound, &other, at(59), 5), 5);
        assert!(bound.take(at(59), None, 8).is_empty());
        assert_eq!(refuse(&mut bound, &one, at(60), 11), 10);
        assert_eq!(counts(&bound.take(at(60), None, 8)), [20]);
        assert!(bound.take(at(60), None, 8).is_empty());
        assert_eq!(counts(&bound.take(at(120), None, 8)), [1]);
    }

    #[test]
    fn unwritten_counts_are_kept() {
        let mut bound = Bound::default();
        let one = who(1, 1);
        refuse(&mut bound, &one, at(0), 12);
        let mut due = bound.take(at(60), None, 8);
        refuse(&mut bound, &one, at(61), 13);
        bound.put_back(&due.remove(0), at(61));
        let due = bound.take(at(130), None, 8);
        assert_eq!(counts(&due), [5]);
        assert_eq!((due[0].count.since, due[0].count.until), (at(0), at(61)));
    }

    #[test]
    fn failed_record_gives_its_place_back() {
        let mut bound = Bound::default();
        let one = who(1, 1);
        let Decision::Record(began) = bound.refused(&one, at(0)) else { panic!("the first") };
        refuse(&mut bound, &one, at(0), 9);
        bound.give_back(&one, began);
        assert_eq!(refuse(&mut bound, &one, at(1), 2), 1);
        // A place of a minute that is over is worth nothing in the next.
        refuse(&mut bound, &one, at(60), 10);
        bound.give_back(&one, began);
        assert_eq!(refuse(&mut bound, &one, at(60), 1), 0);
    }

    #[test]
    fn clock_that_goes_back_neither_locks_nor_loses() {
        let mut bound = Bound::default();
        let one = who(1, 1);
        refuse(&mut bound, &one, at(100_000), 15);
        assert_eq!(refuse(&mut bound, &one, at(99_990), 1), 0);
        assert_eq!(refuse(&mut bound, &one, at(0), 11), 10);
        assert_eq!(counts(&bound.take(at(0), None, 8)), [6]);
        assert_eq!(counts(&bound.take(at(60), None, 8)), [1]);
    }

    #[test]
    fn counts_are_taken_by_tenant_and_in_parts() {
        let mut bound = Bound::default();
        for n in 0..9 {
            refuse(&mut bound, &who(n % 3, n), at(0), 11);
        }
        assert_eq!(bound.take(at(60), Some(&who(1, 0).tenant), 9).len(), 3);
        assert_eq!(bound.take(at(60), None, 4).len(), 4);
        assert_eq!(bound.take(at(60), None, 4).len(), 2);
        assert!(!bound.has_counts);
    }

    #[test]
    fn memory_is_bounded() {
        let mut bound = Bound::default();
        for tenant in 0..4 {
            for actor in 0..MAX_ACTORS {
                refuse(&mut bound, &who(tenant, actor), at(0), 1);
            }
        }
        for tenant in 0..2 * MAX_TENANTS {
            refuse(&mut bound, &who(tenant, 0), at(1), 20);
        }
        assert_eq!(bound.actors.minutes.len(), MAX_ACTORS);
        assert_eq!(bound.tenants.minutes.len(), MAX_TENANTS);
        let told: u64 = counts(&bound.take(at(61), None, usize::MAX)).into_iter().sum();
        assert!(told > 30_000, "only {told} were counted");
        // Room again for actors that have not been seen.
        assert_eq!(refuse(&mut bound, &who(9_999, 1), at(130), 11), 10);
        assert_eq!(bound.actors.minutes.len(), 1);
    }
}
