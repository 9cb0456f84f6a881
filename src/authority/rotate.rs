//! Rotation: a new secret for a key, and the hand-over from the old one.

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
        let rotated = self.change(actor, key, Operation::KeyRotate, |current| {
            let next = current.record.rotate(digest, overlap, current.now)?;
            if current.record.has_secret(secret.as_bytes(), &digest, &self.setup.peppers) {
                return Err(RandomError::Repeats(Drawn::Secret).into());
            }
            let longest = current.policy.as_ref().map(|policy| policy.max_overlap);
            if let Some(max) = longest.filter(|max| overlap > *max) {
                return Err(KeyError::OverlapTooLong { max });
            }
            let number = u64::from(next.key().secret_number);
            let details = EventDetails::NONE.value(DetailField::SecretNumber, number);
            let details = match next.key().overlap_ends_at {
                Some(end) => details.text(DetailField::OverlapEnds, end),
                None => details,
            };
            Ok(Step::update(Outcome::Done(next), details))
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
        self.change(actor, key, Operation::KeyFinishRotation, |current| {
            let next = current.record.finish_rotation(current.now)?;
            Ok(Step::update(next, EventDetails::NONE))
        })
        .await
    }
}
