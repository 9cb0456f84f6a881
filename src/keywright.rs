//! The entry point: a builder, and the authority and verifier that a service takes from it.

use std::fmt;
use std::sync::Arc;

use rand_core::TryCryptoRng;

use crate::authority::Authority;
use crate::observe::Counts;
use crate::record::plan::Plan;
use crate::record::policy::Policy;
use crate::record::policy_error::PolicyError;
use crate::record::settings::Settings;
use crate::setup::Setup;
use crate::setup::limiter::Limiter;
use crate::setup::ticket_ids::TicketIds;
use crate::setup::usage_recorder::UsageRecorder;
#[cfg(feature = "cached")]
use crate::store::CachedStore;
use crate::store::KeyStore;
#[cfg(feature = "postgres")]
use crate::store::MovingStore;
#[cfg(feature = "cached")]
use crate::store::find_store;
use crate::value::digest::{HmacState, PepperRing};
use crate::value::prefixes::Prefixes;
use crate::value::random::Random;
use crate::value::time::{Clock, SystemClock};
use crate::value::token::Prefix;
use crate::verifier::Verifier;

/// The entry point of the crate: it connects a store with the [`Authority`] and the [`Verifier`] of
/// a service.
///
/// Build one for each process. Its authorities and verifiers share the counts in memory: uses that
/// are not flushed yet, the spent part of each rate, and the refused calls of each actor. Cloning
/// is cheap.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::{Keywright, PepperRing, Prefix};
///
/// # let pepper = [7; 32];
/// let keywright = Keywright::builder(MemoryStore::new())
///     .prefix(Prefix::new("acme_live")?)
///     .peppers(PepperRing::none().with(1, pepper)?)
///     .build()?;
/// let authority = keywright.authority(); // creates and manages keys
/// let verifier = keywright.verifier(); // checks keys, and cannot create any
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// A service also needs background work: counted uses must be flushed, and a cache must be
/// refreshed. With the feature `tokio`, `Keywright::start` does both. Without it, call
/// [`Verifier::flush`] every few seconds and before the process ends.
///
/// See [First key in ten minutes](crate::guide::first_key) and [Background
/// work](crate::guide::background) in the guide.
#[derive(Clone)]
pub struct Keywright {
    authority: Authority,
    verifier: Verifier,
    #[cfg(feature = "cached")]
    caches: Arc<[CachedStore]>,
    #[cfg(feature = "postgres")]
    moving: Option<MovingStore>,
}

impl Keywright {
    /// Creates a builder for a service that keeps its keys in `store`.
    ///
    /// Its defaults are the system's clock and random source, no pepper, the prefix `key`, and a
    /// default policy with API access turned off.
    ///
    /// ```
    /// use keywright::{Keywright, store::MemoryStore};
    ///
    /// let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn builder(store: impl KeyStore) -> Builder {
        Builder {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            random: Arc::new(Random::system()),
            peppers: Arc::new(PepperRing::none()),
            ticket_secret: None,
            prefix: Prefix::default(),
            accepted_prefixes: None,
            default_policy: Policy::default(),
            #[cfg(feature = "cached")]
            caches: Vec::new(),
        }
    }

    /// Returns the authority, which creates and manages keys.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let authority = keywright.authority();
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # drop(issued);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn authority(&self) -> Authority {
        self.authority.clone()
    }

    /// Returns the verifier, which checks keys.
    ///
    /// It cannot create keys, so request handlers can hold it safely.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let verifier = keywright.verifier();
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.owner(), &alice.as_owner());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// Publishes the metrics of this moment to the recorder of the crate `metrics`.
    ///
    /// Checks are counted in memory, and these counts and all gauges reach the recorder here.
    /// [`Verifier::flush`] does the same, so a service that flushes every few seconds needs this
    /// method only to be exact: call it before each scrape. A recorder gets the counts from the
    /// first call after it was installed, so install it first.
    ///
    /// ```
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// // In the handler of `/metrics`, before the recorder prints what it has:
    /// keywright.publish_metrics();
    /// # Ok::<(), keywright::Error>(())
    /// ```
    ///
    /// See [Observing](crate::guide::observing#metrics) in the guide.
    #[cfg(feature = "metrics")]
    pub fn publish_metrics(&self) {
        self.verifier.publish_metrics();
    }

    /// Returns the caches to refresh.
    #[cfg(feature = "cached")]
    pub(crate) fn caches(&self) -> impl Iterator<Item = &CachedStore> {
        self.caches.iter()
    }

    /// Returns the store, if it can be moved.
    #[cfg(feature = "postgres")]
    pub(crate) fn moving(&self) -> Option<&MovingStore> {
        self.moving.as_ref()
    }
}

impl fmt::Debug for Keywright {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keywright").finish_non_exhaustive()
    }
}

