//! Counting uses without a write for each request.
//!
//! A snapshot brings the counter of its key, so a request finds it without a lookup. The first use since the last flush
//! puts the counter on a list; a flush takes the list, empties the counters and sends them as one or more batches. A
//! batch whose fate is unknown is sent again, unchanged, until the store has acknowledged it: stores recognize it, so
//! nothing is lost or counted twice.
//!
//! A store that makes a snapshot for each request makes as many counters. From time to time those of each key are joined into
//! one, so what waits for a flush is bounded by the number of different keys.
//!
//! The verifiers of one setup share one list. Those of another setup over the same store meet in the
//! snapshots alone: the setup that has listed a counter stores the counts of all.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_lock::Mutex as AsyncMutex;
use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

use crate::decision::{Grant, SecretUsed};
use crate::record::tally::{Tally, Uses};
use crate::store::{KeyStore, StoreError, UsageBatch, UsageDelta};
use crate::value::id::KeyId;
use crate::value::random::Random;
use crate::value::reentrancy::{Inside, Within};
use crate::value::time::Timestamp;

/// The most deltas of one batch.
const BATCH: usize = 10_000;
const SHARDS: usize = 16;
/// How often one flush takes another writer id: more than once means that no id is free.
const WRITERS: u32 = 4;

#[derive(Default)]
pub(crate) struct UsageRecorder {
    /// The counters that were used since the last flush.
    used: [Mutex<List>; SHARDS],
    outbox: AsyncMutex<Outbox>,
}

/// The counters that were used, in the order of their first use. A key has more than one if its snapshot was made anew.
#[derive(Default)]
struct List {
    used: Vec<Arc<Tally>>,
    /// The length at which the counters of each key are joined.
    join_at: usize,
}

impl List {
    /// Few enough to be no burden with a single key, and enough that joining costs little for each use.
    const SHORTEST: usize = 16;

    fn push(&mut self, used: Arc<Tally>) {
        if self.used.len() >= self.join_at.max(Self::SHORTEST) {
            let before = self.used.len();
            self.used = joined(std::mem::take(&mut self.used));
            // Where snapshots are made anew for each use the list stays within half as much again as the keys need.
            // Where they are not there is nothing to join, and it is seldom tried.
            let kept = self.used.len();
            self.join_at = if kept > before / 8 * 7 { kept * 4 } else { kept + kept / 2 };
        }
        self.used.push(used);
    }
}

/// Joins the counters of each key into one: the latest of those with the newest secret takes the
/// counts of all.
fn joined(used: Vec<Arc<Tally>>) -> Vec<Arc<Tally>> {
    let mut joined: HashMap<KeyId, Arc<Tally>, RandomState> = HashMap::default();
    for tally in used {
        match joined.entry(*tally.key()) {
            Entry::Vacant(place) => {
                place.insert(tally);
            }
            Entry::Occupied(place) if place.get().is_ahead_of(&tally) => place.get().absorb(&tally),
            Entry::Occupied(mut place) => {
                tally.absorb(place.get());
                place.insert(tally);
            }
        }
    }
    joined.into_values().collect()
}

#[derive(Default)]
struct Outbox {
    /// The id of this process, drawn at the first flush.
    writer: Option<[u8; 16]>,
    /// The number of the last batch that was made.
    sequence: u64,
    /// Batches that the store has not acknowledged, oldest first.
    batches: VecDeque<UsageBatch>,
}

impl Drop for UsageRecorder {
    /// Leaves in the counters what was not flushed, for the next verifier that uses the same
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
    /// Adds a batch behind those that wait.
    fn push(&mut self, writer: [u8; 16], at: Timestamp, deltas: Vec<UsageDelta>) {
        self.sequence += 1;
        self.batches.push_back(UsageBatch { writer, sequence: self.sequence, at, deltas });
    }

    /// Takes another writer id, for the batches that wait too.
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
    /// Counts the use of a grant.
    pub(crate) fn count(&self, grant: &Grant, now: Timestamp) {
        let tally = grant.snapshot().tally();
        if tally.count(grant.secret_used() == SecretUsed::Retiring, now) {
            return;
        }
        let mut list = self.shard(grant.key_id());
        // Under the lock: whoever sees the tally listed is before any flush that misses it.
        if !tally.mark_listed() {
            return;
        }
        list.push(Arc::clone(tally));
    }

    /// Stores the uses that were counted before the call.
    pub(crate) async fn flush(
        &self,
        store: &dyn KeyStore,
        random: &Random,
        default_alert: Option<NonZeroU64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A flush beside it may hold the outbox and wait for the source.
        if Inside::is(self) || Inside::is(random) {
            return Err(StoreError::unsupported(
                "flush was called from within a flush, by the store that it asks, or by the random source: \
                 it would wait for itself",
            ));
        }
        let mut outbox = self.outbox.lock().await;
        let writer = match outbox.writer {
            Some(writer) => writer,
            None => self.draw_writer(random)?,
        };
        outbox.writer = Some(writer);
        // While the store is down the counters go on counting by themselves: nothing new is taken
        // from them before what was taken is stored.
        self.send(&mut outbox, store, random).await?;
        let taken = self.take(default_alert);
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
                // Another process has our id: the machine was cloned. Nothing of the batch was added.
                Err(error) if error.is_conflict() && writers < WRITERS => {
                    writers += 1;
                    outbox.take_writer(self.draw_writer(random)?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Draws an id that no other process has. It is no secret and must be unique even if the random
    /// source repeats itself, so the system's source, the process, the time and a counter go into
    /// it too.
    fn draw_writer(&self, random: &Random) -> Result<[u8; 16], StoreError> {
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let mut drawn = [[0; 16]; 2];
        {
            let _inside = Inside::enter(self);
            let failed = |error| {
                StoreError::unavailable("no number could be drawn for the writer of usage")
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

    /// Empties the counters of the list and returns their uses.
    fn take(&self, default_alert: Option<NonZeroU64>) -> Vec<UsageDelta> {
        let mut deltas = BTreeMap::new();
        for shard in &self.used {
            let listed = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            for tally in joined(listed.used) {
                let taken = tally.take();
                let (key, newest) = (*tally.key(), tally.secret_number());
                let alert_every = tally.alert().or(default_alert);
                let mut add = |behind: u32, uses: Option<Uses>| {
                    let Some((uses, last_used_at)) = uses else { return };
                    let secret_number = newest.saturating_sub(behind);
                    // Numbers below 0 are all 0.
                    let delta = deltas.entry((key, secret_number)).or_insert(UsageDelta {
                        key,
                        secret_number,
                        uses: 0,
                        last_used_at,
                        alert_every,
                    });
                    delta.uses = delta.uses.saturating_add(uses);
                    delta.last_used_at = delta.last_used_at.max(last_used_at);
                };
                add(2, taken.older);
                add(1, taken.retiring);
                add(0, taken.current);
            }
        }
        deltas.into_values().collect()
    }

    fn shard(&self, key: &KeyId) -> MutexGuard<'_, List> {
        // Putting a counter on a list leaves nothing half done.
        self.used[key.stripe(SHARDS)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
