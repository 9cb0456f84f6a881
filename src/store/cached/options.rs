//! The settings of a cache and their bounds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::lease::Bounds;
use super::monotonic_clock::{MonotonicClock, SystemMonotonicClock};

/// The settings of a [`CachedStore`](super::CachedStore).
///
/// ```
/// use std::time::Duration;
///
/// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
///
/// let options = CacheOptions::new()
///     .max_staleness(Duration::from_millis(500))
///     .on_not_refreshed(|| eprintln!("no task refreshes the cache of API keys"));
/// let cache = CachedStore::new(MemoryStore::new(), options)?;
/// # Ok::<(), keywright::store::CacheOptionsError>(())
/// ```
#[derive(Clone)]
#[must_use = "setters take and return by value"]
pub struct CacheOptions {
    max_staleness: Duration,
    outage: Option<Duration>,
    pub(super) store_timeout: Duration,
    pub(super) capacity: usize,
    pub(super) clock: Arc<dyn MonotonicClock>,
    pub(super) on_not_refreshed: Arc<dyn Fn() + Send + Sync>,
}

/// A setting of [`CacheOptions`] that is out of bounds.
///
/// ```
/// use std::time::Duration;
///
/// use keywright::store::{CacheOptions, CacheOptionsError, CachedStore, MemoryStore};
///
/// let options = CacheOptions::new().max_staleness(Duration::from_millis(1));
/// let error = CachedStore::new(MemoryStore::new(), options).expect_err("1 ms is too short");
/// assert_eq!(error, CacheOptionsError::MaxStaleness(Duration::from_millis(1)));
/// assert_eq!(error.to_string(), "max_staleness must be between 10 ms and 1 h, got 1ms");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheOptionsError {
    /// `max_staleness` is shorter than 10 ms or longer than 1 hour.
    #[error("max_staleness must be between 10 ms and 1 h, got {0:?}")]
    MaxStaleness(Duration),
    /// The staleness during an outage is shorter than `max_staleness` or longer than 7 days.
    #[error("the staleness during an outage must be between max_staleness and 7 days, got {0:?}")]
    Outage(Duration),
    /// `store_timeout` is shorter than 1 ms or longer than 1 minute.
    #[error("store_timeout must be between 1 ms and 1 min, got {0:?}")]
    StoreTimeout(Duration),
    /// `capacity` is 0.
    #[error("capacity must be at least 1")]
    Capacity,
}

impl CacheOptions {
    /// Creates the default settings: answers are at most 1 second old, the store has 2 seconds to
    /// answer, and the cache holds up to 1,000,000 keys.
    ///
    /// ```
    /// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    ///
    /// let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
    /// # Ok::<(), keywright::store::CacheOptionsError>(())
    /// ```
    pub fn new() -> Self {
        Self {
            max_staleness: Duration::from_secs(1),
            outage: None,
            store_timeout: Duration::from_secs(2),
            capacity: 1_000_000,
            clock: Arc::new(SystemMonotonicClock),
            on_not_refreshed: Arc::new(|| {}),
        }
    }

    /// Sets the maximum age of an answer, from 10 ms to 1 hour.
    ///
    /// The default is 1 second. After any node has acknowledged a revocation, this node accepts the key
    /// for at most this long. The refresh task asks the store for changes three times within it, even
    /// if no key is used.
    ///
    /// ```
    /// # use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// use std::time::Duration;
    ///
    /// // A revoked key is refused on every node after at most half a second.
    /// let options = CacheOptions::new().max_staleness(Duration::from_millis(500));
    /// let cache = CachedStore::new(MemoryStore::new(), options)?;
    /// # Ok::<(), keywright::store::CacheOptionsError>(())
    /// ```
    pub fn max_staleness(self, bound: Duration) -> Self {
        Self { max_staleness: bound, ..self }
    }

