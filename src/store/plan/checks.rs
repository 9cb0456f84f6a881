//! The checks of a batch as a whole, after its changes are known.

use std::collections::HashSet;
use std::fmt;

use super::effects::Effects;
use super::view::View;
use crate::record::key::{KeyRecord, Owner};
use crate::store::batch::{Batch, Change, Condition};
use crate::store::error::StoreError;
use crate::value::id::AccountId;

/// Refuses a batch that names a subject twice, because the changes of a batch have no order.
pub(super) fn check_subjects(batch: &Batch) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    if !batch.changes.iter().map(Change::subject).all(|subject| seen.insert(subject)) {
        return Err(StoreError::unsupported(
            "a batch must name each subject in at most one change",
        ));
    }
    Ok(())
}

/// Refuses a batch with a change, a condition or an event of another tenant than the batch's.
pub(super) fn check_tenant(batch: &Batch) -> Result<(), StoreError> {
    let changes = batch.changes.iter().filter_map(Change::tenant);
    let conditions = batch.conditions.iter().filter_map(|condition| match condition {
        Condition::PolicyVersion { tenant, .. }
        | Condition::UserVersion { tenant, .. }
        | Condition::LiveKeysBelow { tenant, .. }
        | Condition::NoLiveKeyLeft { tenant, .. } => Some(tenant),
        Condition::AccountVersion { .. } | Condition::KeyOwner { .. } => None,
    });
    let events = batch.events.iter().map(|event| &event.tenant);
    match changes.chain(conditions).chain(events).find(|tenant| **tenant != batch.tenant) {
        Some(other) => Err(StoreError::unsupported(format!(
            "a batch of tenant {} must not name another tenant, got {other}",
            batch.tenant
        ))),
        None => Ok(()),
    }
}

/// Checks that the service account that owns a written key exists after the batch.
pub(super) fn check_owner(
    view: &impl View,
    record: &KeyRecord,
    effects: &Effects,
) -> Result<(), StoreError> {
    let Owner::Account(account) = &record.key().owner else { return Ok(()) };
    let is_stored = view.account(account).is_some() && !effects.deleted_accounts.contains(account);
    if is_stored || effects.written_accounts().any(|new| new.id == *account) {
        return Ok(());
    }
    Err(absent(format!("service account {account}")))
}

/// Checks that a deleted account owns no key after the batch, dead or live.
pub(super) fn check_no_key_left(
    view: &impl View,
    account: AccountId,
    effects: &Effects,
) -> Result<(), StoreError> {
    let Some(stored) = view.account(&account) else { return Ok(()) };
    let owner = Owner::Account(account);
    let moved = effects.written_keys().filter(|record| record.key().owner != owner);
    let gone: HashSet<_> = moved.map(KeyRecord::id).chain(&effects.deleted_keys).collect();
    let left = view.keys_of(&stored.tenant, &owner).find(|id| !gone.contains(id));
    match left {
        Some(id) => Err(StoreError::conflict(format!(
            "service account {account} still owns key {id}: delete the key first"
        ))),
        None => Ok(()),
    }
}

/// Checks a condition of the batch.
pub(super) fn check_condition(
    view: &impl View,
    condition: &Condition,
    effects: &Effects,
) -> Result<(), StoreError> {
    match condition {
        Condition::AccountVersion { account, version } => {
            if view.account(account).map(|account| account.version) != Some(*version) {
                return Err(StoreError::conflict(format!(
                    "service account {account} has changed: read it again and retry"
                )));
            }
        }
        Condition::KeyOwner { key, owner } => {
            if view.key(key).map(|record| &record.key().owner) != Some(owner) {
                return Err(StoreError::conflict(format!(
                    "key {key} was deleted or handed to another owner: read it again and retry"
                )));
            }
        }
        Condition::PolicyVersion { tenant, version } => {
            if view.policy(tenant).map_or(0, |policy| policy.version) != *version {
                return Err(StoreError::conflict(format!(
                    "the policy of {tenant} has changed: read it again and retry"
                )));
            }
        }
        Condition::UserVersion { tenant, user, version } => {
            if view.user(tenant, user).map_or(0, |user| user.version) != *version {
                return Err(StoreError::conflict(format!(
                    "the record of user {user} in {tenant} has changed: read it again and retry"
                )));
            }
        }
        Condition::LiveKeysBelow { tenant, owner, limit, at } => {
            let live = view.live_keys_of(tenant, owner, *at);
            if live.take(usize::from(*limit)).count() == usize::from(*limit) {
                let message =
                    format!("{owner} already holds {limit} live keys, the most that it may hold");
                return Err(StoreError::limit_reached(message));
            }
        }
        Condition::NoLiveKeyLeft { tenant, owner, at } => {
            let is_left = |record: &&KeyRecord| {
                let key = record.key();
                key.tenant == *tenant && key.owner == *owner && key.status(*at).is_live()
            };
            let written = effects.written_keys().map(KeyRecord::id);
            let touched: HashSet<_> = written.chain(&effects.deleted_keys).collect();
            let mut untouched = view.live_keys_of(tenant, owner, *at);
            let written = effects.written_keys().find(is_left).map(|record| *record.id());
            if let Some(id) = written.or_else(|| untouched.find(|id| !touched.contains(id))) {
                return Err(StoreError::conflict(format!("{owner} still holds the live key {id}")));
            }
        }
    }
    Ok(())
}

/// Returns the error for a record that does not exist.
pub(super) fn absent(what: impl fmt::Display) -> StoreError {
    StoreError::conflict(format!("{what} does not exist"))
}
