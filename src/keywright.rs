//! The entry point: a builder, and the two values that a service takes from what it builds.

#[cfg(feature = "cached")]
use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rand_core::TryCryptoRng;

use crate::authority::Authority;
use crate::record::policy::{Policy, PolicyError};
use crate::setup::Setup;
use crate::setup::limiter::Limiter;
#[cfg(feature = "cached")]
use crate::store::CachedStore;
use crate::store::KeyStore;
use crate::value::digest::PepperRing;
use crate::value::random::Random;
use crate::value::time::{Clock, SystemClock};
use crate::value::token::Prefix;
use crate::verifier::Verifier;

/// API keys over one store. Build one for a process, and take an [`Authority`] and a [`Verifier`] from it.
///
/// Everything taken from one `Keywright` shares what is counted in memory: uses that are not flushed
/// yet, what is spent of each rate, and the refused calls of each actor. Cloning is cheap.
///
/// A service also needs background work: uses are flushed, and a cache is refreshed. With the feature
/// `tokio`, `Keywright::start` does both. Without it, call [`Verifier::flush`] every few seconds and before
/// the process ends.
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
#[derive(Clone)]
pub struct Keywright {
    authority: Authority,
    verifier: Verifier,
    #[cfg(feature = "cached")]
    caches: Vec<CachedStore>,
}

impl Keywright {
    /// Starts a builder over `store`, with the system's clock and random source, no pepper, the
    /// prefix `key`, and API access off in every tenant that has no policy.
    pub fn builder(store: impl KeyStore) -> Builder {
        Builder {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            random: Arc::new(Random::system()),
            peppers: Arc::new(PepperRing::none()),
            prefix: Prefix::default(),
            default_policy: Policy::default(),
            #[cfg(feature = "cached")]
            caches: Vec::new(),
        }
    }

    /// Returns the authority, which creates and manages keys.
    pub fn authority(&self) -> Authority {
        self.authority.clone()
    }

    /// Returns the verifier, which checks keys. A service that only checks keys holds nothing else.
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// The caches to refresh.
    #[cfg(feature = "cached")]
    pub(crate) fn caches(&self) -> impl Iterator<Item = &CachedStore> {
        self.caches.iter()
    }
}

impl fmt::Debug for Keywright {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keywright").finish_non_exhaustive()
    }
}

/// Settings of a [`Keywright`]. Made by [`Keywright::builder`].
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::{Keywright, Policy};
///
/// let mut policy = Policy::default();
/// policy.api_enabled = true;
/// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing exists until `build` is called"]
pub struct Builder {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    peppers: Arc<PepperRing>,
    prefix: Prefix,
    default_policy: Policy,
    #[cfg(feature = "cached")]
    caches: Vec<CachedStore>,
}

impl Builder {
    /// Sets the prefix of new tokens. Tokens with another prefix stay valid: each key keeps its own.
    pub fn prefix(self, prefix: Prefix) -> Self {
        Self { prefix, ..self }
    }

    /// Sets the peppers that digests are made with.
    pub fn peppers(self, peppers: PepperRing) -> Self {
        Self { peppers: Arc::new(peppers), ..self }
    }

    /// Sets the policy of tenants that have none stored.
    pub fn default_policy(self, policy: Policy) -> Self {
        let default_policy = Policy { version: 0, ..policy };
        Self { default_policy, ..self }
    }

    /// Replaces the system's clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Replaces the system's random source. The source must be cryptographically secure; a fixed one
    /// is for tests.
    pub fn random(self, source: impl TryCryptoRng + Send + 'static) -> Self {
        Self { random: Arc::new(Random::new(source)), ..self }
    }

    /// Adds a cache that `Keywright::start` refreshes, where it is inside a store of yours. A
    /// [`CachedStore`] that is itself the store, or is behind an `Arc<dyn KeyStore>`, needs no call.
    #[cfg(feature = "cached")]
    pub fn refreshes(mut self, cache: &CachedStore) -> Self {
        self.caches.push(cache.clone());
        self
    }

    /// Builds the [`Keywright`]. It has counters of its own: build one for a process.
    ///
    /// # Errors
    /// [`BuildError::DefaultPolicy`] if a setting of the default policy is out of its bounds.
    pub fn build(self) -> Result<Keywright, BuildError> {
        self.default_policy.validate()?;
        #[cfg(feature = "cached")]
        let caches = self.caches.into_iter().chain(cache_in(&*self.store)).collect();
        let setup = Setup {
            store: self.store,
            clock: self.clock,
            random: self.random,
            peppers: self.peppers,
            prefix: self.prefix,
            default_policy: Arc::new(self.default_policy),
            limiter: Arc::new(Limiter::new()),
            usage_recorder: Arc::default(),
            refusal_log: Arc::default(),
        };
        Ok(Keywright {
            verifier: Verifier::new(setup.clone()),
            authority: Authority::new(setup),
            #[cfg(feature = "cached")]
            caches,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("store", &self.store)
            .field("prefix", &self.prefix)
            .field("peppers", &self.peppers)
            .finish_non_exhaustive()
    }
}

/// Returns the cache that the store is, behind any number of `Arc`s.
#[cfg(feature = "cached")]
fn cache_in(mut store: &dyn KeyStore) -> Option<CachedStore> {
    while let Some(inner) = (store as &dyn Any).downcast_ref::<Arc<dyn KeyStore>>() {
        store = &**inner;
    }
    (store as &dyn Any).downcast_ref::<CachedStore>().cloned()
}

/// A [`Keywright`] cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting of the default policy is out of its bounds.
    #[error("the default policy is not possible")]
    DefaultPolicy(#[from] PolicyError),
}
