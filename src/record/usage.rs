//! This module holds the usage of keys as stores keep it, written as deltas. Usage is stored apart
//! from the key's record, and no operation writes both.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::record::use_windows::UseWindows;
use crate::value::id::KeyId;
use crate::value::time::{NEVER_YET, Timestamp};
use crate::value::use_alert::UseAlert;

/// The numbers of accepted and refused uses of a key and the times of the last ones, up to the last
/// flush.
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
    refused: u64,
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    last_refused_at: Option<Timestamp>,
    windows: UseWindows,
    refused_windows: UseWindows,
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
    /// Returns the number of accepted uses.
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

    /// Returns the time of the last accepted use, with any secret of the key.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::{Usage, UsageDelta, UseKind};
    ///
    /// # let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let now = SystemClock.now();
    /// let kind = UseKind::Accepted { secret_number: 1 };
    /// let delta = UsageDelta { key, kind, uses: 3, last_used_at: now, alert: None };
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

    /// Returns the number of refused uses: requests with the key's id that were denied.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::{Usage, UsageDelta, UseKind};
    ///
    /// let now = SystemClock.now();
    /// let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let delta = UsageDelta { key, kind: UseKind::Refused, uses: 3, last_used_at: now, alert: None };
    ///
    /// let mut usage = Usage::default();
    /// usage.add(&delta);
    /// assert_eq!((usage.refused(), usage.uses()), (3, 0));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Returns the time of the last refused use.
    ///
    /// ```
    /// use keywright::store::Usage;
    ///
    /// assert_eq!(Usage::default().last_refused_at(), None);
    /// ```
    pub fn last_refused_at(&self) -> Option<Timestamp> {
        self.last_refused_at
    }

    /// Adds a delta, and returns the alert that is due with it.
    ///
    /// The uses are added to the total, and a last use never becomes earlier. The uses also count
    /// in the period of the delta's alert, unless the key has later uses in two other periods. Then
    /// they are too late for an alert and count in the total only. An alert is due once for each
    /// period, when its uses are more than the alert allows.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    /// use keywright::store::{Usage, UsageDelta, UseKind};
    ///
    /// let now = SystemClock.now();
    /// let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let (kind, alert) = (UseKind::Accepted { secret_number: 1 }, Some("5/3600s".parse()?));
    /// let delta = UsageDelta { key, kind, uses: 3, last_used_at: now, alert };
    ///
    /// let mut usage = Usage::default();
    /// assert_eq!(usage.add(&delta), None);
    /// assert_eq!(usage.uses(), 3);
    /// assert_eq!(usage.last_use_of(1), Some(now));
    /// assert_eq!(usage.add(&delta).map(|due| due.uses), Some(6));
    /// assert_eq!(usage.add(&delta), None);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn add(&mut self, delta: &UsageDelta) -> Option<AlertDue> {
        let UsageDelta { key: _, kind, uses, last_used_at: at, alert } = *delta;
        let windows = match kind {
            UseKind::Accepted { secret_number } => {
                self.uses = self.uses.saturating_add(uses);
                self.last_used_at = self.last_used_at.max(Some(at));
                self.add_last_use(SecretUse { secret_number, at });
                &mut self.windows
            }
            UseKind::Refused => {
                self.refused = self.refused.saturating_add(uses);
                self.last_refused_at = self.last_refused_at.max(Some(at));
                &mut self.refused_windows
            }
        };
        let alert = alert?;
        let uses = windows.add(alert, uses, at)?;
        Some(AlertDue { kind, alert, window_starts_at: alert.window_start(at), uses })
    }

    fn add_last_use(&mut self, new: SecretUse) {
        self.by_secret = match self.by_secret {
            [Some(a), b] if a.secret_number == new.secret_number => [Some(a.later(new)), b],
            [a, Some(b)] if b.secret_number == new.secret_number => [a, Some(b.later(new))],
            [a, _] if a.is_none_or(|a| a.secret_number < new.secret_number) => [Some(new), a],
            [a, b] if b.is_none_or(|b| b.secret_number < new.secret_number) => [a, Some(new)],
            both => both,
        };
    }
}

/// A usage in a third of the memory, for a store that keeps those of many keys in memory.
///
/// Few keys have alerts, so the periods of alerts have memory of their own.
pub(crate) struct PackedUsage {
    uses: u64,
    refused: u64,
    last_used_at: PackedTime,
    last_refused_at: PackedTime,
    secret_numbers: [u32; 2],
    secrets_used_at: [PackedTime; 2],
    windows: Option<Box<[UseWindows; 2]>>,
}

/// A time in microseconds, or [`NEVER_YET`].
#[derive(Clone, Copy)]
struct PackedTime(i64);

impl PackedTime {
    fn of(time: Option<Timestamp>) -> Self {
        Self(time.map_or(NEVER_YET, Timestamp::unix_micros))
    }

    fn unpack(self) -> Option<Timestamp> {
        Timestamp::from_unix_micros(self.0)
    }
}

impl PackedUsage {
    pub(crate) fn of(usage: &Usage) -> Self {
        // The pattern names every field, so that a new one cannot be forgotten here.
        let Usage {
            uses,
            last_used_at,
            by_secret,
            refused,
            last_refused_at,
            windows,
            refused_windows,
        } = *usage;
        let windows = [windows, refused_windows];
        let has_windows = windows != <[UseWindows; 2]>::default();
        Self {
            uses,
            refused,
            last_used_at: PackedTime::of(last_used_at),
            last_refused_at: PackedTime::of(last_refused_at),
            secret_numbers: by_secret.map(|last| last.map_or(0, |last| last.secret_number)),
            secrets_used_at: by_secret.map(|last| PackedTime::of(last.map(|last| last.at))),
            windows: has_windows.then(|| Box::new(windows)),
        }
    }

