//! Publishing metrics: the counts of checks, and the numbers of the process.

use crate::decision::Reason;
#[cfg(feature = "metrics")]
use crate::observe::MOST_REASONS;
use crate::observe::{CacheGauges, Gauges, PoolGauges};
use crate::setup::Setup;
#[cfg(feature = "cached")]
use crate::store::CachedStore;
#[cfg(feature = "postgres")]
use crate::store::{KeyStore, MovingStore, PostgresStore, find_store};

/// Each reason has a counter.
#[cfg(feature = "metrics")]
const _: () = assert!(Reason::CODES.len() <= MOST_REASONS);

impl Setup {
    /// Publishes the metrics. Without the feature `metrics` it does nothing.
    pub(crate) fn publish(&self) {
        self.counts.publish(Reason::CODES, || {
            let (unflushed_keys, unflushed_batches) = self.usage_recorder.waiting();
            Gauges { unflushed_keys, unflushed_batches, cache: self.cache(), pool: self.pool() }
        });
    }

    #[cfg(feature = "cached")]
    fn cache(&self) -> Option<CacheGauges> {
        let caches = self.caches_in_use();
        let ages: Vec<_> = caches.iter().map(|cache| cache.age()).collect();
        let oldest = ages.iter().max()?;
        Some(CacheGauges {
            age: if ages.contains(&None) { None } else { *oldest },
            keys: caches.iter().map(|cache| cache.keys_kept()).sum(),
            regressions: caches.iter().map(|cache| cache.regressions()).sum(),
        })
    }

    #[cfg(not(feature = "cached"))]
    #[expect(clippy::unused_self, reason = "without the feature there is no cache")]
    fn cache(&self) -> Option<CacheGauges> {
        None
    }

    /// Returns the caches of this setup, and that of the store after its move.
    #[cfg(feature = "cached")]
    fn caches_in_use(&self) -> Vec<&CachedStore> {
        let caches = self.caches.iter();
        #[cfg(feature = "postgres")]
        let caches = caches.chain(self.moved_to().and_then(find_store::<CachedStore>));
        caches.collect()
    }

    /// Returns the store that has replaced the one of this setup, if it was moved.
    #[cfg(feature = "postgres")]
    fn moved_to(&self) -> Option<&dyn KeyStore> {
        find_store::<MovingStore>(&*self.store)?.new_store()
    }

    #[cfg(feature = "postgres")]
    fn pool(&self) -> Option<PoolGauges> {
        let caches = self.caches_in_use().into_iter().map(CachedStore::behind);
        let mut stores = caches.chain([&*self.store]).chain(self.moved_to());
        let pool = stores.find_map(find_store::<PostgresStore>)?.pool();
        Some(PoolGauges { connections: pool.size(), idle: pool.num_idle() })
    }

    #[cfg(not(feature = "postgres"))]
    #[expect(clippy::unused_self, reason = "without the feature there is no pool")]
    fn pool(&self) -> Option<PoolGauges> {
        None
    }
}
