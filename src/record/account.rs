//! Service accounts: owners of keys that are not persons. Every legal transition is a method here.

use serde::{Deserialize, Serialize};

use crate::record::operation::Outcome;
use crate::record::policy::RoleName;
use crate::value::id::{AccountId, TenantId};
use crate::value::name::Name;
use crate::value::scope::Access;
use crate::value::serde_strict::next_version;
use crate::value::time::Timestamp;

/// A service account. Its role, access and state apply to all its keys at once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// Its id.
    pub id: AccountId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// Its role: a name of a set of scopes in the tenant's policy. A role that the policy lacks
    /// allows nothing.
    pub role: RoleName,
    /// Whether its keys may write, whatever the role says.
    pub access: Access,
    /// Whether its keys work.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// 1 when created, then one more with each change, up to 2⁶³ − 1. An account of that version
    /// can only be deleted.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

/// A service account that is to be created.
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct NewAccount {
    pub(crate) name: Name,
    pub(crate) role: RoleName,
    pub(crate) access: Access,
}

impl NewAccount {
    /// Creates a new account with read and write access.
    pub fn new(name: Name, role: RoleName) -> Self {
        Self { name, role, access: Access::ReadWrite }
    }

    /// Sets read-only access.
    pub fn read_only(self) -> Self {
        Self { access: Access::ReadOnly, ..self }
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

/// An edit of a service account. Fields that are not set stay as they are.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct AccountEdit {
    pub(crate) name: Option<Name>,
    pub(crate) role: Option<RoleName>,
    pub(crate) access: Option<Access>,
    pub(crate) if_version: Option<u64>,
}

impl AccountEdit {
    /// Creates an edit that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    pub fn name(self, name: Name) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the role, for all keys of the account at once.
    pub fn role(self, role: RoleName) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Sets the access, for all keys of the account at once.
    pub fn access(self, access: Access) -> Self {
        Self { access: Some(access), ..self }
    }

    /// Makes the edit fail unless the account still has this version, for a caller who edits what
    /// they read.
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
