//! Publishing metrics: the counts of checks, and the numbers of the process.

use crate::observe::{CacheGauges, Gauges, PoolGauges};
use crate::setup::Setup;
#[cfg(feature = "cached")]
use crate::store::CachedStore;
#[cfg(feature = "postgres")]
use crate::store::{PostgresStore, find_store};

impl Setup {
    /// Publishes the metrics. Without the feature `metrics` it does nothing.
    pub(crate) fn publish(&self) {
        self.counts.publish(|| {
            let (unflushed_keys, unflushed_batches) = self.usage_recorder.waiting();
            Gauges { unflushed_keys, unflushed_batches, cache: self.cache(), pool: self.pool() }
        });
    }

    #[cfg(feature = "cached")]
    fn cache(&self) -> Option<CacheGauges> {
        let ages: Vec<_> = self.caches.iter().map(CachedStore::age).collect();
        let oldest = ages.iter().max()?;
        Some(CacheGauges {
            age: if ages.contains(&None) { None } else { *oldest },
            keys: self.caches.iter().map(CachedStore::keys_kept).sum(),
            regressions: self.caches.iter().map(CachedStore::regressions).sum(),
        })
    }

    #[cfg(not(feature = "cached"))]
    #[expect(clippy::unused_self, reason = "without the feature there is no cache")]
    fn cache(&self) -> Option<CacheGauges> {
        None
    }

    #[cfg(feature = "postgres")]
    fn pool(&self) -> Option<PoolGauges> {
        let behind = self.caches.iter().map(CachedStore::behind);
        let mut stores = behind.chain([&*self.store]);
        let pool = stores.find_map(find_store::<PostgresStore>)?.pool();
        Some(PoolGauges { connections: pool.size(), idle: pool.num_idle() })
    }

    #[cfg(not(feature = "postgres"))]
    #[expect(clippy::unused_self, reason = "without the feature there is no pool")]
    fn pool(&self) -> Option<PoolGauges> {
        None
    }
}
