//! The rules that are in force in a tenant: each setting, or its default, cut to the plan.
//!
//! No other module combines plan and settings. When a plan shrinks, the smaller of the two is in
//! force at once.

use std::time::Duration;

use serde::Serialize;

use crate::record::key::Owner;
use crate::record::plan::Plan;
use crate::record::policy::{Policy, TenantPolicy};
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::PolicyField;
use crate::record::quantity::Quantity;
use crate::record::settings::Settings;
use crate::value::name::{Name, NameError, NamePattern};
use crate::value::rate::Rate;
use crate::value::use_alert::UseAlert;

/// The value of a rule that is in force, and the reason for it.
///
/// ```
/// use keywright::Source;
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let rules = authority.policy(&ada).await?;
/// assert_eq!(rules.max_keys_per_user.value, 10);
/// assert_eq!(rules.max_keys_per_user.source, Source::Default);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct InForce<T> {
    /// The value.
    pub value: T,
    /// The reason for the value.
    pub source: Source,
}

/// The reason for the value of a rule.
///
/// ```
/// use keywright::Source;
///
/// assert_eq!(serde_json::to_string(&Source::Setting)?, "\"setting\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The plan cut the setting, or its default, to its own bound.
    Plan,
    /// The tenant set the value.
    Setting,
    /// The tenant did not set the value.
    Default,
}

/// The rules that are in force in a tenant, each with the reason for its value.
///
/// [`Authority::policy`](crate::Authority::policy) returns them.
///
/// ```
/// use keywright::Source;
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// policy.plan.max_keys_per_user = 3;
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let rules = authority.policy(&ada).await?;
/// assert_eq!(rules.max_keys_per_user.value, 3);
/// assert_eq!(rules.max_keys_per_user.source, Source::Plan);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EffectivePolicy {
    /// The plan of the tenant.
    pub plan: Plan,
    /// The settings that the tenant has set; `None` in each field that it has not.
    pub settings: Settings,
    /// True if the tenant's switch for API access is on.
    pub api_enabled: InForce<bool>,
    /// True if every new key must have an expiry.
    pub require_expiry: InForce<bool>,
    /// The lifetime of a new key whose caller sets no expiry; `None` if such a key never expires.
    pub default_lifetime: InForce<Option<Duration>>,
    /// The longest lifetime of a new key; `None` if there is no limit.
    pub max_lifetime: InForce<Option<Duration>>,
    /// The number of live keys that a user may own.
    pub max_keys_per_user: InForce<u16>,
    /// The longest overlap of a rotation.
    pub max_overlap: InForce<Duration>,
    /// The tenant's pattern for names. The plan's pattern applies beside it.
    pub name_pattern: InForce<Option<NamePattern>>,
    /// The rate of a key without a rate of its own; `None` if there is no limit.
    pub default_rate: InForce<Option<Rate>>,
    /// The alert for extensive use; `None` if there are no such events.
    pub extensive_use: InForce<Option<UseAlert>>,
    /// The alert for suspicious use; `None` if there are no such events.
    pub suspicious_use: InForce<Option<UseAlert>>,
    /// The time for which a dead key is kept.
    pub retention: InForce<Duration>,
    /// The time for which an audit event is kept.
    pub event_retention: InForce<Duration>,
}

/// The plan and the settings of a tenant with the host's defaults, as one set of rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PolicyInForce<'a> {
    pub(crate) plan: &'a Plan,
    settings: Option<&'a Settings>,
    defaults: &'a Settings,
}

impl<'a> PolicyInForce<'a> {
    /// Joins what a tenant has stored with the host's defaults.
    pub(crate) fn new(stored: Option<&'a TenantPolicy>, default: &'a Policy) -> Self {
        Self {
            plan: stored.and_then(|policy| policy.plan.as_ref()).unwrap_or(&default.plan),
            settings: stored.and_then(|policy| policy.settings.as_ref()),
            defaults: &default.settings,
        }
    }

    pub(crate) fn api_enabled(self) -> InForce<bool> {
        self.rule(|settings| settings.api_enabled, false, |own| own)
    }

    pub(crate) fn require_expiry(self) -> InForce<bool> {
        let by_plan = self.plan.require_expiry;
        self.rule(|settings| settings.require_expiry, false, |own| own || by_plan)
    }

