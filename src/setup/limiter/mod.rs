//! The rate limiter of a process: one bucket for each key, and one for all keys of an owner.
//!
//! [`bucket`] holds the rule of one bucket, and `rates_in_force` the rates that apply to a key.

mod bucket;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState as FastState;

use crate::record::key::{Key, Owner};
use crate::record::rates_in_force::RatesInForce;
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

use self::bucket::{Bucket, Limit};

/// The spent uses of keys and owners. Only a key with a rate has a bucket.
pub(crate) struct Limiter {
    // Key ids are random, so no caller can choose ids that collide.
    keys: Buckets<KeyId, FastState>,
    owners: Buckets<(TenantId, Owner), RandomState>,
}

/// The question whether the rates of a key admit one request. It takes at most one use, however often
/// it is asked.
pub(crate) struct Admission<'a> {
    limiter: &'a Limiter,
    now: Timestamp,
    answer: OnceCell<Result<(), Duration>>,
}

/// Buckets in shards, each with its own lock.
struct Buckets<K, S> {
    shards: Box<[Mutex<Shard<K, S>>]>,
    hasher: S,
}

struct Shard<K, S> {
    buckets: HashMap<K, Bucket, S>,
    /// The number of buckets at which the rested ones are dropped.
    sweep_at: usize,
}

const SHARDS: usize = 64;
const SMALLEST_SWEEP: usize = 1_024;

impl Limiter {
    pub(crate) fn new() -> Self {
        Self { keys: Buckets::new(), owners: Buckets::new() }
    }

    /// Takes one use of `key`, or returns the time to wait for one.
    ///
    /// The use is taken from all its buckets or from none.
    pub(crate) fn admit(
        &self,
        key: &Key,
        rates: RatesInForce,
        now: Timestamp,
    ) -> Result<(), Duration> {
        // Always the lock of the key before that of the owner, so that no deadlock is possible.
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
            // The longer wait, so that the caller does not have to wait a second time.
            (Err(one), Err(other)) => Err(one.max(other)),
            (Err(wait), Ok(_)) | (Ok(_), Err(wait)) => Err(wait),
        }
    }
}

impl<'a> Admission<'a> {
    pub(crate) fn new(limiter: &'a Limiter, now: Timestamp) -> Self {
        Self { limiter, now, answer: OnceCell::new() }
    }

    /// Takes one use of `key` if this is the first call, and repeats its answer otherwise.
    pub(crate) fn ask(&self, key: &Key, rates: RatesInForce) -> Result<(), Duration> {
        *self.answer.get_or_init(|| self.limiter.admit(key, rates, self.now))
    }
}

impl<K: Eq + Hash, S: BuildHasher + Default> Buckets<K, S> {
    fn new() -> Self {
        let shard = || Mutex::new(Shard { buckets: HashMap::default(), sweep_at: SMALLEST_SWEEP });
        let shards = (0..SHARDS).map(|_| shard()).collect();
        Self { shards, hasher: S::default() }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K, S>> {
        let place = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        // After a panic, one number of one key may be stale. Denying every request would not repair
        // it.
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, S: BuildHasher> Shard<K, S> {
    /// Returns the bucket of a key or owner, adjusted to its limit and the clock.
    fn bucket(&mut self, whose: K, limit: Limit, clock: Timestamp) -> &mut Bucket {
        self.sweep(clock);
        let bucket = self.buckets.entry(whose).or_insert_with(|| Bucket::rested(limit, clock));
        *bucket = bucket.at(limit, clock);
        bucket
    }

    /// Drops the rested buckets when their number has doubled since the last sweep.
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
    use crate::record::sample;

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
    fn admission_takes_one_use() {
        let (limiter, key) = (Limiter::new(), sample::key());
        let rates = RatesInForce { key: "2/60s".parse().expect("a rate"), owner: None };
        let ask_twice = || {
            let admission = Admission::new(&limiter, at(0));
            let answers = [admission.ask(&key, rates), admission.ask(&key, rates)];
            assert_eq!(answers[0], answers[1]);
            answers[0]
        };
        assert_eq!([ask_twice(), ask_twice()], [Ok(()), Ok(())]);
        assert_eq!(ask_twice(), Err(Duration::from_secs(30)));
    }

    #[test]
    fn sweep_forgets_only_rested_buckets() {
        let buckets = Buckets::<_, FastState>::new();
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
