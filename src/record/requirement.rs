//! The requirements of generating a key, and which of them an actor lacks.

use std::fmt;

use crate::record::actor::Actor;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::policy_in_force::PolicyInForce;
use crate::value::text_enum::text_enum;

text_enum! {
    /// A requirement of generating a key.
    ///
    /// ```
    /// use keywright::Requirement;
    ///
    /// assert_eq!(Requirement::Switch.as_str(), "switch");
    /// ```
    pub enum Requirement {
        /// The actor's permission to generate a key for this owner.
        Permission = "permission";
        /// API access in the tenant's plan, and a license for the actor. A tenant without it needs
        /// an upgrade.
        License = "license";
        /// The tenant's switch for API access, which its admin turns on.
        Switch = "switch";
    }
}

/// The requirements of generating a key that are missing: at least one, in the order of
/// [`Requirement`].
///
/// ```
/// use keywright::{GenerateError, Requirement};
///
/// # use keywright::{Actor, Keywright, NewKey, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// # let authority = keywright.authority();
/// // No plan, no settings: API access is off.
/// let alice = Actor::developer(UserId::new("alice")?);
/// let refused = authority.generate(&alice, NewKey::named("prod-main-app")?).await;
/// let Err(GenerateError::Missing(missing)) = refused else { panic!() };
/// assert_eq!(missing.iter().collect::<Vec<_>>(), [Requirement::Switch]);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Requirements(Vec<Requirement>);

impl Requirements {
    pub(crate) fn missing_for(actor: &Actor, owner: &Owner, policy: PolicyInForce<'_>) -> Self {
        let is_missing = |requirement: &Requirement| match requirement {
            Requirement::Permission => !actor.may(Operation::KeyGenerate, owner),
            Requirement::License => !policy.plan.api_access || !actor.is_licensed(),
            Requirement::Switch => !policy.api_enabled().value,
        };
        Self(Requirement::ALL.iter().copied().filter(is_missing).collect())
    }

    /// Returns one requirement as the only one that is missing.
    pub(crate) fn only(requirement: Requirement) -> Self {
        Self(vec![requirement])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first of the missing requirements, by which the refusal is named.
    pub(crate) fn first(&self) -> Option<Requirement> {
        self.0.first().copied()
    }

    /// Returns the missing requirements.
    ///
    /// ```
    /// use keywright::GenerateError;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let refused = authority.generate(&alice, NewKey::named("prod-main-app")?).await;
    /// if let Err(GenerateError::Missing(missing)) = refused {
    ///     assert_eq!(missing.iter().count(), 1);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Requirement> + '_ {
        self.0.iter().copied()
    }

    /// Returns whether a requirement is missing.
    ///
    /// ```
    /// use keywright::{GenerateError, Requirement};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let refused = authority.generate(&alice, NewKey::named("prod-main-app")?).await;
    /// if let Err(GenerateError::Missing(missing)) = refused {
    ///     assert!(missing.contains(Requirement::Switch));
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn contains(&self, requirement: Requirement) -> bool {
        self.0.contains(&requirement)
    }
}

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, requirement) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "; " })?;
            f.write_str(match requirement {
                Requirement::Permission => "the actor has no permission for key.generate",
                Requirement::License => "the plan does not include API access, upgrade required",
                Requirement::Switch => {
                    "API access is turned off, the tenant's admin can turn it on"
                }
            })?;
        }
        Ok(())
    }
}
