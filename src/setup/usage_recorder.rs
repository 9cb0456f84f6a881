//! The recorder of uses, which counts in memory without a write for each request.
//!
//! A snapshot brings the counter of its key, so a request finds the counter without a lookup. The
//! first use since the last flush puts the counter on a list. A flush takes the list, empties the
//! counters and sends the counts in one or more batches. If the store does not acknowledge a batch,
//! the same batch is sent again. Stores recognize a repeated batch, so nothing is lost or counted
//! twice.
//!
//! A store that makes a snapshot for each request makes as many counters. From time to time the
//! counters of each key are joined, so their number is bounded by the number of different keys.
//!
//! The verifiers of one setup share one list. Verifiers of different setups over the same store
//! share only the snapshots. The setup that has listed a counter stores the counts of all.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_lock::Mutex as AsyncMutex;
use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

use crate::record::policy::Policy;
use crate::record::snapshot::Snapshot;
use crate::record::tally::{Alerts, Counted, Tally, Uses};
use crate::store::{KeyStore, StoreError, UsageBatch, UsageDelta};
use crate::value::id::KeyId;
use crate::value::random::Random;
use crate::value::reentrancy::{Inside, Within};
use crate::value::time::Timestamp;

/// The most deltas of one batch.
const BATCH: usize = 10_000;
/// The number of lists. Each has its own lock, so requests for different keys rarely wait for each
/// other.
const SHARDS: usize = 16;
/// How often one flush draws another writer id. A second conflict in a row already means that the
/// ids are not random.
const WRITERS: u32 = 4;

/// The uses that are counted and not stored yet.
pub(crate) struct UsageRecorder {
    /// The alerts of the default policy.
    default: Alerts,
    /// The counters that were used since the last flush.
    used: [Mutex<List>; SHARDS],
    outbox: AsyncMutex<Outbox>,
}

/// The counters that were used, in the order of their first use. A key has several if its snapshot
/// was renewed.
#[derive(Default)]
struct List {
    used: Vec<Arc<Tally>>,
    /// The length at which the counters of each key are joined.
    join_at: usize,
}

impl List {
    /// The length below which counters are not joined. A list of this length is cheap even for a
    /// single key, and joining costs little for each use.
    const SHORTEST: usize = 16;

    fn push(&mut self, used: Arc<Tally>, default: &Alerts) {
        if self.used.len() >= self.join_at.max(Self::SHORTEST) {
            let before = self.used.len();
            self.used = joined(std::mem::take(&mut self.used), default);
            // If each use renews its snapshot, the list stays within 1.5 times the number of keys.
            // Otherwise there is nothing to join, and the next attempt is far away.
            let kept = self.used.len();
            self.join_at = if kept > before / 8 * 7 { kept * 4 } else { kept + kept / 2 };
        }
        self.used.push(used);
    }
}

/// Joins the counters of each key into one. The latest counter with the newest secret takes the
/// counts of the others.
fn joined(used: Vec<Arc<Tally>>, default: &Alerts) -> Vec<Arc<Tally>> {
    let mut joined: HashMap<KeyId, Arc<Tally>, RandomState> = HashMap::default();
    for tally in used {
        match joined.entry(*tally.key()) {
            Entry::Vacant(place) => {
                place.insert(tally);
            }
            Entry::Occupied(place) if place.get().is_ahead_of(&tally) => {
                place.get().absorb(&tally, default);
            }
            Entry::Occupied(mut place) => {
                tally.absorb(place.get(), default);
                place.insert(tally);
            }
        }
    }
    joined.into_values().collect()
}

#[derive(Default)]
struct Outbox {
    /// The writer id of this process, drawn at the first flush.
    writer: Option<[u8; 16]>,
    /// The number of the last batch.
    sequence: u64,
    /// Batches that the store has not acknowledged, oldest first.
    batches: VecDeque<UsageBatch>,
}

impl Drop for UsageRecorder {
    /// Releases the counters with their unflushed uses, for the next verifier of the same
    /// snapshots.
    fn drop(&mut self) {
        for shard in &mut self.used {
            let list = shard.get_mut().unwrap_or_else(PoisonError::into_inner);
            for tally in &list.used {
                tally.unlist();
            }
        }
    }
}

impl Outbox {
    /// Adds a batch at the end.
    fn push(&mut self, writer: [u8; 16], at: Timestamp, deltas: Vec<UsageDelta>) {
        self.sequence += 1;
        self.batches.push_back(UsageBatch { writer, sequence: self.sequence, at, deltas });
    }

