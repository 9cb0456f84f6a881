//! The plan of a tenant: the limits that the host sets and that no actor of the tenant can exceed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::policy_bounds;
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::{PolicyField, or_none};
use crate::record::role::{Role, RoleName};
use crate::value::name::NamePattern;
use crate::value::note::Description;
use crate::value::rate::Rate;
use crate::value::scope::{Access, Scope, ScopeSet};
use crate::value::time::in_words;
use crate::value::use_alert::UseAlert;

const DAY: Duration = Duration::from_hours(24);

/// The limits of one tenant that the host sets, such as those of a price plan.
///
/// The tenant's own rules are its [`Settings`](crate::Settings). Each setting is bounded by the
/// plan. If the plan is reduced later, the smaller of the two is in force.
///
/// ```
/// use keywright::{Access, Plan, Role, RoleName, ScopeDefinition};
///
/// let mut plan = Plan::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// plan.default_scopes = "invoices:read".parse()?;
/// plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// plan.max_rate = Some("100/60s".parse()?);
/// plan.validate()?;
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// See [Policies](crate::guide::policies) in the guide.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// True if the plan includes API access. If it is `false`, no key of the tenant works, and
    /// generating one is refused with "upgrade required".
    ///
    /// Default `true`, so that a host without price plans can ignore the field.
    pub api_access: bool,
    /// The catalog: every scope that a key of the tenant can have, at most [`Plan::MAX_SCOPES`]. A
    /// scope that is removed here no longer works in existing keys. Default empty: none.
    #[serde(deserialize_with = "crate::value::serde_strict::unique")]
    pub scopes: BTreeMap<Scope, ScopeDefinition>,
    /// The scopes of a key that was generated without scopes, unless a service account owns it.
    /// Such a key follows this field when it changes. Default empty: such a key may do nothing that
    /// needs a scope.
    pub default_scopes: ScopeSet,
    /// The roles of service accounts, at most [`Plan::MAX_ROLES`]. Default empty.
    #[serde(deserialize_with = "crate::value::serde_strict::unique")]
    pub roles: BTreeMap<RoleName, Role>,
    /// The highest rate of any key. It applies to every key at once, also to a key whose own rate
    /// is higher. Default `None`: no limit.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub max_rate: Option<Rate>,
    /// The highest value of the setting `max_keys_per_user`: 1 to 1000. Default 1000.
    pub max_keys_per_user: u16,
    /// The number of live keys that a service account may own: 1 to 1000. Default `None`: no limit.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub max_keys_per_account: Option<u16>,
    /// The number of live keys that the organization itself may own: 1 to 1000. Default `None`: no
    /// limit.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub max_keys_of_organization: Option<u16>,
    /// True if every new key must have an expiry, even if the setting allows none. Default `false`.
    pub require_expiry: bool,
    /// The longest lifetime of a new key that the settings may allow, in whole seconds. Default
    /// `None`: no limit.
    #[serde(with = "crate::value::time::seconds::option")]
    pub max_lifetime: Option<Duration>,
    /// The longest overlap of a rotation that the settings may allow, in whole seconds. Default
    /// [`Plan::DEFAULT_MAX_OVERLAP`].
    #[serde(with = "crate::value::time::seconds")]
    pub max_overlap: Duration,
    /// The pattern that new names of keys must follow, beside the one of the settings. Default
    /// `None`: any name.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub name_pattern: Option<NamePattern>,
    /// The shortest period of alerts that the settings may have: whole seconds from
    /// [`UseAlert::MIN_PERIOD`], which is the default, to [`UseAlert::MAX_PERIOD`]. It bounds the
    /// number of events that the keys of the tenant can raise.
    #[serde(with = "crate::value::time::seconds")]
    pub min_alert_period: Duration,
    /// The longest retention of dead keys that the settings may have, in whole seconds. Default
    /// `None`: no limit.
    #[serde(with = "crate::value::time::seconds::option")]
    pub max_retention: Option<Duration>,
    /// The shortest retention of audit events that the settings may have: whole seconds, at least
    /// [`Plan::MIN_EVENT_RETENTION`], which is the default.
    #[serde(with = "crate::value::time::seconds")]
    pub min_event_retention: Duration,
    /// The longest retention of audit events that the settings may have, in whole seconds. Default
    /// `None`: no limit.
    #[serde(with = "crate::value::time::seconds::option")]
    pub max_event_retention: Option<Duration>,
    /// The version: 0 for a plan that was never set, and one more with each change, up to 2⁶³ − 1.
    /// [`set_plan`](crate::Authority::set_plan) refuses a plan with another version than the
    /// current one.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

