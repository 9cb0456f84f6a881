//! The stores from which keys can be transferred: they export their data, and can pause changes.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::export::{Export, ExportedKey};
use crate::store::KeyStore;
use crate::store::error::StoreError;
#[cfg(feature = "file")]
use crate::store::file::FileStore;
use crate::store::memory::{Journal, MemoryStore, Stage, StageCell, Touched};
use crate::value::id::KeyId;

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
        std::ptr::eq(self.0.stage(), other.0.stage())
    }
}

impl fmt::Debug for TransferSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
pub(super) trait Exportable: KeyStore {
    /// Returns the stage of the store, also if it is closed. It has one place in memory for all clones
    /// of the store.
    fn stage(&self) -> &StageCell;

    /// Begins a journal, which notes the rows that every later change touches.
    fn begin_journal(&self) -> Result<Journal, StoreError>;

    /// Lists all data at one moment.
    async fn export(&self) -> Result<Export, StoreError>;

    /// Takes the rows of the journal into `touched`, and lists these rows, all at one moment.
    async fn export_touched(
        &self,
        journal: &Journal,
        touched: &mut Touched,
    ) -> Result<Export, StoreError>;

    /// Returns keys with their usage as they are now, in the order of the ids.
    async fn exported_keys(&self, ids: &[KeyId]) -> Result<Vec<Option<ExportedKey>>, StoreError>;

    /// Pauses changes until another stage is set. Returns the stage before, which the transfer
    /// restores if it fails.
    ///
    /// When this method returns, no write is under way.
    async fn pause(&self) -> Result<Stage, StoreError>;

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
            source.0.stage().set(before);
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
    fn stage(&self) -> &StageCell {
        &self.state().stage
    }

    fn begin_journal(&self) -> Result<Journal, StoreError> {
        self.state().begin_journal()
    }

    async fn export(&self) -> Result<Export, StoreError> {
        self.state().export()
    }

    async fn export_touched(
        &self,
        journal: &Journal,
        touched: &mut Touched,
    ) -> Result<Export, StoreError> {
        self.state().export_touched(journal, touched)
    }

    async fn exported_keys(&self, ids: &[KeyId]) -> Result<Vec<Option<ExportedKey>>, StoreError> {
        self.state().exported_keys(ids)
    }

    async fn pause(&self) -> Result<Stage, StoreError> {
        let _turn = self.turn()?;
        self.stage().pause()
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
    fn stage(&self) -> &StageCell {
        Self::stage(self)
    }

    fn begin_journal(&self) -> Result<Journal, StoreError> {
        Self::begin_journal(self)
    }

    async fn export(&self) -> Result<Export, StoreError> {
        Self::export(self).await
    }

    async fn export_touched(
        &self,
        journal: &Journal,
        touched: &mut Touched,
    ) -> Result<Export, StoreError> {
        Self::export_touched(self, journal, touched).await
    }

    async fn exported_keys(&self, ids: &[KeyId]) -> Result<Vec<Option<ExportedKey>>, StoreError> {
        Self::exported_keys(self, ids).await
    }

    async fn pause(&self) -> Result<Stage, StoreError> {
        Self::pause(self).await
    }

    fn moved_to(&self) -> Option<String> {
        Self::moved_to(self)
    }

    async fn set_moved_to(&self, place: Option<String>) -> Result<(), StoreError> {
        Self::set_moved_to(self, place).await
    }
}
