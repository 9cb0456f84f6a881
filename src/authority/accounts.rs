//! Service accounts: create, look at, edit, disable, enable, delete.

use crate::record::account::{AccountEdit, NewAccount, ServiceAccount};
use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::key::Owner;
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::{Policy, RoleName};
use crate::setup::retry::Attempted;
use crate::store::{AccountQuery, Batch, Change, Condition, KeyQuery, Page, StoreErrorKind};
use crate::value::id::AccountId;
use crate::value::random::{Drawn, RandomError};
use crate::value::scope::Access;

use super::Authority;
use super::attempt::Attempt;
use super::errors::{AccountError, ListError};
use super::listing::check_limit;

impl Authority {
    /// Creates a service account. Its role must be in the tenant's policy.
    ///
    /// # Errors
    /// [`AccountError`]; nothing was stored.
    pub async fn create_account(
        &self,
        actor: &Actor,
        new: NewAccount,
    ) -> Result<ServiceAccount, AccountError> {
        let operation = Operation::AccountCreate;
        let (id, new) = (AccountId::generate(&self.setup.random)?, &new);
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                actor.must_for_any(operation)?;
                let rules = attempt.rules().await?;
                must_have_role(&rules.policy, &new.role)?;
                let account = new.clone().into_account(id, actor.tenant().clone(), attempt.now);
                let event = Event { account: Some(id), ..attempt.event.clone() };
                let batch = Batch {
                    conditions: rules.conditions,
                    changes: vec![Change::InsertAccount(account.clone())],
                    events: vec![Event { details: described(&account), ..event }],
                };
                attempt.commit(batch, account).await.map_err(|error| match error.kind() {
                    StoreErrorKind::AlreadyExists => RandomError::Repeats(Drawn::AccountId).into(),
                    _ => AccountError::from(error),
                })
            })
        })
        .await
    }

    /// Changes the name, role or access of an account, for all its keys at once.
    ///
    /// # Errors
    /// [`AccountError`]; a role must be in the tenant's policy, and an account with another version
    /// than the edit names is `Stale`.
    pub async fn edit_account(
        &self,
        actor: &Actor,
        account: &AccountId,
        edit: AccountEdit,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        let (operation, edit) = (Operation::AccountEdit, &edit);
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let found = attempt.account(account, operation).await?;
                let mut conditions = Vec::new();
                if let Some(role) = &edit.role {
                    let rules = attempt.rules().await?;
                    must_have_role(&rules.policy, role)?;
                    conditions = rules.conditions;
                }
                if let Some(given) = edit.if_version.filter(|version| *version != found.version) {
                    return Err(AccountError::Stale { given, current: found.version });
                }
                attempt.write_account(found.edit(edit.clone(), attempt.now), conditions).await
            })
        })
        .await
    }

    /// Disables an account: all its keys stop at once. None of the keys changes.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn disable_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        self.set_account_enabled(actor, account, Operation::AccountDisable, false).await
    }

    /// Enables a disabled account: its keys work again, each as it was. A key that is disabled by
    /// itself stays disabled.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn enable_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        self.set_account_enabled(actor, account, Operation::AccountEnable, true).await
    }

    /// Deletes an account and all its keys, in one atomic step, for good.
    ///
    /// # Errors
    /// [`AccountError`]; nothing was deleted.
    pub async fn delete_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<(), AccountError> {
        let operation = Operation::AccountDelete;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let found = attempt.account(account, operation).await?;
                let keys = attempt.keys_of(&Owner::Account(*account), KeyQuery::new()).await?;
                let ids: Vec<_> = keys.iter().map(|stored| *stored.record.id()).collect();
                let details = EventDetails::NONE
                    .text(DetailField::Name, &found.name)
                    .value(DetailField::Keys, ids.len() as u64);
                let of_key = Event { kind: Operation::KeyDelete.into(), ..attempt.event.clone() };
                let mut changes: Vec<_> = ids.iter().map(|id| Change::DeleteKey(*id)).collect();
                changes.push(Change::DeleteAccount(*account));
                let mut events: Vec<_> =
                    ids.iter().map(|id| Event { key: Some(*id), ..of_key.clone() }).collect();
                events.push(Event { details, ..attempt.event.clone() });
                let version = found.version;
                let same = Condition::AccountVersion { account: *account, version };
                attempt
                    .commit(Batch { conditions: vec![same], changes, events }, ())
                    .await
                    .map_err(Into::into)
            })
        })
        .await
    }

    /// Returns a service account.
    ///
    /// # Errors
    /// [`AccountError`]; here it is `PermissionDenied`, `NotFound` or `Store`.
    pub async fn account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<ServiceAccount, AccountError> {
        actor.must_for_any(Operation::AccountShow)?;
        let found = self.setup.store.account(actor.tenant(), account).await?;
        found.ok_or(AccountError::NotFound(*account))
    }

    /// Lists the tenant's service accounts, a page at a time, oldest first.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn accounts(
        &self,
        actor: &Actor,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, ListError> {
        let operation = Operation::AccountShow;
        actor.must_for_any(operation)?;
        check_limit(query.limit)?;
        Ok(self.setup.store.accounts(actor.tenant(), query).await?)
    }

    async fn set_account_enabled(
        &self,
        actor: &Actor,
        account: &AccountId,
        operation: Operation,
        enabled: bool,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let found = attempt.account(account, operation).await?;
                attempt.write_account(found.set_enabled(enabled, attempt.now), Vec::new()).await
            })
        })
        .await
    }
}

impl Attempt<'_> {
    /// Reads an account for an operation that the actor has permission for.
    async fn account(
        &mut self,
        account: &AccountId,
        operation: Operation,
    ) -> Result<ServiceAccount, AccountError> {
        self.event.account = Some(*account);
        self.actor.must_for_any(operation)?;
        let found = self.store().account(self.actor.tenant(), account).await?;
        found.ok_or(AccountError::NotFound(*account))
    }

    /// Replaces an account, or records that it is so already.
    async fn write_account(
        &self,
        outcome: Outcome<ServiceAccount>,
        conditions: Vec<Condition>,
    ) -> Result<Attempted<Outcome<ServiceAccount>>, AccountError> {
        let attempted = match &outcome {
            Outcome::Unchanged(_) => self.unchanged(outcome).await?,
            Outcome::Done(next) => {
                let (change, details) = (Change::UpdateAccount(next.clone()), described(next));
                self.write(conditions, change, details, outcome).await?
            }
        };
        Ok(attempted)
    }
}

/// Checks that a policy has a role.
fn must_have_role(policy: &Policy, role: &RoleName) -> Result<(), AccountError> {
    if policy.roles.contains_key(role) {
        return Ok(());
    }
    Err(AccountError::UnknownRole(role.clone()))
}

/// Describes an account, as it is now, for the event of its change.
fn described(account: &ServiceAccount) -> EventDetails {
    let access = match account.access {
        Access::ReadOnly => "read-only",
        Access::ReadWrite => "read-write",
    };
    EventDetails::NONE
        .text(DetailField::Name, &account.name)
        .text(DetailField::Role, &account.role)
        .text(DetailField::Access, access)
        .value(DetailField::Enabled, account.enabled)
}
