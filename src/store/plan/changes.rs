//! Planning a batch: the effects of each change, or the reason why the batch is refused.

use super::checks::{
    absent, check_condition, check_no_key_left, check_owner, check_subjects, check_tenant,
};
use super::deleted::{DeletedId, Tombstone};
use super::effects::Effects;
use super::event_numbers::{add_events, date_tombstones};
use super::of_tenant::OfTenant;
use super::view::View;
use crate::record::key::KeyRecord;
use crate::store::batch::{Batch, Change};
use crate::store::error::StoreError;
use crate::value::id::TenantId;
use crate::value::serde_strict::MAX_COUNT;

/// Plans a batch: checks its conditions and changes, and returns the rows to write.
///
/// ```
/// use keywright::KeyId;
/// use keywright::store::plan::{self, Rows};
/// use keywright::store::{Batch, Change, StoreErrorKind};
///
/// let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// let batch = Batch { changes: vec![Change::DeleteKey(key)], ..Batch::of("globex".parse()?) };
///
/// // The store found no row of this key, so the batch is refused.
/// let error = plan::batch(&Rows::default(), batch).unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Conflict);
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// # Errors
/// After an error, the store must write nothing of the batch.
/// * `Conflict`, `AlreadyExists` or `LimitReached` if a condition or a change does not hold, as
///   [`Condition`](crate::store::Condition) and [`Change`] describe.
/// * `Unsupported` if the batch names two tenants, or one subject in two changes, if an update
///   changes the creation time of a key, or if a version is above 2⁶³ − 1.
/// * `Corrupt` if the number of a tenant's newest event is 2⁶³ − 1, so that no number is left for
///   another event.
pub fn batch(view: &impl View, batch: Batch) -> Result<Effects, StoreError> {
    check_subjects(&batch)?;
    check_tenant(&batch)?;
    let view = &OfTenant { tenant: &batch.tenant, all: view };
    let mut effects = Effects::default();
    for change in batch.changes {
        add_change(view, change, &mut effects)?;
    }
    for record in effects.written_keys() {
        check_owner(view, record, &effects)?;
    }
    for account in &effects.deleted_accounts {
        check_no_key_left(view, *account, &effects)?;
    }
    for condition in &batch.conditions {
        check_condition(view, condition, &effects)?;
    }
    add_events(view, batch.events, &mut effects)?;
    date_tombstones(view, &mut effects);
    Ok(effects)
}

fn add_change(
    view: &OfTenant<'_, impl View>,
    change: Change,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    match change {
        Change::InsertKey(record) => {
            let id = *record.id();
            if view.all.key(&id).is_some() || view.is_deleted(&DeletedId::Key(id)) {
                return Err(already_exists(format!("key {id}")));
            }
            effects.new_keys.push(record);
        }
        Change::UpdateKey(record) => {
            let stored = view.key(record.id());
            let version = stored.map(KeyRecord::version);
            check_version(&format!("key {}", record.id()), version, record.version())?;
            if stored.map(|stored| stored.key().created_at) != Some(record.key().created_at) {
                let message =
                    format!("the update of key {} changes its creation time", record.id());
                return Err(StoreError::unsupported(message));
            }
            effects.changed_keys.push(record);
        }
        Change::RevokeKey { key, at } => {
            let stored = view.key(&key).filter(|stored| stored.key().revoked_at.is_none());
            let conflict = || format!("key {key} does not exist or is revoked already");
            let stored = stored.ok_or_else(|| StoreError::conflict(conflict()))?;
            effects.changed_keys.push(stored.revoked(at));
        }
        Change::DeleteKey(key) => {
            let stored = view.key(&key).ok_or_else(|| absent(format!("key {key}")))?;
            effects.deleted_keys.push(key);
            effects.tombstones.push(undated(DeletedId::Key(key), &stored.key().tenant));
        }
        Change::InsertAccount(account) => {
            let id = account.id;
            if view.all.account(&id).is_some() || view.is_deleted(&DeletedId::Account(id)) {
                return Err(already_exists(format!("service account {id}")));
            }
            check_count(&format!("service account {id}"), account.version)?;
            effects.new_accounts.push(account);
        }
        Change::UpdateAccount(account) => {
            let version = view.account(&account.id).map(|stored| stored.version);
            check_version(&format!("service account {}", account.id), version, account.version)?;
            effects.changed_accounts.push(account);
        }
        Change::DeleteAccount(account) => {
            let stored = view.account(&account);
            let stored = stored.ok_or_else(|| absent(format!("service account {account}")))?;
            effects.deleted_accounts.push(account);
            effects.tombstones.push(undated(DeletedId::Account(account), &stored.tenant));
        }
        Change::PutUser(user) => {
            let stored = view.user(&user.tenant, &user.id).map_or(0, |stored| stored.version);
            let what = format!("the record of user {} in {}", user.id, user.tenant);
            check_version(&what, Some(stored), user.version)?;
            effects.users.push(user);
        }
        Change::PutPolicy { tenant, policy } => {
            let stored = view.policy(&tenant).map_or(0, |stored| stored.version);
            check_version(&format!("the policy of {tenant}"), Some(stored), policy.version)?;
            effects.policies.push((tenant, policy));
        }
        Change::ForgetEvents { tenant, through } => {
            // The newest event stays: the next event takes its number from it.
            let through = through.min(view.last_event(&tenant).saturating_sub(1));
            effects.forgotten_ids.extend(view.deleted_through(&tenant, through));
            effects.forgotten_events.push((tenant, through));
        }
    }
    Ok(())
}

/// Returns a tombstone whose event number is set later, by `date_tombstones`.
fn undated(id: DeletedId, tenant: &TenantId) -> Tombstone {
    Tombstone { id, tenant: tenant.clone(), event: 0 }
}

fn check_version(what: &str, stored: Option<u64>, next: u64) -> Result<(), StoreError> {
    match stored {
        Some(stored) if stored.checked_add(1) == Some(next) => check_count(what, next),
        Some(_) => {
            Err(StoreError::conflict(format!("{what} has changed: read it again and retry")))
        }
        None => Err(absent(what)),
    }
}

/// Refuses a version that could be written but not read back.
fn check_count(what: &str, version: u64) -> Result<(), StoreError> {
    if version > MAX_COUNT {
        let message = format!("{what} must have a version of at most {MAX_COUNT}, got {version}");
        return Err(StoreError::unsupported(message));
    }
    Ok(())
}

fn already_exists(what: impl std::fmt::Display) -> StoreError {
    StoreError::already_exists(format!("{what} exists or was deleted"))
}
