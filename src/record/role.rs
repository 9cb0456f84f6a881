//! Roles of service accounts: named sets of scopes, which the plan of a tenant defines.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::note::Description;
use crate::value::redact::redact;
use crate::value::scope::ScopeSet;
use crate::value::text::serde_as_text;

/// A role: a set of scopes, and a text that tells people what the role is for.
///
/// ```
/// use keywright::Role;
///
/// let role = Role::new("invoices:read".parse()?).description("Reads for reports".parse()?);
/// assert_eq!(role.scopes.len(), 1);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Role {
    /// The purpose of the role, for people.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub description: Option<Description>,
    /// The scopes of a service account with this role. Each is a scope of the plan's catalog.
    pub scopes: ScopeSet,
}

impl Role {
    /// Creates a role with these scopes and without a description.
    ///
    /// ```
    /// use keywright::Role;
    ///
    /// let role = Role::new("invoices:read invoices:write".parse()?);
    /// assert_eq!(role.scopes.len(), 2);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn new(scopes: ScopeSet) -> Self {
        Self { description: None, scopes }
    }

    /// Sets the description.
    ///
    /// ```
    /// use keywright::{Description, Role};
    ///
    /// let description = Description::new("Reads invoices")?;
    /// let role = Role::new("invoices:read".parse()?).description(description.clone());
    /// assert_eq!(role.description, Some(description));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    #[must_use = "the setter takes and returns by value"]
    pub fn description(self, description: Description) -> Self {
        Self { description: Some(description), ..self }
    }
}

/// The name of a role: 1 to 64 characters of `a-z 0-9 _ -`, starting with a letter.
///
/// ```
/// use keywright::{Plan, Role, RoleName};
///
/// let mut plan = Plan::default();
/// plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// assert!(RoleName::new("Billing team").is_err());
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RoleName(Arc<str>);

/// The error for a text that is not a [`RoleName`].
///
/// ```
/// use keywright::RoleName;
///
/// let error = RoleName::new("Billing team").unwrap_err();
/// assert!(error.to_string().contains("is not a role name"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0:?} is not a role name: expected 1 to 64 characters of a-z 0-9 _ -, starting with a letter"
)]
pub struct RoleNameError(String);

impl RoleName {
    /// Creates a role name from text.
    ///
    /// ```
    /// use keywright::RoleName;
    ///
    /// assert_eq!(RoleName::new("billing")?.to_string(), "billing");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RoleNameError`] unless the text has 1 to 64 characters of `a-z 0-9 _ -` and starts with a
    /// letter.
    pub fn new(text: impl AsRef<str>) -> Result<Self, RoleNameError> {
        text.as_ref().parse()
    }

    /// Returns the name as text.
    ///
    /// ```
    /// use keywright::RoleName;
    ///
    /// assert_eq!(RoleName::new("billing")?.as_str(), "billing");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = RoleNameError;

    fn from_str(text: &str) -> Result<Self, RoleNameError> {
        let symbol = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || text.len() > 64 || !text.bytes().all(symbol) {
            return Err(RoleNameError(redact(text)));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_text!(RoleName);
