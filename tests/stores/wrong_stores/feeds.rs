//! Stores whose batches cross tenants, and stores with a wrong feed of changes.

use futures_lite::future::yield_now;
use keywright::TenantId;
use keywright::store::{Batch, Change, Changes, KeyStore, Marker, StoreError, Subject};

use super::flaws::Flaw;
use super::store::Wrong;

/// A commit in the feed of a store that numbers its commits itself.
#[derive(Debug)]
pub(super) struct Told {
    subjects: Vec<Subject>,
    is_written: bool,
}

impl Wrong {
    /// Commits the parts of a batch that belong to other tenants, each in a batch of its tenant.
    pub(super) async fn commit_abroad(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let home = batch.tenant.clone();
        let mut abroad = Vec::new();
        for change in std::mem::take(&mut batch.changes) {
            let tenant = match (self.flaw, &change) {
                (Flaw::KeysOfAnyTenantChanged, _) => self.tenant_of(&change).await?,
                _ => named(&change).cloned(),
            };
            match tenant.filter(|tenant| *tenant != home) {
                Some(tenant) => abroad.push(Batch { changes: vec![change], ..Batch::of(tenant) }),
                None => batch.changes.push(change),
            }
        }
        if self.flaw == Flaw::BatchOfManyTenants {
            for event in batch.events.extract_if(.., |event| event.tenant != home) {
                abroad.push(Batch { events: vec![event.clone()], ..Batch::of(event.tenant) });
            }
        }
        for batch in abroad {
            self.inner.commit(batch).await?;
        }
        Ok(())
    }

    /// Returns the tenant of the key that a change names by its id.
    async fn tenant_of(&self, change: &Change) -> Result<Option<TenantId>, StoreError> {
        let (Change::RevokeKey { key, .. } | Change::DeleteKey(key)) = change else {
            return Ok(None);
        };
        Ok(self.record(key).await?.map(|record| record.key().tenant.clone()))
    }

    /// Commits a batch that the feed tells before it is written, or under a number that it takes
    /// before.
    pub(super) async fn commit_fed(&self, batch: Batch) -> Result<(), StoreError> {
        let subjects = batch.changes.iter().map(Change::subject).collect();
        let number = {
            let mut notes = self.notes();
            notes.feed.push(Told { subjects, is_written: false });
            notes.feed.len() - 1
        };
        for _ in self.count_call() % 5..5 {
            yield_now().await;
        }
        self.inner.commit(batch).await?;
        self.notes().feed[number].is_written = true;
        Ok(())
    }

    pub(super) async fn changes_wrongly(&self, since: &Marker) -> Result<Changes, StoreError> {
        let mut changes = self.inner.changes(since).await?;
        match self.flaw {
            Flaw::ChangesForgetPolicies => {
                retain(&mut changes, |subject| !matches!(subject, Subject::Policy(_)));
            }
            Flaw::ChangesForgetUsers => {
                retain(&mut changes, |subject| !matches!(subject, Subject::User(..)));
            }
            Flaw::MarkerRunsAhead => {
                yield_now().await;
                changes.at = self.inner.changes(since).await?.at;
            }
            Flaw::ForeignMarkerBelieved if changes.touched.is_none() => {
                changes = Changes { touched: Some(Vec::new()), has_lost: false, ..changes };
            }
            Flaw::LossesInvented => changes.has_lost = true,
            Flaw::ToldBeforeWritten | Flaw::NumberedBeforeWritten => {
                return Ok(self.fed(since));
            }
            _ => {}
        }
        Ok(changes)
    }

    fn fed(&self, since: &Marker) -> Changes {
        let is_seen = |told: &&Told| told.is_written || self.flaw == Flaw::ToldBeforeWritten;
        let notes = self.notes();
        let written = notes.feed.iter().rposition(|told| is_seen(&told));
        let end = written.map_or(0, |last| last + 1);
        let known = if since.as_bytes().is_empty() {
            Some(0)
        } else {
            since.as_bytes().try_into().ok().map(usize::from_be_bytes)
        };
        let newer = known.filter(|known| *known <= end).map(|known| &notes.feed[known..end]);
        let touched = newer.map(|newer| {
            let told = newer.iter().filter(is_seen);
            told.flat_map(|told| told.subjects.clone()).collect()
        });
        Changes { at: Marker::new(end.to_be_bytes()), touched, has_lost: false }
    }
}

fn retain(changes: &mut Changes, keep: impl Fn(&Subject) -> bool) {
    if let Some(touched) = &mut changes.touched {
        touched.retain(keep);
    }
}

/// Returns the tenant that a change names.
fn named(change: &Change) -> Option<&TenantId> {
    match change {
        Change::InsertKey(record) | Change::UpdateKey(record) => Some(&record.key().tenant),
        Change::InsertAccount(account) | Change::UpdateAccount(account) => Some(&account.tenant),
        Change::PutUser(user) => Some(&user.tenant),
        Change::PutPolicy { tenant, .. } | Change::ForgetEvents { tenant, .. } => Some(tenant),
        _ => None,
    }
}
