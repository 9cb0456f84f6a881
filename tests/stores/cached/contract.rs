//! The store contract on a cache that sees only its own changes during a rule, and on one that syncs
//! every few milliseconds.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use keywright::store::conformance::{Host, Running};
use keywright::store::{CacheOptions, CachedStore, KeyStore, MemoryStore};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

struct Cached(CachedStore);

impl Cached {
    /// Starts a cache with its refresh task.
    fn new(max_staleness: Duration) -> Self {
        let options = CacheOptions::new().max_staleness(max_staleness);
        let cache = CachedStore::new(MemoryStore::new(), options);
        let cache = cache.expect("options that are possible");
        // A sync at once, so that the cache has a lease during the rule.
        RUNTIME.block_on(cache.sync()).expect("the store is up");
        RUNTIME.spawn(cache.refresh_task());
        Self(cache)
    }
}

impl Host for Cached {
    fn store(&self) -> Arc<dyn KeyStore> {
        Arc::new(self.0.clone())
    }

    fn run(&self, future: Running<'_>) {
        RUNTIME.block_on(future);
    }
}

mod own_changes {
    use super::{Cached, Duration};

    keywright::store_conformance!(Cached::new(Duration::from_hours(1)));
}

mod many_syncs {
    use super::{Cached, Duration};

    keywright::store_conformance!(Cached::new(Duration::from_millis(10)));
}