    pub(crate) fn max_lifetime(self) -> InForce<Option<Duration>> {
        let bound = self.plan.max_lifetime;
        self.rule(|settings| settings.max_lifetime.map(Some), None, |own| shorter(own, bound))
    }

    /// Returns the lifetime of a key whose caller sets no expiry.
    pub(crate) fn default_lifetime(self) -> InForce<Option<Duration>> {
        let max = self.max_lifetime();
        let own = self.rule(|settings| settings.default_lifetime.map(Some), None, |own| own);
        let value = shorter(own.value, max.value);
        InForce { source: if value == own.value { own.source } else { max.source }, value }
    }

    pub(crate) fn max_keys_per_user(self) -> InForce<u16> {
        let (default, bound) = (Settings::DEFAULT_MAX_KEYS_PER_USER, self.plan.max_keys_per_user);
        self.rule(|settings| settings.max_keys_per_user, default, |own| own.min(bound))
    }

    /// Returns the number of live keys that an owner may have, or `None` if there is no limit.
    pub(crate) fn max_keys_of(self, owner: &Owner) -> Option<u16> {
        let keys = match owner {
            Owner::User(_) => Some(self.max_keys_per_user().value),
            Owner::Account(_) => self.plan.max_keys_per_account,
            Owner::Organization => self.plan.max_keys_of_organization,
        };
        // A custom store may return a policy that was never validated.
        keys.map(|keys| keys.clamp(1, Plan::MAX_KEYS))
    }

    pub(crate) fn max_overlap(self) -> InForce<Duration> {
        let (default, bound) = (Settings::DEFAULT_MAX_OVERLAP, self.plan.max_overlap);
        self.rule(|settings| settings.max_overlap, default, |own| own.min(bound))
    }

    /// Checks that a name follows the patterns of plan and settings.
    pub(crate) fn check_name(self, name: &Name) -> Result<(), NameError> {
        self.name_rule()?.map_or(Ok(()), |pattern| pattern.check(name))
    }

    /// Returns the pattern that names must follow: that of the plan and that of the settings
    /// together. `None` if there is none.
    ///
    /// # Errors
    /// [`NameError::NoneFits`] if no name follows both.
    pub(crate) fn name_rule(self) -> Result<Option<NamePattern>, NameError> {
        match (self.plan.name_pattern.as_ref(), self.name_pattern().value) {
            (Some(plan), Some(own)) => own.within(plan).map(Some),
            (plan, own) => Ok(plan.or(own).cloned()),
        }
    }

