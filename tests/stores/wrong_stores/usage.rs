//! The usage of keys in a store with one flaw.

use futures_lite::future::yield_now;
use keywright::store::{AlertDue, Batch, Change, KeyStore, StoreError, UsageBatch, UseKind};
use keywright::{Event, Timestamp};

use super::flaws::Flaw;
use super::store::{Window, Wrong, with};

impl Wrong {
    pub(super) async fn add_usage_wrongly(&self, mut batch: UsageBatch) -> Result<(), StoreError> {
        match self.flaw {
            Flaw::UsageCountsTwice => {
                batch.writer[..8].copy_from_slice(&self.count_call().to_be_bytes());
            }
            Flaw::WriterForgottenEarly => {
                let mut notes = self.notes();
                for (writer, (at, times)) in &mut notes.writers {
                    if *writer != batch.writer && *at < batch.at {
                        (*at, *times) = (Timestamp::MAX, *times + 1);
                    }
                }
                let (at, times) = notes.writers.entry(batch.writer).or_insert((batch.at, 0));
                *at = batch.at;
                // A writer that was forgotten is a new one to the inner store.
                let id = u128::from_be_bytes(batch.writer).wrapping_add((*times).into());
                batch.writer = id.to_be_bytes();
            }
            Flaw::WritersShareNumbers => batch.writer = [7; 16],
            Flaw::LastUseGoesBack => {
                let times = batch.deltas.iter().map(|delta| (delta.key, delta.last_used_at));
                self.notes().last_used_at.extend(times);
            }
            Flaw::UsageResurrects => {
                let mut notes = self.notes();
                for delta in &batch.deltas {
                    if let Some(record) = notes.deleted.get(&delta.key).cloned() {
                        notes.risen.insert(delta.key, record);
                    }
                }
            }
            Flaw::UsageOfAbsentRefused => {
                for delta in &batch.deltas {
                    if self.record(&delta.key).await?.is_none() {
                        return Err(StoreError::conflict("no such key"));
                    }
                }
            }
            Flaw::UsageWritesRecord => {
                for delta in &batch.deltas {
                    let Some(record) = self.record(&delta.key).await? else { continue };
                    let next = with(&record, "version", record.version() + 1);
                    let changes = vec![Change::UpdateKey(next)];
                    // A failure means that another writer changed the record first.
                    let tenant = record.key().tenant.clone();
                    _ = self.inner.commit(Batch { changes, ..Batch::of(tenant) }).await;
                }
            }
            Flaw::AlertsLost => batch.deltas.iter_mut().for_each(|delta| delta.alert = None),
            Flaw::AlertsRepeated
            | Flaw::AlertsDecidedBefore
            | Flaw::LateUsesInNoWindow
            | Flaw::WindowsReopened => self.count_windows(&mut batch).await?,
            Flaw::RefusedCountAsUses => {
                for delta in &mut batch.deltas {
                    if delta.kind == UseKind::Refused {
                        delta.kind = UseKind::Accepted { secret_number: 1 };
                    }
                }
            }
            _ => {}
        }
        match self.inner.add_usage(&batch).await {
            Err(error) if self.flaw == Flaw::SharedWriterIdIgnored && error.is_conflict() => Ok(()),
            said => said,
        }
    }

    /// Counts the uses of each period in the notes, and writes alerts that are not due.
    async fn count_windows(&self, batch: &mut UsageBatch) -> Result<(), StoreError> {
        let (sent, at) = ((batch.writer, batch.as_last()), batch.at);
        if let Some((_, added)) = self.notes().added.iter().find(|(known, _)| *known == sent) {
            *batch = added.clone();
            return Ok(());
        }
        for delta in &mut batch.deltas {
            let Some(alert) = delta.alert else { continue };
            let start = alert.window_start(delta.last_used_at);
            let window = (delta.key, delta.kind == UseKind::Refused, start);
            let (before, newer) = {
                let notes = self.notes();
                let is_newer = |known: &&Window| {
                    (known.0, known.1) == (window.0, window.1) && known.2 > window.2
                };
                let newer = notes.windows.keys().filter(is_newer).count();
                (notes.windows.get(&window).copied().unwrap_or_default(), newer)
            };
            if self.flaw == Flaw::AlertsDecidedBefore {
                yield_now().await;
            }
            let uses = before + delta.uses;
            self.notes().windows.insert(window, uses);
            let is_told = match self.flaw {
                Flaw::AlertsRepeated => before > alert.uses(),
                Flaw::WindowsReopened => newer > 1 && delta.uses > alert.uses(),
                Flaw::AlertsDecidedBefore => before <= alert.uses() && uses > alert.uses(),
                _ => false,
            };
            if is_told && let Some(record) = self.record(&delta.key).await? {
                let due = AlertDue { kind: delta.kind, alert, window_starts_at: start, uses };
                let events = vec![Event::of_alert(record.key(), &due, at)];
                let tenant = record.key().tenant.clone();
                self.inner.commit(Batch { events, ..Batch::of(tenant) }).await?;
            }
            let is_late = self.flaw == Flaw::LateUsesInNoWindow && newer > 0;
            if is_late || self.flaw == Flaw::AlertsDecidedBefore {
                delta.alert = None;
            }
        }
        self.notes().added.push((sent, batch.clone()));
        Ok(())
    }
}
