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

impl TransferSource {
    /// Returns whether both are clones of one store.
    pub(super) fn is(&self, other: &Self) -> bool {
        let states = self.0.state().ok().zip(other.0.state().ok());
        states.is_some_and(|(one, other)| std::ptr::eq(one, other))
    }
}

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

    /// Returns the place to which the keys were moved, if the store records one.
    fn moved_to(&self) -> Option<String>;

    /// Records the place to which the keys were moved, or forgets it. Returns when this is as durable
    /// as the store is.
    async fn set_moved_to(&self, place: Option<String>) -> Result<(), StoreError>;
}

/// A paused source, and its stage before. On drop, the source returns to that stage, so a store
/// that was transferred before takes no changes again.
pub(super) struct Pause(Option<(TransferSource, Stage)>);

impl Pause {
    pub(super) async fn of(source: &TransferSource) -> Result<Self, StoreError> {
        let before = source.0.pause().await?;
        Ok(Self(Some((source.clone(), before))))
    }

    /// Keeps the source paused on drop. Returns its stage before.
    pub(super) fn keep(mut self) -> Stage {
        self.0.take().map(|(_, before)| before).unwrap_or_default()
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if let Some((source, before)) = self.0.take() {
            source.0.set_stage(before);
        }
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

    fn moved_to(&self) -> Option<String> {
        None
    }

    async fn set_moved_to(&self, _: Option<String>) -> Result<(), StoreError> {
        Ok(())
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

    fn moved_to(&self) -> Option<String> {
        Self::moved_to(self)
    }

    async fn set_moved_to(&self, place: Option<String>) -> Result<(), StoreError> {
        Self::set_moved_to(self, place).await
    }
}
