//! Events that follow each other, in few pieces of memory.

use std::net::IpAddr;

use crate::record::event::{Event, EventActor, EventDetails, EventKind, EventOutcome};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// Some events of one tenant, in the order of their sequence numbers.
///
/// Every change leaves an event, so an event is kept in a few dozen bytes besides its details: what
/// events have in common is there once, and what few events have lies apart.
#[derive(Clone, Default)]
pub(super) struct EventChunk {
    /// The sequence number of the first event.
    first: u64,
    kept: Vec<Kept>,
    /// The different actors of the events.
    actors: Vec<EventActor>,
    /// The fields that few events have, each with the place of its event, in ascending order.
    rare: Vec<(u8, Rare)>,
    /// The packed details of all events, one after the other.
    details: String,
}

/// The most events of a chunk.
const MOST: usize = 64;

#[derive(Clone)]
struct Kept {
    at: Timestamp,
    /// The number of the event, counted from the first one of the chunk.
    behind_first: u32,
    /// The end of its details.
    details_end: u32,
    key: Option<KeyId>,
    kind: EventKind,
    outcome: EventOutcome,
    /// The place of its actor.
    actor: u8,
}

/// The fields that few events have.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
struct Rare {
    account: Option<AccountId>,
    previous_account: Option<AccountId>,
    source_address: Option<IpAddr>,
}

impl EventChunk {
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Returns whether an event fits behind the others.
    pub(super) fn has_room_for(&self, event: &Event) -> bool {
        let end = self.details.len() + event.details.packed().len();
        self.len() < MOST
            && u32::try_from(end).is_ok()
            && (self.kept.is_empty() || self.behind_first(event.sequence).is_some())
    }

    /// Adds an event, for which there is room.
    pub(super) fn push(&mut self, event: &Event) {
        // The pattern names every field, so that a new one cannot be forgotten here.
        let Event {
            sequence,
            tenant: _,
            at,
            actor,
            kind,
            key,
            account,
            previous_account,
            source_address,
            outcome,
            details,
        } = event;
        if self.kept.is_empty() {
            self.first = *sequence;
        }
        let rare = Rare {
            account: *account,
            previous_account: *previous_account,
            source_address: *source_address,
        };
        if rare != Rare::default() {
            push(&mut self.rare, (small(self.kept.len()), rare));
        }
        let known = self.actors.iter().rposition(|known| known == actor);
        let actor_at = known.unwrap_or_else(|| {
            push(&mut self.actors, actor.clone());
            self.actors.len() - 1
        });
        self.details.push_str(details.packed());
        let kept = Kept {
            at: *at,
            behind_first: self.behind_first(*sequence).unwrap_or_default(),
            details_end: u32::try_from(self.details.len()).unwrap_or(u32::MAX),
            key: *key,
            kind: *kind,
            outcome: *outcome,
            actor: small(actor_at),
        };
        push(&mut self.kept, kept);
        if self.len() == MOST {
            self.actors.shrink_to_fit();
            self.rare.shrink_to_fit();
            self.details.shrink_to_fit();
        }
    }

    /// Returns the event at a place.
    pub(super) fn event(&self, place: usize, tenant: &TenantId) -> Event {
        let kept = &self.kept[place];
        let rare = self.rare.binary_search_by_key(&place, |(of, _)| usize::from(*of));
        let Rare { account, previous_account, source_address } =
            rare.map(|at| self.rare[at].1).unwrap_or_default();
        let begin = place.checked_sub(1).map_or(0, |before| self.kept[before].details_end);
        let details = &self.details[begin as usize..kept.details_end as usize];
        let actor = self.actors[usize::from(kept.actor)].clone();
        Event {
            sequence: self.sequence(kept),
            key: kept.key,
            account,
            previous_account,
            source_address,
            outcome: kept.outcome,
            details: EventDetails::of_packed(details),
            ..Event::new(tenant.clone(), kept.at, actor, kept.kind)
        }
    }

