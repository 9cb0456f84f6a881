//! Verification: resolve, decide, count.
//!
//! A verifier can check keys, count their use and revoke a key for whoever presents it. It can't
//! make keys or change them otherwise: a web server that only checks keys holds nothing that mints.

mod repepper;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::decision::request::AccessRequest;
use crate::decision::{Circumstances, DecideError, Denial, Grant, Reason, decide, recognize};
use crate::record::event::{Event, EventActor};
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::Policy;
use crate::record::status::KeyStatus;
use crate::setup::Setup;
use crate::setup::retry::{Attempted, commit, retry};
use crate::store::{Batch, Change, Freshness, StoreError};
use crate::value::id::KeyId;
use crate::value::token::{Credential, Presented};

use self::repepper::Repeppering;

/// Who is about to change a key asks the store itself.
const NOW: Freshness = Freshness::AtMost(Duration::ZERO);

/// Copies of the default policy, so that requests of different keys share no reference count.
const STRIPES: usize = 16;

/// Checks keys. Clones, and verifiers of the same [`Keywright`](crate::Keywright), share counters and rates.
///
/// A check of a key that the store has at hand allocates nothing. It takes a lock only for a key with
/// a rate or under an old pepper, on the first use since the last flush, and on the first use after
/// a change of policy, account or several keys at once, when the key's entry is renewed.
///
/// Uses are counted in memory. Call [`flush`](Self::flush) every few seconds and before the process
/// ends; what was counted since the last flush is lost if the process is killed.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

struct Inner {
    setup: Setup,
    default_policies: [Arc<Policy>; STRIPES],
    repeppering: Repeppering,
}

/// A credential was not accepted, or it can't be said whether it is. With `?` both fail closed.
///
/// There will be no third case: a web service answers a denial as its
/// [`class`](Denial::class) says, and what is unavailable with 503.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The credential is not accepted.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The store can't be asked, or its answer can't be used: 503, and never "invalid key".
    #[error("it can't be said now whether the API key is accepted")]
    Unavailable(#[from] StoreError),
}

impl VerifyError {
    /// The denial, if it is one.
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
            repeppering: Repeppering::default(),
            setup,
        }))
    }

    /// Returns a way back to the verifier that does not keep it alive.
    #[cfg(feature = "tokio")]
    pub(crate) fn downgrade(&self) -> impl Fn() -> Option<Self> + Send + 'static + use<> {
        let inner = Arc::downgrade(&self.0);
        move || inner.upgrade().map(Self)
    }

    /// Whether both say the same of every key, and count together.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Checks a token and counts its use.
    ///
    /// The grant says what the key may do; ask it, or say with
    /// [`verify_request`](Self::verify_request) what is needed. A key that is bound to networks is
    /// refused here, since the source is not known.
    ///
    /// # Errors
    /// [`VerifyError::Denied`] if the token is not accepted, [`VerifyError::Unavailable`] if that
    /// can't be said.
    ///
    /// # Cancel safety
    /// A check whose future is dropped was not counted.
    pub async fn verify(&self, token: &str) -> Result<Grant, VerifyError> {
        self.verify_request(&AccessRequest::token(token)).await
    }

    /// Checks a credential against what a request needs, and counts its use.
    ///
    /// # Errors
    /// As [`verify`](Self::verify). The first check that fails decides, in the order that
    /// [the guide](crate::guide::states) shows.
    ///
    /// # Cancel safety
    /// A check whose future is dropped was not counted.
    pub async fn verify_request(&self, request: &AccessRequest<'_>) -> Result<Grant, VerifyError> {
        let inner = &*self.0;
        let presented = Presented::parse(request.credential).ok_or_else(Denial::malformed)?;
        let found = inner.setup.store.resolve(&presented.key_id, request.freshness).await?;
        let now = inner.setup.clock.now();
        let circumstances = Circumstances {
            peppers: &inner.setup.peppers,
            default_policy: inner.default_policy(&presented.key_id),
            now,
            rate: |key: &Key, rates| inner.setup.limiter.admit(key, rates, now),
        };
        let grant = decide(&presented, found, request, circumstances)?;
        inner.setup.usage_recorder.count(&grant, now);
        if inner.setup.peppers.is_outdated(grant.digest_used()) {
            let digest = inner.setup.peppers.digest(&presented.key_id, presented.secret);
            inner.repeppering.remember(&grant, digest);
        }
        Ok(grant)
    }

    /// Revokes the key of a credential: whoever can present it can end it, as a leak report does.
    ///
    /// It does not ask what a request needs: a key that is disabled, bound to networks or of a
    /// tenant with API access off can be revoked too. Either secret of an overlap revokes the key, and
    /// so may one that a rotation supersedes while the call runs.
    ///
    /// # Errors
    /// [`VerifyError::Denied`] if the credential is not a key's, was superseded, or the key is
    /// expired. A key that is revoked already is a success that says so.
    pub async fn revoke(&self, credential: Credential<'_>) -> Result<Outcome<KeyId>, VerifyError> {
        let inner = &*self.0;
        let presented = &Presented::parse(credential).ok_or_else(Denial::malformed)?;
        let revoked = retry(|| async move {
            let found = inner.setup.store.resolve(&presented.key_id, NOW).await?;
            let now = inner.setup.clock.now();
            let (snapshot, _) = recognize(presented, found, &inner.setup.peppers, now)?;
            let key = snapshot.record().key();
            match key.status(now) {
                KeyStatus::Revoked => return Ok(Attempted::Done(Outcome::Unchanged(key.id))),
                KeyStatus::Expired => return Err(Denial::of(key.id, Reason::Expired).into()),
                _ => {}
            }
            let operation = Operation::KeyRevoke;
            let actor = EventActor::Possessor;
            let event = Event::new(key.tenant.clone(), now, actor, operation.into());
            let batch = Batch {
                changes: vec![Change::RevokeKey { key: key.id, at: now }],
                events: vec![event.of(key)],
                ..Batch::default()
            };
            Ok::<_, VerifyError>(commit(&*inner.setup.store, batch, Outcome::Done(key.id)).await?)
        });
        revoked.await?.ok_or_else(|| {
            StoreError::conflict("the key changed at each attempt: try again").into()
        })
    }

    /// Writes what was counted, uses and refused calls, and moves digests that were used to the
    /// current pepper.
    ///
    /// When it returns, every use that was counted before the call is stored. If it fails nothing
    /// is lost or counted twice: the next flush takes it up.
    ///
    /// # Errors
    /// [`StoreError`]; call it again later.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let inner = &*self.0;
        let now = inner.setup.clock.now();
        let Setup { store, random, peppers, usage_recorder, refusal_log, default_policy, .. } =
            &inner.setup;
        usage_recorder.flush(&**store, random, default_policy.extensive_use, now).await?;
        inner.repeppering.flush(&**store, peppers).await?;
        refusal_log.flush(&**store, now, None).await
    }
}

impl Inner {
    fn default_policy(&self, key: &KeyId) -> &Arc<Policy> {
        &self.default_policies[key.stripe(STRIPES)]
    }
}