    /// Sets another writer id, also for the batches that wait.
    fn take_writer(&mut self, writer: [u8; 16]) {
        self.writer = Some(writer);
        self.sequence = 0;
        for batch in &mut self.batches {
            self.sequence += 1;
            (batch.writer, batch.sequence) = (writer, self.sequence);
        }
    }
}

impl UsageRecorder {
    pub(crate) fn new(default_policy: &Policy) -> Self {
        Self {
            default: default_policy.into(),
            used: Default::default(),
            outbox: AsyncMutex::default(),
        }
    }

    /// Counts a use of a key.
    pub(crate) fn count(&self, snapshot: &Snapshot, counted: Counted, now: Timestamp) {
        let tally = snapshot.tally();
        if tally.count(counted, now, &self.default) {
            return;
        }
        let mut list = self.shard(tally.key());
        // Under the lock, so that a use which finds the tally listed is in the next flush.
        if !tally.mark_listed() {
            return;
        }
        list.push(Arc::clone(tally), &self.default);
    }

    /// Stores all uses that were counted before the call.
    pub(crate) async fn flush(
        &self,
        store: &dyn KeyStore,
        random: &Random,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A concurrent flush may hold the outbox and wait for the random source.
        if Inside::is(self) || Inside::is(random) {
            return Err(StoreError::unsupported(
                "flush was called from within a flush by the store or the random source, and would \
                 wait for itself; call it from elsewhere",
            ));
        }
        let mut outbox = self.outbox.lock().await;
        let writer = match outbox.writer {
            Some(writer) => writer,
            None => self.draw_writer(random)?,
        };
        outbox.writer = Some(writer);
        // The old batches first: while the store is down, new uses stay in their counters, and the
        // outbox does not grow.
        self.send(&mut outbox, store, random).await?;
        let taken = self.take();
        let writer = outbox.writer.unwrap_or(writer);
        for deltas in taken.chunks(BATCH) {
            outbox.push(writer, now, deltas.to_vec());
        }
        self.send(&mut outbox, store, random).await
    }

    async fn send(
        &self,
        outbox: &mut Outbox,
        store: &dyn KeyStore,
        random: &Random,
    ) -> Result<(), StoreError> {
        let mut writers = 0;
        while let Some(batch) = outbox.batches.front() {
            match (Within { whose: self, future: store.add_usage(batch) }).await {
                Ok(()) => {
                    outbox.batches.pop_front();
                }
                // Another process has this writer id, because the machine was cloned. Nothing was
                // added.
                Err(error) if error.is_conflict() && writers < WRITERS => {
                    writers += 1;
                    outbox.take_writer(self.draw_writer(random)?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Draws an id that no other process has.
    ///
    /// The id is not secret, and must be unique even if the random source repeats itself. So it is
    /// a hash that includes the system's source, the process id, the time and a counter.
    fn draw_writer(&self, random: &Random) -> Result<[u8; 16], StoreError> {
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let mut drawn = [[0; 16]; 2];
        {
            let _inside = Inside::enter(self);
            let failed = |error| {
                StoreError::unavailable("the random source failed; no writer id could be drawn")
                    .with_source(error)
            };
            random.fill(&mut drawn[0]).map_err(failed)?;
            Random::system().fill(&mut drawn[1]).map_err(failed)?;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let hash: [u8; 32] = Sha256::new()
            .chain_update(drawn.as_flattened())
            .chain_update(std::process::id().to_be_bytes())
            .chain_update(since.as_nanos().to_be_bytes())
            .chain_update(DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes())
            .finalize()
            .into();
        Ok(std::array::from_fn(|n| hash[n]))
    }

    /// Empties the counters of the list and returns their uses, those of each key oldest first.
    fn take(&self) -> Vec<UsageDelta> {
        let mut deltas = BTreeMap::new();
        for shard in &self.used {
            let listed = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            for tally in joined(listed.used, &self.default) {
                let key = *tally.key();
                for Uses { kind, count, last_used_at, alert } in tally.take(&self.default) {
                    let period = alert.map(|alert| {
                        (alert.window_start(last_used_at), alert.period(), alert.uses())
                    });
                    let none = UsageDelta { key, kind, uses: 0, last_used_at, alert };
                    let delta = deltas.entry((key, kind, period)).or_insert(none);
                    delta.uses = delta.uses.saturating_add(count);
                    delta.last_used_at = delta.last_used_at.max(last_used_at);
                }
            }
        }
        let mut deltas: Vec<UsageDelta> = deltas.into_values().collect();
        deltas.sort_by_key(|delta| (delta.key, delta.last_used_at));
        deltas
    }

    fn shard(&self, key: &KeyId) -> MutexGuard<'_, List> {
        // A panic cannot leave a list half changed.
        self.used[key.stripe(SHARDS)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
