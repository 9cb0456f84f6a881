//! The stores from which keys can be transferred: they export their data, and can pause changes.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::store::KeyStore;
use crate::store::error::StoreError;
#[cfg(feature = "file")]
use crate::store::file::FileStore;
use crate::store::memory::{MemoryStore, Stage, State};

/// A store whose keys can be transferred: a [`MemoryStore`] or a
/// [`FileStore`](crate::store::FileStore).
///
/// The store stays in use during the transfer.
///
/// ```
/// use keywright::store::{MemoryStore, TransferSource};
///
/// let store = MemoryStore::new();
/// let source = TransferSource::from(store.clone());
/// ```
#[derive(Clone)]
pub struct TransferSource(pub(super) Arc<dyn Exportable>);

impl fmt::Debug for TransferSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
pub(super) trait Exportable: KeyStore {
    /// Returns the state to export.
    fn state(&self) -> Result<&State, StoreError>;

    /// Pauses changes until another stage is set. Returns the stage before, which the transfer
    /// restores if it fails.
    ///
    /// When this method returns, no write is under way.
    async fn pause(&self) -> Result<Stage, StoreError>;

    /// Sets the stage, even if the store is closed.
    fn set_stage(&self, stage: Stage);

    /// Ends the transfer: the store refuses changes and passes usage on to its successor.
    fn end_with(&self, successor: Arc<dyn KeyStore>) {
        self.set_stage(Stage::TransferredTo(successor));
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

    async fn pause(&self) -> Result<Stage, StoreError> {
        let _turn = self.turn()?;
        Self::state(self).stage.pause()
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

    async fn pause(&self) -> Result<Stage, StoreError> {
        let _turn = self.turn().await;
        Self::state(self)?.stage.pause()
    }

    fn set_stage(&self, stage: Stage) {
        self.last_state().stage.set(stage);
    }
}
