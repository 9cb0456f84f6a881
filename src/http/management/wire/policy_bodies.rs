//! The bodies that change the plan and the settings of a tenant.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::problem::Problem;
use super::request_bodies::nothing_to_change;
use super::strict_values::{Object, OrNull, ScopeList, Seconds, Whole, given, nullable};
use crate::record::plan::{Plan, ScopeDefinition};
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::PolicyField;
use crate::record::role::{Role, RoleName};
use crate::record::settings::SettingsEdit;
use crate::value::name::NamePattern;
use crate::value::note::Description;
use crate::value::rate::Rate;
use crate::value::scope::{Access, Scope};
use crate::value::use_alert::UseAlert;

/// A whole plan. Every field is required.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanBody {
    api_access: bool,
    #[serde(deserialize_with = "crate::value::serde_strict::unique")]
    scopes: BTreeMap<Scope, Object<ScopeBody>>,
    default_scopes: ScopeList,
    #[serde(deserialize_with = "crate::value::serde_strict::unique")]
    roles: BTreeMap<RoleName, Object<RoleBody>>,
    #[serde(deserialize_with = "nullable")]
    max_rate: Option<Rate>,
    max_keys_per_user: Whole,
    #[serde(deserialize_with = "nullable")]
    max_keys_per_account: Option<Whole>,
    #[serde(deserialize_with = "nullable")]
    max_keys_of_organization: Option<Whole>,
    require_expiry: bool,
    #[serde(deserialize_with = "nullable")]
    max_lifetime: Option<Seconds>,
    max_overlap: Seconds,
    #[serde(deserialize_with = "nullable")]
    name_pattern: Option<Object<NamePattern>>,
    min_alert_period: Seconds,
    #[serde(deserialize_with = "nullable")]
    max_retention: Option<Seconds>,
    min_event_retention: Seconds,
    #[serde(deserialize_with = "nullable")]
    max_event_retention: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeBody {
    #[serde(deserialize_with = "nullable")]
    description: Option<Description>,
    access: Access,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleBody {
    #[serde(deserialize_with = "nullable")]
    description: Option<Description>,
    scopes: ScopeList,
}

impl PlanBody {
    /// Converts the body into the plan that replaces this version.
    pub(crate) fn into_plan(self, version: u64) -> Result<Plan, Problem> {
        use PolicyField as F;
        let keys = |field, number: Option<Whole>| number.map(|n| keys(field, n)).transpose();
        let scope = |(name, Object(body)): (Scope, Object<ScopeBody>)| {
            let defined = ScopeDefinition::new(body.access);
            (name, ScopeDefinition { description: body.description, ..defined })
        };
        let role = |(name, Object(body)): (RoleName, Object<RoleBody>)| {
            (name, Role { description: body.description, scopes: body.scopes.0 })
        };
        let plan = Plan {
            api_access: self.api_access,
            scopes: self.scopes.into_iter().map(scope).collect(),
            default_scopes: self.default_scopes.0,
            roles: self.roles.into_iter().map(role).collect(),
            max_rate: self.max_rate,
            max_keys_per_user: self::keys(F::MaxKeysPerUser, self.max_keys_per_user)?,
            max_keys_per_account: keys(F::MaxKeysPerAccount, self.max_keys_per_account)?,
            max_keys_of_organization: keys(
                F::MaxKeysOfOrganization,
                self.max_keys_of_organization,
            )?,
            require_expiry: self.require_expiry,
            max_lifetime: self.max_lifetime.map(|Seconds(time)| time),
            max_overlap: self.max_overlap.0,
            name_pattern: self.name_pattern.map(|Object(pattern)| pattern),
            min_alert_period: self.min_alert_period.0,
            max_retention: self.max_retention.map(|Seconds(time)| time),
            min_event_retention: self.min_event_retention.0,
            max_event_retention: self.max_event_retention.map(|Seconds(time)| time),
            version,
        };
        // An invalid plan is a 422 even if its version is stale.
        plan.validate()?;
        Ok(plan)
    }
}

/// A change of some settings. An absent field stays as it is, and null is the default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsEditBody {
    #[serde(default, deserialize_with = "given")]
    api_enabled: Option<OrNull<bool>>,
    #[serde(default, deserialize_with = "given")]
    require_expiry: Option<OrNull<bool>>,
    #[serde(default, deserialize_with = "given")]
    default_lifetime: Option<OrNull<Seconds>>,
    #[serde(default, deserialize_with = "given")]
    max_lifetime: Option<OrNull<Seconds>>,
    #[serde(default, deserialize_with = "given")]
    max_keys_per_user: Option<OrNull<Whole>>,
    #[serde(default, deserialize_with = "given")]
    max_overlap: Option<OrNull<Seconds>>,
    #[serde(default, deserialize_with = "given")]
    name_pattern: Option<OrNull<Object<NamePattern>>>,
    #[serde(default, deserialize_with = "given")]
    default_rate: Option<OrNull<Rate>>,
    #[serde(default, deserialize_with = "given")]
    extensive_use: Option<OrNull<UseAlert>>,
    #[serde(default, deserialize_with = "given")]
    suspicious_use: Option<OrNull<UseAlert>>,
    #[serde(default, deserialize_with = "given")]
    retention: Option<OrNull<Seconds>>,
    #[serde(default, deserialize_with = "given")]
    event_retention: Option<OrNull<Seconds>>,
}

impl SettingsEditBody {
    pub(crate) fn into_edit(self) -> Result<SettingsEdit, Problem> {
        let mut edit = SettingsEdit::new();
        let mut is_empty = true;
        macro_rules! set {
            ($($field:ident => $read:expr;)*) => {$(
                if let Some(OrNull(value)) = self.$field {
                    is_empty = false;
                    edit = edit.$field(value.map($read).transpose()?);
                }
            )*};
        }
        set! {
            api_enabled => Ok::<_, Problem>;
            require_expiry => Ok::<_, Problem>;
            default_lifetime => |Seconds(time)| Ok::<_, Problem>(time);
            max_lifetime => |Seconds(time)| Ok::<_, Problem>(time);
            max_keys_per_user => |number| keys(PolicyField::MaxKeysPerUser, number);
            max_overlap => |Seconds(time)| Ok::<_, Problem>(time);
            name_pattern => |Object(pattern)| Ok::<_, Problem>(pattern);
            default_rate => Ok::<_, Problem>;
            extensive_use => Ok::<_, Problem>;
            suspicious_use => Ok::<_, Problem>;
            retention => |Seconds(time)| Ok::<_, Problem>(time);
            event_retention => |Seconds(time)| Ok::<_, Problem>(time);
        }
        if is_empty { Err(nothing_to_change()) } else { Ok(edit) }
    }
}

/// Converts a number of keys. The plan or the settings refuse a number that is only too high.
fn keys(field: PolicyField, Whole(got): Whole) -> Result<u16, Problem> {
    u16::try_from(got).map_err(|_| PolicyError::MaxKeys { field, got }.into())
}
