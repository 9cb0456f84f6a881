//! The plan, the settings and the rules in force of a tenant, in the form that clients see.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::record::plan::{Plan, ScopeDefinition};
use crate::record::policy_in_force::{EffectivePolicy, InForce};
use crate::record::role::{Role, RoleName};
use crate::record::settings::Settings;
use crate::value::name::NamePattern;
use crate::value::note::Description;
use crate::value::rate::Rate;
use crate::value::scope::{Access, Scope, ScopeSet};
use crate::value::use_alert::UseAlert;

/// A plan without its version, which is the entity tag. `PUT /plan` accepts the same body.
#[derive(Serialize)]
pub(crate) struct PlanView {
    api_access: bool,
    scopes: BTreeMap<Scope, ScopeView>,
    default_scopes: ScopeSet,
    roles: BTreeMap<RoleName, RoleView>,
    max_rate: Option<Rate>,
    max_keys_per_user: u16,
    max_keys_per_account: Option<u16>,
    max_keys_of_organization: Option<u16>,
    require_expiry: bool,
    max_lifetime: Option<u64>,
    max_overlap: u64,
    name_pattern: Option<NamePattern>,
    min_alert_period: u64,
    max_retention: Option<u64>,
    min_event_retention: u64,
    max_event_retention: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct ScopeView {
    description: Option<Description>,
    access: Access,
}

#[derive(Serialize)]
struct RoleView {
    description: Option<Description>,
    scopes: ScopeSet,
}

impl From<ScopeDefinition> for ScopeView {
    fn from(definition: ScopeDefinition) -> Self {
        let ScopeDefinition { description, access } = definition;
        Self { description, access }
    }
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        let Role { description, scopes } = role;
        Self { description, scopes }
    }
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        let Plan {
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
        } = plan;
        Self {
            api_access,
            scopes: scopes.into_iter().map(|(name, scope)| (name, scope.into())).collect(),
            default_scopes,
            roles: roles.into_iter().map(|(name, role)| (name, role.into())).collect(),
            max_rate,
            max_keys_per_user,
            max_keys_per_account,
            max_keys_of_organization,
            require_expiry,
            max_lifetime: seconds(max_lifetime),
            max_overlap: max_overlap.as_secs(),
            name_pattern,
            min_alert_period: min_alert_period.as_secs(),
            max_retention: seconds(max_retention),
            min_event_retention: min_event_retention.as_secs(),
            max_event_retention: seconds(max_event_retention),
        }
    }
}

/// The settings without their version, which is the entity tag. A field that is null has its
/// default.
#[derive(Serialize)]
pub(crate) struct SettingsView {
    api_enabled: Option<bool>,
    require_expiry: Option<bool>,
    default_lifetime: Option<u64>,
    max_lifetime: Option<u64>,
    max_keys_per_user: Option<u16>,
    max_overlap: Option<u64>,
    name_pattern: Option<NamePattern>,
    default_rate: Option<Rate>,
    extensive_use: Option<UseAlert>,
    suspicious_use: Option<UseAlert>,
    retention: Option<u64>,
    event_retention: Option<u64>,
}

impl From<Settings> for SettingsView {
    fn from(settings: Settings) -> Self {
        let Settings {
            api_enabled,
            require_expiry,
            default_lifetime,
            max_lifetime,
            max_keys_per_user,
            max_overlap,
            name_pattern,
            default_rate,
            extensive_use,
            suspicious_use,
            retention,
            event_retention,
            version: _,
        } = settings;
        Self {
            api_enabled,
            require_expiry,
            default_lifetime: seconds(default_lifetime),
            max_lifetime: seconds(max_lifetime),
            max_keys_per_user,
            max_overlap: seconds(max_overlap),
            name_pattern,
            default_rate,
            extensive_use,
            suspicious_use,
            retention: seconds(retention),
            event_retention: seconds(event_retention),
        }
    }
}

/// The rules in force, each with its source, beside the plan and the settings that they come from.
#[derive(Serialize)]
pub(crate) struct PolicyView {
    in_force: RulesView,
    plan: PlanView,
    plan_version: u64,
    settings: SettingsView,
    settings_version: u64,
}

#[derive(Serialize)]
struct RulesView {
    api_enabled: InForce<bool>,
    require_expiry: InForce<bool>,
    default_lifetime: InForce<Option<u64>>,
    max_lifetime: InForce<Option<u64>>,
    max_keys_per_user: InForce<u16>,
    max_overlap: InForce<u64>,
    name_pattern: InForce<Option<NamePattern>>,
    default_rate: InForce<Option<Rate>>,
    extensive_use: InForce<Option<UseAlert>>,
    suspicious_use: InForce<Option<UseAlert>>,
    retention: InForce<u64>,
    event_retention: InForce<u64>,
}

impl From<EffectivePolicy> for PolicyView {
    fn from(policy: EffectivePolicy) -> Self {
        let EffectivePolicy {
            plan,
            settings,
            api_enabled,
            require_expiry,
            default_lifetime,
            max_lifetime,
            max_keys_per_user,
            max_overlap,
            name_pattern,
            default_rate,
            extensive_use,
            suspicious_use,
            retention,
            event_retention,
        } = policy;
        Self {
            in_force: RulesView {
                api_enabled,
                require_expiry,
                default_lifetime: in_seconds(default_lifetime, seconds),
                max_lifetime: in_seconds(max_lifetime, seconds),
                max_keys_per_user,
                max_overlap: in_seconds(max_overlap, |time| time.as_secs()),
                name_pattern,
                default_rate,
                extensive_use,
                suspicious_use,
                retention: in_seconds(retention, |time| time.as_secs()),
                event_retention: in_seconds(event_retention, |time| time.as_secs()),
            },
            plan_version: plan.version,
            plan: plan.into(),
            settings_version: settings.version,
            settings: settings.into(),
        }
    }
}

fn in_seconds<T, U>(rule: InForce<T>, convert: impl FnOnce(T) -> U) -> InForce<U> {
    InForce { value: convert(rule.value), source: rule.source }
}

pub(super) fn seconds(time: Option<Duration>) -> Option<u64> {
    time.map(|time| time.as_secs())
}
