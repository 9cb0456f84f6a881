//! The sequence numbers of events: each tenant counts from 1, without gaps.

use super::effects::Effects;
use super::view::View;
use crate::record::event::Event;
use crate::store::error::StoreError;
use crate::value::serde_strict::MAX_COUNT;

/// Sets the sequence numbers of new events. Each tenant has its own numbers, so a tenant learns
/// nothing about the others from them.
pub(super) fn add_events(
    view: &impl View,
    events: Vec<Event>,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    for mut event in events {
        let before = || view.last_event(&event.tenant);
        let last = effects.last_events.entry(event.tenant.clone()).or_insert_with(before);
        if *last >= MAX_COUNT {
            let message = format!("tenant {} has no number left for another event", event.tenant);
            return Err(StoreError::corrupt(message));
        }
        *last += 1;
        event.sequence = *last;
        effects.events.push(event);
    }
    Ok(())
}

/// Sets the event with which each deleted id is forgotten. All events of the batch must have their
/// numbers already.
pub(super) fn date_tombstones(view: &impl View, effects: &mut Effects) {
    for tombstone in &mut effects.tombstones {
        let last = effects.last_events.get(&tombstone.tenant).copied();
        tombstone.event = last.unwrap_or_else(|| view.last_event(&tombstone.tenant)).max(1);
    }
}
