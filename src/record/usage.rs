//! This module holds the usage of keys as stores keep it, written as deltas. Usage is stored apart
//! from the key's record, and no operation writes both.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::value::id::KeyId;
use crate::value::time::Timestamp;

/// The number of uses of a key and the times of its last uses, up to the last flush.
///
/// ```
/// use keywright::store::KeyStore;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let verifier = keywright.verifier();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// verifier.verify(issued.token.expose()).await?;
/// verifier.flush().await?;
///
/// let stored = store.key(alice.tenant(), &issued.key.id).await?;
/// assert_eq!(stored.map(|stored| stored.usage.uses()), Some(1));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    uses: u64,
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    last_used_at: Option<Timestamp>,
    /// The last uses of the two newest secrets that were used, newest first. No older secret can
    /// work.
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
    /// Returns the number of uses.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let verifier = keywright.verifier();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// verifier.verify(issued.token.expose()).await?;
    /// verifier.flush().await?;
    ///
    /// let stored = store.key(alice.tenant(), &issued.key.id).await?;
    /// assert_eq!(stored.map(|stored| stored.usage.uses()), Some(1));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn uses(&self) -> u64 {
        self.uses
    }

    /// Returns the time of the last use, with any secret of the key.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::{Usage, UsageDelta};
    ///
    /// # let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let now = SystemClock.now();
    /// let delta = UsageDelta { key, secret_number: 1, uses: 3, last_used_at: now, alert_every: None };
    ///
    /// let mut usage = Usage::default();
    /// assert_eq!(usage.last_used_at(), None);
    /// usage.add(&delta);
    /// assert_eq!(usage.last_used_at(), Some(now));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.last_used_at
    }

    /// Returns the time of the last use of the secret with this number.
    ///
    /// `None` if the secret was never used, or if it is not one of the two newest secrets that were
    /// used.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let verifier = keywright.verifier();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// verifier.verify(issued.token.expose()).await?;
    /// verifier.flush().await?;
    ///
    /// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
    ///     assert!(stored.usage.last_use_of(1).is_some());
    ///     assert!(stored.usage.last_use_of(2).is_none());
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn last_use_of(&self, secret_number: u32) -> Option<Timestamp> {
        let mut used = self.by_secret.iter().flatten();
        used.find(|last| last.secret_number == secret_number).map(|last| last.at)
    }

    /// Adds a delta.
    ///
    /// The uses are added to the total, and a last use never becomes earlier.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::{Usage, UsageDelta};
    ///
    /// let now = SystemClock.now();
    /// let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let delta = UsageDelta { key, secret_number: 1, uses: 3, last_used_at: now, alert_every: None };
    ///
    /// let mut usage = Usage::default();
    /// usage.add(&delta);
    /// assert_eq!(usage.uses(), 3);
    /// assert_eq!(usage.last_use_of(1), Some(now));
    /// # Ok::<(), keywright::Error>(())
    /// ```
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

/// Uses of one secret of one key, to be added to the stored usage.
///
/// ```
/// use keywright::{Clock, SystemClock};
/// use keywright::store::UsageDelta;
///
/// let delta = UsageDelta {
///     key: "4fQ2xk9ZrT7bWm1c".parse()?,
///     secret_number: 1,
///     uses: 3,
///     last_used_at: SystemClock.now(),
///     alert_every: std::num::NonZeroU64::new(1_000),
/// };
/// // The total goes from 998 uses to 1001, and passes 1000.
/// assert!(delta.is_alert_due(998, 1_001));
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UsageDelta {
    /// The key.
    pub key: KeyId,
    /// The number of the secret that was used.
    pub secret_number: u32,
    /// The number of uses.
    pub uses: u64,
    /// The time of the last use.
    pub last_used_at: Timestamp,
    /// The threshold for audit events: one is due each time the total passes another multiple of
    /// this number.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub alert_every: Option<NonZeroU64>,
}

impl UsageDelta {
    /// Returns whether an event is due when the total goes from `before` to `after`.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::UsageDelta;
    ///
    /// let delta = UsageDelta {
    ///     key: "4fQ2xk9ZrT7bWm1c".parse()?,
    ///     secret_number: 1,
    ///     uses: 1,
    ///     last_used_at: SystemClock.now(),
    ///     alert_every: std::num::NonZeroU64::new(1_000),
    /// };
    /// assert!(delta.is_alert_due(999, 1_000));
    /// assert!(!delta.is_alert_due(1_000, 1_001));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn is_alert_due(&self, before: u64, after: u64) -> bool {
        self.alert_every.is_some_and(|every| before / every < after / every)
    }
}

