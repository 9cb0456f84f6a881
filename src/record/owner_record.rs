//! The record of a key's owner, if the owner has one.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::key::{Key, Owner};
use crate::record::user::User;
use crate::value::name::Name;

/// The stored record of a key's owner: a service account or a user.
///
/// A user has a record only after the host gave a display name or the user was suspended. The
/// organization has none.
///
/// ```
/// use keywright::store::{Freshness, KeyStore, OwnerRecord};
///
/// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Owner, Policy, Role, RoleName, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// # let account = authority.create_account(&ada, new).await?.account;
/// let new_key = NewKey::named("prod-main-app")?.owner(Owner::Account(account.id));
/// let issued = authority.generate(&ada, new_key).await?;
/// let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await?;
/// assert!(found.is_some_and(|found| matches!(found.owner(), Some(OwnerRecord::Account(_)))));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OwnerRecord {
    /// The service account that owns the key.
    Account(Arc<ServiceAccount>),
    /// The user who owns the key.
    User(Arc<User>),
}

impl OwnerRecord {
    /// Returns whether the key belongs to `owner`, which is the record of its owner if it has one.
    pub(crate) fn fits(owner: Option<&Self>, key: &Key) -> bool {
        match (&key.owner, owner) {
            (Owner::User(_) | Owner::Organization, None) => true,
            (Owner::User(id), Some(Self::User(user))) => {
                user.id == *id && user.tenant == key.tenant
            }
            (Owner::Account(id), Some(Self::Account(account))) => {
                account.id == *id && account.tenant == key.tenant
            }
            _ => false,
        }
    }

    /// Returns the service account, if it is one.
    pub(crate) fn account(&self) -> Option<&ServiceAccount> {
        match self {
            Self::Account(account) => Some(account),
            Self::User(_) => None,
        }
    }

    /// Returns whether the owner is enabled: neither a disabled account nor a suspended user.
    pub(crate) fn is_enabled(&self) -> bool {
        match self {
            Self::Account(account) => account.enabled,
            Self::User(user) => !user.suspended,
        }
    }

    /// Returns the name that listings show.
    pub(crate) fn shown_name(&self) -> Option<&Name> {
        match self {
            Self::Account(account) => Some(&account.name),
            Self::User(user) => user.display_name.as_ref(),
        }
    }
}
