//! Service accounts: create, look at, edit, disable, enable, delete.

use crate::record::account::{AccountEdit, NewAccount, ServiceAccount};
use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails, EventOutcome};
use crate::record::key::Owner;
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::RoleName;
use crate::store::{AccountQuery, Batch, Change, Condition, KeyQuery, Page, StoreErrorKind};
use crate::value::id::AccountId;
use crate::value::random::{Drawn, RandomError};
use crate::value::scope::Access;
use crate::value::time::Timestamp;

use super::errors::{AccountError, ListError};
use super::listing::check_limit;
use super::{ATTEMPTS, Authority};

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
        let id = AccountId::generate(&self.setup.random)?;
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let event = Event::by(actor, operation, now);
            let role_exists = self.role_condition(actor, operation, Some(&new.role)).await;
            let role_exists = self.on_record(role_exists, &event).await?;
            let account = new.clone().into_account(id, actor.tenant().clone(), now);
            let details = described(&account);
            let batch = Batch {
                conditions: role_exists.into_iter().collect(),
                changes: vec![Change::InsertAccount(account.clone())],
                events: vec![Event { account: Some(id), details, ..event.clone() }],
            };
            let written = self.commits(batch).await.map_err(|error| match error.kind() {
                StoreErrorKind::AlreadyExists => RandomError::Repeats(Drawn::AccountId).into(),
                _ => AccountError::from(error),
            });
            if self.on_record(written, &event).await? {
                return Ok(account);
            }
        }
        Err(AccountError::Contended(ATTEMPTS))
    }

    /// Changes name, role or access: of all the account's keys at once.
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
        let role = edit.role.clone();
        self.change_account(
            actor,
            account,
            Operation::AccountEdit,
            role.as_ref(),
            |account, now| match edit.if_version {
                Some(given) if given != account.version => {
                    Err(AccountError::Stale { given, current: account.version })
                }
                _ => Ok(account.edit(edit.clone(), now)),
            },
        )
        .await
    }

    /// Stops all keys of an account at once. None of them changes.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn disable_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        let operation = Operation::AccountDisable;
        let disable = |account: &ServiceAccount, now| Ok(account.set_enabled(false, now));
        self.change_account(actor, account, operation, None, disable).await
    }

    /// Lets the keys of a disabled account work again, each as it was: a key that is disabled by
    /// itself stays so.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn enable_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        let operation = Operation::AccountEnable;
        let enable = |account: &ServiceAccount, now| Ok(account.set_enabled(true, now));
        self.change_account(actor, account, operation, None, enable).await
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
        for _ in 0..ATTEMPTS {
            let event =
                Event { account: Some(*account), ..Event::by(actor, operation, self.now()) };
            let found = self.find_account(actor, account, operation).await;
            let (found, holds) = self.on_record(found, &event).await?;
            let keys = self.owned(actor, &Owner::Account(*account), KeyQuery::new()).await?;
            let ids: Vec<_> = keys.iter().map(|stored| *stored.record.id()).collect();
            let details = EventDetails::NONE
                .text(DetailField::Name, &found.name)
                .value(DetailField::Keys, ids.len() as u64);
            let of_key = Event::by(actor, Operation::KeyDelete, event.at);
            let of_key = Event { account: Some(*account), ..of_key };
            let mut changes: Vec<_> = ids.iter().map(|id| Change::DeleteKey(*id)).collect();
            changes.push(Change::DeleteAccount(*account));
            let mut events: Vec<_> =
                ids.iter().map(|id| Event { key: Some(*id), ..of_key.clone() }).collect();
            events.push(Event { details, ..event });
            let batch = Batch { conditions: vec![holds], changes, events };
            if self.commits(batch).await? {
                return Ok(());
            }
        }
        Err(AccountError::Contended(ATTEMPTS))
    }

    /// A service account.
    ///
    /// # Errors
    /// [`AccountError`]; here it is `PermissionDenied`, `NotFound` or `Store`.
    pub async fn account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<ServiceAccount, AccountError> {
        let found = self.find_account(actor, account, Operation::AccountShow).await?;
        Ok(found.0)
    }

    /// A page of the tenant's service accounts, oldest first.
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

    async fn change_account(
        &self,
        actor: &Actor,
        account: &AccountId,
        operation: Operation,
        role: Option<&RoleName>,
        decide: impl Fn(&ServiceAccount, Timestamp) -> Result<Outcome<ServiceAccount>, AccountError>
        + Send,
    ) -> Result<Outcome<ServiceAccount>, AccountError> {
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let event = Event { account: Some(*account), ..Event::by(actor, operation, now) };
            let found = self.find_account(actor, account, operation).await;
            let (found, _) = self.on_record(found, &event).await?;
            let role_exists = self.role_condition(actor, operation, role).await;
            let role_exists = self.on_record(role_exists, &event).await?;
            let next = match self.on_record(decide(&found, now), &event).await? {
                Outcome::Done(next) => next,
                Outcome::Unchanged(same) => {
                    self.note(Event { outcome: EventOutcome::Unchanged, ..event }).await?;
                    return Ok(Outcome::Unchanged(same));
                }
            };
            let details = described(&next);
            let batch = Batch {
                conditions: role_exists.into_iter().collect(),
                changes: vec![Change::UpdateAccount(next.clone())],
                events: vec![Event { details, ..event }],
            };
            if self.commits(batch).await? {
                return Ok(Outcome::Done(next));
            }
        }
        Err(AccountError::Contended(ATTEMPTS))
    }

    async fn find_account(
        &self,
        actor: &Actor,
        account: &AccountId,
        operation: Operation,
    ) -> Result<(ServiceAccount, Condition), AccountError> {
        actor.must_for_any(operation)?;
        let found = self.account_in_force(actor, account).await?;
        found.ok_or(AccountError::NotFound(*account))
    }

    /// The condition that the policy goes on having a role, if one is asked for and it has it.
    async fn role_condition(
        &self,
        actor: &Actor,
        operation: Operation,
        role: Option<&RoleName>,
    ) -> Result<Option<Condition>, AccountError> {
        actor.must_for_any(operation)?;
        let Some(role) = role else { return Ok(None) };
        let (policy, holds) = self.policy_in_force(actor).await?;
        if !policy.roles.contains_key(role) {
            return Err(AccountError::UnknownRole(role.clone()));
        }
        Ok(Some(holds))
    }
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
