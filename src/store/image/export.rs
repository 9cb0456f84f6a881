//! Everything that is in an image, for a store that it is moved into.

use std::sync::{Arc, MutexGuard, PoisonError};

use super::{DeletedId, Image};
use crate::record::account::ServiceAccount;
use crate::record::key::KeyRecord;
use crate::record::policy::Policy;
use crate::record::usage::{LastBatch, Usage};
use crate::store::{KeyStore, StoreError};
use crate::value::id::{KeyId, TenantId};

/// What there is, each list in the order of its ids. Keys are looked up one by one.
pub(in crate::store) struct Outline {
    pub(in crate::store) keys: Vec<KeyId>,
    pub(in crate::store) accounts: Vec<Arc<ServiceAccount>>,
    pub(in crate::store) policies: Vec<(TenantId, Arc<Policy>)>,
    /// Each with its tenant and the number of the event that it is forgotten with. As a store sorts
    /// their texts: accounts come first.
    pub(in crate::store) deleted: Vec<(DeletedId, TenantId, u64)>,
    pub(in crate::store) writers: Vec<([u8; 16], LastBatch)>,
    pub(in crate::store) last_events: Vec<(TenantId, u64)>,
}

/// Where a store stands in a move into another one.
#[derive(Default)]
pub(in crate::store) enum MoveStage {
    #[default]
    NotMoved,
    /// It takes no changes, so that the last of it can be copied.
    StandsStill,
    MovedTo(Arc<dyn KeyStore>),
}

impl Image {
    pub(in crate::store) fn outline(&self) -> Result<Outline, StoreError> {
        let tables = self.read()?;
        let tenants = || tables.tenants.values();
        let keys = tenants().flat_map(|tenant| tenant.keys.iter().map(|(_, id)| *id));
        let accounts = tenants().flat_map(|tenant| tenant.accounts.values().cloned());
        let policies = tables
            .tenants
            .iter()
            .filter_map(|(id, tenant)| Some((id.clone(), tenant.policy.clone()?)));
        let deleted = tables.tenants.iter().flat_map(|(name, tenant)| {
            tenant.deleted.iter().map(|(event, id)| (*id, name.clone(), *event))
        });
        let mut outline = Outline {
            keys: keys.collect(),
            accounts: accounts.collect(),
            policies: policies.collect(),
            deleted: deleted.collect(),
            writers: tables.writers.iter().map(|(id, writer)| (*id, writer.last)).collect(),
            last_events: tables.last_events.iter().map(|(id, last)| (id.clone(), *last)).collect(),
        };
        drop(tables);
        outline.keys.sort_unstable();
        outline.accounts.sort_unstable_by_key(|account| account.id);
        outline.policies.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        outline.deleted.sort_unstable();
        outline.writers.sort_unstable_by_key(|(id, _)| *id);
        outline.last_events.sort_unstable();
        Ok(outline)
    }

    pub(in crate::store) fn key_to_move(
        &self,
        id: &KeyId,
    ) -> Result<Option<(KeyRecord, Usage)>, StoreError> {
        let tables = self.read()?;
        let record = self.index.pin().get(id).map(|entry| entry.snapshot.record().clone());
        let usage = tables.usage.get(id).copied().unwrap_or_default();
        Ok(record.map(|record| (record, usage)))
    }

    /// Notes that the store stands still, and tells the stage before. There is one such move at a time: when another one
    /// ended, the store would go on under this one.
    pub(in crate::store) fn stand_still(&self) -> Result<MoveStage, StoreError> {
        let mut stage = self.stage();
        if matches!(*stage, MoveStage::StandsStill) {
            return Err(StoreError::unavailable(
                "another move of this store is in its last step: wait until it has ended",
            ));
        }
        Ok(std::mem::replace(&mut *stage, MoveStage::StandsStill))
    }

    /// Where the store stands in a move. While it stands still nothing is planned; the caller keeps out whoever has planned
    /// and not yet applied.
    pub(in crate::store) fn set_move(&self, stage: MoveStage) {
        *self.stage() = stage;
    }

    /// The store that this one was moved into, which takes the uses that are still counted here.
    pub(in crate::store) fn successor(&self) -> Option<Arc<dyn KeyStore>> {
        match &*self.stage() {
            MoveStage::MovedTo(store) => Some(Arc::clone(store)),
            MoveStage::NotMoved | MoveStage::StandsStill => None,
        }
    }

    pub(super) fn must_not_have_moved(&self) -> Result<(), StoreError> {
        match &*self.stage() {
            MoveStage::NotMoved => Ok(()),
            MoveStage::StandsStill => Err(StoreError::unavailable(
                "the store is being moved and takes no changes: try again when the move has ended",
            )),
            MoveStage::MovedTo(_) => Err(StoreError::unavailable(
                "the store was moved and takes no changes any more: use the one that it was moved to",
            )),
        }
    }

    fn stage(&self) -> MutexGuard<'_, MoveStage> {
        // A stage is set in one step: a panic elsewhere leaves no half of one.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
