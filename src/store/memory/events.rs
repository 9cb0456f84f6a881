//! The events of a store that keeps them in memory.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::event_chunk::EventChunk;
use crate::record::event::Event;
use crate::store::plan::Effects;
use crate::store::query::EventQuery;
use crate::value::id::TenantId;

/// The events of each tenant, in the order of their sequence numbers.
#[derive(Default)]
pub(super) struct Events(HashMap<TenantId, VecDeque<Arc<EventChunk>>>);

impl Events {
    /// Adds the new events of a batch and removes those that it forgets.
    pub(super) fn apply(&mut self, effects: &Effects) {
        for event in &effects.events {
            let chunks = self.0.entry(event.tenant.clone()).or_default();
            if !chunks.back().is_some_and(|last| last.has_room_for(event)) {
                chunks.push_back(Arc::default());
            }
            if let Some(last) = chunks.back_mut() {
                // It copies the chunk if a page is still reading it.
                Arc::make_mut(last).push(event);
            }
        }
        for (tenant, through) in &effects.forgotten_events {
            let Some(chunks) = self.0.get_mut(tenant) else { continue };
            let removed =
                chunks.partition_point(|chunk| chunk.place_after(*through) == chunk.len());
            chunks.drain(..removed);
            // A queue keeps its capacity when items are removed.
            chunks.shrink_to(2 * chunks.len());
            if let Some(first) = chunks.front_mut()
                && first.place_after(*through) > 0
            {
                *first = Arc::new(first.after(*through, tenant));
            }
        }
    }

    /// Returns the events that a page examines. It copies references only, so the lock is free again
    /// before the search.
    pub(super) fn examined(&self, tenant: &TenantId, query: &EventQuery) -> Examined {
        let is_oldest_first = query.is_oldest_first();
        let mut examined = Examined { parts: Vec::new(), is_oldest_first };
        let Some(chunks) = self.0.get(tenant) else { return examined };
        let (first, last) = query.sequences().into_inner();
        let from = chunks.partition_point(|chunk| {
            first.checked_sub(1).is_some_and(|before| chunk.place_after(before) == chunk.len())
        });
        let to = chunks.partition_point(|chunk| chunk.place_after(last) > 0);
        let part = |chunk: &Arc<EventChunk>| {
            let from = first.checked_sub(1).map_or(0, |before| chunk.place_after(before));
            (Arc::clone(chunk), from..chunk.place_after(last))
        };
        let mut parts = chunks.range(from..to.max(from)).map(part);
        let mut left = Examined::MOST;
        while left > 0
            && let Some(part) = if is_oldest_first { parts.next() } else { parts.next_back() }
        {
            left = left.saturating_sub(part.1.len());
            examined.parts.push(part);
        }
        examined
    }
}

/// The events that a page examines, in the order of its query.
pub(super) struct Examined {
    /// Chunks, each with the places of its events.
    parts: Vec<(Arc<EventChunk>, Range<usize>)>,
    is_oldest_first: bool,
}

impl Examined {
    /// A page takes one event more than it examines, to know whether there is a next page.
    const MOST: usize = EventQuery::MAX_EXAMINED + 1;

    /// Returns the events, which belong to this tenant.
    pub(super) fn events(&self, tenant: &TenantId) -> impl Iterator<Item = Event> {
        let is_oldest_first = self.is_oldest_first;
        let events = self.parts.iter().flat_map(move |(chunk, places)| {
            (0..places.len()).map(move |n| {
                let place = if is_oldest_first { places.start + n } else { places.end - 1 - n };
                chunk.event(place, tenant)
            })
        });
        events.take(Self::MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{DetailField, EventActor, EventDetails, EventKind};
    use crate::record::operation::Operation;
    use crate::value::time::Timestamp;

    fn event(tenant: &TenantId, sequence: u64) -> Event {
        let actor = EventActor::User(format!("user-{}", sequence % 7).parse().expect("an id"));
        let kind = EventKind::Operation(Operation::KeyGenerate);
        let details = EventDetails::NONE.value(DetailField::Keys, sequence);
        let event = Event::new(tenant.clone(), Timestamp::MIN, actor, kind);
        Event { sequence, details, ..event }
    }

    #[test]
    fn page_examines_the_events_of_a_list() {
        let tenant: TenantId = "acme".parse().expect("an id");
        let mut random = fastrand::Rng::with_seed(5);
        let (mut events, mut all, mut next) = (Events::default(), Vec::new(), 1);
        for _ in 0..200 {
            let new: Vec<_> = (0..random.u64(1..20)).map(|n| event(&tenant, next + n)).collect();
            next += new.len() as u64;
            all.extend(new.iter().cloned());
            let through = if random.bool() { next.saturating_sub(random.u64(0..900)) } else { 0 };
            let forgotten_events = vec![(tenant.clone(), through)];
            events.apply(&Effects { events: new, forgotten_events, ..Effects::default() });
            all.retain(|event| event.sequence > through);

            for query in [EventQuery::new(), EventQuery::new().oldest_first()] {
                let first = random.u64(0..=next);
                let query = query.behind(first);
                let range = query.sequences();
                let mut expected: Vec<_> =
                    all.iter().filter(|event| range.contains(&event.sequence)).cloned().collect();
                if !query.is_oldest_first() {
                    expected.reverse();
                }
                expected.truncate(Examined::MOST);
                let examined = events.examined(&tenant, &query);
                assert!(examined.events(&tenant).eq(expected), "{query:?}");
            }
        }
        let kept: usize = events.0[&tenant].iter().map(|chunk| chunk.len()).sum();
        assert_eq!(kept, all.len());
    }
}
