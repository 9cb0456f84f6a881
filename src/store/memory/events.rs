//! The events of a store that keeps them in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::record::event::Event;
use crate::store::plan::Effects;
use crate::store::query::EventQuery;
use crate::value::id::TenantId;

/// The events of each tenant, in the order of their sequence numbers.
#[derive(Default)]
pub(super) struct Events(HashMap<TenantId, VecDeque<Arc<Event>>>);

impl Events {
    /// Adds the new events of a batch and removes those that it forgets.
    pub(super) fn apply(&mut self, effects: &Effects) {
        for event in &effects.events {
            let events = self.0.entry(event.tenant.clone()).or_default();
            events.push_back(Arc::new(event.clone()));
        }
        for (tenant, through) in &effects.forgotten_events {
            let Some(events) = self.0.get_mut(tenant) else { continue };
            let removed = events.partition_point(|event| event.sequence <= *through);
            events.drain(..removed);
            // A queue keeps its capacity when items are removed.
            events.shrink_to(2 * events.len());
        }
    }

    /// Returns the events that a page examines, in the order of the query. It copies references
    /// only, so the lock is free again before the search.
    pub(super) fn examined(&self, tenant: &TenantId, query: &EventQuery) -> Vec<Arc<Event>> {
        let Some(events) = self.0.get(tenant) else { return Vec::new() };
        let range = query.sequences();
        let from = events.partition_point(|event| event.sequence < *range.start());
        let to = events.partition_point(|event| event.sequence <= *range.end());
        // A page takes one event more than it examines, to know whether there is a next page.
        let most = EventQuery::MAX_EXAMINED + 1;
        let events = events.range(from..to.max(from));
        if query.is_oldest_first() {
            events.take(most).cloned().collect()
        } else {
            events.rev().take(most).cloned().collect()
        }
    }
}
