//! Stores that keys can be transferred from: they export everything that is in them, and can be told to stand still.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::store::KeyStore;
use crate::store::error::StoreError;
#[cfg(feature = "file")]
use crate::store::file::FileStore;
use crate::store::memory::{MemoryStore, Stage, State};

/// A store whose keys can be transferred to another: made of a [`MemoryStore`] or a
/// [`FileStore`](crate::store::FileStore), which go on being used meanwhile.
#[derive(Clone)]
pub struct TransferSource(pub(super) Arc<dyn Exportable>);

impl fmt::Debug for TransferSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
pub(super) trait Exportable: KeyStore {
    fn state(&self) -> Result<&State, StoreError>;

    /// After this returns nothing is written any more, until another stage is set. Returns the stage before, for a
    /// transfer that is given up.
    async fn stand_still(&self) -> Result<Stage, StoreError>;

    /// Sets the stage, of a store that is closed too.
    fn set_stage(&self, stage: Stage);

    /// Passes on the uses that are still counted here.
    fn hand_over(&self, successor: Arc<dyn KeyStore>) {
        self.set_stage(Stage::MovedTo(successor));
    }
}

impl From<MemoryStore> for TransferSource {
    fn from(store: MemoryStore) -> Self {
        Self(Arc::new(store))
    }
}

#[async_trait]
impl Exportable for MemoryStore {
    fn state(&self) -> Result<&State, StoreError> {
        Ok(Self::state(self))
    }

    async fn stand_still(&self) -> Result<Stage, StoreError> {
        let _turn = self.turn()?;
        Self::state(self).stage.stand_still()
    }

    fn set_stage(&self, stage: Stage) {
        Self::state(self).stage.set(stage);
    }
}

#[cfg(feature = "file")]
impl From<FileStore> for TransferSource {
    fn from(store: FileStore) -> Self {
        Self(Arc::new(store))
    }
}

#[cfg(feature = "file")]
#[async_trait]
impl Exportable for FileStore {
    fn state(&self) -> Result<&State, StoreError> {
        Self::state(self)
    }

    async fn stand_still(&self) -> Result<Stage, StoreError> {
        let _turn = self.turn().await;
        Self::state(self)?.stage.stand_still()
    }

    fn set_stage(&self, stage: Stage) {
        self.last_state().stage.set(stage);
    }
}
