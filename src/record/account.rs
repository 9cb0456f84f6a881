//! Service accounts own keys in place of a person. Every legal transition of an account is a method
//! here.

use serde::{Deserialize, Serialize};

use crate::record::operation::Outcome;
use crate::record::role::RoleName;
use crate::value::id::{AccountId, TenantId};
use crate::value::name::Name;
use crate::value::scope::Access;
use crate::value::serde_strict::next_version;
use crate::value::ticket::Ticket;
use crate::value::time::Timestamp;

/// A service account: an owner of keys that is not a person.
///
/// Its role, access and state apply to all its keys at once.
///
/// ```
/// use keywright::{Name, NewAccount, Role, RoleName};
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// let account = authority.create_account(&ada, new).await?.account;
/// assert!(account.enabled);
///
/// // All keys of the account stop working at once.
/// authority.disable_account(&ada, &account.id).await?;
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Concepts](crate::guide::concepts) and [How to build a service accounts
/// page](crate::guide::service_accounts) in the guide.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// The account's id.
    pub id: AccountId,
    /// The tenant that the account belongs to.
    pub tenant: TenantId,
    /// The name that people see.
    pub name: Name,
    /// The role: the name of a set of scopes in the tenant's plan. A role that the plan does
    /// not define allows nothing.
    pub role: RoleName,
    /// The access of all the account's keys: read-only access refuses every write, even if the role
    /// has scopes for writing.
    pub access: Access,
    /// True if the account is enabled. If it is `false`, every check refuses the account's keys.
    pub enabled: bool,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The version: 1 at creation, and one more with each change, up to 2⁶³ − 1. An account that
    /// has reached this limit can only be deleted.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

/// A service account to create with
/// [`Authority::create_account`](crate::Authority::create_account).
///
/// ```
/// use keywright::{Name, NewAccount, Role, RoleName};
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// let account = authority.create_account(&ada, new).await?.account;
/// assert_eq!(account.name.as_str(), "billing-worker");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct NewAccount {
    pub(crate) name: Name,
    pub(crate) role: RoleName,
    pub(crate) access: Access,
    pub(crate) ticket: Option<Ticket>,
}

