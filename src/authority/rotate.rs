//! Rotation: a new secret for a key, and the overlap in which the old secret works too.

use std::sync::Arc;

use crate::record::actor::Actor;
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::record::rotation::Rotation;
use crate::store::{Change, StoredKey};
use crate::value::id::KeyId;
use crate::value::random::{Drawn, RandomError};
use crate::value::token::FreshSecret;

use super::Authority;
use super::attempt::drawn;
use super::errors::KeyError;
use super::generate::Issued;
use super::keys::Step;
use super::listing::entry;

impl Authority {
    /// Replaces a key's secret in one atomic step, and returns the new token.
    ///
    /// The key keeps its id, owner and expiry. A [`Duration`](std::time::Duration) is the overlap: for
    /// this time the old secret also works, at most until the key expires. After a leak, pass
    /// `Duration::ZERO`: the old secret is then refused at once. The longest overlap is
    /// [`Settings::max_overlap`](crate::Settings::max_overlap). A [`Rotation`] can also name the
    /// version that the key must have.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let rotated = authority.rotate(&alice, &issued.key.id, Duration::from_hours(24)).await?;
    /// println!("deploy this token within 24 hours: {}", rotated.token.expose());
    ///
    /// // Until then both tokens work.
    /// assert!(verifier.verify(issued.token.expose()).await.is_ok());
    /// assert!(verifier.verify(rotated.token.expose()).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// A disabled key can be rotated without an overlap, and stays disabled. After a leak,
    /// [`disable`](Self::disable) the key, rotate it, and [`enable`](Self::enable) it: the leaked
    /// secret never works again.
    ///
    /// A key has at most two secrets: a second rotation during an overlap makes the oldest secret
    /// invalid at once. [`key`](Self::key) shows whether the old secret is still in use, and
    /// [`finish_rotation`](Self::finish_rotation) ends the overlap early.
    ///
    /// See [Rotation](crate::guide::rotation) in the guide.
    ///
    /// # Errors
    /// * [`KeyError::Stale`] if the rotation names a version and the key has another one.
    /// * [`KeyError::WrongStatus`] if the key is expired or revoked.
    /// * [`KeyError::OverlapWhileDisabled`] if the key is disabled and the overlap is not zero.
    /// * [`KeyError::OverlapTooLong`] if the policy does not allow such a long overlap.
    /// * [`KeyError::Random`] if the random source failed.
    /// * [`KeyError::Store`]. After the kind `Unavailable` the secret may have been replaced by one
    ///   that was never shown: rotate again.
    /// * Otherwise `PermissionDenied`, `NotFound` or `Contended`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the key with a new secret that was never shown: rotate again.
    /// The old secret works until its overlap ends.
    pub async fn rotate(
        &self,
        actor: &Actor,
        key: &KeyId,
        rotation: impl Into<Rotation>,
    ) -> Result<Issued, KeyError> {
        let Rotation { overlap, if_version } = rotation.into();
        let operation = Operation::KeyRotate;
        let secret = FreshSecret::generate(&self.setup.random);
        let secret = drawn(actor, operation, secret)?;
        let digest = self.setup.peppers.digest(key, secret.as_bytes());
        let bytes = secret.as_bytes();
        let rotated = self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let stored = attempt.stored_key(key, operation).await?;
                let record = &stored.record;
                let current = record.key().version;
                if let Some(given) = if_version.filter(|version| *version != current) {
                    return Err(KeyError::Stale { given, current });
                }
                let rules = attempt.rules_of(&record.key().owner).await?;
                let max_overlap = rules.policy().max_overlap().value;
                let next = record.rotate(digest, overlap, max_overlap, attempt.now)?;
                if record.has_secret(bytes, &digest, &self.setup.peppers) {
                    return Err(KeyError::from(RandomError::Repeats(Drawn::Secret)));
                }
                let number = u64::from(next.key().secret_number);
                let mut details = EventDetails::NONE.value(DetailField::SecretNumber, number);
                if let Some(end) = next.key().overlap_ends_at {
                    details = details.text(DetailField::OverlapEnds, end);
                }
                let stored = StoredKey { record: next, ..stored };
                let entry = entry(actor, &stored, rules.policy(), attempt.now);
                let change = Change::UpdateKey(stored.record);
                Ok(attempt.write(rules.conditions, change, details, entry).await?)
            })
        });
        let entry = rotated.await?;
        let token = secret.into_token(&entry.key.prefix, entry.key.id);
        Ok(Issued { key: Arc::clone(&entry.key), entry, token })
    }

    /// Ends the overlap of a rotation early, so that the old secret is refused.
    ///
    /// [`Overlap::safe_to_finish`](crate::Overlap::safe_to_finish) shows when the old secret
    /// appears to be unused.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let rotated = authority.rotate(&alice, &issued.key.id, Duration::from_hours(24)).await?;
    /// authority.finish_rotation(&alice, &issued.key.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// assert!(verifier.verify(rotated.token.expose()).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError::WrongStatus`] if the key is expired or revoked. Otherwise `PermissionDenied`,
    /// `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the overlap either unchanged or ended.
    pub async fn finish_rotation(
        &self,
        actor: &Actor,
        key: &KeyId,
    ) -> Result<Outcome<Key>, KeyError> {
        self.change(actor, key, Operation::KeyFinishRotation, |record, now| {
            let next = record.finish_rotation(now)?;
            Ok(Step::update(next, EventDetails::NONE))
        })
        .await
    }
}
