//! Revocation: one key, many, or all of an owner.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::key::{Key, Owner};
use crate::record::operation::{Operation, Outcome, Transition};
use crate::record::status::KeyStatus;
use crate::store::{Batch, Change, Condition, KeyQuery, MAX_LIMIT, StoreError, StoredKey};
use crate::value::id::KeyId;

use super::Authority;
use super::attempt::Attempt;
use super::errors::KeyError;
use super::keys::Step;

impl Authority {
    /// Revokes a key: final. Both its secrets are dead when this returns. It wins against every
    /// other change but a delete. The key stays in the listing.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is expired. A key that is revoked already is a
    /// success that says so.
    pub async fn revoke(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.change(actor, key, Operation::KeyRevoke, |record, now| {
            let possible = record.revocable(now)?;
            let key = record.revoked(now).key().clone();
            let change = Change::RevokeKey { key: key.id, at: now };
            let step = Step { key, change, details: EventDetails::NONE };
            Ok(match possible {
                Transition::Unchanged => Outcome::Unchanged(step),
                _ => Outcome::Done(step),
            })
        })
        .await
    }

    /// Revokes many keys, each by itself: what can't be revoked is reported in its place and stops
    /// nothing else. The answers are in the order of `keys`.
    pub async fn revoke_many(
        &self,
        actor: &Actor,
        keys: &[KeyId],
    ) -> Vec<(KeyId, Result<Outcome<Key>, KeyError>)> {
        let mut answers = Vec::with_capacity(keys.len());
        for key in keys {
            answers.push((*key, self.revoke(actor, key).await));
        }
        answers
    }

    /// Revokes all live keys of an owner in one atomic step: for a user who has left, or an account
    /// that is under suspicion. Tells which ones.
    ///
    /// An owner who goes on generating meanwhile can hold it off for a while: end their access to
    /// [`generate`](Self::generate) first, by their permission or by disabling the account.
    ///
    /// # Errors
    /// [`KeyError`]; here it is `PermissionDenied`, `Contended` or `Store`.
    pub async fn revoke_owned(&self, actor: &Actor, owner: &Owner) -> Result<Vec<Key>, KeyError> {
        let operation = Operation::KeyRevoke;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let now = attempt.now;
                attempt.event.account = owner.account();
                attempt.event.details = EventDetails::NONE.text(DetailField::Owner, owner);
                actor.must(operation, owner)?;
                let live = KeyQuery::new()
                    .status(KeyStatus::Active)
                    .status(KeyStatus::Scheduled)
                    .status(KeyStatus::Disabled);
                let live = attempt.keys_of(owner, live).await?;
                let revoked: Vec<Key> =
                    live.iter().map(|stored| stored.record.revoked(now).key().clone()).collect();
                if revoked.is_empty() {
                    return Ok(attempt.unchanged(revoked).await?);
                }
                let details = attempt.event.details.clone();
                let details = details.value(DetailField::Keys, revoked.len() as u64);
                let event = Event { details, ..attempt.event.clone() };
                let left = Condition::NoLiveKeyLeft {
                    tenant: actor.tenant().clone(),
                    owner: owner.clone(),
                    at: now,
                };
                let batch = Batch {
                    conditions: vec![left],
                    changes: revoked
                        .iter()
                        .map(|k| Change::RevokeKey { key: k.id, at: now })
                        .collect(),
                    events: revoked.iter().map(|k| event.clone().of(k)).collect(),
                };
                Ok(attempt.commit(batch, revoked).await?)
            })
        })
        .await
    }
}

impl Attempt<'_> {
    /// Reads all keys of an owner that a query selects.
    pub(super) async fn keys_of(
        &self,
        owner: &Owner,
        query: KeyQuery,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let mut query = query.owner(owner.clone()).limit(MAX_LIMIT);
        let mut found = Vec::new();
        loop {
            let page = self.store().keys(self.actor.tenant(), &query, self.now).await?;
            // The caller revokes or deletes these keys: a store that forgets the filter on a later page must add none.
            let of_owner = |stored: &StoredKey| stored.record.key().owner == *owner;
            found.extend(page.items.into_iter().filter(of_owner));
            let Some(next) = page.next else { return Ok(found) };
            query = next;
        }
    }
}
