//! Verification: looks up the key, decides on the request and counts the use.
//!
//! A verifier checks keys, counts their uses, and revokes a key for a caller that presents it. It
//! cannot generate keys or change them in other ways. A web server that only checks keys therefore
//! holds nothing that can.

#[cfg(debug_assertions)]
mod agreement;
mod leak;
mod possession;
#[cfg(any(feature = "actix", feature = "tower"))]
mod renew;
mod repepper;
mod revoke;

use std::fmt;
use std::sync::Arc;

use crate::decision::quick::{self, Defaults};
use crate::decision::request::AccessRequest;
use crate::decision::{Circumstances, DecideError, Denial, Grant, SecretUsed, decide};
use crate::observe::{Activity, Check, Verdict, Work};
use crate::record::freshness::Found;
use crate::record::head::Obstacles;
use crate::record::key::Key;
use crate::record::policy::Policy;
use crate::record::tally::Counted;
use crate::setup::Setup;
use crate::setup::limiter::Admission;
use crate::store::{FoundRef, StoreError};
use crate::value::digest::Digest;
use crate::value::seat::{self, SEATS};
use crate::value::time::Timestamp;
use crate::value::token::Presented;

use self::repepper::Repeppering;

pub use self::leak::{LeakOutcome, LeakReport};

/// A verifier checks the API key of each request.
///
/// A `Verifier` comes from [`Keywright::verifier`](crate::Keywright::verifier). All verifiers of
/// one [`Keywright`](crate::Keywright), and their clones, share the counted uses and the rates.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::MemoryStore;
/// use keywright::{Actor, Keywright, NewKey, Policy, UserId};
///
/// let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// let alice = Actor::developer(UserId::new("alice")?);
/// let issued = keywright.authority().generate(&alice, NewKey::named("my-app")?).await?;
///
/// let verifier = keywright.verifier();
/// let grant = verifier.verify(issued.token.expose()).await?;
/// assert_eq!(grant.key().name.as_str(), "my-app");
/// # Ok::<(), keywright::Error>(()) }).unwrap();
/// ```
///
/// See [Concepts](crate::guide::concepts) and [In a web service](crate::guide::web) in the guide.
///
/// # Cost
///
/// If the store has the key in memory, a check allocates nothing and takes no lock, except in these
/// cases:
///
/// * The key has a rate, or its digest was computed with an old pepper.
/// * It is the key's first accepted or refused use since the last flush, or in a period of an
///   alert.
/// * It is the first use that is refused, or accepted with the retiring secret, since the store built
///   the key's snapshot.
/// * It is the key's first use after a change of the tenant's policy, of one of its accounts, or of
///   several of its keys at once. The store then builds a new snapshot of the key.
/// * It is the key's 8,192nd use since the last flush. The key then gets 8 copies of its snapshot,
///   about 420 bytes each. Threads use different copies and do not slow each other down.
///
/// # Counting uses
///
/// Accepted and refused uses are counted in memory and written by a flush. A refused use is a denial
/// of a credential with the id of a stored key, for any reason. `Keywright::start` (feature `tokio`) flushes
/// every few seconds and on shutdown. A host that does not use it calls [`flush`](Self::flush). A
/// process that is killed loses the uses since the last flush.
///
/// The texts and the digest of a key that is changed or deleted after a use stay in memory until the
/// next flush has ended, also if it fails. After that, only the key's id and numbers of its uses wait
/// for a flush that succeeds.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

type Answer = Result<Grant, VerifyError>;

fn verdict(answer: &Answer) -> Verdict<'_> {
    match answer {
        Ok(grant) => Verdict::Accepted { key: grant.key_id(), tenant: grant.tenant() },
        Err(VerifyError::Denied(denial)) => denied(denial),
        Err(VerifyError::Unavailable(error)) => Verdict::Unavailable(error.kind().code()),
    }
}

fn denied(denial: &Denial) -> Verdict<'static> {
    let reason = denial.reason();
    Verdict::Denied { key: denial.key_id(), reason: reason.code(), number: reason.number() }
}

struct Inner {
    setup: Setup,
    /// Copies of the default policy, one for each seat, so that threads rarely share a reference
    /// count.
    default_policies: [Arc<Policy>; SEATS],
    /// The obstacles that the default policy lifts.
    lifted: Obstacles,
    repeppering: Repeppering,
}

/// The error for a request that was denied, or whose credential could not be checked.
///
/// With `?`, both cases refuse the request. The enum is exhaustive: no third case will be added. A
/// web service answers a denial by its [`class`](Denial::class), and an unavailable store with 503.
///
/// ```
/// use keywright::VerifyError;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// match verifier.verify("not a token").await {
///     Ok(grant) => println!("welcome, {}", grant.owner()),
///     Err(VerifyError::Denied(denial)) => println!("401, 403 or 429: {denial}"),
///     Err(VerifyError::Unavailable(error)) => println!("503: {error}"),
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The credential is not accepted, or its key does not allow the request.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The store cannot be reached, or its answer cannot be used. Answer with 503, never with
    /// "invalid key".
    #[error("the API key could not be checked; try again later")]
    Unavailable(#[from] StoreError),
}

