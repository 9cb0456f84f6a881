//! Usage of keys: counted in memory, written as deltas. It lives apart from the key's record and
//! is never written by the same operation.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::KeyId;
use crate::time::Timestamp;

/// What is known of a key's use, as of the last flush.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    uses: u64,
    #[serde(deserialize_with = "crate::stored::required")]
    last_used: Option<Timestamp>,
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
    /// How often the key was used.
    pub fn uses(&self) -> u64 {
        self.uses
    }

    /// When it was last used, by any of its secrets.
    pub fn last_used(&self) -> Option<Timestamp> {
        self.last_used
    }

    /// When the secret of this number was last used, for the two newest that were used at all.
    pub fn last_use_of(&self, secret_number: u32) -> Option<Timestamp> {
        let mut used = self.by_secret.iter().flatten();
        used.find(|last| last.secret_number == secret_number).map(|last| last.at)
    }

    /// Adds a delta. Counts add up, and the last use only moves forward.
    pub fn add(&mut self, delta: &UsageDelta) {
        self.uses = self.uses.saturating_add(delta.uses);
        self.last_used = self.last_used.max(Some(delta.last_used));
        let new = SecretUse { secret_number: delta.secret_number, at: delta.last_used };
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
    /// How often.
    pub uses: u64,
    /// When last.
    pub last_used: Timestamp,
    /// An event is due each time the total passes another multiple of this number.
    #[serde(deserialize_with = "crate::stored::required")]
    pub alert_every: Option<NonZeroU64>,
}

impl UsageDelta {
    /// Whether an event is due when the total goes from `before` to `after`.
    pub fn is_alert_due(&self, before: u64, after: u64) -> bool {
        self.alert_every.is_some_and(|every| before / every < after / every)
    }
}

/// The deltas of one flush. Adding the same batch again changes nothing.
#[derive(Clone, Debug)]
pub struct UsageBatch {
    /// Who counted: drawn at random when counting began.
    pub writer: [u8; 16],
    /// The number of the batch, from 1, in the order in which the writer sends them. A store asks
    /// [`was_added`](Self::was_added) before it adds a batch.
    pub sequence: u64,
    /// When it was made.
    pub at: Timestamp,
    /// What is to be added.
    pub deltas: Vec<UsageDelta>,
}

/// The last batch that a store has added from a writer: what it needs to recognize that batch when it comes again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LastBatch {
    /// The number of the batch.
    pub sequence: u64,
    /// Its [`fingerprint`](UsageBatch::fingerprint).
    #[serde(with = "crate::text::hex")]
    pub fingerprint: [u8; 16],
}

impl UsageBatch {
    /// What tells the batch from another one of the same writer and number: the beginning of SHA-256 over time and
    /// deltas.
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.at.unix_micros().to_be_bytes());
        for delta in &self.deltas {
            let UsageDelta { key, secret_number, uses, last_used, alert_every } = delta;
            hash.update(key.as_bytes());
            hash.update(secret_number.to_be_bytes());
            hash.update(uses.to_be_bytes());
            hash.update(last_used.unix_micros().to_be_bytes());
            hash.update(alert_every.map_or(0, NonZeroU64::get).to_be_bytes());
        }
        let hash: [u8; 32] = hash.finalize().into();
        std::array::from_fn(|n| hash[n])
    }

    /// The batch as a store remembers it.
    pub fn as_last(&self) -> LastBatch {
        LastBatch { sequence: self.sequence, fingerprint: self.fingerprint() }
    }

    /// Whether a store whose last batch of this writer is `last` has added this one already. Every store asks this before it
    /// adds a batch.
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

/// Uses of a key that are counted and not yet taken. One word more than bare counters: a use must find its counter
/// without a lookup, and a flush must find the counters that were used.
///
/// Apart from the snapshot that counts in it, so that a counter that waits for a flush keeps nothing else in memory.
#[derive(Debug)]
pub(crate) struct Tally {
    key: KeyId,
    /// The number of the secret that counts as the current one.
    secret_number: u32,
    alert: AlertThreshold,
    current: Count,
    retiring: Count,
    /// Uses of secrets before those two, from snapshots that were taken before a rotation.
    older: Count,
    /// Set while the tally is on a list of those to be taken.
    listed: AtomicBool,
}