    fn name_pattern(self) -> InForce<Option<&'a NamePattern>> {
        self.rule(|settings| settings.name_pattern.as_ref().map(Some), None, |own| own)
    }

    /// Returns the rate of a key without a rate of its own.
    #[inline]
    pub(crate) fn default_rate(self) -> InForce<Option<Rate>> {
        let max = self.plan.max_rate;
        let cut = |own: Option<Rate>| own.map(|own| own.at_most(max)).or(max);
        self.rule(|settings| settings.default_rate.map(Some), None, cut)
    }

    pub(crate) fn extensive_use(self) -> InForce<Option<UseAlert>> {
        self.alert(|settings| settings.extensive_use)
    }

    pub(crate) fn suspicious_use(self) -> InForce<Option<UseAlert>> {
        self.alert(|settings| settings.suspicious_use)
    }

    fn alert(self, field: impl Fn(&'a Settings) -> Option<UseAlert>) -> InForce<Option<UseAlert>> {
        let min = self.plan.min_alert_period;
        let cut = |own: Option<UseAlert>| own.map(|alert| alert.in_period_of(min));
        self.rule(|settings| field(settings).map(Some), None, cut)
    }

    pub(crate) fn retention(self) -> InForce<Duration> {
        let bound = self.plan.max_retention.unwrap_or(Duration::MAX);
        let default = Settings::DEFAULT_RETENTION;
        self.rule(|settings| settings.retention, default, |own| own.min(bound))
    }

    pub(crate) fn event_retention(self) -> InForce<Duration> {
        let most = self.plan.max_event_retention.unwrap_or(Duration::MAX);
        let least = self.plan.min_event_retention;
        let default = Settings::DEFAULT_EVENT_RETENTION;
        self.rule(|settings| settings.event_retention, default, |own| own.min(most).max(least))
    }

    pub(crate) fn explained(self) -> EffectivePolicy {
        let InForce { value: pattern, source } = self.name_pattern();
        EffectivePolicy {
            plan: self.plan.clone(),
            settings: self.settings.cloned().unwrap_or_default(),
            api_enabled: self.api_enabled(),
            require_expiry: self.require_expiry(),
            default_lifetime: self.default_lifetime(),
            max_lifetime: self.max_lifetime(),
            max_keys_per_user: self.max_keys_per_user(),
            max_overlap: self.max_overlap(),
            name_pattern: InForce { value: pattern.cloned(), source },
            default_rate: self.default_rate(),
            extensive_use: self.extensive_use(),
            suspicious_use: self.suspicious_use(),
            retention: self.retention(),
            event_retention: self.event_retention(),
        }
    }

    /// Returns the value of a setting, or its default, cut to the plan.
    // Inlined, a caller that needs no source does not compute it.
    #[inline]
    fn rule<T: Clone + PartialEq>(
        self,
        field: impl Fn(&'a Settings) -> Option<T>,
        default: T,
        cut: impl FnOnce(T) -> T,
    ) -> InForce<T> {
        let (own, source) = match self.settings.and_then(&field) {
            Some(own) => (own, Source::Setting),
            None => (field(self.defaults).unwrap_or(default), Source::Default),
        };
        let value = cut(own.clone());
        InForce { source: if value == own { source } else { Source::Plan }, value }
    }
}

fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Settings {
    /// Checks that each setting is within the bound of the plan.
    pub(crate) fn must_be_within(&self, plan: &Plan) -> Result<(), PolicyError> {
        use PolicyField as F;
        let times = [
            (F::MaxLifetime, self.max_lifetime, plan.max_lifetime),
            (F::DefaultLifetime, self.default_lifetime, plan.max_lifetime),
            (F::MaxOverlap, self.max_overlap, Some(plan.max_overlap)),
            (F::Retention, self.retention, plan.max_retention),
            (F::EventRetention, self.event_retention, plan.max_event_retention),
        ];
        let seconds = |time: Duration| Quantity::Seconds(time.as_secs());
        for (field, value, bound) in times {
            if let (Some(value), Some(bound)) = (value, bound)
                && value > bound
            {
                return Err(beyond(field, seconds(value), "at most", seconds(bound)));
            }
        }
        let (least, times) = (plan.min_event_retention, self.event_retention);
        if let Some(value) = times.filter(|value| *value < least) {
            return Err(beyond(F::EventRetention, seconds(value), "at least", seconds(least)));
        }
        let number = |number: u64| Quantity::Number(number);
        let most = plan.max_keys_per_user;
        if let Some(keys) = self.max_keys_per_user.filter(|keys| *keys > most) {
            let (keys, most) = (number(keys.into()), number(most.into()));
            return Err(beyond(F::MaxKeysPerUser, keys, "at most", most));
        }
        if let (Some(rate), Some(max)) = (self.default_rate, plan.max_rate)
            && !rate.is_within(&max)
        {
            let (rate, max) = (Quantity::text(&rate), Quantity::text(&max));
            return Err(beyond(F::DefaultRate, rate, "at most", max));
        }
        let least = plan.min_alert_period;
        let alerts =
            [(F::ExtensiveUse, self.extensive_use), (F::SuspiciousUse, self.suspicious_use)];
        for (field, alert) in alerts {
            if let Some(alert) = alert.filter(|alert| alert.period() < least) {
                return Err(beyond(
                    field,
                    seconds(alert.period()),
                    "in a period of at least",
                    seconds(least),
                ));
            }
        }
        if plan.require_expiry && self.require_expiry == Some(false) {
            let (value, bound) = (Quantity::text(&false), Quantity::text(&true));
            return Err(beyond(F::RequireExpiry, value, "equal to", bound));
        }
        Ok(())
    }
}

fn beyond(
    field: PolicyField,
    value: Quantity,
    relation: &'static str,
    bound: Quantity,
) -> PolicyError {
    PolicyError::BeyondPlan { field, value, relation, bound }
}