impl VerifyError {
    /// Returns the denial, or `None` if the credential could not be checked.
    ///
    /// ```
    /// use keywright::Reason;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let error = verifier.verify("not a token").await.expect_err("it is not a token");
    /// assert_eq!(error.denial().map(|denial| denial.reason()), Some(&Reason::Malformed));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::Unavailable(_) => None,
        }
    }
}

impl From<DecideError> for VerifyError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Denied(denial) => Self::Denied(denial),
            DecideError::Undecidable(error) => {
                Self::Unavailable(StoreError::unsupported(error.to_string()).with_source(error))
            }
        }
    }
}

impl Verifier {
    pub(crate) fn new(setup: Setup) -> Self {
        Self(Arc::new(Inner {
            default_policies: std::array::from_fn(|_| {
                Arc::new(Policy::clone(&setup.default_policy))
            }),
            lifted: Obstacles::lifted_by(&setup.default_policy),
            repeppering: Repeppering::default(),
            setup,
        }))
    }

    /// Returns a function that upgrades to this verifier while it still exists, without keeping it
    /// alive.
    #[cfg(feature = "tokio")]
    pub(crate) fn downgrade(&self) -> impl Fn() -> Option<Self> + Send + 'static + use<> {
        let inner = Arc::downgrade(&self.0);
        move || inner.upgrade().map(Self)
    }

    /// Returns whether both are clones of one verifier.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the time of the setup's clock.
    #[cfg(feature = "reports")]
    pub(crate) fn now(&self) -> Timestamp {
        self.0.setup.clock.now()
    }

    /// Checks a token and counts its use, accepted or refused.
    ///
    /// The grant says what the key may do. Check its scopes and access, or use
    /// [`verify_request`](Self::verify_request) to check what the request needs. This method
    /// refuses a key that is bound to networks, since it does not know the source.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.key_id(), &issued.key.id);
    ///
    /// assert!(verifier.verify("not a token").await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`VerifyError::Denied`] if the token is not accepted.
    /// * [`VerifyError::Unavailable`] if the token could not be checked.
    ///
    /// # Cancel safety
    /// The use is counted only if the future returns a grant or a denial.
    pub async fn verify(&self, token: &str) -> Result<Grant, VerifyError> {
        let check = Check::begin();
        let request = AccessRequest::token(token);
        if let Some(answer) = check.within(|| self.0.answer_from_memory(&request)) {
            check.ended(&self.0.setup.counts, || verdict(&answer));
            return answer;
        }
        let answer = check.run(self.0.answer(&request)).await;
        check.ended(&self.0.setup.counts, || verdict(&answer));
        answer
    }

    /// Checks a credential against everything that a request needs, and counts its use.
    ///
    /// The checks run in the order that [the guide](crate::guide::states) lists, and the first one
    /// that fails decides.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use keywright::{AccessRequest, Scope};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let scope = Scope::new("invoices:write")?;
    /// let request = AccessRequest::token(issued.token.expose())
    ///     .source(IpAddr::from([203, 0, 113, 7]))
    ///     .scope(&scope);
    /// let error = verifier.verify_request(&request).await.expect_err("the key may only read");
    /// assert_eq!(error.to_string(), "the API key does not allow this");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`VerifyError::Denied`] if the credential is not accepted or does not allow the request.
    /// * [`VerifyError::Unavailable`] if the credential could not be checked.
    ///
    /// # Cancel safety
    /// The use is counted only if the future returns a grant or a denial.
    pub async fn verify_request(&self, request: &AccessRequest<'_>) -> Result<Grant, VerifyError> {
        let check = Check::begin();
        if let Some(answer) = check.within(|| self.0.answer_from_memory(request)) {
            check.ended(&self.0.setup.counts, || verdict(&answer));
            return answer;
        }
        let answer = check.run(self.0.answer(request)).await;
        check.ended(&self.0.setup.counts, || verdict(&answer));
        answer
    }

    /// Writes counted uses and counted refusals to the store, and replaces digests under old
    /// peppers.
    ///
    /// For each key that was verified since the last flush and whose digest is under an old pepper,
    /// it stores a digest under the current one.
    ///
    /// `Keywright::start` calls this method every few seconds. When it returns `Ok`, every use that
    /// was counted before the call is stored. After an error nothing is lost or counted twice: the
    /// next flush tries again.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// verifier.verify(issued.token.expose()).await?;
    /// verifier.flush().await?;
    /// assert_eq!(authority.key(&alice, &issued.key.id).await?.uses, 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store failed, or if the random source failed to draw the id of the
    /// writer. The first flush draws it, and another one if a second process has the same id. Call
    /// the method again later.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost or counted twice.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let flush = Work::begin(Activity::Flush, None);
        let flushed = flush.run(self.0.flush(), StoreError::ending_of).await;
        self.0.setup.publish();
        flushed
    }

    /// Publishes the metrics.
    #[cfg(feature = "metrics")]
    pub(crate) fn publish_metrics(&self) {
        self.0.setup.publish();
    }
}

