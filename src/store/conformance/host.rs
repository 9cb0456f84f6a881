//! The host of the suite, which supplies the store and runs its futures.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::run::block_on;
use crate::store::KeyStore;

/// The host of the suite: it supplies the store and runs its futures.
///
/// A function that creates a store is a host; its futures run in [`block_on`]. For a store that needs a
/// runtime, implement the trait:
///
/// ```
/// use std::sync::Arc;
///
/// use keywright::store::conformance::{Host, Running};
/// use keywright::store::{KeyStore, MemoryStore};
///
/// struct OnTokio {
///     runtime: tokio::runtime::Runtime,
///     store: MemoryStore,
/// }
///
/// impl Host for OnTokio {
///     fn store(&self) -> Arc<dyn KeyStore> {
///         Arc::new(self.store.clone())
///     }
///
///     fn run(&self, future: Running<'_>) {
///         self.runtime.block_on(future);
///     }
/// }
/// ```
pub trait Host: Sync {
    /// Returns a store to check.
    ///
    /// Other rules may use it at the same time, and it may hold their records.
    fn store(&self) -> Arc<dyn KeyStore>;

    /// Runs a future to completion.
    ///
    /// Several threads may call this at the same time.
    fn run(&self, future: Running<'_>);
}

/// A future that a [`Host`] runs.
///
/// ```
/// use keywright::store::conformance::{Running, block_on};
///
/// let mut has_run = false;
/// let future: Running<'_> = Box::pin(async { has_run = true });
/// block_on(future);
/// assert!(has_run);
/// ```
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl<F, S> Host for F
where
    F: Fn() -> S + Sync,
    S: KeyStore,
{
    fn store(&self) -> Arc<dyn KeyStore> {
        Arc::new(self())
    }

    fn run(&self, future: Running<'_>) {
        block_on(future);
    }
}