    pub(crate) fn unpack(&self) -> Usage {
        let [windows, refused_windows] = self.windows.as_deref().copied().unwrap_or_default();
        let last = |n: usize| {
            let at = self.secrets_used_at[n].unpack()?;
            Some(SecretUse { secret_number: self.secret_numbers[n], at })
        };
        Usage {
            uses: self.uses,
            last_used_at: self.last_used_at.unpack(),
            by_secret: [last(0), last(1)],
            refused: self.refused,
            last_refused_at: self.last_refused_at.unpack(),
            windows,
            refused_windows,
        }
    }
}

/// An alert that is due: a key has more uses in one period than the alert allows.
///
/// ```
/// use keywright::{Clock, SystemClock};
/// use keywright::store::{Usage, UsageDelta, UseKind};
///
/// let delta = UsageDelta {
///     key: "4fQ2xk9ZrT7bWm1c".parse()?,
///     kind: UseKind::Refused,
///     uses: 21,
///     last_used_at: SystemClock.now(),
///     alert: Some("20/300s".parse()?),
/// };
/// let due = Usage::default().add(&delta).ok_or("more than 20")?;
/// assert_eq!((due.kind, due.uses), (UseKind::Refused, 21));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AlertDue {
    /// Whether accepted or refused uses are too many, and the secret of the last ones.
    pub kind: UseKind,
    /// The alert that the uses exceed.
    pub alert: UseAlert,
    /// The start of the period.
    pub window_starts_at: Timestamp,
    /// The uses in this period so far.
    pub uses: u64,
}

/// The kind of a counted use: accepted or refused.
///
/// ```
/// use keywright::store::UseKind;
///
/// assert_ne!(UseKind::Accepted { secret_number: 1 }, UseKind::Refused);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UseKind {
    /// The use was accepted.
    Accepted {
        /// The number of the secret that was used.
        secret_number: u32,
    },
    /// The use was refused: the request had the id of the key, and was denied for any reason.
    Refused,
}

/// Uses of one key, to be added to the stored usage: accepted ones with one secret, or refused ones.
///
/// With an alert, all uses lie in the period of the alert that contains `last_used_at`. A verifier
/// begins another delta when a period ends.
///
/// ```
/// use keywright::{Clock, SystemClock};
/// use keywright::store::{Usage, UsageDelta, UseKind};
///
/// let delta = UsageDelta {
///     key: "4fQ2xk9ZrT7bWm1c".parse()?,
///     kind: UseKind::Accepted { secret_number: 1 },
///     uses: 1_001,
///     last_used_at: SystemClock.now(),
///     alert: Some("1000/3600s".parse()?),
/// };
/// assert!(Usage::default().add(&delta).is_some());
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UsageDelta {
    /// The key.
    pub key: KeyId,
    /// Whether the uses were accepted, and with which secret.
    pub kind: UseKind,
    /// The number of uses.
    pub uses: u64,
    /// The time of the last of these uses.
    pub last_used_at: Timestamp,
    /// The alert in whose period the uses count; `None` if they count in no period.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub alert: Option<UseAlert>,
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
            let UsageDelta { key, kind, uses, last_used_at, alert } = delta;
            let (is_refused, secret_number) = match kind {
                UseKind::Accepted { secret_number } => (0, *secret_number),
                UseKind::Refused => (1, 0),
            };
            // One update for each delta, because each has a cost of its own.
            let mut bytes = [0; 53];
            bytes[..16].copy_from_slice(key.as_bytes());
            bytes[16] = is_refused;
            bytes[17..21].copy_from_slice(&secret_number.to_be_bytes());
            let numbers = [
                *uses,
                last_used_at.unix_micros().cast_unsigned(),
                alert.map_or(0, |alert| alert.uses()),
                alert.map_or(0, |alert| alert.period().as_secs()),
            ];
            for (place, number) in bytes[21..].chunks_exact_mut(8).zip(numbers) {
                place.copy_from_slice(&number.to_be_bytes());
            }
            hash.update(bytes);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_usage_is_the_same() {
        let at = |seconds| Timestamp::from_unix_seconds(seconds).expect("a time");
        let alert: UseAlert = "2/300s".parse().expect("an alert");
        let mut usage = Usage::default();
        let deltas = [
            (UseKind::Accepted { secret_number: 1 }, 0, None),
            (UseKind::Accepted { secret_number: 3 }, 7, None),
            (UseKind::Refused, 9, None),
            (UseKind::Accepted { secret_number: 2 }, 11, Some(alert)),
            (UseKind::Refused, 400, Some(alert)),
        ];
        assert_eq!(PackedUsage::of(&usage).unpack(), usage);
        for (kind, last, alert) in deltas {
            let delta =
                UsageDelta { key: KeyId::FIRST, kind, uses: 5, last_used_at: at(last), alert };
            usage.add(&delta);
            assert_eq!(PackedUsage::of(&usage).unpack(), usage);
        }
        assert!(size_of::<PackedUsage>() <= 72 && size_of::<Usage>() >= 2 * 72);
    }
}
