//! The contract of a store, on a cache that knows of its own changes alone and on one that is told of
//! all in no time.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use keywright::store::conformance::{Host, Running};
use keywright::store::{CacheOptions, CachedStore, KeyStore, MemoryStore};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

struct Cached(CachedStore);

impl Cached {
    /// A cache with its refresh task.
    fn new(max_staleness: Duration) -> Self {
        let options = CacheOptions::new().max_staleness(max_staleness);
        let cache = CachedStore::new(MemoryStore::new(), options);
        let cache = cache.expect("options that are possible");
        // Now, so that there is a lease while the rule is tried.
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
