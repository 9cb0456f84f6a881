//! Counting uses without a write for each request.
//!
//! The counter of a key is in its snapshot, which a request has in its hands anyway. The first use
//! since the last flush puts the snapshot on a list; a flush takes the list, empties the counters
//! and sends them as one or more batches. A batch whose fate is unknown is sent again, unchanged,
//! until the store has acknowledged it: stores recognise it, so nothing is lost or counted twice.
//!
//! The verifiers of one setup share one list. Those of another setup over the same store meet in the
//! snapshots alone: whoever has listed a snapshot stores what all have counted in it.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use async_lock::Mutex as AsyncMutex;

use crate::decision::SecretUsed;
use crate::id::KeyId;
use crate::policy::Policy;
use crate::random::Random;
use crate::snapshot::Snapshot;
use crate::store::{KeyStore, StoreError, UsageBatch, UsageDelta};
use crate::time::Timestamp;

/// The most deltas of one batch.
const BATCH: usize = 10_000;
const SHARDS: usize = 16;

#[derive(Default)]
pub(crate) struct Counting {
    /// Snapshots that were used since the last flush.
    used: [Mutex<Vec<Arc<Snapshot>>>; SHARDS],
    outbox: AsyncMutex<Outbox>,
}

#[derive(Default)]
struct Outbox {
    /// Who counts, drawn at the first flush.
    writer: Option<[u8; 16]>,
    /// The number of the last batch that was made.
    sequence: u64,
    /// Batches that the store has not acknowledged, oldest first.
    batches: VecDeque<UsageBatch>,
}

impl Drop for Counting {
    /// What was not flushed stays in its counters, for whoever uses the same snapshots next.
    fn drop(&mut self) {
        for shard in &mut self.used {
            let used = shard.get_mut().unwrap_or_else(PoisonError::into_inner);
            for snapshot in used.iter() {
                snapshot.tally().unlist();
            }
        }
    }
}

impl Outbox {
    fn writer(&mut self, random: &Random) -> Result<[u8; 16], StoreError> {
        if let Some(writer) = self.writer {
            return Ok(writer);
        }
        let mut writer = [0; 16];
        random.fill(&mut writer).map_err(|error| {
            StoreError::unavailable("no number could be drawn for the writer of usage")
                .with_source(error)
        })?;
        self.writer = Some(writer);
        Ok(writer)
    }

    async fn send(&mut self, store: &dyn KeyStore) -> Result<(), StoreError> {
        while let Some(batch) = self.batches.front() {
            store.add_usage(batch).await?;
            self.batches.pop_front();
        }
        Ok(())
    }
}

impl Counting {
    pub(crate) fn count(&self, snapshot: &Arc<Snapshot>, secret: SecretUsed, now: Timestamp) {
        let tally = snapshot.tally();
        if tally.count(secret == SecretUsed::Retiring, now) {
            return;
        }
        let byte = snapshot.record().id().as_bytes()[KeyId::LEN - 1];
        let shard = &self.used[usize::from(byte) % SHARDS];
        // Pushing to a list leaves nothing half done.
        let mut list = shard.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: whoever sees the tally listed is before any flush that misses it.
        if tally.mark_listed() {
            list.push(Arc::clone(snapshot));
        }
    }

    pub(crate) async fn flush(
        &self,
        store: &dyn KeyStore,
        random: &Random,
        default_policy: &Policy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut outbox = self.outbox.lock().await;
        let writer = outbox.writer(random)?;
        // While the store is down the counters go on counting by themselves: nothing new is taken
        // from them before what was taken is stored.
        outbox.send(store).await?;
        for deltas in self.take(default_policy).chunks(BATCH) {
            outbox.sequence += 1;
            let (sequence, deltas) = (outbox.sequence, deltas.to_vec());
            outbox.batches.push_back(UsageBatch { writer, sequence, at: now, deltas });
        }
        outbox.send(store).await
    }

    /// Empties the counters. A key whose record changed meanwhile has more than one.
    fn take(&self, default_policy: &Policy) -> Vec<UsageDelta> {
        let mut deltas: BTreeMap<(KeyId, u32), UsageDelta> = BTreeMap::new();
        for shard in &self.used {
            let used = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            for snapshot in used {
                let key = snapshot.record().key();
                let policy = snapshot.policy().map_or(default_policy, |policy| policy);
                let taken = snapshot.tally().take();
                let current = taken.current.map(|count| (key.secret_number, count));
                let retiring =
                    taken.retiring.map(|count| (key.secret_number.saturating_sub(1), count));
                for (number, (uses, last)) in current.into_iter().chain(retiring) {
                    let empty = UsageDelta {
                        key: key.id,
                        secret_number: number,
                        uses: 0,
                        last_used: last,
                        alert_every: None::<NonZeroU64>,
                    };
                    let delta = deltas.entry((key.id, number)).or_insert(empty);
                    delta.uses += uses;
                    delta.last_used = delta.last_used.max(last);
                    delta.alert_every = policy.extensive_use;
                }
            }
        }
        deltas.into_values().collect()
    }
}
