//! The state of a cache, for health checks.

/// The state of a [`CachedStore`](super::CachedStore): whether it answers from memory, and if not, why.
///
/// ```
/// use keywright::store::{CacheOptions, CacheState, CachedStore, MemoryStore};
///
/// let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
/// assert_eq!(cache.state(), CacheState::Starting); // until the first refresh
/// # Ok::<(), keywright::store::CacheOptionsError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CacheState {
    /// The cache was created less than [`max_staleness`](super::CacheOptions::max_staleness) ago and has
    /// not been refreshed yet. Every read goes to the store.
    Starting,
    /// The last refresh is recent enough. The cache answers from memory for keys that it has read
    /// before.
    Fresh,
    /// The store has not answered the refresh task within
    /// [`max_staleness`](super::CacheOptions::max_staleness), because it is down or too slow. While it
    /// is down, keys cannot be checked.
    StoreUnreachable,
    /// **No task refreshes the cache.** Answers are correct, but every read goes to the store. Call
    /// [`Keywright::start`](crate::Keywright::start).
    NotRefreshed,
}
