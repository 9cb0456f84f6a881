//! Changing one key: rename, edit, disable, enable, delete, and the way that every change goes.

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails, EventOutcome};
use crate::record::key::{Key, KeyEdit, KeyRecord, Owner};
use crate::record::new_key::{RuleError, check_scopes};
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::Policy;
use crate::record::rules::{check_edit, is_administrator};
use crate::store::{Batch, Change, Condition};
use crate::value::id::KeyId;
use crate::value::name::Name;
use crate::value::time::Timestamp;

use super::errors::KeyError;
use super::{ATTEMPTS, Authority};

/// A key as it was read for a change, with what the rules of the change rest on.
pub(super) struct Current {
    pub(super) record: KeyRecord,
    /// Read for changes whose rules are the policy's.
    pub(super) policy: Option<Policy>,
    pub(super) account: Option<ServiceAccount>,
    pub(super) now: Timestamp,
    conditions: Vec<Condition>,
}

/// What a change comes to: the key as it will be, and how to write it.
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
    /// Renames a key, in any status. A pattern that the policy requires holds for the new name too.
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

    /// Changes name, scopes, networks, rate or metadata, all that the edit names in one step. Name and
    /// metadata can be changed in any status, the rest not of a key that is revoked or expired.
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
        self.change(actor, key, edit.operation(), |current| {
            let key = current.record.key();
            if let Some(given) = edit.if_version.filter(|version| *version != key.version) {
                return Err(KeyError::Stale { given, current: key.version });
            }
            let by_admin = is_administrator(actor, &key.owner);
            let next = current.record.edit(&edit, by_admin, current.now)?;
            if let Some(policy) = &current.policy {
                let new_name = edit.name.as_ref().filter(|name| **name != key.name);
                if let (Some(name), Some(pattern)) = (new_name, &policy.name_pattern) {
                    pattern.check(name).map_err(RuleError::from)?;
                }
                if let Some(scopes) = &edit.scopes {
                    check_scopes(scopes, policy, current.account.as_ref())?;
                }
                check_edit(&edit, key, policy, actor)?;
            }
            Ok(next.map(|next| {
                let details = edited(key, next.key());
                Step { key: next.key().clone(), change: Change::UpdateKey(next), details }
            }))
        })
        .await
    }

    /// Stops a key for a while. Both its secrets stop at once.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is expired or revoked.
    pub async fn disable(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.set_disabled(actor, key, Operation::KeyDisable, true).await
    }

    /// Lets a disabled key work again.
    ///
    /// # Errors
    /// [`KeyError`]; `WrongStatus` for a key that is expired or revoked.
    pub async fn enable(&self, actor: &Actor, key: &KeyId) -> Result<Outcome<Key>, KeyError> {
        self.set_disabled(actor, key, Operation::KeyEnable, false).await
    }

    /// Deletes a key for good, in any status. Access ends at once; its events stay until a sweep finds
    /// them old enough.
    ///
    /// # Errors
    /// [`KeyError`]; here it is `PermissionDenied`, `NotFound`, `Contended` or `Store`.
    pub async fn delete(&self, actor: &Actor, key: &KeyId) -> Result<(), KeyError> {
        let deleted = self.change(actor, key, Operation::KeyDelete, |current| {
            let key = current.record.key().clone();
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
        self.change(actor, key, operation, |current| {
            let next = current.record.set_disabled(disabled, current.now)?;
            Ok(Step::update(next, EventDetails::NONE))
        })
        .await
    }

    /// The way that every change of one key goes: read, ask for permission, decide, write with the
    /// event, and again from the beginning if somebody else was faster.
    pub(super) async fn change(
        &self,
        actor: &Actor,
        key: &KeyId,
        operation: Operation,
        decide: impl Fn(&Current) -> Result<Outcome<Step>, KeyError> + Send,
    ) -> Result<Outcome<Key>, KeyError> {
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let event = Event { key: Some(*key), ..Event::by(actor, operation, now) };
            let stored = self.setup.store.key(actor.tenant(), key).await?;
            let found = stored.map(|stored| stored.record).ok_or(KeyError::NotFound(*key));
            let record = self.on_record(found, &event).await?;
            let event = event.of(record.key());
            let current = self.current(actor, record, operation, now).await;
            let current = self.on_record(current, &event).await?;
            let step = match self.on_record(decide(&current), &event).await? {
                Outcome::Done(step) => step,
                Outcome::Unchanged(step) => {
                    self.note(Event { outcome: EventOutcome::Unchanged, ..event }).await?;
                    return Ok(Outcome::Unchanged(step.key));
                }
            };
            let batch = Batch {
                conditions: current.conditions,
                changes: vec![step.change],
                events: vec![Event { details: step.details, ..event }],
            };
            if self.commits(batch).await? {
                return Ok(Outcome::Done(step.key));
            }
        }
        Err(KeyError::Contended(ATTEMPTS))
    }

    /// The key, if the actor may do the operation with it. A key that the actor can't see is absent.
    async fn current(
        &self,
        actor: &Actor,
        record: KeyRecord,
        operation: Operation,
        now: Timestamp,
    ) -> Result<Current, KeyError> {
        let owner = record.key().owner.clone();
        if !actor.may(Operation::KeyShow, &owner) && !actor.may(operation, &owner) {
            return Err(KeyError::NotFound(*record.id()));
        }
        actor.must(operation, &owner)?;
        let mut current =
            Current { record, policy: None, account: None, now, conditions: Vec::new() };
        let ruled = [Operation::KeyRename, Operation::KeyEdit, Operation::KeyRotate];
        if ruled.contains(&operation) {
            let (policy, holds) = self.policy_in_force(actor).await?;
            current.policy = Some(policy);
            current.conditions.push(holds);
            if let Owner::Account(id) = &owner
                && let Some((account, holds)) = self.account_in_force(actor, id).await?
            {
                current.account = Some(account);
                current.conditions.push(holds);
            }
        }
        Ok(current)
    }
}

/// Lists the changes of an edit for its event.
fn edited(before: &Key, after: &Key) -> EventDetails {
    let fields = [
        ("name", before.name != after.name),
        ("scopes", before.scopes != after.scopes),
        ("networks", before.networks != after.networks),
        ("rate", before.rate != after.rate),
        ("metadata", before.metadata != after.metadata),
    ];
    let changed: Vec<&str> = fields.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let details = EventDetails::NONE.text(DetailField::Changed, changed.join(", "));
    if before.name == after.name {
        return details;
    }
    details.text(DetailField::Name, &after.name).text(DetailField::PreviousName, &before.name)
}
