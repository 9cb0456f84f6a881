//! Stores that can be moved: they tell everything that is in them, and can be told to stand still.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::image::{Image, MoveStage};
use super::{KeyStore, StoreError};

/// A store whose keys can be moved into another: made of a [`MemoryStore`](super::MemoryStore) or a
/// [`FileStore`](super::FileStore), which go on being used meanwhile.
#[derive(Clone)]
pub struct MoveSource(pub(in crate::store) Arc<dyn Tells>);

impl fmt::Debug for MoveSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
pub(in crate::store) trait Tells: KeyStore {
    fn image(&self) -> Result<&Image, StoreError>;

    /// After this returns nothing is written any more, until another stage is set. Tells the stage before, for a move
    /// that is given up.
    async fn stand_still(&self) -> Result<MoveStage, StoreError>;

    /// Passes on the uses that are still counted here.
    fn hand_over(&self, successor: Arc<dyn KeyStore>) {
        self.set_move(MoveStage::MovedTo(successor));
    }

    /// Also of a store that is closed.
    fn set_move(&self, stage: MoveStage);
}
