//! The contract of a store, on PostgreSQL: each rule in tenants of its own, all in one database.

use std::sync::{Arc, OnceLock};

use keywright::store::conformance::{Host, Running};
use keywright::store::{CacheOptions, CachedStore, KeyStore, MemoryStore, PostgresStore};
use tokio::runtime::Runtime;

use common::database::Server;

/// What all rules share.
pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) store: PostgresStore,
    cached: CachedStore,
}

pub(crate) fn shared() -> Option<&'static Shared> {
    static SHARED: OnceLock<Option<Shared>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            let server = Server::shared()?;
            let runtime = Runtime::new().expect("a runtime");
            let store = runtime.block_on(async {
                server.create("contract").await;
                PostgresStore::open(server.pool("contract", 40).await).await.expect("a store")
            });
            let cached = CachedStore::new(store.clone(), CacheOptions::new()).expect("a cache");
            runtime.spawn(cached.keeper());
            Some(Shared { runtime, store, cached })
        })
        .as_ref()
}

/// Says so where there is no server, which in CI is a failure before this.
fn run(future: Running<'_>) {
    if let Some(shared) = shared() {
        shared.runtime.block_on(future);
    }
}

fn store(store: impl FnOnce(&Shared) -> Arc<dyn KeyStore>) -> Arc<dyn KeyStore> {
    // Where there is no server nothing is run on it.
    shared().map_or_else(|| Arc::new(MemoryStore::new()), store)
}

mod postgres {
    use super::*;

    struct Direct;

    impl Host for Direct {
        fn store(&self) -> Arc<dyn KeyStore> {
            store(|shared| Arc::new(shared.store.clone()))
        }

        fn run(&self, future: Running<'_>) {
            run(future);
        }
    }

    keywright::store_conformance!(Direct);
}

mod cached {
    use super::*;

    struct Cached;

    impl Host for Cached {
        fn store(&self) -> Arc<dyn KeyStore> {
            store(|shared| Arc::new(shared.cached.clone()))
        }

        fn run(&self, future: Running<'_>) {
            run(future);
        }
    }

    keywright::store_conformance!(Cached);
}
