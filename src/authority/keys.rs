//! Changing one key: rename, edit, disable, enable, delete.

use crate::record::actor::Actor;
use crate::record::edit::{KeyEdit, KeyField};
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::{Key, KeyRecord};
use crate::record::operation::{Operation, Outcome};
use crate::setup::retry::Attempted;
use crate::store::{Change, Condition};
use crate::value::id::KeyId;
use crate::value::name::Name;
use crate::value::time::Timestamp;

use super::Authority;
use super::attempt::{Attempt, Rules};
use super::errors::KeyError;

/// The result of an operation on a key: the key as it will be, and how to write it.
pub(super) struct Step {
    pub(super) key: Key,
    pub(super) change: Change,
    pub(super) details: EventDetails,
}

impl Step {
    /// Replaces the record, unless the key is so already.
    pub(super) fn update(outcome: Outcome<KeyRecord>, details: EventDetails) -> Outcome<Self> {
        outcome.map(|record| Self {
            key: record.key().clone(),
            change: Change::UpdateKey(record),
            details,
        })
    }
}

impl Authority {
    /// Renames a key, in any status. The new name must follow the policy's pattern, if it has one.
    ///
    /// # Errors
    /// [`KeyError`]; a name that does not follow the pattern is a `Rule`.
    pub async fn rename(
        &self,
        actor: &Actor,
        key: &KeyId,
        name: Name,
    ) -> Result<Outcome<Key>, KeyError> {
        self.edit(actor, key, KeyEdit::new().name(name)).await
    }

    /// Changes the name, scopes, networks, rate or metadata of a key, all in one step. Name and
    /// metadata can be changed in any status, the rest only while the key is neither revoked nor
    /// expired.
    ///
    /// # Errors
    /// [`KeyError`]; a name outside the pattern, a scope outside the ceiling or a rate above the limit
    /// is a `Rule`, a key with another version than the edit names is `Stale`.
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
                    // No rule of the policy is about metadata.
                    (record.annotate(edit, attempt.now)?, Vec::new())
                } else {
                    let Rules { policy, account, conditions } =
                        attempt.rules_of(&before.owner).await?;
                    let account = account.as_ref();
                    (record.edit(edit, actor, &policy, account, attempt.now)?, conditions)
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

    /// Disables a key: both its secrets stop at once.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is expired or revoked.
    pub async fn disable(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.set_disabled(actor, key, Operation::KeyDisable, true).await
    }

    /// Enables a disabled key.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is expired or revoked.
    pub async fn enable(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.set_disabled(actor, key, Operation::KeyEnable, false).await
    }

    /// Deletes a key, in any status. Access ends at once. Its events stay until a sweep finds them
    /// old enough.
    ///
    /// # Errors
    /// [`KeyError`]; here it is `PermissionDenied`, `NotFound`, `Contended` or `Store`.
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

    /// Runs an operation on one key that no rule of the policy is about.
    pub(super) async fn change(
        &self,
        actor: &Actor,
        key: &KeyId,
        operation: Operation,
        rule: impl Fn(&KeyRecord, Timestamp) -> Result<Outcome<Step>, KeyError> + Sync,
    ) -> Result<Outcome<Key>, KeyError> {
        let rule = &rule;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let record = attempt.key(key, operation).await?;
                attempt.write_key(rule(&record, attempt.now)?, Vec::new()).await
            })
        })
        .await
    }
}

impl Attempt<'_> {
    /// Reads a key for an operation that the actor has permission for. A key that the actor cannot see
    /// is absent.
    pub(super) async fn key(
        &mut self,
        key: &KeyId,
        operation: Operation,
    ) -> Result<KeyRecord, KeyError> {
        self.event.key = Some(*key);
        let stored = self.store().key(self.actor.tenant(), key).await?;
        let record = stored.ok_or(KeyError::NotFound(*key))?.record;
        let owner = &record.key().owner;
        self.event.account = owner.account();
        if !self.actor.may(Operation::KeyShow, owner) && !self.actor.may(operation, owner) {
            return Err(KeyError::NotFound(*key));
        }
        self.actor.must(operation, owner)?;
        Ok(record)
    }

    /// Writes what an operation comes to, or records that the key is so already.
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

/// Lists the changes of an edit for its event.
fn edited(before: &Key, after: &Key) -> EventDetails {
    let changed = KeyField::changed(before, after);
    let details = EventDetails::NONE.list(DetailField::Changed, &changed);
    if before.name == after.name {
        return details;
    }
    details.text(DetailField::Name, &after.name).text(DetailField::PreviousName, &before.name)
}
