//! Whether a state takes changes: it may stand still, or have been transferred to another store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::KeyStore;
use crate::store::error::StoreError;

/// Where a store stands in a transfer to another one.
#[derive(Default)]
pub(in crate::store) enum Stage {
    #[default]
    TakesChanges,
    /// It takes no changes, so that the last of it can be copied.
    StandsStill,
    MovedTo(Arc<dyn KeyStore>),
}

#[derive(Default)]
pub(in crate::store) struct StageCell(Mutex<Stage>);

impl StageCell {
    /// Notes that the store stands still, and returns the stage before. There is one such transfer at a time: when
    /// another one ended, the store would go on under this one.
    pub(in crate::store) fn stand_still(&self) -> Result<Stage, StoreError> {
        let mut stage = self.lock();
        if matches!(*stage, Stage::StandsStill) {
            return Err(StoreError::unavailable(
                "another move of this store is in its last step: wait until it has ended",
            ));
        }
        Ok(std::mem::replace(&mut *stage, Stage::StandsStill))
    }

    /// Sets the stage. While the store stands still nothing is planned; the caller keeps out whoever has planned and not
    /// yet applied.
    pub(in crate::store) fn set(&self, stage: Stage) {
        *self.lock() = stage;
    }

    /// The store that this one was transferred to, which takes the uses that are still counted here.
    pub(in crate::store) fn successor(&self) -> Option<Arc<dyn KeyStore>> {
        match &*self.lock() {
            Stage::MovedTo(store) => Some(Arc::clone(store)),
            Stage::TakesChanges | Stage::StandsStill => None,
        }
    }

    pub(super) fn must_take_changes(&self) -> Result<(), StoreError> {
        match &*self.lock() {
            Stage::TakesChanges => Ok(()),
            Stage::StandsStill => Err(StoreError::unavailable(
                "the store is being moved and takes no changes: try again when the move has ended",
            )),
            Stage::MovedTo(_) => Err(StoreError::unavailable(
                "the store was moved and takes no changes any more: use the one that it was moved to",
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        // A stage is set in one step: a panic elsewhere leaves no half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
