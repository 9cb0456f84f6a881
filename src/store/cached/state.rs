//! Whether a cache does its work.

/// Whether a [`CachedStore`](super::CachedStore) answers from memory now, for health checks.
///
/// ```
/// use keywright::store::{CacheOptions, CacheState, CachedStore, MemoryStore};
///
/// let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
/// assert_eq!(cache.state(), CacheState::Starting); // until the refresh task has asked once
/// # Ok::<(), keywright::store::CacheOptionsError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CacheState {
    /// Not refreshed yet, and not longer than [`max_staleness`](super::CacheOptions::max_staleness)
    /// since the cache was created. Every read goes to the store.
    Starting,
    /// The last refresh is recent enough: keys that were read before are answered from memory.
    Fresh,
    /// The store has not answered the refresh task within
    /// [`max_staleness`](super::CacheOptions::max_staleness): it is down or too slow. While it is down, keys
    /// cannot be checked.
    StoreUnreachable,
    /// **No task refreshes the cache.** Answers are right, and every read goes to the store, as if there
    /// were no cache. Call [`Keywright::start`](crate::Keywright::start).
    NotRefreshed,
}
