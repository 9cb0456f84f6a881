//! Who tries a store: where the store comes from, and how its futures are run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::run::block_on;
use crate::store::KeyStore;

/// What the suite needs of whoever tries a store: the store, and how its futures are run.
///
/// A function that makes a store is a host, and its futures are run by [`block_on`]. A store that needs a
/// runtime has a host that says so:
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
    /// A store to try. Others may use it at the same time, and it may hold what they wrote.
    fn store(&self) -> Arc<dyn KeyStore>;

    /// Runs a future to its end. Called by several threads at once.
    fn run(&self, future: Running<'_>);
}

/// What a [`Host`] runs.
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
