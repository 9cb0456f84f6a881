//! The recorder of uses, which counts in memory without a write for each request.
//!
//! A snapshot brings the counter of its key, so a request finds the counter without a lookup. The
//! first use since the last flush puts the snapshot on a list. A flush takes the list, empties the
//! counters and sends the counts in one or more batches. If the store does not acknowledge a batch,
//! the same batch is sent again. Stores recognize a repeated batch, so nothing is lost or counted
//! twice.
//!
//! The list holds no data of keys that the store does not hold itself. A store may make a snapshot for
//! each request: its uses are counted apart, in one small counter for each key. A snapshot that the
//! store has replaced gives its counts to that counter too, at the latest in the next flush.
//!
//! The verifiers of one setup share one list. Verifiers of different setups over the same store
//! share only the snapshots. The setup that has listed a counter stores the counts of all.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_lock::Mutex as AsyncMutex;
use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

use crate::record::alerts::Alerts;
use crate::record::policy::Policy;
use crate::record::snapshot::Snapshot;
use crate::record::tally::{Counted, Tally, Uses};
use crate::store::{KeyStore, StoreError, UsageBatch, UsageDelta};
use crate::value::id::KeyId;
use crate::value::random::Random;
use crate::value::reentrancy::{Inside, Within};
use crate::value::time::Timestamp;

/// The most deltas of one batch.
const BATCH: usize = 10_000;
/// The number of lists, one for each range of ids. Each has its own lock, so requests for different
/// keys rarely wait for each other.
const SHARDS: usize = 16;
/// The number of counters that a flush reads at once before it takes them.
const AT_ONCE: usize = 16;
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

/// The uses of some keys since the last flush.
#[derive(Default)]
struct List {
    /// The snapshots whose counters were used, with the ids of their keys. A key has several if threads
    /// use copies of its snapshot.
    used: Vec<(KeyId, Arc<Snapshot>)>,
    /// The uses of snapshots that only requests hold, or that the store has replaced.
    apart: HashMap<KeyId, Tally, RandomState>,
    /// The number of used snapshots at which replaced ones are dropped.
    drop_at: usize,
}

impl List {
    /// The number of snapshots below which replaced ones are not looked for.
    const SHORTEST: usize = 16;

    fn push(&mut self, key: KeyId, used: Arc<Snapshot>, default: &Alerts) {
        if self.used.len() >= self.drop_at.max(Self::SHORTEST) {
            let before = self.used.len();
            self.drop_replaced(default);
            // To look at a snapshot costs a cache miss. If few are replaced, a use pays for a third of
            // one, and otherwise for one.
            let in_use = self.used.len();
            self.drop_at = if in_use > before / 8 * 7 { in_use * 4 } else { in_use * 2 };
        }
        self.used.push((key, used));
    }

    /// Drops the snapshots that nothing else holds, and keeps their counts.
    fn drop_replaced(&mut self, default: &Alerts) {
        for (key, snapshot) in std::mem::take(&mut self.used) {
            let in_use = self.keep_replaced(&key, snapshot, default);
            self.used.extend(in_use.map(|snapshot| (key, snapshot)));
        }
    }

    /// Keeps the counts of a snapshot if nothing else holds it, and returns it otherwise.
    fn keep_replaced(
        &mut self,
        key: &KeyId,
        snapshot: Arc<Snapshot>,
        default: &Alerts,
    ) -> Option<Arc<Snapshot>> {
        // The usual case costs a read and not a write.
        if Arc::strong_count(&snapshot) > 1 {
            return Some(snapshot);
        }
        match Arc::try_unwrap(snapshot) {
            Ok(replaced) => {
                self.add(*key, replaced.into_tally(), default);
                None
            }
            Err(in_use) => Some(in_use),
        }
    }

