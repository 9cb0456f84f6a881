//! Revocation by possession: the holder of a secret ends its key.

use super::possession::{Step, revocation};
use super::{Verifier, VerifyError};
use crate::decision::{DecideError, Denial, Reason};
use crate::observe::{Activity, Ending, Work};
use crate::record::freshness::Found;
use crate::record::operation::{Operation, Outcome};
use crate::record::status::KeyStatus;
use crate::value::id::KeyId;
use crate::value::token::Credential;

impl Verifier {
    /// Revokes the key of a credential.
    ///
    /// Every caller that presents a key's secret can revoke the key, without any other permission.
    /// The method also revokes a key that is disabled, scheduled, bound to networks, or in a tenant
    /// with API access off. During an overlap, either secret revokes the key. A secret that a
    /// rotation replaces while the call runs may still revoke it. A key whose prefix is not accepted
    /// here cannot be revoked here: see [`Builder::accept_prefixes`](crate::Builder::accept_prefixes).
    /// For a token that another person found, [`report_leak`](Self::report_leak) also records where.
    ///
    /// Returns [`Outcome::Unchanged`] if the key was revoked before, or was deleted during the call.
    ///
    /// ```
    /// use keywright::Credential;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let credential = Credential::Token(issued.token.expose());
    /// let outcome = verifier.revoke(credential).await?;
    /// assert!(!outcome.is_unchanged());
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`VerifyError::Denied`] if the credential belongs to no key, if a rotation has replaced
    ///   its secret, or if its key has expired.
    /// * [`VerifyError::Unavailable`] if the store failed, or the key changed at each of 64
    ///   attempts.
    ///
    /// # Cancel safety
    /// If the future is dropped, the key is either revoked or unchanged.
    pub async fn revoke(&self, credential: Credential<'_>) -> Result<Outcome<KeyId>, VerifyError> {
        let work = Work::begin(Activity::Operation(Operation::KeyRevoke), None);
        let revoked = work.run(self.revoke_presented(credential), ending).await;
        let refused = revoked.as_ref().err().and_then(|error| error.denial()?.key_id());
        let key = revoked.as_ref().ok().map(|outcome| outcome.into_inner()).or(refused);
        work.is_about(key.as_ref(), None);
        revoked
    }

    async fn revoke_presented(
        &self,
        credential: Credential<'_>,
    ) -> Result<Outcome<KeyId>, VerifyError> {
        let inner = &*self.0;
        let refused = |found: Option<&Found>, error: &DecideError, now| {
            inner.count_refused(found, error, now);
        };
        let revoked =
            inner.change_presented(credential, Outcome::Unchanged, refused, |key, _, now| {
                Ok(match key.status(now) {
                    KeyStatus::Revoked => Step::Done(Outcome::Unchanged(key.id)),
                    KeyStatus::Expired => {
                        return Err(DecideError::Denied(Denial::of(key.id, Reason::Expired)));
                    }
                    _ => Step::Commit(revocation(key, now), Outcome::Done(key.id)),
                })
            });
        revoked.await
    }
}

/// Returns the ending of a revocation by the possessor.
fn ending(revoked: &Result<Outcome<KeyId>, VerifyError>) -> Ending<'_> {
    match revoked {
        Ok(Outcome::Done(_)) => Ending::Done,
        Ok(Outcome::Unchanged(_)) => Ending::Unchanged,
        Err(VerifyError::Denied(denial)) => Ending::Refused(denial.reason().code()),
        Err(VerifyError::Unavailable(error)) => Ending::Failed(error.kind().code(), error),
    }
}
