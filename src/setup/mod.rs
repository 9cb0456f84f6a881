//! What an authority and a verifier share: the store, the seams, and what is counted in memory.

pub(crate) mod limiter;
pub(crate) mod refusal_log;
pub(crate) mod usage_recorder;

use std::fmt;
use std::sync::Arc;

use rand_core::TryCryptoRng;

use crate::record::policy::{Policy, PolicyError};
use crate::setup::limiter::Limiter;
use crate::setup::refusal_log::Refusals;
use crate::setup::usage_recorder::Counting;
use crate::store::KeyStore;
use crate::value::digest::PepperRing;
use crate::value::random::Random;
use crate::value::time::{Clock, SystemClock};
use crate::value::token::Prefix;

/// A store and what goes with it: everything that [`Authority`](crate::Authority) and
/// [`Verifier`](crate::Verifier) share. Make one for a process, and give it to both.
///
/// Clones share what is counted: uses that are not flushed yet, what is spent of each rate, and the
/// refused calls of each actor.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::{Authority, PepperRing, Policy, Prefix, Setup, Verifier};
///
/// # let pepper = [7; 32];
/// let setup = Setup::new(MemoryStore::new())
///     .prefix(Prefix::new("acme_live")?)
///     .peppers(PepperRing::none().with(1, pepper)?);
/// let authority = Authority::new(&setup)?;
/// let verifier = Verifier::new(&setup)?;
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "setters take and return by value"]
pub struct Setup {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<Random>,
    pub(crate) peppers: Arc<PepperRing>,
    pub(crate) prefix: Prefix,
    pub(crate) default_policy: Arc<Policy>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) counting: Arc<Counting>,
    pub(crate) refusals: Arc<Refusals>,
}

/// An authority or a verifier can't be made from a setup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The default policy leaves its limits.
    #[error("the default policy is not possible")]
    DefaultPolicy(#[from] PolicyError),
}

impl Setup {
    /// A store with the system's clock and random source, no pepper, the prefix `key`, and API
    /// access off in every tenant that has no policy.
    pub fn new(store: impl KeyStore) -> Self {
        Self {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            random: Arc::new(Random::system()),
            peppers: Arc::new(PepperRing::none()),
            prefix: Prefix::default(),
            default_policy: Arc::new(Policy::default()),
            limiter: Arc::new(Limiter::new()),
            counting: Arc::default(),
            refusals: Arc::default(),
        }
    }

    /// Whether what is verified with both is the same, and counted together: they are one setup, or
    /// clones of it that nothing was changed of since.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        // A store never changes once a setup has counters. Behind `dyn`, the address is the identity.
        Arc::ptr_eq(&self.counting, &other.counting)
            && Arc::ptr_eq(&self.peppers, &other.peppers)
            && Arc::ptr_eq(&self.default_policy, &other.default_policy)
            && std::ptr::addr_eq(Arc::as_ptr(&self.clock), Arc::as_ptr(&other.clock))
    }

    /// What new tokens begin with. Tokens with another prefix go on working: each key has its own.
    pub fn prefix(self, prefix: Prefix) -> Self {
        Self { prefix, ..self }
    }

    /// The peppers that digests are made with.
    pub fn peppers(self, peppers: PepperRing) -> Self {
        Self { peppers: Arc::new(peppers), ..self }
    }

    /// The policy of tenants that have none stored.
    pub fn default_policy(self, policy: Policy) -> Self {
        let policy = Policy { version: 0, ..policy };
        Self { default_policy: Arc::new(policy), ..self }
    }

    /// Another clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Another random source. It must be cryptographically secure; a fixed one is for tests.
    pub fn random(self, source: impl TryCryptoRng + Send + 'static) -> Self {
        Self { random: Arc::new(Random::new(source)), ..self }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("store", &self.store)
            .field("prefix", &self.prefix)
            .field("peppers", &self.peppers)
            .finish_non_exhaustive()
    }
}