    /// Adds the uses of a tally. Of the tallies of a key, the latest one with the newest secret takes
    /// the counts of the others.
    fn add(&mut self, key: KeyId, tally: Tally, default: &Alerts) {
        match self.apart.entry(key) {
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
            for (_, snapshot) in &list.used {
                snapshot.tally().unlist();
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

    /// Counts a use of a key whose snapshot the caller owns.
    pub(crate) fn count_owned(&self, snapshot: &Arc<Snapshot>, counted: Counted, now: Timestamp) {
        if Arc::strong_count(snapshot) > 1 {
            return self.count(snapshot.record().id(), snapshot, counted, now);
        }
        // The store has made the snapshot for this request, or has replaced it. It ends with the
        // request, so its own counter would have to be emptied at once.
        let tally = snapshot.fresh_tally();
        tally.count(counted, now, &self.default);
        let key = *snapshot.record().id();
        self.shard(&key).add(key, tally, &self.default);
    }

    /// Counts a use of a key whose snapshot the store holds. The snapshot is rarely in the CPU's cache as
    /// far as its id, so the caller names the key.
    pub(crate) fn count(
        &self,
        key: &KeyId,
        snapshot: &Arc<Snapshot>,
        counted: Counted,
        now: Timestamp,
    ) {
        debug_assert_eq!(key, snapshot.record().id());
        let tally = snapshot.tally();
        let noted = tally.count(counted, now, &self.default);
        if noted.are_many {
            snapshot.add_seats();
        }
        if noted.is_listed {
            return;
        }
        let mut list = self.shard(key);
        // Under the lock, so that a use which finds the tally listed is in the next flush.
        if !tally.mark_listed() {
            return;
        }
        list.push(*key, Arc::clone(snapshot), &self.default);
    }

    /// Stores all uses that were counted before the call. Also if it fails, it drops the snapshots that
    /// the store has replaced.
    pub(crate) async fn flush(
        &self,
        store: &dyn KeyStore,
        random: &Random,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let flushed = self.try_flush(store, random, now).await;
        if flushed.is_err() {
            for shard in &self.used {
                lock(shard).drop_replaced(&self.default);
            }
        }
        flushed
    }

    /// Returns the number of keys whose uses wait for a flush, and that of the batches that the store has not
    /// acknowledged. There is no number of batches while a flush runs.
    pub(crate) fn waiting(&self) -> (usize, Option<usize>) {
        let keys = |shard| {
            let list: MutexGuard<'_, List> = lock(shard);
            list.used.len() + list.apart.len()
        };
        let batches = self.outbox.try_lock().map(|outbox| outbox.batches.len());
        (self.used.iter().map(keys).sum(), batches)
    }

    async fn try_flush(
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

    /// Empties the counters of the lists and returns their uses, those of each key side by side and
    /// oldest first.
    fn take(&self) -> Vec<UsageDelta> {
        // A list has a range of the ids, so the lists one after the other are sorted.
        let lists = self.used.iter().map(|shard| std::mem::take(&mut *lock(shard)));
        lists.flat_map(|list| self.take_list(list)).collect()
    }

    fn take_list(&self, mut list: List) -> Vec<UsageDelta> {
        let mut taken = Vec::with_capacity(list.used.len());
        let mut take = |key: &KeyId, tally: &Tally| {
            tally.take(&self.default, |Uses { kind, count: uses, last_used_at, alert }| {
                taken.push(UsageDelta { key: *key, kind, uses, last_used_at, alert });
            });
        };
        let mut used = std::mem::take(&mut list.used);
        used.sort_unstable_by_key(|(key, _)| *key);
        let mut used = used.into_iter();
        while let [_, ..] = used.as_slice() {
            // The counters are rarely in the CPU's cache. Reads of several arrive at once, unlike writes.
            for (_, snapshot) in used.as_slice().iter().take(AT_ONCE) {
                black_box((Arc::strong_count(snapshot), snapshot.tally().is_listed()));
            }
            for (key, snapshot) in used.by_ref().take(AT_ONCE) {
                if let Some(in_use) = list.keep_replaced(&key, snapshot, &self.default) {
                    take(&key, in_use.tally());
                }
            }
        }
        list.apart.iter().for_each(|(key, tally)| take(key, tally));
        // The uses of a key, a kind and a window of an alert become one delta.
        let window = |delta: &UsageDelta| {
            let alert = delta.alert.as_ref();
            alert
                .map(|alert| (alert.window_start(delta.last_used_at), alert.period(), alert.uses()))
        };
        taken.sort_unstable_by(|a, b| {
            let kinds = (a.key, a.kind).cmp(&(b.key, b.kind));
            kinds.then_with(|| window(a).cmp(&window(b)))
        });
        taken.dedup_by(|delta, kept| {
            let is_same =
                (delta.key, delta.kind) == (kept.key, kept.kind) && window(delta) == window(kept);
            if is_same {
                kept.uses = kept.uses.saturating_add(delta.uses);
                kept.last_used_at = kept.last_used_at.max(delta.last_used_at);
            }
            is_same
        });
        taken.sort_by_key(|delta| (delta.key, delta.last_used_at));
        taken
    }

    fn shard(&self, key: &KeyId) -> MutexGuard<'_, List> {
        lock(&self.used[key.stripe(SHARDS)])
    }
}

fn lock(list: &Mutex<List>) -> MutexGuard<'_, List> {
    // A panic cannot leave a list half changed.
    list.lock().unwrap_or_else(PoisonError::into_inner)
}
