//! Counting uses without a write for each request.
//!
//! The counter of a key is in its snapshot, which a request has in its hands anyway. The first use
//! since the last flush puts the snapshot on a list; a flush takes the list, empties the counters
//! and sends them as one or more batches. A batch whose fate is unknown is sent again, unchanged,
//! until the store has acknowledged it: stores recognise it, so nothing is lost or counted twice.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use async_lock::Mutex as AsyncMutex;

use crate::decision::SecretUsed;
use crate::id::KeyId;
use crate::policy::Policy;
use crate::random::{Random, RandomError};
use crate::snapshot::Snapshot;
use crate::store::{KeyStore, StoreError, UsageBatch, UsageDelta};
use crate::time::Timestamp;

/// The most deltas of one batch.
const BATCH: usize = 10_000;
const SHARDS: usize = 16;

#[derive(Debug)]
pub(super) struct Counting {
    /// Snapshots that were used since the last flush.
    used: [Mutex<Vec<Arc<Snapshot>>>; SHARDS],
    writer: [u8; 16],
    outbox: AsyncMutex<Outbox>,
}

#[derive(Debug, Default)]
struct Outbox {
    /// The number of the last batch that was made.
    sequence: u64,
    /// Batches that the store has not acknowledged, oldest first.
    batches: VecDeque<UsageBatch>,
}

impl Counting {
    pub(super) fn new(random: &Random) -> Result<Self, RandomError> {
        let mut writer = [0; 16];
        random.fill(&mut writer)?;
        Ok(Self { used: Default::default(), writer, outbox: AsyncMutex::default() })
    }

    pub(super) fn count(&self, snapshot: &Arc<Snapshot>, secret: SecretUsed, now: Timestamp) {
        if snapshot.tally().count(secret.is_retiring(), now) {
            let last = snapshot.record().id().as_bytes()[KeyId::LEN - 1];
            let shard = &self.used[usize::from(last) % SHARDS];
            // Pushing to a list leaves nothing half done.
            shard.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(snapshot));
        }
    }

    pub(super) async fn flush(
        &self,
        store: &dyn KeyStore,
        default_policy: &Policy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut outbox = self.outbox.lock().await;
        let deltas = self.take(default_policy);
        for deltas in deltas.chunks(BATCH) {
            outbox.sequence += 1;
            let (writer, sequence, deltas) = (self.writer, outbox.sequence, deltas.to_vec());
            outbox.batches.push_back(UsageBatch { writer, sequence, at: now, deltas });
        }
        while let Some(batch) = outbox.batches.front() {
            store.add_usage(batch).await?;
            outbox.batches.pop_front();
        }
        Ok(())
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