impl Inner {
    async fn flush(&self) -> Result<(), StoreError> {
        let now = self.setup.clock.now();
        let Setup { store, random, peppers, usage_recorder, refusal_log, .. } = &self.setup;
        usage_recorder.flush(&**store, random, now).await?;
        self.repeppering.flush(&**store, peppers).await?;
        refusal_log.flush(&**store, now, None).await
    }

    /// Answers a request if its credential is malformed or the store has its key in memory.
    ///
    /// This is no part of a future, so no state is kept for what would follow.
    fn answer_from_memory(&self, request: &AccessRequest<'_>) -> Option<Answer> {
        let Some(presented) = Presented::parse(request.credential, self.setup.prefixes.usual())
        else {
            return Some(Err(Denial::malformed().into()));
        };
        let mut answer = None;
        self.setup.store.peek(&presented.key_id, request.freshness, &mut |found| {
            // The hash comes after the lookup, so that the memory is read meanwhile, and costs the
            // same if there is no such key.
            let computed = self.setup.peppers.digest(&presented.key_id, presented.secret);
            let now = self.setup.clock.now();
            let admission = Admission::new(&self.setup.limiter, now);
            let accepted = found.and_then(|found| {
                self.accept(&presented, &computed, found, request, &admission, now)
            });
            answer = Some(accepted.map_or_else(
                || {
                    let found = found.map(|found| found.of_this_thread().into());
                    self.decide(&presented, &computed, found, request, &admission, now)
                },
                Ok,
            ));
        });
        answer
    }

    /// Answers a request for whose key the store must be asked.
    async fn answer(&self, request: &AccessRequest<'_>) -> Answer {
        let presented = Presented::parse(request.credential, self.setup.prefixes.usual())
            .ok_or_else(Denial::malformed)?;
        let found = self.setup.store.resolve(&presented.key_id, request.freshness).await?;
        let computed = self.setup.peppers.digest(&presented.key_id, presented.secret);
        let now = self.setup.clock.now();
        let admission = Admission::new(&self.setup.limiter, now);
        self.decide(&presented, &computed, found, request, &admission, now)
    }

    /// Accepts a request on the quick road, and counts its use.
    #[inline]
    fn accept(
        &self,
        presented: &Presented<'_>,
        computed: &Digest,
        found: FoundRef<'_>,
        request: &AccessRequest<'_>,
        admission: &Admission<'_>,
        now: Timestamp,
    ) -> Option<Grant> {
        let (prefixes, policy) = (&self.setup.prefixes, self.default_policy());
        let defaults = Defaults { prefixes, policy, lifted: self.lifted };
        let rate = |key: &Key, rates| admission.ask(key, rates);
        if !quick::accepts(presented, computed, found.snapshot, request, &defaults, now, rate) {
            return None;
        }
        #[cfg(debug_assertions)]
        self.must_agree(presented, computed, found, request, now);
        let FoundRef { snapshot, age } = found.of_this_thread();
        // The digest covers the id that was presented, so it is the id of this key.
        self.setup.usage_recorder.count(&presented.key_id, snapshot, Counted::Current, now);
        Some(Grant::of_current(snapshot, age, policy, now))
    }

    /// Decides on a request, and counts its use or its refusal.
    #[inline(never)]
    fn decide(
        &self,
        presented: &Presented<'_>,
        computed: &Digest,
        mut found: Option<Found>,
        request: &AccessRequest<'_>,
        admission: &Admission<'_>,
        now: Timestamp,
    ) -> Answer {
        let rate = |key: &Key, rates| admission.ask(key, rates);
        let circumstances = self.circumstances(now, rate);
        let decided = decide(presented, computed, &mut found, request, circumstances);
        let grant = decided.inspect_err(|error| self.count_refused(found.as_ref(), error, now))?;
        let counted = match grant.secret_used() {
            SecretUsed::Current => Counted::Current,
            SecretUsed::Retiring => Counted::Retiring,
        };
        self.setup.usage_recorder.count_owned(grant.snapshot(), counted, now);
        if self.setup.peppers.is_outdated(grant.digest_used()) {
            self.repeppering.remember(&grant, *computed);
        }
        Ok(grant)
    }

    fn circumstances<R>(&self, now: Timestamp, rate: R) -> Circumstances<'_, R> {
        Circumstances {
            peppers: &self.setup.peppers,
            prefixes: &self.setup.prefixes,
            default_policy: self.default_policy(),
            now,
            rate,
        }
    }

    /// Counts a refused use if the credential names a stored key. Unknown ids are not counted,
    /// since a caller can invent any number of them.
    fn count_refused(&self, found: Option<&Found>, error: &DecideError, now: Timestamp) {
        if let (Some(found), DecideError::Denied(_)) = (found, error) {
            self.setup.usage_recorder.count_owned(&found.snapshot, Counted::Refused, now);
        }
    }

    fn default_policy(&self) -> &Arc<Policy> {
        &self.default_policies[seat::of_this_thread()]
    }
}
