//! Hints that the store may have changed.

use std::future::pending;

use async_trait::async_trait;

/// A source of hints that the store may have changed.
///
/// Each hint makes the cache ask the store at once. A hint may be wrong, late, lost or repeated: the
/// bound on staleness does not depend on hints. With the feature `postgres`, `PostgresHints` listens to
/// the database server. This source passes on the messages of a channel:
///
/// ```
/// use keywright::store::{CacheOptions, CachedStore, ChangeHints, MemoryStore, async_trait};
/// use tokio::sync::mpsc;
///
/// struct Messages(mpsc::Receiver<()>);
///
/// #[async_trait]
/// impl ChangeHints for Messages {
///     async fn next(&mut self) {
///         if self.0.recv().await.is_none() {
///             std::future::pending().await // the channel is closed: no more hints
///         }
///     }
/// }
///
/// let (sender, receiver) = mpsc::channel(1);
/// let cache = CachedStore::with_hints(MemoryStore::new(), CacheOptions::new(), Messages(receiver))?;
/// # drop((sender, cache));
/// # Ok::<(), keywright::store::CacheOptionsError>(())
/// ```
#[async_trait]
pub trait ChangeHints: Send + 'static {
    /// Waits for the next hint.
    ///
    /// A source without further hints waits forever.
    ///
    /// # Cancel safety
    /// The cache drops the future when the next refresh is due. A dropped future may lose hints, but the
    /// next call must work.
    async fn next(&mut self);
}

/// A source that never gives a hint.
pub(super) struct NoHints;

#[async_trait]
impl ChangeHints for NoHints {
    async fn next(&mut self) {
        pending::<()>().await;
    }
}