/// The settings with which a [`Keywright`] is built.
///
/// [`Keywright::builder`] creates a builder.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::{Keywright, Policy, Prefix};
///
/// let keywright = Keywright::builder(MemoryStore::new())
///     .prefix(Prefix::new("acme_live")?)
///     .default_policy(Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?))
///     .build()?;
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing exists until `build` is called"]
pub struct Builder {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    peppers: Arc<PepperRing>,
    ticket_secret: Option<HmacState>,
    prefix: Prefix,
    accepted_prefixes: Option<Arc<[Prefix]>>,
    default_policy: Policy,
    #[cfg(feature = "cached")]
    caches: Vec<CachedStore>,
}

impl Builder {
    /// Sets the prefix of new tokens.
    ///
    /// The default is `key`. Each key keeps the prefix that it was generated with, so tokens with
    /// another prefix stay valid, unless [`accept_prefixes`](Self::accept_prefixes) excludes them.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Prefix, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).default_policy(policy);
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let authority = builder.prefix(Prefix::new("acme_live")?).build()?.authority();
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// assert!(issued.token.expose().starts_with("acme_live_"));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn prefix(self, prefix: Prefix) -> Self {
        Self { prefix, ..self }
    }

    /// Limits the accepted keys to those with one of these prefixes.
    ///
    /// A key with another prefix is then refused like an unknown one, even if it is in the store,
    /// and its possessor cannot revoke it here. For example, production refuses test keys. The
    /// default accepts every prefix. Management is not limited: the [`Authority`] still lists,
    /// changes and revokes all keys.
    ///
    /// The prefix of a key is compared, so a key that is presented as key id and key secret is
    /// refused too. The [`prefix`](Self::prefix) of new keys must be one of these.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Prefix, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).default_policy(policy);
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let (live, test) = (Prefix::new("acme_live")?, Prefix::new("acme_test")?);
    /// let staging = builder.clone().prefix(test).build()?;
    /// let production = builder.prefix(live.clone()).accept_prefixes([live]).build()?;
    ///
    /// // Both use one store.
    /// let issued = staging.authority().generate(&alice, NewKey::named("test-main-app")?).await?;
    /// assert!(staging.verifier().verify(issued.token.expose()).await.is_ok());
    /// assert!(production.verifier().verify(issued.token.expose()).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn accept_prefixes(self, prefixes: impl IntoIterator<Item = Prefix>) -> Self {
        Self { accepted_prefixes: Some(prefixes.into_iter().collect()), ..self }
    }

    /// Sets the peppers of the stored digests.
    ///
    /// The default is a ring without a pepper. A pepper is a secret of the server that is kept
    /// apart from the store. With it, a stolen copy of the store is not enough to test guesses of a
    /// secret.
    ///
    /// ```
    /// use keywright::{Keywright, PepperRing, store::MemoryStore};
    ///
    /// # let (old, new) = ([7; 32], [9; 32]);
    /// let peppers = PepperRing::none().with(1, old)?.with(2, new)?; // the last one is current
    /// let keywright = Keywright::builder(MemoryStore::new()).peppers(peppers).build()?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn peppers(self, peppers: PepperRing) -> Self {
        Self { peppers: Arc::new(peppers), ..self }
    }

    /// Sets the secret from which the ids of [tickets](crate::Ticket) are derived.
    ///
    /// By default, they are derived from the peppers. Without a pepper, each process draws a secret
    /// of its own, so a ticket counts only in the process in which it was used first. If several
    /// nodes share a store and have no pepper, give all of them the same secret. Draw it from a
    /// secure random source.
    ///
    /// After a change of the secret, a form that was sent before can generate a second key. The same
    /// is true of a pepper that is no longer in the ring.
    ///
    /// ```
    /// use keywright::{Keywright, store::MemoryStore};
    ///
    /// # let secret = [7; 32];
    /// let keywright = Keywright::builder(MemoryStore::new()).ticket_secret(secret).build()?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn ticket_secret(self, secret: [u8; 32]) -> Self {
        Self { ticket_secret: Some(HmacState::new(&secret)), ..self }
    }

    /// Sets the plan and the settings of tenants that have stored none.
    ///
    /// The default is [`Policy::default`], in which API access is off.
    ///
    /// ```
    /// use keywright::{Keywright, Policy, store::MemoryStore};
    ///
    /// let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn default_policy(self, policy: Policy) -> Self {
        let plan = Plan { version: 0, ..policy.plan };
        let settings = Settings { version: 0, ..policy.settings };
        let default_policy = Policy { plan, settings };
        Self { default_policy, ..self }
    }

    /// Sets the clock that every method reads.
    ///
    /// The default is the system's clock. A test can set a [`ManualClock`](crate::ManualClock).
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{Keywright, ManualClock, store::MemoryStore};
    ///
    /// let clock = ManualClock::at("2026-01-01T09:00:00Z".parse()?);
    /// let keywright = Keywright::builder(MemoryStore::new()).clock(clock.clone()).build()?;
    /// clock.advance(Duration::from_hours(24)); // a day passes at once
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the random source of ids and secrets.
    ///
    /// The default is the operating system's source. A source must be cryptographically secure. A
    /// predictable source is for tests only.
    ///
    /// ```
    /// use keywright::{Keywright, store::MemoryStore};
    /// # use rand_core::{TryCryptoRng, TryRng};
    /// # struct HardwareRng;
    /// # impl TryRng for HardwareRng {
    /// #     type Error = std::convert::Infallible;
    /// #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { Ok(fastrand::u32(..)) }
    /// #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { Ok(fastrand::u64(..)) }
    /// #     fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
    /// #         Ok(fastrand::fill(bytes))
    /// #     }
    /// # }
    /// # impl TryCryptoRng for HardwareRng {}
    ///
    /// // `HardwareRng` implements `rand_core::TryCryptoRng`.
    /// let keywright = Keywright::builder(MemoryStore::new()).random(HardwareRng).build()?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn random(self, source: impl TryCryptoRng + Send + 'static) -> Self {
        Self { random: Arc::new(Random::new(source)), ..self }
    }

    /// Adds a cache for `Keywright::start` to refresh.
    ///
    /// Call it only if the cache is inside a store of your own type. The builder finds a
    /// [`CachedStore`] without this call if the cache is the store, also in an `Arc<dyn KeyStore>`.
    ///
    /// ```
    /// use keywright::Keywright;
    /// use keywright::store::{CacheOptions, CachedStore, MemoryStore};
    /// # use keywright::store::KeyStore;
    /// # fn metered(store: CachedStore) -> impl KeyStore { store }
    ///
    /// let cache = CachedStore::new(MemoryStore::new(), CacheOptions::new())?;
    /// // `metered` wraps the cache in a store that counts calls.
    /// let keywright = Keywright::builder(metered(cache.clone())).refresh_cache(&cache).build()?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    #[cfg(feature = "cached")]
    pub fn refresh_cache(mut self, cache: &CachedStore) -> Self {
        self.caches.push(cache.clone());
        self
    }

    /// Builds the [`Keywright`].
    ///
    /// Build one for each process, and clone it: two of them would count uses and rates separately.
    ///
    /// ```
    /// use keywright::{BuildError, Keywright, Policy, store::MemoryStore};
    ///
    /// let mut policy = Policy::default();
    /// policy.plan.max_keys_per_user = 0; // must be at least 1
    /// let built = Keywright::builder(MemoryStore::new()).default_policy(policy).build();
    /// assert!(matches!(built, Err(BuildError::DefaultPolicy(_))));
    /// ```
    ///
    /// # Errors
    /// * [`BuildError::DefaultPolicy`] if a field of the default policy is out of its bounds.
    /// * [`BuildError::PrefixNotAccepted`] if the prefix of new keys is not one of the accepted
    ///   prefixes.
    pub fn build(self) -> Result<Keywright, BuildError> {
        self.default_policy.validate()?;
        let prefixes = Prefixes::new(self.prefix.clone(), self.accepted_prefixes)
            .ok_or(BuildError::PrefixNotAccepted(self.prefix))?;
        #[cfg(feature = "cached")]
        let found = find_store::<CachedStore>(&*self.store).cloned();
        #[cfg(feature = "cached")]
        let caches: Arc<[CachedStore]> = self.caches.into_iter().chain(found).collect();
        #[cfg(feature = "postgres")]
        let moving = find_store::<MovingStore>(&*self.store).cloned();
        let setup = Setup {
            store: self.store,
            clock: self.clock,
            random: self.random,
            ticket_ids: Arc::new(TicketIds::new(self.ticket_secret, &self.peppers)),
            peppers: self.peppers,
            prefixes,
            usage_recorder: Arc::new(UsageRecorder::new(&self.default_policy)),
            default_policy: Arc::new(self.default_policy),
            limiter: Arc::new(Limiter::new()),
            refusal_log: Arc::default(),
            counts: Counts::new(),
            #[cfg(feature = "cached")]
            caches: Arc::clone(&caches),
        };
        Ok(Keywright {
            verifier: Verifier::new(setup.clone()),
            authority: Authority::new(setup),
            #[cfg(feature = "cached")]
            caches,
            #[cfg(feature = "postgres")]
            moving,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("store", &self.store)
            .field("prefix", &self.prefix)
            .field("accepted_prefixes", &self.accepted_prefixes)
            .field("peppers", &self.peppers)
            .finish_non_exhaustive()
    }
}

/// A [`Keywright`] could not be built.
///
/// ```
/// use keywright::{BuildError, Keywright, Policy, store::MemoryStore};
///
/// let mut policy = Policy::default();
/// policy.plan.max_keys_per_user = 0;
/// match Keywright::builder(MemoryStore::new()).default_policy(policy).build() {
///     Err(BuildError::DefaultPolicy(error)) => println!("in the default policy: {error}"),
///     built => drop(built?),
/// }
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A field of the default policy is out of its bounds.
    #[error("the default policy is invalid")]
    DefaultPolicy(#[from] PolicyError),
    /// The prefix of new keys is not one of the accepted prefixes, so every new key would be
    /// refused.
    #[error("accept_prefixes must contain the prefix of new keys, {0}")]
    PrefixNotAccepted(Prefix),
}