    /// **Accepts revoked keys** while the store cannot be reached, for at most `bound` since it last
    /// answered.
    ///
    /// `bound` is at least [`max_staleness`](Self::max_staleness) and at most 7 days. By default the
    /// cache gives no answer that is older than `max_staleness`: a node without its store accepts no key
    /// after that time. A grant that was decided on an older answer is marked with
    /// [`Age::is_during_outage`](crate::store::Age::is_during_outage).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId};
    /// # use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// # use std::time::Duration;
    /// let ten_minutes = Duration::from_mins(10);
    /// let options = CacheOptions::new().danger_accept_revoked_keys_during_an_outage(ten_minutes);
    /// # let cache = CachedStore::new(MemoryStore::new(), options)?;
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(cache).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// // ...
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// if grant.age().is_during_outage() {
    ///     eprintln!("key {} was accepted and may have been revoked", grant.key_id());
    /// }
    /// # Ok(()) }) }
    /// ```
    pub fn danger_accept_revoked_keys_during_an_outage(self, bound: Duration) -> Self {
        Self { outage: Some(bound), ..self }
    }

    /// Sets how long a check of a key or a refresh waits for the store, from 1 ms to 1 minute.
    ///
    /// The default is 2 seconds. After this time the store counts as unavailable. All other calls wait
    /// as long as the store does.
    ///
    /// ```
    /// # use keywright::store::CacheOptions;
    /// use std::time::Duration;
    ///
    /// let options = CacheOptions::new().store_timeout(Duration::from_millis(800));
    /// # drop(options);
    /// ```
    pub fn store_timeout(self, store_timeout: Duration) -> Self {
        Self { store_timeout, ..self }
    }

    /// Sets the maximum number of keys that the cache holds, at least 1.
    ///
    /// The default is 1,000,000. Each key takes about one kilobyte of memory.
    ///
    /// ```
    /// # use keywright::store::CacheOptions;
    /// let options = CacheOptions::new().capacity(50_000); // about 50 MB
    /// # drop(options);
    /// ```
    pub fn capacity(self, keys: usize) -> Self {
        Self { capacity: keys, ..self }
    }

    /// Sets the clock that measures the age of answers.
    ///
    /// The default is [`SystemMonotonicClock`].
    ///
    /// ```
    /// use keywright::store::{CacheOptions, ManualMonotonicClock};
    ///
    /// let clock = ManualMonotonicClock::new();
    /// let options = CacheOptions::new().clock(clock.clone()); // the test keeps `clock` and advances it
    /// # drop(options);
    /// ```
    pub fn clock(self, clock: impl MonotonicClock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets a function that is called when a read finds that no task refreshes the cache
    /// ([`CacheState::NotRefreshed`](super::CacheState::NotRefreshed)).
    ///
    /// The first such read calls it. It is called again only if the cache was refreshed in the meantime.
    /// The function must not block. By default nothing is called.
    ///
    /// ```
    /// # use keywright::store::CacheOptions;
    /// let options = CacheOptions::new().on_not_refreshed(|| {
    ///     eprintln!("every check of an API key goes to the database: call `Keywright::start`");
    /// });
    /// # drop(options);
    /// ```
    pub fn on_not_refreshed(self, warn: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_not_refreshed: Arc::new(warn), ..self }
    }

    pub(super) fn check(&self) -> Result<Bounds, CacheOptionsError> {
        let within = |duration: Duration, least, most| (least..=most).contains(&duration);
        if !within(self.max_staleness, Duration::from_millis(10), Duration::from_hours(1)) {
            return Err(CacheOptionsError::MaxStaleness(self.max_staleness));
        }
        if let Some(outage) = self.outage
            && !within(outage, self.max_staleness, Duration::from_hours(7 * 24))
        {
            return Err(CacheOptionsError::Outage(outage));
        }
        if !within(self.store_timeout, Duration::from_millis(1), Duration::from_mins(1)) {
            return Err(CacheOptionsError::StoreTimeout(self.store_timeout));
        }
        if self.capacity == 0 {
            return Err(CacheOptionsError::Capacity);
        }
        Ok(Bounds { max_staleness: self.max_staleness, outage: self.outage })
    }
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("max_staleness", &self.max_staleness)
            .field("outage", &self.outage)
            .field("store_timeout", &self.store_timeout)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
