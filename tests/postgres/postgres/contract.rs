//! The store contract on PostgreSQL: each rule uses its own tenants, all in one database.

use std::sync::{Arc, LazyLock};

use keywright::store::conformance::{Host, RULES, Running};
use keywright::store::{CacheOptions, CachedStore, KeyStore, PostgresStore};
use tokio::runtime::Runtime;

use common::Trial;
use common::database::Server;
use common::needs::Need;
use common::suite::trial;

use crate::pooler::Pooled;

/// State that all rules share.
struct Shared {
    runtime: Runtime,
    store: PostgresStore,
    cached: CachedStore,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let store = runtime.block_on(async {
        let server = Server::shared();
        server.create("contract").await;
        PostgresStore::open(server.pool("contract", 40).await).await.expect("a store")
    });
    let cached = CachedStore::new(store.clone(), CacheOptions::new()).expect("a cache");
    runtime.spawn(cached.refresh_task());
    Shared { runtime, store, cached }
});

struct Direct;

impl Host for Direct {
    fn store(&self) -> Arc<dyn KeyStore> {
        Arc::new(SHARED.store.clone())
    }

    fn run(&self, future: Running<'_>) {
        SHARED.runtime.block_on(future);
    }
}

struct Cached;

impl Host for Cached {
    fn store(&self) -> Arc<dyn KeyStore> {
        Arc::new(SHARED.cached.clone())
    }

    fn run(&self, future: Running<'_>) {
        SHARED.runtime.block_on(future);
    }
}

/// Returns a trial for each rule on each of the three hosts.
pub(crate) fn trials() -> Vec<Trial> {
    let of = |name: &str, needs: &'static [Need], host: &'static (dyn Host + Send)| {
        let trials = RULES.iter().map(move |rule| {
            trial(format!("contract::{name}::{}", rule.name), needs, || (rule.check)(host))
        });
        trials.collect::<Vec<_>>()
    };
    let postgres = of("postgres", &[Need::Postgres], &Direct);
    let cached = of("cached", &[Need::Postgres], &Cached);
    let pooled = of("pooled", &[Need::Postgres, Need::PgBouncer], &Pooled);
    [postgres, cached, pooled].into_iter().flatten().collect()
}
