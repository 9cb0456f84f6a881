//! The commits of a store with one flaw.

use std::collections::HashSet;

use futures_lite::future::yield_now;
use keywright::store::{
    Batch, Change, Condition, EventQuery, Freshness, KeyQuery, KeyRecord, KeySort, KeyStore,
    StoreError, StoreErrorKind,
};
use keywright::{KeyId, KeyStatus, Owner};

use super::flaws::Flaw;
use super::store::{Wrong, with};

impl Wrong {
    #[expect(clippy::too_many_lines, reason = "the match has an arm for each flaw")]
    pub(super) async fn commit_wrongly(&self, mut batch: Batch) -> Result<(), StoreError> {
        let tenant = batch.tenant.clone();
        match self.flaw {
            Flaw::InsertReplaces => self.replace(&mut batch).await?,
            Flaw::ForgetsNothing => batch.changes.retain(|change| !is_forget(change)),
            Flaw::ForgetsOneMore => {
                for change in &mut batch.changes {
                    if let Change::ForgetEvents { through, .. } = change {
                        *through = through.saturating_add(1);
                    }
                }
            }
            Flaw::NewestForgotten => self.hide_newest(&batch).await?,
            Flaw::DeletedIdFreeEarly if batch.changes.iter().any(is_forget) => {
                self.notes().has_forgotten = true;
            }
            Flaw::DeletedIdFreeEarly if !self.notes().has_forgotten => {}
            Flaw::DeletedIdIsFree | Flaw::DeletedIdFreeEarly => {
                let notes = self.notes();
                batch.changes.retain(|change| {
                    !matches!(change, Change::InsertKey(k) if notes.deleted.contains_key(k.id()))
                });
            }
            Flaw::PolicyVersionIgnored => {
                batch.conditions.retain(|c| !matches!(c, Condition::PolicyVersion { .. }));
            }
            Flaw::AccountVersionIgnored => {
                batch.conditions.retain(|c| !matches!(c, Condition::AccountVersion { .. }));
            }
            Flaw::KeyOwnerIgnored => {
                batch.conditions.retain(|c| !matches!(c, Condition::KeyOwner { .. }));
            }
            Flaw::UserVersionIgnored => {
                batch.conditions.retain(|c| !matches!(c, Condition::UserVersion { .. }));
            }
            Flaw::UserOverwritten
            | Flaw::NameLostOnSuspension
            | Flaw::UserOfAnyTenant
            | Flaw::DescriptionsLost => self.spoil(&mut batch).await?,
            Flaw::MovedKeyCountedBefore | Flaw::OrganizationIsUser => {
                self.miscount(&mut batch).await?;
            }
            Flaw::MovedKeysHoldAccount | Flaw::NewOwnerNotChecked => {
                self.misjudge(&mut batch).await?;
            }
            Flaw::AccountIdFreeEarly => self.free_undated(&mut batch),
            Flaw::BatchKeysTakeRoom => self.overlook_keys(&mut batch).await?,
            Flaw::LimitCountedBefore => self.count_before(&mut batch).await?,
            Flaw::LimitOneTooHigh => {
                for condition in &mut batch.conditions {
                    if let Condition::LiveKeysBelow { limit, .. } = condition {
                        *limit += 1;
                    }
                }
            }
            Flaw::RevokeOverwritten => self.overwrite_revokes(&mut batch).await?,
            Flaw::SecondRevokeMoves => self.revoke_again(&mut batch).await?,
            Flaw::VersionComparedBefore => self.compare_before(&mut batch).await?,
            Flaw::BatchOfManyTenants | Flaw::KeysOfAnyTenantChanged => {
                self.commit_abroad(&mut batch).await?;
            }
            Flaw::ToldBeforeWritten | Flaw::NumberedBeforeWritten => {
                return self.commit_fed(batch).await;
            }
            Flaw::BatchInSteps => return self.in_steps(batch).await,
            Flaw::SubjectsTwice => {
                let again = take_repeats(&mut batch);
                if !again.is_empty() {
                    self.inner.commit(batch).await?;
                    let again = Batch { changes: again, ..Batch::of(tenant) };
                    return self.inner.commit(again).await;
                }
            }
            Flaw::EventsLostOnDelete if batch.changes.iter().any(is_delete) => batch.events.clear(),
            Flaw::EventsAfterChange => {
                let events = std::mem::take(&mut batch.events);
                self.inner.commit(batch).await?;
                // The first caller reports last.
                let calls = self.count_call();
                for _ in calls % 8..8 {
                    yield_now().await;
                }
                return self.inner.commit(Batch { events, ..Batch::of(tenant) }).await;
            }
            Flaw::LockLeftBehind if self.is_locked() => {
                return Err(StoreError::unavailable("a read is in progress"));
            }
            _ => {}
        }
        self.note_deletes(&batch).await?;
        self.note_moves(&batch).await?;
        let again = batch.clone();
        let said = self.inner.commit(batch).await;
        match (self.flaw, said) {
            (Flaw::HalfABatch, Err(error)) => {
                for change in again.changes {
                    let alone = Batch { changes: vec![change], ..Batch::of(tenant.clone()) };
                    if self.inner.commit(alone).await.is_err() {
                        break;
                    }
                }
                Err(error)
            }
            (Flaw::EventsWithGaps, Err(error)) => {
                if let Some(event) = again.events.first() {
                    let newest = EventQuery::new().limit(1);
                    let newest = self.inner.events(&event.tenant, &newest).await?;
                    let last = newest.items.first().map_or(0, |event| event.sequence);
                    self.notes().gaps.push((event.tenant.clone(), last));
                }
                Err(error)
            }
            (_, said) => said,
        }
    }