    /// Returns the place of the first event after a sequence number.
    pub(super) fn place_after(&self, sequence: u64) -> usize {
        self.kept.partition_point(|kept| self.sequence(kept) <= sequence)
    }

    /// Returns a chunk of the events after a sequence number.
    pub(super) fn after(&self, sequence: u64, tenant: &TenantId) -> Self {
        let mut rest = Self::default();
        for place in self.place_after(sequence)..self.len() {
            rest.push(&self.event(place, tenant));
        }
        rest
    }

    fn sequence(&self, kept: &Kept) -> u64 {
        self.first + u64::from(kept.behind_first)
    }

    fn behind_first(&self, sequence: u64) -> Option<u32> {
        u32::try_from(sequence.checked_sub(self.first)?).ok()
    }
}

/// Returns a place in a chunk.
fn small(place: usize) -> u8 {
    u8::try_from(place).expect("a chunk has few events")
}

/// Adds a value. Most tenants have few events, so a list grows by little.
fn push<T>(list: &mut Vec<T>, value: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 2).clamp(1, MOST - list.len()));
    }
    list.push(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::DetailField;
    use crate::record::operation::Operation;

    #[test]
    fn kept_event_is_the_same() {
        let tenant: TenantId = "acme".parse().expect("an id");
        let actor = EventActor::User("ada".parse().expect("an id"));
        let kind = EventKind::Operation(Operation::KeyGenerate);
        let plain = Event::new(tenant.clone(), Timestamp::MAX, actor, kind);
        let details =
            EventDetails::NONE.text(DetailField::Name, "a: \"b\" ü").value(DetailField::Keys, 3);
        let key = Some(KeyId::FIRST);
        let account = "4fQ2xk9ZrT7bWm1c".parse().ok();
        let source_address = "2001:db8::1".parse().ok();
        let full = Event { key, account, source_address, details, ..plain.clone() };
        let moved = Event { previous_account: account, account: None, ..full.clone() };
        let unchanged = Event { outcome: EventOutcome::Unchanged, ..plain.clone() };
        let of_system = Event { actor: EventActor::System, ..plain.clone() };
        let events = [plain, full, moved, unchanged, of_system];

        let (mut chunk, mut all) = (EventChunk::default(), Vec::new());
        for (n, event) in events.iter().cycle().take(MOST).enumerate() {
            let sequence = u64::MAX - 1_000 + 3 * n as u64;
            all.push(Event { sequence, ..event.clone() });
            assert!(chunk.has_room_for(&all[n]));
            chunk.push(&all[n]);
        }
        assert!(!chunk.has_room_for(&all[0]));
        assert_eq!(chunk.actors.len(), 2);
        for from in [0, 1, 17, MOST] {
            let rest = chunk.after(all[0].sequence + 3 * from as u64 - 1, &tenant);
            assert_eq!(rest.len(), MOST - from);
            for (place, event) in all[from..].iter().enumerate() {
                assert_eq!(rest.event(place, &tenant), *event);
                assert_eq!(rest.place_after(event.sequence), place + 1);
            }
        }
    }

    #[test]
    fn distant_event_has_no_room() {
        let tenant: TenantId = "acme".parse().expect("an id");
        let kind = EventKind::ExtensiveUse;
        let event = |sequence| {
            let event = Event::new(tenant.clone(), Timestamp::MIN, EventActor::System, kind);
            Event { sequence, ..event }
        };
        let mut chunk = EventChunk::default();
        chunk.push(&event(7));
        for (sequence, has_room) in [(8, true), (7 + (1 << 32), false), (6, false)] {
            assert_eq!(chunk.has_room_for(&event(sequence)), has_room, "{sequence}");
        }
    }

    #[test]
    fn event_takes_few_bytes() {
        assert!(size_of::<Kept>() <= 40, "{} bytes", size_of::<Kept>());
    }
}
