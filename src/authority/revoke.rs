//! Revocation: of one key, of many keys, and of all keys of an owner.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::key::{Key, Owner};
use crate::record::operation::{Operation, Outcome, Transition};
use crate::store::{Batch, Change, Condition, KeyQuery, MAX_LIMIT, StoreError, StoredKey};
use crate::value::id::KeyId;

use super::Authority;
use super::attempt::{Attempt, owned_by};
use super::errors::KeyError;
use super::keys::Step;

impl Authority {
    /// Revokes a key permanently.
    ///
    /// When this method returns, every check in this process refuses the key. A cache on another
    /// node can accept the key for at most its `max_staleness`, or longer during an outage if the
    /// host has allowed that. During an overlap, both secrets are refused. A concurrent change never
    /// undoes a revocation. The revoked key stays in the listing until a [`delete`](Self::delete) or
    /// a [`sweep`](Self::sweep) removes it.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// authority.revoke(&alice, &issued.key.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    ///
    /// // A repeated call is a success.
    /// assert!(authority.revoke(&alice, &issued.key.id).await?.is_unchanged());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError::WrongStatus`] if the key is expired. Otherwise `PermissionDenied`, `NotFound`,
    /// `Contended` or `Store`. If another caller deletes the key during this call, the call is a
    /// success that returns [`Outcome::Unchanged`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the key either unchanged or revoked.
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

    /// Revokes many keys, each independently of the others.
    ///
    /// The result has an entry for each key, in the order of `keys`. For a key that cannot be
    /// revoked, the entry holds the error, and the method continues with the next key.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let staging = authority.generate(&alice, NewKey::named("staging-app")?).await?.key.id;
    /// let test = authority.generate(&alice, NewKey::named("test-app")?).await?.key.id;
    /// for (key, result) in authority.revoke_many(&alice, &[staging, test]).await {
    ///     match result {
    ///         Ok(_) => println!("{key} is revoked"),
    ///         Err(error) => eprintln!("{key} could not be revoked: {error}"),
    ///     }
    /// }
    /// # assert!(authority.revoke(&alice, &test).await?.is_unchanged());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// If the future is dropped, the keys at the beginning of `keys` may be revoked and the others
    /// are unchanged.
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

    /// Revokes all live keys of an owner in one atomic step, and returns them.
    ///
    /// Use it when a user has left, or when a service account may be compromised. A key is live if
    /// it is active, scheduled or disabled.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let revoked = authority.revoke_owned(&ada, &alice.as_owner()).await?;
    /// assert_eq!(revoked[0].id, issued.key.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// An owner who keeps generating keys can delay this call. First take away their permission to
    /// [`generate`](Self::generate), or [disable](Self::disable_account) the service account.
    ///
    /// # Errors
    /// [`KeyError`]: `PermissionDenied`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves either all these keys unchanged or all of them revoked.
    pub async fn revoke_owned(&self, actor: &Actor, owner: &Owner) -> Result<Vec<Key>, KeyError> {
        let operation = Operation::KeyRevoke;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let now = attempt.now;
                attempt.event.account = owner.account();
                attempt.event.details = EventDetails::NONE.text(DetailField::Owner, owner);
                actor.must(operation, owner)?;
                let live = KeyQuery::new().live();
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
                let mut conditions = vec![left];
                conditions.extend(revoked.iter().map(|key| owned_by(key.id, owner)));
                let batch = Batch {
                    tenant: actor.tenant().clone(),
                    conditions,
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
            // The caller revokes or deletes these keys, so a store that ignores the filter must not
            // add others.
            let of_owner = |stored: &StoredKey| stored.record.key().owner == *owner;
            found.extend(page.items.into_iter().filter(of_owner));
            let Some(next) = page.next else { return Ok(found) };
            query = next;
        }
    }
}