/// A scope of the catalog: whether it reads or writes, and a text that tells people what it allows.
///
/// ```
/// use keywright::{Access, ScopeDefinition};
///
/// let definition = ScopeDefinition::new(Access::ReadWrite).description("Changes invoices".parse()?);
/// assert_eq!(definition.access, Access::ReadWrite);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScopeDefinition {
    /// The meaning of the scope, for people.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub description: Option<Description>,
    /// The access that the scope needs. A key of a read-only service account never has a scope that
    /// needs [`Access::ReadWrite`].
    pub access: Access,
}

impl ScopeDefinition {
    /// Creates a definition without a description.
    ///
    /// ```
    /// use keywright::{Access, ScopeDefinition};
    ///
    /// assert!(ScopeDefinition::new(Access::ReadOnly).description.is_none());
    /// ```
    pub fn new(access: Access) -> Self {
        Self { description: None, access }
    }

    /// Sets the description.
    ///
    /// ```
    /// use keywright::{Access, Description, ScopeDefinition};
    ///
    /// let description = Description::new("Shows invoices")?;
    /// let definition = ScopeDefinition::new(Access::ReadOnly).description(description.clone());
    /// assert_eq!(definition.description, Some(description));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    #[must_use = "the setter takes and returns by value"]
    pub fn description(self, description: Description) -> Self {
        Self { description: Some(description), ..self }
    }
}

impl Plan {
    /// The highest possible number of live keys of one owner: 1000 keys.
    pub const MAX_KEYS: u16 = policy_bounds::MAX_KEYS;
    /// 90 days: a quarter, in which every client of a key can be changed over. During every day of
    /// overlap two secrets can leak.
    pub const DEFAULT_MAX_OVERLAP: Duration = DAY.saturating_mul(90);
    /// 1 day: no actor can do something and erase its traces on the same day.
    pub const MIN_EVENT_RETENTION: Duration = policy_bounds::MIN_EVENT_RETENTION;
    /// The highest number of roles in a plan.
    pub const MAX_ROLES: usize = policy_bounds::MAX_ROLES;
    /// The highest number of scopes in the catalog. One key can have 64 of them.
    pub const MAX_SCOPES: usize = policy_bounds::MAX_SCOPES;