/// A batch of counted uses, which a flush adds to the stored usage in one step.
///
/// A store recognizes a batch that is sent again, and does not add it twice.
///
/// ```
/// use keywright::{Clock, SystemClock};
/// use keywright::store::UsageBatch;
///
/// let at = SystemClock.now();
/// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: Vec::new() };
///
/// // A store adds the batch once, and recognizes it when it comes again.
/// assert_eq!(batch.was_added(None), Ok(false));
/// assert_eq!(batch.was_added(Some(&batch.as_last())), Ok(true));
/// ```
#[derive(Clone, Debug)]
pub struct UsageBatch {
    /// The id of the writer: a process that counts uses, and drew this id at random for its first
    /// flush.
    pub writer: [u8; 16],
    /// The number of the batch, from 1, in the order in which the writer sends batches. A store may
    /// refuse a number above 2⁶³ − 1, which no writer reaches, as
    /// [`Unsupported`](crate::store::StoreErrorKind::Unsupported).
    pub sequence: u64,
    /// The time at which the batch was built.
    pub at: Timestamp,
    /// The uses to add.
    pub deltas: Vec<UsageDelta>,
}

/// The number and fingerprint of the last batch that a store added from a writer.
///
/// A store keeps it to recognize that batch if it is sent again.
///
/// ```
/// use keywright::{Clock, SystemClock};
/// use keywright::store::UsageBatch;
///
/// let at = SystemClock.now();
/// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: Vec::new() };
/// assert_eq!(batch.as_last().sequence, 1);
/// assert_eq!(batch.as_last().fingerprint, batch.fingerprint());
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LastBatch {
    /// The number of the batch.
    pub sequence: u64,
    /// The [`fingerprint`](UsageBatch::fingerprint) of the batch.
    #[serde(with = "crate::value::text::hex")]
    pub fingerprint: [u8; 16],
}

impl UsageBatch {
    /// Returns the fingerprint, which differs for another batch with the same writer and number.
    ///
    /// It is the first 16 bytes of SHA-256 over the time and the deltas.
    ///
    /// ```
    /// use keywright::{Timestamp, store::UsageBatch};
    ///
    /// let batch = UsageBatch { writer: [7; 16], sequence: 1, at: Timestamp::MIN, deltas: Vec::new() };
    /// let later = UsageBatch { at: Timestamp::MAX, ..batch.clone() };
    /// assert_ne!(batch.fingerprint(), later.fingerprint());
    /// ```
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

    /// Returns the batch in the form in which a store remembers it.
    ///
    /// ```
    /// use keywright::{Timestamp, store::UsageBatch};
    ///
    /// let batch = UsageBatch { writer: [7; 16], sequence: 1, at: Timestamp::MIN, deltas: Vec::new() };
    /// assert_eq!(batch.was_added(Some(&batch.as_last())), Ok(true));
    /// ```
    pub fn as_last(&self) -> LastBatch {
        LastBatch { sequence: self.sequence, fingerprint: self.fingerprint() }
    }

    /// Returns whether a store has already added this batch.
    ///
    /// `last` is the last batch that the store added from this writer; `None` if it knows none.
    ///
    /// [`plan::usage`](crate::store::plan::usage) calls this method. A store that plans with it does
    /// not.
    ///
    /// A writer sends its batches in order and repeats each one until the store acknowledges it.
    /// Therefore only the last batch can be sent again, and it is unchanged.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::{UsageBatch, WriterConflict};
    ///
    /// let at = SystemClock.now();
    /// let first = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: Vec::new() };
    /// let second = UsageBatch { sequence: 2, ..first.clone() };
    /// assert_eq!(second.was_added(Some(&first.as_last())), Ok(false));
    /// assert_eq!(first.was_added(Some(&second.as_last())), Err(WriterConflict));
    /// ```
    ///
    /// # Errors
    /// [`WriterConflict`] if another process counts under the same id, such as a clone of a virtual
    /// machine. The sign of this is a sequence number below the last one, or the same number with
    /// other contents. The store must not add the batch, and reports
    /// [`Conflict`](crate::store::StoreErrorKind::Conflict). The verifier takes a new id and sends
    /// its batch again. In this case only, uses can count twice: if the store had added the batch
    /// and its answer was lost.
    pub fn was_added(&self, last: Option<&LastBatch>) -> Result<bool, WriterConflict> {
        match last {
            None => Ok(false),
            Some(last) if self.sequence > last.sequence => Ok(false),
            Some(last) if *last == self.as_last() => Ok(true),
            Some(_) => Err(WriterConflict),
        }
    }
}

/// The error for two processes that count uses under one writer id.
///
/// ```
/// use keywright::{Clock, SystemClock};
/// use keywright::store::{LastBatch, UsageBatch, WriterConflict};
///
/// let at = SystemClock.now();
/// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: Vec::new() };
///
/// // The store remembers another batch with this number, so a second process uses the id.
/// let other = LastBatch { sequence: 1, fingerprint: [0; 16] };
/// assert_eq!(batch.was_added(Some(&other)), Err(WriterConflict));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("another process counts uses under the same writer id")]
pub struct WriterConflict;
