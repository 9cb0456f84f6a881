//! The policy of a tenant: the plan, which the host sets, and the settings, which the tenant sets.

use serde::{Deserialize, Serialize};

use crate::record::plan::Plan;
use crate::record::policy_error::PolicyError;
use crate::record::settings::Settings;
use crate::value::scope::ScopeSet;
use crate::value::serde_strict::required;

/// The plan and the settings of a tenant that has stored neither.
///
/// ```
/// use keywright::{Keywright, Policy, store::MemoryStore};
///
/// let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// policy.plan.max_rate = Some("100/60s".parse()?);
/// policy.settings.max_keys_per_user = Some(3);
/// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// See [Policies](crate::guide::policies) in the guide.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// The plan of a tenant without a stored plan.
    pub plan: Plan,
    /// The settings of a tenant without stored settings. They are also the defaults of the settings
    /// that a tenant has not set.
    pub settings: Settings,
}

impl Policy {
    /// Returns a policy that turns API access on and lets keys have these scopes for reading and
    /// these for writing.
    ///
    /// Every other field has its default.
    ///
    /// ```
    /// use keywright::Policy;
    ///
    /// let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// assert_eq!(policy.settings.api_enabled, Some(true));
    /// assert_eq!(policy.plan.scopes.len(), 2);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn allowing(reading: ScopeSet, writing: ScopeSet) -> Self {
        Self { plan: Plan::allowing(reading, writing), settings: Settings::enabled() }
    }

    /// Checks the plan, the settings, and that each setting is within the plan.
    ///
    /// ```
    /// use keywright::{Policy, PolicyError};
    ///
    /// let mut policy = Policy::default();
    /// policy.plan.max_keys_per_user = 10;
    /// policy.settings.max_keys_per_user = Some(50);
    /// assert!(matches!(policy.validate(), Err(PolicyError::BeyondPlan { .. })));
    /// ```
    ///
    /// # Errors
    /// [`PolicyError`] for the first field that is out of its limits.
    pub fn validate(&self) -> Result<(), PolicyError> {
        self.plan.validate()?;
        self.settings.validate()?;
        self.settings.must_be_within(&self.plan)
    }
}

/// The policy of one tenant as a store keeps it: the records that the tenant has of its own.
///
/// ```
/// use keywright::store::TenantPolicy;
/// use keywright::Settings;
///
/// let policy = TenantPolicy { settings: Some(Settings::enabled()), ..TenantPolicy::default() };
/// assert!(policy.plan.is_none());
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TenantPolicy {
    /// The tenant's own plan; `None` if the host's default plan applies.
    #[serde(deserialize_with = "required")]
    pub plan: Option<Plan>,
    /// The tenant's own settings; `None` if the host's default settings apply.
    #[serde(deserialize_with = "required")]
    pub settings: Option<Settings>,
    /// The version of the two together: one more with each change of the plan or the settings, up
    /// to 2⁶³ − 1. A tenant without a stored policy has version 0.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}
