//! Rotation: a new secret for a key, and the overlap in which the old one works too.

use std::time::Duration;

use crate::record::actor::Actor;
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::value::id::KeyId;
use crate::value::random::{Drawn, RandomError};
use crate::value::token::FreshSecret;

use super::Authority;
use super::errors::KeyError;
use super::generate::Issued;
use super::keys::Step;

impl Authority {
    /// Replaces a key's secret, in one atomic step. Its id, owner and expiry stay.
    ///
    /// For `overlap` the old secret works too, at most until the key's expiry; with
    /// [`Duration::ZERO`] it stops at once. A second rotation inside an overlap ends the oldest
    /// secret at once. [`key`](Self::key) tells whether the old one is still in use, and
    /// [`finish_rotation`](Self::finish_rotation) ends the overlap early.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is disabled, expired or revoked, `OverlapTooLong`
    /// past the policy's longest. If the store failed as `Unavailable` the secret may have been
    /// replaced by one that nobody knows: rotate again.
    pub async fn rotate(
        &self,
        actor: &Actor,
        key: &KeyId,
        overlap: Duration,
    ) -> Result<Issued, KeyError> {
        let secret = FreshSecret::generate(&self.setup.random)?;
        let digest = self.setup.peppers.digest(key, secret.as_bytes());
        let (operation, bytes) = (Operation::KeyRotate, secret.as_bytes());
        let rotated = self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let record = attempt.key(key, operation).await?;
                let rules = attempt.rules_of(&record.key().owner).await?;
                let next = record.rotate(digest, overlap, &rules.policy, attempt.now)?;
                if record.has_secret(bytes, &digest, &self.setup.peppers) {
                    return Err(RandomError::Repeats(Drawn::Secret).into());
                }
                let number = u64::from(next.key().secret_number);
                let mut details = EventDetails::NONE.value(DetailField::SecretNumber, number);
                if let Some(end) = next.key().overlap_ends_at {
                    details = details.text(DetailField::OverlapEnds, end);
                }
                attempt
                    .write_key(Step::update(Outcome::Done(next), details), rules.conditions)
                    .await
            })
        });
        let key = rotated.await?.into_inner();
        let token = secret.into_token(&key.prefix, key.id);
        Ok(Issued { key, token })
    }

    /// Ends the overlap of a rotation: the old secret stops at once.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is expired or revoked.
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
