//! Planning a batch of usage: totals, alerts, and writers to forget.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::effects::{Effects, Writer};
use super::event_numbers::add_events;
use super::view::View;
use crate::record::event::Event;
use crate::record::usage::{AlertDue, Usage, UsageBatch};
use crate::store::error::StoreError;
use crate::value::id::KeyId;

/// The time for which a writer of usage is remembered after its last batch: 7 days.
pub(in crate::store) const WRITER_KEPT: Duration = Duration::from_hours(7 * 24);

/// Plans a batch of usage: returns the new totals, the alerts and the writer to store.
///
/// The result is `None` if the batch was added before. Nothing is then to be written.
///
/// A store reads the rows in two steps, in the transaction that will write:
///
/// 1. It reads the last batch of the writer, and the usage of each key of the batch. A key that
///    exists and was never used has [`Usage::default()`](Usage); see
///    [`Rows::usage`](super::Rows::usage).
/// 2. It reads the rows of [`ReadSet::of_alerts`](super::ReadSet::of_alerts).
///
/// This function calls [`UsageBatch::was_added`] and [`Usage::add`], so the store does not.
///
/// ```
/// use keywright::store::plan::{self, Rows};
/// use keywright::store::{Usage, UsageBatch, UsageDelta, UseKind};
/// use keywright::{KeyId, Timestamp};
///
/// let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// let at: Timestamp = "2027-01-15T08:00:00Z".parse()?;
/// let kind = UseKind::Accepted { secret_number: 1 };
/// let delta = UsageDelta { key, kind, uses: 3, last_used_at: at, alert: None };
/// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: vec![delta] };
///
/// let mut rows = Rows::default();
/// rows.usage.insert(key, Usage::default());
/// let effects = plan::usage(&rows, &batch)?.unwrap_or_default();
/// assert_eq!(effects.usage[0].1.uses(), 3);
///
/// // The store remembers the batch, so the same batch adds nothing again.
/// rows.last_batches.extend(effects.writer.map(|(id, writer)| (id, writer.last)));
/// assert!(plan::usage(&rows, &batch)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// * `Conflict` if another process uses the same writer id.
/// * `Corrupt` if the number of a tenant's newest event is 2⁶³ − 1, so that no number is left for
///   an alert.
pub fn usage(view: &impl View, batch: &UsageBatch) -> Result<Option<Effects>, StoreError> {
    if batch.was_added(view.last_batch(&batch.writer).as_ref())? {
        return Ok(None);
    }
    let Totals { usage, alerts } = Totals::of(view, batch);
    let is_silent = |at| batch.at.since(at) > WRITER_KEPT;
    let writers = view.writers().filter(|(id, at)| *id != batch.writer && is_silent(*at));
    let mut effects = Effects {
        usage,
        writer: Some((batch.writer, Writer { last: batch.as_last(), at: batch.at })),
        forgotten_writers: writers.map(|(id, _)| id).collect(),
        ..Effects::default()
    };
    let alert = |(key, due)| {
        let record = view.key(&key)?;
        Some(Event::of_alert(record.key(), &due, batch.at))
    };
    add_events(view, alerts.into_iter().filter_map(alert).collect(), &mut effects)?;
    Ok(Some(effects))
}

/// Returns the keys for which an alert is due with this batch.
///
/// [`ReadSet::of_alerts`](super::ReadSet::of_alerts) returns the rows to read for them. A store that
/// has its own way to read these rows calls this function in its place.
///
/// ```
/// use keywright::store::plan::{self, Rows};
/// use keywright::store::{Usage, UsageBatch, UsageDelta, UseKind};
/// # use keywright::{KeyId, Timestamp};
///
/// # let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// # let at: Timestamp = "2027-01-15T08:00:00Z".parse()?;
/// let alert = Some("100/3600s".parse()?);
/// let delta = UsageDelta { key, kind: UseKind::Refused, uses: 120, last_used_at: at, alert };
/// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: vec![delta] };
///
/// let mut rows = Rows::default();
/// rows.usage.insert(key, Usage::default());
/// assert_eq!(plan::alerts_due(&rows, &batch), [key]);
/// # Ok::<(), keywright::Error>(())
/// ```
pub fn alerts_due(view: &impl View, batch: &UsageBatch) -> Vec<KeyId> {
    Totals::of(view, batch).alerts.into_iter().map(|(key, _)| key).collect()
}

/// The usage of each key after a batch.
#[derive(Default)]
struct Totals {
    /// The usage of each key, in the order of the first delta of each.
    usage: Vec<(KeyId, Usage)>,
    /// The alerts that are due, in the order of the deltas.
    alerts: Vec<(KeyId, AlertDue)>,
}

impl Totals {
    fn of(view: &impl View, batch: &UsageBatch) -> Self {
        let mut totals = Self::default();
        // A verifier sends the deltas of a key side by side. Other senders need not.
        let is_sorted = batch.deltas.is_sorted_by_key(|delta| delta.key);
        let mut places: HashMap<KeyId, usize, RandomState> = HashMap::default();
        totals.usage.reserve(batch.deltas.len());
        for delta in &batch.deltas {
            let known = if is_sorted {
                let last = totals.usage.len().checked_sub(1);
                last.filter(|last| totals.usage[*last].0 == delta.key)
            } else {
                places.get(&delta.key).copied()
            };
            let place = known.unwrap_or(totals.usage.len());
            if known.is_none() {
                // A key that is absent has no usage to add to.
                let Some(stored) = view.usage(&delta.key) else { continue };
                totals.usage.push((delta.key, stored));
                if !is_sorted {
                    places.insert(delta.key, place);
                }
            }
            let (_, total) = &mut totals.usage[place];
            totals.alerts.extend(total.add(delta).map(|due| (delta.key, due)));
        }
        totals
    }
}