/// After how many uses of a key an event is due, each time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AlertThreshold {
    /// The threshold of the tenant's stored policy.
    Stored(Option<NonZeroU64>),
    /// The tenant has no stored policy: the threshold of the host's default.
    OfDefault,
}

impl AlertThreshold {
    pub(crate) fn or(self, default: Option<NonZeroU64>) -> Option<NonZeroU64> {
        match self {
            Self::Stored(every) => every,
            Self::OfDefault => default,
        }
    }
}

#[derive(Debug, Default)]
struct Count {
    uses: AtomicU64,
    last_used: AtomicI64,
}

/// Uses and the last one.
pub(crate) type Uses = (u64, Timestamp);

/// What was taken from a tally, for each secret that was used.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) current: Option<Uses>,
    pub(crate) retiring: Option<Uses>,
    pub(crate) older: Option<Uses>,
}

impl Tally {
    pub(crate) fn new(key: KeyId, secret_number: u32, alert: AlertThreshold) -> Self {
        Self {
            key,
            secret_number,
            alert,
            current: Count::default(),
            retiring: Count::default(),
            older: Count::default(),
            listed: AtomicBool::new(false),
        }
    }

    pub(crate) fn key(&self) -> &KeyId {
        &self.key
    }

    pub(crate) fn secret_number(&self) -> u32 {
        self.secret_number
    }

    pub(crate) fn alert(&self) -> AlertThreshold {
        self.alert
    }

    /// Counts a use. True if the tally is on the list of those to be taken.
    pub(crate) fn count(&self, retiring: bool, now: Timestamp) -> bool {
        let count = if retiring { &self.retiring } else { &self.current };
        count.add((1, now));
        self.listed.load(Ordering::SeqCst)
    }

    /// Whether its secret is newer than that of another snapshot of the key.
    pub(crate) fn is_ahead_of(&self, other: &Self) -> bool {
        self.secret_number > other.secret_number
    }

    /// Takes over the counts of another snapshot of the key, whose secret is not newer.
    pub(crate) fn absorb(&self, other: &Self) {
        let taken = other.take();
        let (current, retiring) = match self.secret_number.saturating_sub(other.secret_number) {
            0 => (&self.current, &self.retiring),
            1 => (&self.retiring, &self.older),
            _ => (&self.older, &self.older),
        };
        let places =
            [(current, taken.current), (retiring, taken.retiring), (&self.older, taken.older)];
        for (count, uses) in places {
            if let Some(uses) = uses {
                count.add(uses);
            }
        }
    }

    /// Whether the tally is on the list of those to be taken.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// Notes that the tally is on the list. False if it was noted before.
    pub(crate) fn mark_listed(&self) -> bool {
        !self.listed.swap(true, Ordering::SeqCst)
    }

    /// Notes that the tally is on no list.
    pub(crate) fn unlist(&self) {
        self.listed.store(false, Ordering::SeqCst);
    }

    /// Takes what was counted. The tally is off the list from here on.
    pub(crate) fn take(&self) -> Taken {
        self.unlist();
        Taken {
            current: self.current.take(),
            retiring: self.retiring.take(),
            older: self.older.take(),
        }
    }
}

impl Count {
    fn add(&self, (uses, last): Uses) {
        if self.last_used.load(Ordering::Relaxed) < last.unix_micros() {
            self.last_used.fetch_max(last.unix_micros(), Ordering::Relaxed);
        }
        // Counting before looking at `listed`, and taking after clearing it, in one total order: a use that sees
        // the tally listed is seen by whoever takes it.
        self.uses.fetch_add(uses, Ordering::SeqCst);
    }

    fn take(&self) -> Option<Uses> {
        let uses = self.uses.swap(0, Ordering::SeqCst);
        let last = Timestamp::from_unix_micros(self.last_used.load(Ordering::Relaxed));
        (uses > 0).then_some((uses, last.unwrap_or(Timestamp::MIN)))
    }
}
