//! This module defines how old an answer of the store may be, and how old an answer is.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::record::snapshot::Snapshot;

/// The limit on the age of an answer, for [`KeyStore::resolve`](crate::store::KeyStore::resolve).
///
/// ```
/// use std::time::Duration;
/// use keywright::store::{Freshness, KeyStore};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// // The answer must not be older than one second.
/// let freshness = Freshness::AtMost(Duration::from_secs(1));
/// let found = store.resolve(&issued.key.id, freshness).await?;
/// assert!(found.is_some_and(|found| found.age.duration() <= Duration::from_secs(1)));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Freshness {
    /// The store's own limit applies. A store without a cache always answers with the current
    /// state.
    #[default]
    StoreDefault,
    /// The answer is at most this old. The store's own limit applies too, if it is stricter. With
    /// zero, a cache reads from the store behind it.
    AtMost(Duration),
}

impl Freshness {
    /// The current state, past any cache: for a caller that is about to change a key.
    pub(crate) const CURRENT: Self = Self::AtMost(Duration::ZERO);
}

/// An upper bound on the age of an answer from a store.
///
/// With an age of 2 s, for example, the answer includes every change that the store acknowledged
/// more than 2 s ago.
///
/// ```
/// use std::time::Duration;
/// use keywright::store::Age;
///
/// let age = Age::at_most(Duration::from_millis(250));
/// assert_eq!(age.duration(), Duration::from_millis(250));
/// assert!(!age.is_during_outage());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Age {
    at_most: Duration,
    is_during_outage: bool,
}

impl Age {
    /// The age of an answer that was read from the store for this call: zero.
    pub const NONE: Self = Self { at_most: Duration::ZERO, is_during_outage: false };

    /// Creates the age of an answer from a cache.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::store::Age;
    ///
    /// let age = Age::at_most(Duration::from_millis(250));
    /// assert!(age.duration() < Duration::from_secs(1));
    /// ```
    pub fn at_most(age: Duration) -> Self {
        Self { at_most: age, ..Self::NONE }
    }

    /// Creates the age of an answer that a cache gives while it cannot reach the store.
    ///
    /// A cache does so only if it is configured to answer during an outage.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::store::Age;
    ///
    /// let age = Age::during_outage(Duration::from_secs(30));
    /// assert!(age.is_during_outage());
    /// ```
    pub fn during_outage(age: Duration) -> Self {
        Self { at_most: age, is_during_outage: true }
    }

    /// Returns an upper bound on the age.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::store::Age;
    ///
    /// assert_eq!(Age::NONE.duration(), Duration::ZERO);
    /// ```
    pub fn duration(self) -> Duration {
        self.at_most
    }

    /// Returns whether the cache could not reach the store, so that the answer may be older than
    /// usual.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::store::Age;
    ///
    /// assert!(Age::during_outage(Duration::from_secs(30)).is_during_outage());
    /// assert!(!Age::NONE.is_during_outage());
    /// ```
    pub fn is_during_outage(self) -> bool {
        self.is_during_outage
    }
}

/// A [`Snapshot`] with its age.
///
/// ```
/// use keywright::store::{Age, Freshness, KeyStore};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await?;
/// assert!(found.is_some_and(|found| found.age == Age::NONE));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Found {
    /// The key with its account and policy.
    pub snapshot: Arc<Snapshot>,
    /// The age of the snapshot.
    pub age: Age,
}

impl Deref for Found {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Wraps a snapshot that was just read from the store.
impl From<Arc<Snapshot>> for Found {
    fn from(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, age: Age::NONE }
    }
}
