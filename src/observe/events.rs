//! The events of a cache that are told apart from its spans.

use std::error::Error;

/// A change of a cache that an operator should know.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only events have details"))]
pub(crate) enum CacheEvent<'e> {
    /// The store does not answer. Answers from memory end when they are too old.
    Unreachable(&'e dyn Error),
    /// The store answers again.
    Reachable,
    /// No task refreshes the cache, so every check asks the store.
    NotRefreshed,
    /// The store has lost commits, perhaps a revocation.
    LostCommits,
    /// The connection that brings hints was lost. Changes are known later, within the bound.
    #[cfg(feature = "postgres")]
    HintsLost,
    /// Hints arrive again.
    #[cfg(feature = "postgres")]
    HintsRestored,
}