    pub(super) fn count_call(&self) -> u64 {
        let mut notes = self.notes();
        notes.calls += 1;
        notes.calls
    }

    pub(super) async fn record(&self, key: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self
            .inner
            .resolve(key, Freshness::StoreDefault)
            .await?
            .map(|found| found.record().clone()))
    }

    async fn note_deletes(&self, batch: &Batch) -> Result<(), StoreError> {
        let notes_them = [Flaw::DeletedIdIsFree, Flaw::DeletedIdFreeEarly, Flaw::UsageResurrects];
        if !notes_them.contains(&self.flaw) {
            return Ok(());
        }
        for change in &batch.changes {
            let Change::DeleteKey(id) = change else { continue };
            if let Some(record) = self.record(id).await? {
                self.notes().deleted.insert(*id, record);
            }
        }
        Ok(())
    }

    async fn note_moves(&self, batch: &Batch) -> Result<(), StoreError> {
        if !matches!(self.flaw, Flaw::MovedKeyListedBefore | Flaw::MovedKeyCountedBefore) {
            return Ok(());
        }
        for change in &batch.changes {
            let Change::UpdateKey(new) = change else { continue };
            let Some(stored) = self.record(new.id()).await? else { continue };
            if stored.key().owner != new.key().owner {
                self.notes().moved.push((*new.id(), stored.key().owner.clone()));
            }
        }
        Ok(())
    }

    /// Changes the users and policies that a batch writes.
    async fn spoil(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for change in &mut batch.changes {
            match change {
                Change::PutUser(user) if self.flaw == Flaw::UserOverwritten => {
                    let stored = self.inner.user(&user.tenant, &user.id).await?;
                    user.version = stored.map_or(0, |stored| stored.version) + 1;
                }
                Change::PutUser(user) if self.flaw == Flaw::NameLostOnSuspension => {
                    user.display_name = user.display_name.take().filter(|_| !user.suspended);
                }
                Change::PutUser(user) => {
                    self.notes().users.insert(user.id.clone(), user.tenant.clone());
                }
                Change::PutPolicy { policy, .. } if self.flaw == Flaw::DescriptionsLost => {
                    let scopes = policy.plan.iter_mut().flat_map(|plan| plan.scopes.values_mut());
                    scopes.for_each(|scope| scope.description = None);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Lowers limits by keys that the owner does not have.
    async fn miscount(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for condition in &mut batch.conditions {
            let Condition::LiveKeysBelow { tenant, owner, limit, at } = condition else {
                continue;
            };
            let others = match self.flaw {
                Flaw::OrganizationIsUser if *owner == Owner::Organization => {
                    let namesake = Owner::User("organization".parse().expect("a user id"));
                    self.inner.keys(tenant, &live_keys(&namesake), *at).await?.items.len()
                }
                Flaw::OrganizationIsUser => 0,
                _ => self.notes().moved.iter().filter(|(_, before)| before == owner).count(),
            };
            *limit = limit.saturating_sub(u16::try_from(others).unwrap_or(u16::MAX));
        }
        Ok(())
    }

    /// Refuses, or accepts and forgets, keys that get another owner.
    async fn misjudge(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let deletes = |id| {
            let deletes = |c: &Change| matches!(c, Change::DeleteAccount(gone) if *gone == id);
            batch.changes.iter().any(deletes)
        };
        let mut forgotten = Vec::new();
        for change in &batch.changes {
            let Change::UpdateKey(new) = change else { continue };
            let Some(stored) = self.record(new.id()).await? else { continue };
            let before = stored.key().owner.account();
            if self.flaw == Flaw::MovedKeysHoldAccount && before.is_some_and(deletes) {
                return Err(StoreError::conflict("the account owns a key"));
            }
            let Some(account) = new.key().owner.account() else { continue };
            let inserts = |c: &Change| matches!(c, Change::InsertAccount(new) if new.id == account);
            let is_there = self.inner.account(&new.key().tenant, &account).await?.is_some();
            if !is_there && !batch.changes.iter().any(inserts) {
                forgotten.push(*new.id());
            }
        }
        if self.flaw == Flaw::NewOwnerNotChecked {
            let is_kept =
                |c: &Change| !matches!(c, Change::UpdateKey(k) if forgotten.contains(k.id()));
            batch.changes.retain(is_kept);
        }
        Ok(())
    }

    async fn hide_newest(&self, batch: &Batch) -> Result<(), StoreError> {
        for change in &batch.changes {
            let Change::ForgetEvents { tenant, through } = change else { continue };
            let newest = self.inner.events(tenant, &EventQuery::new().limit(1)).await?;
            let newest = newest.items.first().map_or(0, |event| event.sequence);
            if *through >= newest {
                self.notes().hidden.push((tenant.clone(), newest));
            }
        }
        Ok(())
    }

    async fn replace(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for change in &mut batch.changes {
            let Change::InsertKey(new) = change else { continue };
            let stored = self.record(new.id()).await?;
            let Some(stored) = stored.filter(|old| old.key().tenant == new.key().tenant) else {
                continue;
            };
            *change = Change::UpdateKey(with(new, "version", stored.version() + 1));
        }
        Ok(())
    }

    async fn count_before(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for condition in &batch.conditions {
            let Condition::LiveKeysBelow { tenant, owner, limit, at } = condition else {
                continue;
            };
            let query = live_keys(owner).limit(500);
            let held = self.inner.keys(tenant, &query, *at).await?.items.len();
            if held >= usize::from(*limit) {
                return Err(StoreError::new(StoreErrorKind::LimitReached, "too many"));
            }
            yield_now().await;
        }
        batch.conditions.retain(|c| !matches!(c, Condition::LiveKeysBelow { .. }));
        Ok(())
    }

    /// Lets a batch insert an account that a batch without events deleted, once any event is forgotten.
    fn free_undated(&self, batch: &mut Batch) {
        let mut notes = self.notes();
        notes.has_forgotten |= batch.changes.iter().any(is_forget);
        for change in &batch.changes {
            if let (Change::DeleteAccount(id), true) = (change, batch.events.is_empty()) {
                notes.undated.insert(*id);
            }
        }
        batch.changes.retain(|change| {
            let is_free = |id| notes.has_forgotten && notes.undated.contains(id);
            !matches!(change, Change::InsertAccount(account) if is_free(&account.id))
        });
    }

    /// Drops a condition on live keys if the first live key of the owner is one that the batch removes.
    /// The keys that the batch writes are still checked.
    async fn overlook_keys(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let writes = |c: &Change| matches!(c, Change::InsertKey(_) | Change::UpdateKey(_));
        if batch.changes.iter().any(writes) {
            return Ok(());
        }
        let mut kept = Vec::new();
        for condition in std::mem::take(&mut batch.conditions) {
            if let Condition::NoLiveKeyLeft { tenant, owner, at } = &condition {
                let query = live_keys(owner).sort(KeySort::Expires).limit(1);
                let first = self.inner.keys(tenant, &query, *at).await?.items;
                let is_removed = |change: &Change| {
                    let (Change::RevokeKey { key, .. } | Change::DeleteKey(key)) = change else {
                        return false;
                    };
                    first.iter().any(|stored| stored.record.id() == key)
                };
                if batch.changes.iter().any(is_removed) {
                    continue;
                }
            }
            kept.push(condition);
        }
        batch.conditions = kept;
        Ok(())
    }

    async fn overwrite_revokes(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for change in &mut batch.changes {
            let Change::UpdateKey(new) = change else { continue };
            let Some(stored) = self.record(new.id()).await? else { continue };
            if stored.key().revoked_at.is_some() && new.key().revoked_at.is_none() {
                *change = Change::UpdateKey(with(new, "version", stored.version() + 1));
            }
        }
        Ok(())
    }

    async fn revoke_again(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for change in &mut batch.changes {
            let Change::RevokeKey { key, at } = change else { continue };
            let Some(stored) = self.record(key).await? else { continue };
            if stored.key().revoked_at.is_some() {
                let moved = with(&stored, "revoked_at", *at);
                *change = Change::UpdateKey(with(&moved, "version", stored.version() + 1));
            }
        }
        Ok(())
    }

    async fn compare_before(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for change in &mut batch.changes {
            let Change::UpdateKey(new) = change else { continue };
            let Some(stored) = self.record(new.id()).await? else { continue };
            if stored.version().checked_add(1) == Some(new.version()) {
                yield_now().await;
                let Some(stored) = self.record(new.id()).await? else { continue };
                *change = Change::UpdateKey(with(new, "version", stored.version() + 1));
            }
        }
        Ok(())
    }

    /// Commits the key updates of a batch one by one, so that other callers run between them.
    async fn in_steps(&self, batch: Batch) -> Result<(), StoreError> {
        let updates = |change: &Change| matches!(change, Change::UpdateKey(_));
        let all_updates = batch.changes.len() > 1 && batch.changes.iter().all(updates);
        if !all_updates {
            return self.inner.commit(batch).await;
        }
        for change in batch.changes {
            let changes = vec![change];
            self.inner.commit(Batch { changes, ..Batch::of(batch.tenant.clone()) }).await?;
            yield_now().await;
        }
        Ok(())
    }
}

fn live_keys(owner: &Owner) -> KeyQuery {
    let live = KeyStatus::ALL.into_iter().filter(|status| status.is_live());
    live.fold(KeyQuery::new().owner(owner.clone()), KeyQuery::status)
}

fn is_forget(change: &Change) -> bool {
    matches!(change, Change::ForgetEvents { .. })
}

fn is_delete(change: &Change) -> bool {
    matches!(change, Change::DeleteKey(_))
}

/// Removes and returns the changes of records that an earlier change of the batch names too.
fn take_repeats(batch: &mut Batch) -> Vec<Change> {
    let mut named = HashSet::new();
    batch.changes.extract_if(.., |change| !named.insert(change.subject())).collect()
}
