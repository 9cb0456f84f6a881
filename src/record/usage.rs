//! Usage of keys as stores keep it, written as deltas. It lives apart from the key's record and
//! is never written by the same operation.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::value::id::KeyId;
use crate::value::time::Timestamp;

/// The usage of a key, as of the last flush.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    uses: u64,
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    last_used_at: Option<Timestamp>,
    /// Of the two newest secrets that were used, newest first: no other secret can work.
    by_secret: [Option<SecretUse>; 2],
}

/// The last use of one secret, by its number.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct SecretUse {
    secret_number: u32,
    at: Timestamp,
}

impl SecretUse {
    fn later(self, other: Self) -> Self {
        Self { at: self.at.max(other.at), ..self }
    }
}

impl Usage {
    /// Returns how often the key was used.
    pub fn uses(&self) -> u64 {
        self.uses
    }

    /// Returns when the key was last used, with any of its secrets.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.last_used_at
    }

    /// Returns when the secret of this number was last used. The two newest secrets that were used
    /// are known.
    pub fn last_use_of(&self, secret_number: u32) -> Option<Timestamp> {
        let mut used = self.by_secret.iter().flatten();
        used.find(|last| last.secret_number == secret_number).map(|last| last.at)
    }

    /// Adds a delta. Counts add up, and the last use only moves forward.
    pub fn add(&mut self, delta: &UsageDelta) {
        self.uses = self.uses.saturating_add(delta.uses);
        self.last_used_at = self.last_used_at.max(Some(delta.last_used_at));
        let new = SecretUse { secret_number: delta.secret_number, at: delta.last_used_at };
        self.by_secret = match self.by_secret {
            [Some(a), b] if a.secret_number == new.secret_number => [Some(a.later(new)), b],
            [a, Some(b)] if b.secret_number == new.secret_number => [a, Some(b.later(new))],
            [a, _] if a.is_none_or(|a| a.secret_number < new.secret_number) => [Some(new), a],
            [a, b] if b.is_none_or(|b| b.secret_number < new.secret_number) => [a, Some(new)],
            both => both,
        };
    }
}

/// Uses of one secret of one key, to be added to what is stored.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UsageDelta {
    /// The key.
    pub key: KeyId,
    /// The number of the secret that was used.
    pub secret_number: u32,
    /// How often it was used.
    pub uses: u64,
    /// When it was last used.
    pub last_used_at: Timestamp,
    /// An event is due each time the total passes another multiple of this number.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub alert_every: Option<NonZeroU64>,
}

impl UsageDelta {
    /// Returns whether an event is due when the total goes from `before` to `after`.
    pub fn is_alert_due(&self, before: u64, after: u64) -> bool {
        self.alert_every.is_some_and(|every| before / every < after / every)
    }
}

/// The deltas of one flush. Adding the same batch again changes nothing.
#[derive(Clone, Debug)]
pub struct UsageBatch {
    /// The id of the process that counted, drawn at random when counting began.
    pub writer: [u8; 16],
    /// The number of the batch, from 1, in the order in which the writer sends them. A store asks
    /// [`was_added`](Self::was_added) before it adds a batch.
    pub sequence: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The uses to add.
    pub deltas: Vec<UsageDelta>,
}

/// The last batch that a store has added from a writer: what it needs to recognize that batch when it comes again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LastBatch {
    /// The number of the batch.
    pub sequence: u64,
    /// Its [`fingerprint`](UsageBatch::fingerprint).
    #[serde(with = "crate::value::text::hex")]
    pub fingerprint: [u8; 16],
}

impl UsageBatch {
    /// Returns the fingerprint, which tells the batch from another one of the same writer and
    /// number: the beginning of SHA-256 over time and deltas.
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.at.unix_micros().to_be_bytes());
        for delta in &self.deltas {
            let UsageDelta { key, secret_number, uses, last_used_at, alert_every } = delta;
            hash.update(key.as_bytes());
            hash.update(secret_number.to_be_bytes());
            hash.update(uses.to_be_bytes());
            hash.update(last_used_at.unix_micros().to_be_bytes());
            hash.update(alert_every.map_or(0, NonZeroU64::get).to_be_bytes());
        }
        let hash: [u8; 32] = hash.finalize().into();
        std::array::from_fn(|n| hash[n])
    }

    /// Returns the batch as a store remembers it.
    pub fn as_last(&self) -> LastBatch {
        LastBatch { sequence: self.sequence, fingerprint: self.fingerprint() }
    }

    /// Returns whether a store whose last batch of this writer is `last` has added this batch
    /// already. Every store asks this before it adds a batch.
    ///
    /// A writer sends its batches one after another, and each until it is acknowledged. So only the last one can come again,
    /// and it comes unchanged.
    ///
    /// # Errors
    /// [`Conflict`](crate::store::StoreErrorKind::Conflict) if another process counts under the same id, as the copy of a
    /// machine that was cloned does: the number is below the last one, or the batch of that number was another one. Nothing
    /// may be added; the verifier takes a new id and sends its batch again. If an earlier answer to that very batch was lost,
    /// nothing can tell whether it was added, and it may count twice.
    pub fn was_added(&self, last: Option<&LastBatch>) -> Result<bool, WriterConflict> {
        match last {
            None => Ok(false),
            Some(last) if self.sequence > last.sequence => Ok(false),
            Some(last) if *last == self.as_last() => Ok(true),
            Some(_) => Err(WriterConflict),
        }
    }
}

/// Two processes count uses under one writer id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("another process counts uses under the same writer id")]
pub struct WriterConflict;
