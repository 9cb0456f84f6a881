//! Service accounts: create, show, edit, disable, enable, delete.

use crate::record::account::{AccountEdit, NewAccount, ServiceAccount};
use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::key::Owner;
use crate::record::operation::{Operation, Outcome};
use crate::record::plan::Plan;
use crate::record::role::RoleName;
use crate::setup::retry::Attempted;
use crate::store::{AccountQuery, Batch, Change, Condition, KeyQuery, Page, StoreErrorKind};
use crate::value::id::AccountId;
use crate::value::random::{Drawn, RandomError};
use crate::value::scope::Access;

use super::Authority;
use super::account_entries::{AccountEntry, new_account_entry};
use super::attempt::{Attempt, begin, drawn, owned_by, reading};
use super::ending;
use super::errors::{AccountError, ListError};
use super::listing::check_limit;

impl Authority {
    /// Creates a service account: an owner of keys that is a program, not a person.
    ///
    /// Its role must be in the tenant's plan. The role defines which scopes the account's keys
    /// can have.
    ///
    /// ```
    /// use keywright::{NewAccount, Owner};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let new = NewAccount::new("nightly-report".parse()?, "analyst".parse()?).read_only();
    /// let account = authority.create_account(&ada, new).await?.account;
    ///
    /// let new = NewKey::named("prod-nightly-report")?.owner(Owner::Account(account.id));
    /// let issued = authority.generate(&ada, new).await?;
    /// # verifier.verify(issued.token.expose()).await?;
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`AccountError::UnknownRole`] if the plan does not have the role.
    /// [`AccountError::TicketUsed`] if the actor has created an account with the same
    /// [ticket](NewAccount::ticket) before. Other errors: `PermissionDenied`, `Random`, `Contended` or
    /// `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the account either created or absent.
    /// [`accounts`](Self::accounts) shows whether it exists.
    pub async fn create_account(
        &self,
        actor: &Actor,
        new: NewAccount,
    ) -> Result<AccountEntry, AccountError> {
        let operation = Operation::AccountCreate;
        let new_id = self.new_account_id(actor, new.ticket.as_ref());
        let new_id = &drawn(actor, operation, new_id)?;
        let (id, new) = (new_id.id, &new);
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                actor.must_for_any(operation)?;
                if let Some(account) = attempt.account_of_ticket(new_id).await? {
                    return Err(attempt.account_ticket_used(account));
                }
                let rules = attempt.rules().await?;
                must_have_role(rules.policy().plan, &new.role)?;
                let account = new.clone().into_account(id, actor.tenant().clone(), attempt.now);
                let event = Event { account: Some(id), ..attempt.event.clone() };
                let entry = new_account_entry(actor, account.clone(), rules.policy(), attempt.now);
                let batch = Batch {
                    tenant: actor.tenant().clone(),
                    conditions: rules.conditions,
                    changes: vec![Change::InsertAccount(account.clone())],
                    events: vec![Event { details: described(&account), ..event }],
                };
                attempt.commit(batch, entry).await.map_err(|error| match error.kind() {
                    StoreErrorKind::AlreadyExists if new_id.has_ticket() => {
                        attempt.account_ticket_used(id)
                    }
                    StoreErrorKind::AlreadyExists => RandomError::Repeats(Drawn::AccountId).into(),
                    _ => AccountError::from(error),
                })
            })
        })
        .await
    }

    /// Changes the name, role or access of a service account, for all its keys at once.
    ///
    /// Fields that the edit does not set stay as they are.
    ///
    /// ```
    /// use keywright::{Access, AccountEdit};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let edit = AccountEdit::new().access(Access::ReadOnly).if_version(account.version);
    /// let account = authority.edit_account(&ada, &account.id, edit).await?.into_inner().account;
    /// assert_eq!(account.access, Access::ReadOnly);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`AccountError::UnknownRole`] if the plan does not have the role.
    /// * [`AccountError::Stale`] if the edit names a version and the account has another one.
    /// * Otherwise `PermissionDenied`, `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the account either unchanged or with the whole edit.
    pub async fn edit_account(
        &self,
        actor: &Actor,
        account: &AccountId,
        edit: AccountEdit,
    ) -> Result<Outcome<AccountEntry>, AccountError> {
        let (operation, edit) = (Operation::AccountEdit, &edit);
        let edited = self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let found = attempt.account(account, operation).await?;
                let mut conditions = Vec::new();
                if let Some(role) = &edit.role {
                    let rules = attempt.rules().await?;
                    must_have_role(rules.policy().plan, role)?;
                    conditions = rules.conditions;
                }
                if let Some(given) = edit.if_version.filter(|version| *version != found.version) {
                    return Err(AccountError::Stale { given, current: found.version });
                }
                attempt.write_account(found.edit(edit.clone(), attempt.now), conditions).await
            })
        });
        Ok(self.account_entry_after(actor, edited.await?).await)
    }

    /// Disables a service account, so that every check refuses its keys.
    ///
    /// The keys themselves do not change. [`enable_account`](Self::enable_account) reverses it.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// # let owner = keywright::Owner::Account(account.id);
    /// # let new = NewKey::named("prod-nightly-report")?.owner(owner);
    /// # let issued = authority.generate(&ada, new).await?;
    /// authority.disable_account(&ada, &account.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`AccountError`]: `PermissionDenied`, `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the account either unchanged or disabled.
    pub async fn disable_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Outcome<AccountEntry>, AccountError> {
        self.set_account_enabled(actor, account, Operation::AccountDisable, false).await
    }

    /// Enables a disabled service account, so that its keys work again.
    ///
    /// A key that was disabled with [`disable`](Self::disable) stays disabled.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// # let owner = keywright::Owner::Account(account.id);
    /// # let new = NewKey::named("prod-nightly-report")?.owner(owner);
    /// # let issued = authority.generate(&ada, new).await?;
    /// authority.disable_account(&ada, &account.id).await?;
    /// authority.enable_account(&ada, &account.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`AccountError`]: `PermissionDenied`, `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the account either unchanged or enabled.
    pub async fn enable_account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Outcome<AccountEntry>, AccountError> {
        self.set_account_enabled(actor, account, Operation::AccountEnable, true).await
    }

    /// Deletes a service account and all its keys in one atomic step.
    ///
    /// ```
    /// use keywright::store::KeyQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// # let owner = keywright::Owner::Account(account.id);
    /// # let new = NewKey::named("prod-nightly-report")?.owner(owner);
    /// # let issued = authority.generate(&ada, new).await?;
    /// authority.delete_account(&ada, &account.id).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// assert!(authority.keys(&ada, &KeyQuery::new()).await?.items.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`AccountError`]: `PermissionDenied`, `NotFound`, `Contended` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves either everything unchanged, or the account and its keys deleted.
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
                let mut conditions = vec![Condition::AccountVersion { account: *account, version }];
                let owner = Owner::Account(*account);
                conditions.extend(ids.iter().map(|id| owned_by(*id, &owner)));
                let tenant = actor.tenant().clone();
                attempt
                    .commit(Batch { tenant, conditions, changes, events }, ())
                    .await
                    .map_err(Into::into)
            })
        })
        .await
    }

    /// Returns a service account with the numbers of its keys, its newest keys and the possible
    /// actions.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let entry = authority.account(&ada, &account.id).await?;
    /// assert_eq!(entry.account.name.as_str(), "nightly-report");
    /// assert_eq!(entry.live_keys, Some(0));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`AccountError`]: `PermissionDenied`, `NotFound` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn account(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<AccountEntry, AccountError> {
        let work = begin(actor, Operation::AccountShow);
        work.is_about(None, Some(account));
        let read = async {
            actor.must_for_any(Operation::AccountShow)?;
            let now = self.now();
            let found = self.setup.store.account(actor.tenant(), account).await?;
            let found = found.ok_or(AccountError::NotFound(*account))?;
            let mut entries = self.account_entries(actor, vec![found], now).await?;
            entries.pop().ok_or(AccountError::NotFound(*account))
        };
        work.run(read, ending::of_read).await
    }

    /// Lists the tenant's service accounts, one page at a time, oldest first.
    ///
    /// A page has 50 accounts unless the query sets another limit.
    /// [`all_accounts`](Self::all_accounts) reads all pages.
    ///
    /// ```
    /// use keywright::store::AccountQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("analyst".parse()?, Role::new("invoices:read reports:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = keywright::NewAccount::new("nightly-report".parse()?, "analyst".parse()?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let page = authority.accounts(&ada, &AccountQuery::new().search("nightly")).await?;
    /// assert_eq!(page.items[0].account.id, account.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: `PermissionDenied`, `Limit` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn accounts(
        &self,
        actor: &Actor,
        query: &AccountQuery,
    ) -> Result<Page<AccountEntry>, ListError> {
        let read = async {
            actor.must_for_any(Operation::AccountShow)?;
            check_limit(query.limit)?;
            let now = self.now();
            let page = self.setup.store.accounts(actor.tenant(), query).await?;
            Ok(Page { items: self.account_entries(actor, page.items, now).await?, next: page.next })
        };
        reading(actor, Operation::AccountShow, read).await
    }

    async fn set_account_enabled(
        &self,
        actor: &Actor,
        account: &AccountId,
        operation: Operation,
        enabled: bool,
    ) -> Result<Outcome<AccountEntry>, AccountError> {
        let changed = self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let found = attempt.account(account, operation).await?;
                attempt.write_account(found.set_enabled(enabled, attempt.now), Vec::new()).await
            })
        });
        Ok(self.account_entry_after(actor, changed.await?).await)
    }
}

impl Attempt<'_> {
    /// Checks the permission and reads an account.
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

    /// Writes a changed account, or records that the operation changed nothing.
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
fn must_have_role(plan: &Plan, role: &RoleName) -> Result<(), AccountError> {
    if plan.roles.contains_key(role) {
        return Ok(());
    }
    Err(AccountError::UnknownRole(role.clone()))
}

/// Returns the fields of an account for the event of its change.
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
