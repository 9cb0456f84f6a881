//! The rate limiter of a process: one bucket for each key, and one for all keys of an owner.
//!
//! The rule of one bucket is in [`bucket`], the rates that hold are in `rates_in_force`.

mod bucket;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::record::key::{Key, Owner};
use crate::record::rates_in_force::RatesInForce;
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

use self::bucket::{Bucket, Limit};

/// The spent uses. Only keys that have a rate take a place here.
pub(crate) struct Limiter {
    keys: Buckets<KeyId>,
    owners: Buckets<(TenantId, Owner)>,
}

/// Buckets in shards, each under a lock of its own.
struct Buckets<K> {
    shards: Box<[Mutex<Shard<K>>]>,
    hasher: RandomState,
}

struct Shard<K> {
    buckets: HashMap<K, Bucket>,
    /// The size at which buckets that have rested are dropped.
    sweep_at: usize,
}

const SHARDS: usize = 64;
const SMALLEST_SWEEP: usize = 1_024;

impl Limiter {
    pub(crate) fn new() -> Self {
        Self { keys: Buckets::new(), owners: Buckets::new() }
    }

    /// Takes one use of `key`, or returns how long to wait for one. Nothing is taken unless all of
    /// its rates admit it.
    pub(crate) fn admit(
        &self,
        key: &Key,
        rates: RatesInForce,
        now: Timestamp,
    ) -> Result<(), Duration> {
        // Locks are taken in this order everywhere: a key's, then an owner's.
        let mut keys = self.keys.shard(&key.id);
        let bucket = keys.bucket(key.id, Limit::times(rates.key, 1), now);
        let spent = bucket.spend(now);
        let Some(shared) = rates.owner else {
            *bucket = spent?;
            return Ok(());
        };
        let owner = (key.tenant.clone(), key.owner.clone());
        let mut owners = self.owners.shard(&owner);
        let together = owners.bucket(owner, Limit::times(shared.rate, shared.keys), now);
        let charged = if shared.binds { together.spend(now) } else { Ok(together.charge(now)) };
        match (spent, charged) {
            (Ok(spent), Ok(charged)) => {
                (*bucket, *together) = (spent, charged);
                Ok(())
            }
            // A caller who comes back after the wait must not be told to wait again.
            (Err(one), Err(other)) => Err(one.max(other)),
            (Err(wait), Ok(_)) | (Ok(_), Err(wait)) => Err(wait),
        }
    }
}

impl<K: Eq + Hash> Buckets<K> {
    fn new() -> Self {
        let shard = || Mutex::new(Shard { buckets: HashMap::new(), sweep_at: SMALLEST_SWEEP });
        let shards = (0..SHARDS).map(|_| shard()).collect();
        Self { shards, hasher: RandomState::new() }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K>> {
        let place = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        // One number of one key may be stale after a panic elsewhere; denying would not mend it.
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Shard<K> {
    /// Returns the bucket of a key or owner, under a limit by a clock.
    fn bucket(&mut self, whose: K, limit: Limit, clock: Timestamp) -> &mut Bucket {
        self.sweep(clock);
        let bucket = self.buckets.entry(whose).or_insert_with(|| Bucket::rested(limit, clock));
        *bucket = bucket.at(limit, clock);
        bucket
    }

    /// Drops what has rested, once there are twice as many buckets as were left the last time.
    fn sweep(&mut self, clock: Timestamp) {
        if self.buckets.len() < self.sweep_at {
            return;
        }
        self.buckets.retain(|_, bucket| !bucket.has_rested(clock));
        self.sweep_at = SMALLEST_SWEEP.max(self.buckets.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_000_000_000_000_000 + micros).expect("a time")
    }

    fn id(n: i64) -> KeyId {
        format!("{n:016}").parse().expect("an id")
    }

    fn limit(rate: &str) -> Limit {
        Limit::times(rate.parse().expect("a rate"), 1)
    }

    #[test]
    fn sweep_forgets_only_rested_buckets() {
        let buckets = Buckets::new();
        let spend = |key: KeyId, rate: &str, micros: i64| {
            let mut shard = buckets.shard(&key);
            let bucket = shard.bucket(key, limit(rate), at(micros));
            bucket.spend(at(micros)).map(|spent| *bucket = spent)
        };
        for n in 0..100 {
            spend(id(n), "1/2678400s", 0).expect("a use of a fresh key");
        }
        for n in 1_000..200_000 {
            spend(id(n), "1/1s", n * 1_000).expect("a use of a fresh key");
        }
        let kept: usize =
            buckets.shards.iter().map(|s| s.lock().expect("no panic").buckets.len()).sum();
        assert!(kept <= SHARDS * (SMALLEST_SWEEP + 1), "{kept} are kept");
        for n in 0..100 {
            spend(id(n), "1/2678400s", 200_000_000).expect_err("its use is spent for a month");
        }
    }
}
