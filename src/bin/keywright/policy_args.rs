//! The command lines of `keywright plan` and `keywright settings`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use keywright::{Rate, RoleName, ScopeSet, UseAlert};

use crate::values::{OrDefault, OrNone, Pattern, Period, RoleScopes, RoleText, ScopeText};

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show the rules in force, each with its source: the plan, a setting or a default
    #[command(after_help = "Example:\n  keywright --store keys.db policy show")]
    Show,
}

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Show all fields of the plan
    #[command(after_help = "Example:\n  keywright --store keys.db plan show")]
    Show,
    /// Change fields of the plan; the others keep their values
    #[command(
        arg_required_else_help = true,
        override_usage = "keywright --store FILE|URL plan set FIELDS",
        after_help = "Example:\n  keywright --store keys.db plan set --reads invoices:read --writes invoices:write \\\n    \
            --role analyst=\"invoices:read\" --max-rate 100/60s"
    )]
    Set(Box<PlanChange>),
}

#[derive(Args, Default)]
#[group(required = true, multiple = true)]
pub(crate) struct PlanChange {
    /// Whether the plan includes API access
    #[arg(long, value_name = "on|off", value_parser = switch(), hide_possible_values = true)]
    pub(crate) api_access: Option<bool>,
    /// Scopes of the catalog that only read; replaces the current ones
    #[arg(long, value_name = "SCOPES")]
    pub(crate) reads: Option<ScopeSet>,
    /// Scopes of the catalog that write; replaces the current ones
    #[arg(long, value_name = "SCOPES")]
    pub(crate) writes: Option<ScopeSet>,
    /// Description of a scope of the catalog; repeatable
    #[arg(long = "scope-description", value_name = "SCOPE=TEXT")]
    pub(crate) scope_descriptions: Vec<ScopeText>,
    /// Scopes of a key that was generated without scopes; replaces the current ones
    #[arg(long, value_name = "SCOPES")]
    pub(crate) default_scopes: Option<ScopeSet>,
    /// Role of service accounts and its scopes; repeatable
    #[arg(long = "role", value_name = "NAME=SCOPES")]
    pub(crate) roles: Vec<RoleScopes>,
    /// Description of a role; repeatable
    #[arg(long = "role-description", value_name = "NAME=TEXT")]
    pub(crate) role_descriptions: Vec<RoleText>,
    /// Role to remove; repeatable
    #[arg(long = "remove-role", value_name = "NAME")]
    pub(crate) removed_roles: Vec<RoleName>,
    /// Highest rate of any key, for example 100/60s
    #[arg(long, value_name = "RATE|none")]
    pub(crate) max_rate: Option<OrNone<Rate>>,
    /// Highest number of live keys that the settings may allow a user, 1 to 1000
    #[arg(long, value_name = "N")]
    pub(crate) max_keys_per_user: Option<u16>,
    /// Number of live keys that a service account may own
    #[arg(long, value_name = "N|none")]
    pub(crate) max_keys_per_account: Option<OrNone<u16>>,
    /// Number of live keys that the organization may own
    #[arg(long, value_name = "N|none")]
    pub(crate) max_keys_of_organization: Option<OrNone<u16>>,
    /// Whether every new key must have an expiry
    #[arg(long, value_name = "on|off", value_parser = switch(), hide_possible_values = true)]
    pub(crate) require_expiry: Option<bool>,
    /// Longest lifetime of a new key that the settings may allow
    #[arg(long, value_name = "PERIOD|none")]
    pub(crate) max_lifetime: Option<OrNone<Period>>,
    /// Longest overlap of a rotation that the settings may allow
    #[arg(long, value_name = "PERIOD")]
    pub(crate) max_overlap: Option<Period>,
    /// Pattern of key names, beside the one of the settings: environments such as prod,staging, or any
    #[arg(long, value_name = "LIST|any|none")]
    pub(crate) name_pattern: Option<OrNone<Pattern>>,
    /// Shortest period of the alerts of the settings, at least 1m
    #[arg(long, value_name = "PERIOD")]
    pub(crate) min_alert_period: Option<Period>,
    /// Longest retention of dead keys that the settings may have
    #[arg(long, value_name = "PERIOD|none")]
    pub(crate) max_retention: Option<OrNone<Period>>,
    /// Shortest retention of events that the settings may have, at least 1d
    #[arg(long, value_name = "PERIOD")]
    pub(crate) min_event_retention: Option<Period>,
    /// Longest retention of events that the settings may have
    #[arg(long, value_name = "PERIOD|none")]
    pub(crate) max_event_retention: Option<OrNone<Period>>,
}

#[derive(Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show all settings; a setting that is not set has its default
    #[command(after_help = "Example:\n  keywright --store keys.db settings show")]
    Show,
    /// Change settings; the others keep their values
    #[command(
        arg_required_else_help = true,
        override_usage = "keywright --store FILE|URL settings set FIELDS",
        after_help = "The value `default` returns a setting to its default.\n\n\
            Example:\n  keywright --store keys.db settings set --api-enabled on --max-lifetime 90d"
    )]
    Set(Box<SettingsChange>),
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SettingsChange {
    /// Whether API access is on, for all keys of the tenant
    #[arg(long, value_name = "on|off|default")]
    pub(crate) api_enabled: Option<OrDefault<Switch>>,
    /// Whether every new key must have an expiry
    #[arg(long, value_name = "on|off|default")]
    pub(crate) require_expiry: Option<OrDefault<Switch>>,
    /// Lifetime of new keys that do not set an expiry, for example 90d
    #[arg(long, value_name = "PERIOD|default")]
    pub(crate) default_lifetime: Option<OrDefault<Period>>,
    /// Longest lifetime of a new key
    #[arg(long, value_name = "PERIOD|default")]
    pub(crate) max_lifetime: Option<OrDefault<Period>>,
    /// Number of live keys that a user may own, 1 to 1000
    #[arg(long, value_name = "N|default")]
    pub(crate) max_keys_per_user: Option<OrDefault<u16>>,
    /// Longest overlap of a rotation, for example 7d
    #[arg(long, value_name = "PERIOD|default")]
    pub(crate) max_overlap: Option<OrDefault<Period>>,
    /// Pattern of key names: environments of which one comes first, such as prod,staging, or any
    #[arg(long, value_name = "LIST|any|default")]
    pub(crate) name_pattern: Option<OrDefault<Pattern>>,
    /// Rate of keys that have none of their own, for example 100/60s
    #[arg(long, value_name = "RATE|default")]
    pub(crate) default_rate: Option<OrDefault<Rate>>,
    /// Write an event if a key has more uses in a period, for example 10000/3600s
    #[arg(long, value_name = "ALERT|default")]
    pub(crate) extensive_use: Option<OrDefault<UseAlert>>,
    /// Write an event if a key has more refused uses in a period, for example 20/300s
    #[arg(long, value_name = "ALERT|default")]
    pub(crate) suspicious_use: Option<OrDefault<UseAlert>>,
    /// Time for which a sweep keeps revoked and expired keys
    #[arg(long, value_name = "PERIOD|default")]
    pub(crate) retention: Option<OrDefault<Period>>,
    /// Time for which a sweep keeps events, at least 1d
    #[arg(long, value_name = "PERIOD|default")]
    pub(crate) event_retention: Option<OrDefault<Period>>,
}

/// `on` or `off`.
#[derive(Clone, Copy)]
pub(crate) struct Switch(pub(crate) bool);

impl std::str::FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("expected on, off or default"),
        }
    }
}

fn switch() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|text| text == "on")
}
