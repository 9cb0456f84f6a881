//! Changes of one key: rename, edit, disable, enable, delete.

use std::sync::OnceLock;

use crate::record::actor::Actor;
use crate::record::edit::{KeyEdit, KeyField};
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::{Key, KeyRecord};
use crate::record::operation::{Operation, Outcome};
use crate::setup::retry::Attempted;
use crate::store::{Change, Condition, StoreError, StoredKey};
use crate::value::id::KeyId;
use crate::value::name::Name;
use crate::value::time::Timestamp;

use super::Authority;
use super::attempt::{Attempt, owned_by};
use super::errors::KeyError;

/// The result of an operation on a key: the key after it, and the change to write.
pub(super) struct Step {
    pub(super) key: Key,
    pub(super) change: Change,
    pub(super) details: EventDetails,
}

impl Step {
    /// Converts a new record into the step that replaces the stored one.
    pub(super) fn update(outcome: Outcome<KeyRecord>, details: EventDetails) -> Outcome<Self> {
        outcome.map(|record| Self {
            key: record.key().clone(),
            change: Change::UpdateKey(record),
            details,
        })
    }
}

impl Authority {
    /// Renames a key in any status.
    ///
    /// The new name must follow the policy's name pattern, if it has one.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let renamed = authority.rename(&alice, &issued.key.id, "prod-billing".parse()?).await?;
    /// assert_eq!(renamed.into_inner().name.as_str(), "prod-billing");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError::Rule`] if the name does not follow the pattern. Otherwise `PermissionDenied`,
    /// `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the key either unchanged or renamed.
    pub async fn rename(
        &self,
        actor: &Actor,
        key: &KeyId,
        name: Name,
    ) -> Result<Outcome<Key>, KeyError> {
        self.edit(actor, key, KeyEdit::new().name(name)).await
    }

    /// Changes the name, scopes, networks, rate, description, contact or metadata of a key, all in
    /// one step.
    ///
    /// The name, description, contact and metadata can be changed in any status. The other fields
    /// can be changed until the key is revoked or expired. Fields that the edit does not set stay as they are.
    ///
    /// ```
    /// use keywright::KeyEdit;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new()
    ///     .scopes("invoices:read".parse()?)
    ///     .networks("203.0.113.0/24".parse()?)
    ///     .if_version(issued.key.version); // fails if the key has changed since
    /// let edited = authority.edit(&alice, &issued.key.id, edit).await?;
    /// assert_eq!(edited.into_inner().version, issued.key.version + 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`KeyError::Rule`] if the name does not follow the pattern, a scope is outside the
    ///   plan or the role, the rate is above the limit, or the edit widens a limit that an
    ///   administrator has set.
    /// * [`KeyError::Stale`] if the edit names a version and the key has another one.
    /// * [`KeyError::WrongStatus`] if the key is revoked or expired and the edit sets scopes,
    ///   networks or rate.
    /// * Otherwise `PermissionDenied`, `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the key either unchanged or with the whole edit.
    pub async fn edit(
        &self,
        actor: &Actor,
        key: &KeyId,
        edit: KeyEdit,
    ) -> Result<Outcome<Key>, KeyError> {
        let (operation, edit) = (edit.operation(), &edit);
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let record = attempt.key(key, operation).await?;
                let before = record.key();
                if let Some(given) = edit.if_version.filter(|version| *version != before.version) {
                    return Err(KeyError::Stale { given, current: before.version });
                }
                let (next, conditions) = if operation == Operation::KeyAnnotate {
                    // No rule of the policy restricts description, contact or metadata.
                    (record.annotate(edit, attempt.now)?, Vec::new())
                } else {
                    let rules = attempt.rules_of(&before.owner).await?;
                    let (policy, account) = (rules.policy(), rules.account.as_ref());
                    let next = record.edit(edit, actor, policy, account, attempt.now)?;
                    (next, rules.conditions)
                };
                let step = next.map(|next| {
                    let details = edited(before, next.key());
                    Step { key: next.key().clone(), change: Change::UpdateKey(next), details }
                });
                attempt.write_key(step, conditions).await
            })
        })
        .await
    }

    /// Disables a key, so that every check refuses it.
    ///
    /// During an overlap, both secrets are refused.
    ///
    /// [`enable`](Self::enable) reverses it. A disabled key still counts toward its owner's limit
    /// of keys.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// authority.disable(&alice, &issued.key.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError::WrongStatus`] if the key is expired or revoked. Otherwise `PermissionDenied`,
    /// `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the key either unchanged or disabled.
    pub async fn disable(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.set_disabled(actor, key, Operation::KeyDisable, true).await
    }

    /// Enables a disabled key, so that it works again.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// authority.disable(&alice, &issued.key.id).await?;
    /// authority.enable(&alice, &issued.key.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError::WrongStatus`] if the key is expired or revoked. Otherwise `PermissionDenied`,
    /// `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the key either unchanged or enabled.
    pub async fn enable(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.set_disabled(actor, key, Operation::KeyEnable, false).await
    }

    /// Deletes a key and its usage permanently, in any status.
    ///
    /// Every check then refuses the key, and no listing shows it. The events of the key stay until
    /// a [`sweep`](Self::sweep) removes them. To keep the key in the listing,
    /// [`revoke`](Self::revoke) it.
    ///
    /// ```
    /// use keywright::KeyError;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// authority.delete(&alice, &issued.key.id).await?;
    /// let deleted = authority.key(&alice, &issued.key.id).await;
    /// assert!(matches!(deleted, Err(KeyError::NotFound(_))));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError`]: `PermissionDenied`, `NotFound`, `Contended` or `Store`. If another caller deletes
    /// the key during this call, the call is a success.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the key either unchanged or deleted.
    pub async fn delete(&self, actor: &Actor, key: &KeyId) -> Result<(), KeyError> {
        let deleted = self.change(actor, key, Operation::KeyDelete, |record, _| {
            let key = record.key().clone();
            let details = EventDetails::NONE
                .text(DetailField::Name, &key.name)
                .text(DetailField::Owner, &key.owner);
            Ok(Outcome::Done(Step { change: Change::DeleteKey(key.id), key, details }))
        });
        deleted.await.map(|_| ())
    }

    async fn set_disabled(
        &self,
        actor: &Actor,
        key: &KeyId,
        operation: Operation,
        disabled: bool,
    ) -> Result<Outcome<Key>, KeyError> {
        self.change(actor, key, operation, |record, now| {
            let next = record.set_disabled(disabled, now)?;
            Ok(Step::update(next, EventDetails::NONE))
        })
        .await
    }

    /// Runs an operation on one key that no rule of the policy restricts.
    ///
    /// A revoke or a delete has reached its goal if another caller deletes the key at the same time.
    /// The result is then [`Outcome::Unchanged`] with the key as this operation would have left it.
    pub(super) async fn change(
        &self,
        actor: &Actor,
        key: &KeyId,
        operation: Operation,
        rule: impl Fn(&KeyRecord, Timestamp) -> Result<Outcome<Step>, KeyError> + Sync,
    ) -> Result<Outcome<Key>, KeyError> {
        let (rule, ended) = (&rule, &OnceLock::new());
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let found = attempt.key(key, operation).await;
                if let (Err(KeyError::NotFound(_)), Some(ended)) = (&found, ended.get())
                    && attempt.is_gone(key).await?
                {
                    return Ok(attempt.unchanged(Outcome::Unchanged(Key::clone(ended))).await?);
                }
                let record = found?;
                let step = rule(&record, attempt.now)?;
                if matches!(operation, Operation::KeyRevoke | Operation::KeyDelete) {
                    let (Outcome::Done(after) | Outcome::Unchanged(after)) = &step;
                    ended.get_or_init(|| after.key.clone());
                }
                let same = owned_by(*key, &record.key().owner);
                attempt.write_key(step, vec![same]).await
            })
        })
        .await
    }
}

