//! Usage of keys: counted in memory, written as deltas. It lives apart from the key's record and
//! is never written by the same operation.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

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
    /// The number of the batch, from 1, in the order in which the writer sends them. A store that
    /// has added a batch of this or a higher number from the same writer does nothing.
    pub sequence: u64,
    /// When it was made.
    pub at: Timestamp,
    /// What is to be added.
    pub deltas: Vec<UsageDelta>,
}

/// Uses of a key that are counted and not yet taken. One word more than a bare counter: a use must
/// find its counter without a lookup, and a flush must find the counters that were used.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    current: Count,
    retiring: Count,
    /// Set while the tally is on a list of those to be taken.
    listed: AtomicBool,
}

#[derive(Debug, Default)]
struct Count {
    uses: AtomicU64,
    last_used: AtomicI64,
}

/// What was taken from a tally: uses and the last one, for each secret that was used.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) current: Option<(u64, Timestamp)>,
    pub(crate) retiring: Option<(u64, Timestamp)>,
}

impl Tally {
    /// Counts a use. True if the tally is on the list of those to be taken.
    pub(crate) fn count(&self, retiring: bool, now: Timestamp) -> bool {
        let count = if retiring { &self.retiring } else { &self.current };
        if count.last_used.load(Ordering::Relaxed) < now.unix_micros() {
            count.last_used.fetch_max(now.unix_micros(), Ordering::Relaxed);
        }
        // Counting before looking at `listed`, and taking after clearing it (below), in one total
        // order: a use that sees the tally listed is seen by whoever takes it.
        count.uses.fetch_add(1, Ordering::SeqCst);
        self.listed.load(Ordering::SeqCst)
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
        Taken { current: self.current.take(), retiring: self.retiring.take() }
    }
}

impl Count {
    fn take(&self) -> Option<(u64, Timestamp)> {
        let uses = self.uses.swap(0, Ordering::SeqCst);
        let last = Timestamp::from_unix_micros(self.last_used.load(Ordering::Relaxed));
        (uses > 0).then_some((uses, last.unwrap_or(Timestamp::MIN)))
    }
}
