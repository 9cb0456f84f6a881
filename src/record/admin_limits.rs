//! This module tracks the limits of a key that an administrator has set.

use serde::{Deserialize, Serialize};

use crate::value::text_enum::text_enum;

/// Flags that tell which limits of a key an administrator has set.
///
/// An administrator is an actor who does not own the key, or who has
/// [`EDIT_ANY`](crate::Permissions::EDIT_ANY).
///
/// The key's owner can narrow a limit that an administrator has set, but not widen it.
///
/// ```
/// use keywright::NewKey;
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let new = NewKey::named("prod-main-app")?
///     .owner(alice.as_owner())
///     .networks("203.0.113.0/24".parse()?);
/// let key = authority.generate(&ada, new).await?.key;
///
/// // Ada, an administrator, set the networks. Alice can narrow them but not widen them.
/// assert!(key.admin_limits.networks);
/// assert!(!key.admin_limits.rate);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AdminLimits {
    /// True if an administrator set the key's scopes.
    pub scopes: bool,
    /// True if an administrator set the key's networks.
    pub networks: bool,
    /// True if an administrator set the key's rate. Such a rate may exceed the default rate,
    /// up to the plan's highest rate.
    pub rate: bool,
}

text_enum! {
    /// A limit of a key that an administrator can set.
    ///
    /// ```
    /// use keywright::{KeyEdit, KeyError, KeyLimit, NewKey, RuleError};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let new = NewKey::named("prod-main-app")?
    ///     .owner(alice.as_owner())
    ///     .rate("100/60s".parse()?);
    /// let key = authority.generate(&ada, new).await?.key;
    ///
    /// let edit = KeyEdit::new().rate(Some("200/60s".parse()?));
    /// let refused = authority.edit(&alice, &key.id, edit).await;
    /// let rule = RuleError::SetByAdministrator {
    ///     limit: KeyLimit::Rate,
    ///     bound: String::from("100/60s"),
    /// };
    /// assert!(matches!(refused, Err(KeyError::Rule(error)) if error == rule));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub enum KeyLimit {
        /// The key's scopes.
        Scopes = "scopes";
        /// The key's networks.
        Networks = "networks";
        /// The key's rate.
        Rate = "rate";
    }
}