impl Attempt<'_> {
    /// Reads a key and checks the permission. A key that the actor cannot see is reported as not
    /// found.
    pub(super) async fn key(
        &mut self,
        key: &KeyId,
        operation: Operation,
    ) -> Result<KeyRecord, KeyError> {
        Ok(self.stored_key(key, operation).await?.record)
    }

    /// Reads a key like [`key`](Self::key), with its usage and the record of its owner.
    pub(super) async fn stored_key(
        &mut self,
        key: &KeyId,
        operation: Operation,
    ) -> Result<StoredKey, KeyError> {
        self.event.key = Some(*key);
        let stored = self.store().key(self.actor.tenant(), key).await?;
        let stored = stored.ok_or(KeyError::NotFound(*key))?;
        let owner = &stored.record.key().owner;
        self.event.account = owner.account();
        if !self.actor.may(Operation::KeyShow, owner) && !self.actor.may(operation, owner) {
            return Err(KeyError::NotFound(*key));
        }
        self.actor.must(operation, owner)?;
        Ok(stored)
    }

    async fn is_gone(&self, key: &KeyId) -> Result<bool, StoreError> {
        Ok(self.store().key(self.actor.tenant(), key).await?.is_none())
    }

    /// Writes a changed key, or records that the operation changed nothing.
    pub(super) async fn write_key(
        &self,
        step: Outcome<Step>,
        conditions: Vec<Condition>,
    ) -> Result<Attempted<Outcome<Key>>, KeyError> {
        let attempted = match step {
            Outcome::Unchanged(Step { key, .. }) => self.unchanged(Outcome::Unchanged(key)).await?,
            Outcome::Done(Step { key, change, details }) => {
                self.write(conditions, change, details, Outcome::Done(key)).await?
            }
        };
        Ok(attempted)
    }
}

/// Returns the changed fields of an edit for its event.
fn edited(before: &Key, after: &Key) -> EventDetails {
    let changed = KeyField::changed(before, after);
    let details = EventDetails::NONE.list(DetailField::Changed, &changed);
    if before.name == after.name {
        return details;
    }
    details.text(DetailField::Name, &after.name).text(DetailField::PreviousName, &before.name)
}