impl NewAccount {
    /// Creates the description of an account with this name and role, and with read-write access.
    ///
    /// ```
    /// use keywright::{Access, Name, NewAccount, Role, RoleName};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// let account = authority.create_account(&ada, new).await?.account;
    /// assert_eq!(account.access, Access::ReadWrite);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new(name: Name, role: RoleName) -> Self {
        Self { name, role, access: Access::ReadWrite, ticket: None }
    }

    /// Limits the account to reading.
    ///
    /// ```
    /// use keywright::{Access, Name, NewAccount, Role, RoleName};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let new = NewAccount::new(Name::new("billing-report")?, RoleName::new("billing")?).read_only();
    /// let account = authority.create_account(&ada, new).await?.account;
    /// assert_eq!(account.access, Access::ReadOnly);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn read_only(self) -> Self {
        Self { access: Access::ReadOnly, ..self }
    }

    /// Sets the ticket of the form, so that a form that is sent twice creates one account.
    ///
    /// A second call with the same ticket by the same actor fails with
    /// [`AccountError::TicketUsed`](crate::AccountError::TicketUsed), which names the first account.
    ///
    /// ```
    /// use keywright::{AccountError, Name, NewAccount, Role, RoleName};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// let new = new.ticket(authority.ticket()?);
    /// let first = authority.create_account(&ada, new.clone()).await?.account;
    /// match authority.create_account(&ada, new).await {
    ///     Err(AccountError::TicketUsed { account }) => assert_eq!(account, first.id),
    ///     again => drop(again?),
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn ticket(self, ticket: Ticket) -> Self {
        Self { ticket: Some(ticket), ..self }
    }

    pub(crate) fn into_account(
        self,
        id: AccountId,
        tenant: TenantId,
        now: Timestamp,
    ) -> ServiceAccount {
        ServiceAccount {
            id,
            tenant,
            name: self.name,
            role: self.role,
            access: self.access,
            enabled: true,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// A change of the name, role or access of a service account, for
/// [`Authority::edit_account`](crate::Authority::edit_account).
///
/// The edit changes only the fields that are set.
///
/// ```
/// use keywright::{Access, AccountEdit};
///
/// # use keywright::{Actor, Keywright, Name, NewAccount, Policy, Role, RoleName, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// # let account = authority.create_account(&ada, new).await?.account;
/// let edit = AccountEdit::new().access(Access::ReadOnly);
/// let edited = authority.edit_account(&ada, &account.id, edit).await?.into_inner().account;
/// assert_eq!(edited.access, Access::ReadOnly);
/// assert_eq!(edited.role, account.role);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "setters take and return by value"]
pub struct AccountEdit {
    pub(crate) name: Option<Name>,
    pub(crate) role: Option<RoleName>,
    pub(crate) access: Option<Access>,
    pub(crate) if_version: Option<u64>,
}

impl AccountEdit {
    /// Creates an edit that changes nothing until a setter is called.
    ///
    /// ```
    /// use keywright::AccountEdit;
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let edited = authority.edit_account(&ada, &account.id, AccountEdit::new()).await?;
    /// assert!(edited.is_unchanged());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    ///
    /// ```
    /// use keywright::{AccountEdit, Name};
    ///
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let edit = AccountEdit::new().name(Name::new("nightly-billing")?);
    /// let edited = authority.edit_account(&ada, &account.id, edit).await?.into_inner().account;
    /// assert_eq!(edited.name.as_str(), "nightly-billing");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn name(self, name: Name) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the role, for all keys of the account at once.
    ///
    /// ```
    /// use keywright::{AccountEdit, Role, RoleName};
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let edit = AccountEdit::new().role(RoleName::new("reports")?);
    /// let edited = authority.edit_account(&ada, &account.id, edit).await?.into_inner().account;
    /// assert_eq!(edited.role.as_str(), "reports");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn role(self, role: RoleName) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Sets the access, for all keys of the account at once.
    ///
    /// ```
    /// use keywright::{Access, AccountEdit};
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let edit = AccountEdit::new().access(Access::ReadOnly);
    /// let edited = authority.edit_account(&ada, &account.id, edit).await?.into_inner().account;
    /// assert_eq!(edited.access, Access::ReadOnly);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn access(self, access: Access) -> Self {
        Self { access: Some(access), ..self }
    }

    /// Makes the edit fail unless the account still has this version.
    ///
    /// If the account has another version, the edit is refused as
    /// [`Stale`](crate::AccountError::Stale). So two people who edit the same account cannot
    /// overwrite each other's changes.
    ///
    /// ```
    /// use keywright::{Access, AccountEdit};
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let edit = AccountEdit::new().access(Access::ReadOnly).if_version(account.version);
    /// authority.edit_account(&ada, &account.id, edit.clone()).await?;
    ///
    /// // The first edit raised the version, so the second one is refused.
    /// assert!(authority.edit_account(&ada, &account.id, edit).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        Self { if_version: Some(version), ..self }
    }
}

impl ServiceAccount {
    pub(crate) fn edit(&self, edit: AccountEdit, now: Timestamp) -> Outcome<Self> {
        let next = Self {
            name: edit.name.unwrap_or_else(|| self.name.clone()),
            role: edit.role.unwrap_or_else(|| self.role.clone()),
            access: edit.access.unwrap_or(self.access),
            ..self.clone()
        };
        self.changed_to(next, now)
    }

    pub(crate) fn set_enabled(&self, enabled: bool, now: Timestamp) -> Outcome<Self> {
        self.changed_to(Self { enabled, ..self.clone() }, now)
    }

    fn changed_to(&self, next: Self, now: Timestamp) -> Outcome<Self> {
        if next == *self {
            return Outcome::Unchanged(next);
        }
        Outcome::Done(Self { updated_at: now, version: next_version(self.version), ..next })
    }
}