    /// Returns a plan whose catalog has these scopes for reading and these for writing.
    ///
    /// A scope in both sets is a scope for writing. Every other field has its default.
    ///
    /// ```
    /// use keywright::{Access, Plan, Scope};
    ///
    /// let plan = Plan::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// assert_eq!(plan.scopes[&Scope::new("invoices:write")?].access, Access::ReadWrite);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn allowing(reading: ScopeSet, writing: ScopeSet) -> Self {
        let of = |scopes: ScopeSet, access| -> Vec<_> {
            let define = |scope: &Scope| (scope.clone(), ScopeDefinition::new(access));
            scopes.iter().map(define).collect()
        };
        let mut scopes: BTreeMap<_, _> = of(reading, Access::ReadOnly).into_iter().collect();
        scopes.extend(of(writing, Access::ReadWrite));
        Self { scopes, ..Self::default() }
    }

    /// Checks that every field is within its limits, and that roles and default scopes name only
    /// scopes of the catalog.
    ///
    /// ```
    /// use keywright::{Plan, PolicyError};
    ///
    /// let mut plan = Plan::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// plan.default_scopes = "billing:admin".parse()?;
    /// assert!(matches!(plan.validate(), Err(PolicyError::UnknownScope { .. })));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`PolicyError`] for the first field that is out of its limits.
    pub fn validate(&self) -> Result<(), PolicyError> {
        use PolicyField as F;
        let numbers = [
            (F::MaxKeysPerUser, Some(self.max_keys_per_user)),
            (F::MaxKeysPerAccount, self.max_keys_per_account),
            (F::MaxKeysOfOrganization, self.max_keys_of_organization),
        ];
        for (field, number) in numbers {
            number.map(|number| PolicyError::keys(field, number.into())).transpose()?;
        }
        if self.max_lifetime == Some(Duration::ZERO) {
            return Err(PolicyError::ZeroLifetime(F::MaxLifetime));
        }
        PolicyError::must_be_whole([
            (F::MaxLifetime, self.max_lifetime),
            (F::MaxOverlap, Some(self.max_overlap)),
            (F::MinAlertPeriod, Some(self.min_alert_period)),
            (F::MaxRetention, self.max_retention),
            (F::MinEventRetention, Some(self.min_event_retention)),
            (F::MaxEventRetention, self.max_event_retention),
        ])?;
        if !(UseAlert::MIN_PERIOD..=UseAlert::MAX_PERIOD).contains(&self.min_alert_period) {
            return Err(PolicyError::AlertPeriod(self.min_alert_period));
        }
        if self.min_event_retention < Self::MIN_EVENT_RETENTION {
            return Err(PolicyError::EventRetention(self.min_event_retention));
        }
        if let Some(max) = self.max_event_retention
            && max < self.min_event_retention
        {
            return Err(PolicyError::EventRetentionRange { min: self.min_event_retention, max });
        }
        if self.roles.len() > Self::MAX_ROLES {
            return Err(PolicyError::TooManyRoles(self.roles.len()));
        }
        if self.scopes.len() > Self::MAX_SCOPES {
            return Err(PolicyError::TooManyScopes(self.scopes.len()));
        }
        self.must_list(&self.default_scopes, None)?;
        for (name, role) in &self.roles {
            self.must_list(&role.scopes, Some(name))?;
        }
        PolicyError::must_be_possible(self.name_pattern.as_ref())
    }

    fn must_list(&self, scopes: &ScopeSet, role: Option<&RoleName>) -> Result<(), PolicyError> {
        match scopes.iter().find(|scope| !self.scopes.contains_key(*scope)) {
            Some(scope) => {
                Err(PolicyError::UnknownScope { scope: scope.clone(), role: role.cloned() })
            }
            None => Ok(()),
        }
    }

    /// Returns each field but the version, with its value as text.
    pub(crate) fn fields(&self) -> Vec<(PolicyField, String)> {
        use PolicyField as F;
        // Without `..`: a new field that is missing here does not compile.
        let Self {
            api_access,
            scopes,
            default_scopes,
            roles,
            max_rate,
            max_keys_per_user,
            max_keys_per_account,
            max_keys_of_organization,
            require_expiry,
            max_lifetime,
            max_overlap,
            name_pattern,
            min_alert_period,
            max_retention,
            min_event_retention,
            max_event_retention,
            version: _,
        } = self;
        let words = |time: Option<Duration>| or_none(time.map(in_words));
        let text = |found: &Option<Description>| {
            format!("{:?}", found.as_ref().map_or("", Description::as_str))
        };
        let scope = |(name, found): (&Scope, &ScopeDefinition)| {
            format!("{name} ({:?}, {})", found.access, text(&found.description))
        };
        let role = |(name, role): (&RoleName, &Role)| {
            format!("{name} ({}, {})", role.scopes, text(&role.description))
        };
        vec![
            (F::ApiAccess, api_access.to_string()),
            (F::Scopes, scopes.iter().map(scope).collect::<Vec<_>>().join(", ")),
            (F::DefaultScopes, default_scopes.to_string()),
            (F::Roles, roles.iter().map(role).collect::<Vec<_>>().join(", ")),
            (F::MaxRate, or_none(*max_rate)),
            (F::MaxKeysPerUser, max_keys_per_user.to_string()),
            (F::MaxKeysPerAccount, or_none(*max_keys_per_account)),
            (F::MaxKeysOfOrganization, or_none(*max_keys_of_organization)),
            (F::RequireExpiry, require_expiry.to_string()),
            (F::MaxLifetime, words(*max_lifetime)),
            (F::MaxOverlap, in_words(*max_overlap)),
            (F::NamePattern, or_none(name_pattern.as_ref())),
            (F::MinAlertPeriod, in_words(*min_alert_period)),
            (F::MaxRetention, words(*max_retention)),
            (F::MinEventRetention, in_words(*min_event_retention)),
            (F::MaxEventRetention, words(*max_event_retention)),
        ]
    }

    /// Returns the definition of a scope, or `None` if the catalog lacks it.
    pub(crate) fn scope(&self, scope: &Scope) -> Option<&ScopeDefinition> {
        self.scopes.get(scope)
    }
}

impl Default for Plan {
    /// Returns a plan with API access, an empty catalog and the default of every other field.
    ///
    /// ```
    /// use keywright::Plan;
    ///
    /// assert!(Plan::default().scopes.is_empty());
    /// ```
    fn default() -> Self {
        Self {
            api_access: true,
            scopes: BTreeMap::new(),
            default_scopes: ScopeSet::empty(),
            roles: BTreeMap::new(),
            max_rate: None,
            max_keys_per_user: Self::MAX_KEYS,
            max_keys_per_account: None,
            max_keys_of_organization: None,
            require_expiry: false,
            max_lifetime: None,
            max_overlap: Self::DEFAULT_MAX_OVERLAP,
            name_pattern: None,
            min_alert_period: UseAlert::MIN_PERIOD,
            max_retention: None,
            min_event_retention: Self::MIN_EVENT_RETENTION,
            max_event_retention: None,
            version: 0,
        }
    }
}
