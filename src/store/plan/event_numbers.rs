//! The numbers of events: each tenant's count from 1, without gaps.

use super::effects::Effects;
use super::view::View;
use crate::record::event::Event;
use crate::store::error::StoreError;
use crate::value::serde_strict::MAX_COUNT;

/// Gives events their numbers. Each tenant's have numbers of their own, so none learns from its own what
/// others do.
pub(super) fn add_events(
    view: &impl View,
    events: Vec<Event>,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    for mut event in events {
        let before = || view.last_event(&event.tenant);
        let last = effects.last_events.entry(event.tenant.clone()).or_insert_with(before);
        if *last >= MAX_COUNT {
            let message = format!("tenant {} has no number for another event", event.tenant);
            return Err(StoreError::corrupt(message));
        }
        *last += 1;
        event.sequence = *last;
        effects.events.push(event);
    }
    Ok(())
}

/// Notes with which event each deleted id is forgotten: known when all events of the batch have their numbers.
pub(super) fn date_tombstones(view: &impl View, effects: &mut Effects) {
    for tombstone in &mut effects.tombstones {
        let last = effects.last_events.get(&tombstone.tenant).copied();
        tombstone.event = last.unwrap_or_else(|| view.last_event(&tombstone.tenant)).max(1);
    }
}
