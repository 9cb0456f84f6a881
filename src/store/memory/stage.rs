//! The stage of a store in a transfer: whether its state takes changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::KeyStore;
use crate::store::error::StoreError;

/// The stage of a store in a transfer to another store.
#[derive(Default)]
pub(in crate::store) enum Stage {
    /// The store takes changes. A transfer may already be copying.
    #[default]
    TakesChanges,
    /// The store takes no changes, so that the transfer can copy the last of them.
    Paused,
    /// The transfer has ended. The store takes no changes.
    Transferred {
        /// The store that takes the usage that is still counted here.
        to: Arc<dyn KeyStore>,
        /// The name of the place of that store.
        place: Arc<str>,
    },
}

#[derive(Default)]
pub(in crate::store) struct StageCell(Mutex<Stage>);

impl StageCell {
    /// Pauses changes, and returns the stage before.
    ///
    /// Only one transfer can pause the store at a time. If two did, the end of one would resume
    /// changes while the other still copies.
    pub(in crate::store) fn pause(&self) -> Result<Stage, StoreError> {
        let mut stage = self.lock();
        if matches!(*stage, Stage::Paused) {
            return Err(StoreError::unavailable(
                "another transfer of this store is in its last step: wait until it has ended",
            ));
        }
        Ok(std::mem::replace(&mut *stage, Stage::Paused))
    }

    /// Sets the stage. A paused store plans no changes; the caller excludes writers that have
    /// planned a change and not applied it yet.
    pub(in crate::store) fn set(&self, stage: Stage) {
        *self.lock() = stage;
    }

    /// Takes changes again if the store was transferred to this place.
    pub(in crate::store) fn take_back_from(&self, place: &str) {
        let mut stage = self.lock();
        if matches!(&*stage, Stage::Transferred { place: other, .. } if **other == *place) {
            *stage = Stage::TakesChanges;
        }
    }

    /// Returns the store to which this one was transferred. It takes the usage that is still
    /// counted here.
    pub(in crate::store) fn successor(&self) -> Option<Arc<dyn KeyStore>> {
        match &*self.lock() {
            Stage::Transferred { to, .. } => Some(Arc::clone(to)),
            Stage::TakesChanges | Stage::Paused => None,
        }
    }

    /// Refuses a change while the store is paused or after it was transferred.
    pub(in crate::store) fn must_take_changes(&self) -> Result<(), StoreError> {
        match &*self.lock() {
            Stage::TakesChanges => Ok(()),
            Stage::Paused => Err(StoreError::unavailable(
                "the store is being transferred and takes no changes: try again when the transfer has ended",
            )),
            Stage::Transferred { place, .. } => Err(StoreError::unavailable(format!(
                "the store was transferred to {place} and takes no changes: use the store there"
            ))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        // The stage is replaced in one step, so a panic cannot leave it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
