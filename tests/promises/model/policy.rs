//! Plain data of plans, settings and the rules in force.

use std::collections::BTreeMap;

use crate::plain::{HOUR, Span};

/// An alert: its period in seconds, and the uses that it allows.
pub(crate) type Alert = (i64, u64);

/// A rate: uses and seconds.
pub(crate) type Uses = (i64, i64);

/// The host's limits. Scopes are sets of bits, and rates are positions in the list of rates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlanData {
    pub(crate) api_access: bool,
    /// The scopes of the catalog that read, and those that write.
    pub(crate) reading: u8,
    pub(crate) writing: u8,
    pub(crate) default_scopes: u8,
    pub(crate) roles: BTreeMap<usize, u8>,
    pub(crate) max_rate: usize,
    pub(crate) max_keys_per_user: u16,
    pub(crate) max_keys_per_account: Option<u16>,
    pub(crate) max_keys_of_organization: Option<u16>,
    pub(crate) require_expiry: bool,
    pub(crate) max_lifetime: Option<Span>,
    pub(crate) max_overlap: Span,
    pub(crate) pattern: bool,
    pub(crate) min_alert_period: Span,
    pub(crate) max_retention: Option<Span>,
    pub(crate) min_event_retention: Span,
    pub(crate) max_event_retention: Option<Span>,
    pub(crate) version: u64,
}

impl PlanData {
    /// Returns every scope of the catalog.
    pub(crate) fn catalog(&self) -> u8 {
        self.reading | self.writing
    }

    /// Returns the plan of a tenant for which the host has set none.
    pub(crate) fn of_host() -> Self {
        Self {
            api_access: true,
            reading: 1,
            writing: 2,
            default_scopes: 1,
            roles: BTreeMap::from([(0, 3)]),
            max_rate: 0,
            max_keys_per_user: 1_000,
            max_keys_per_account: None,
            max_keys_of_organization: None,
            require_expiry: false,
            max_lifetime: None,
            max_overlap: 90 * 24 * HOUR,
            pattern: false,
            min_alert_period: HOUR / 60,
            max_retention: None,
            min_event_retention: 24 * HOUR,
            max_event_retention: None,
            version: 0,
        }
    }
}

/// The tenant's own rules: `None`, or rate 0, in each field that it has not set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SettingsData {
    pub(crate) api_enabled: Option<bool>,
    pub(crate) require_expiry: Option<bool>,
    pub(crate) default_lifetime: Option<Span>,
    pub(crate) max_lifetime: Option<Span>,
    pub(crate) max_keys: Option<u16>,
    pub(crate) max_overlap: Option<Span>,
    pub(crate) pattern: bool,
    pub(crate) default_rate: usize,
    pub(crate) extensive_use: Option<Alert>,
    pub(crate) suspicious_use: Option<Alert>,
    pub(crate) retention: Option<Span>,
    pub(crate) event_retention: Option<Span>,
    pub(crate) version: u64,
}

impl SettingsData {
    /// Returns the host's defaults for what a tenant has not set.
    pub(crate) fn of_host() -> Self {
        Self { max_overlap: Some(72 * HOUR), suspicious_use: Some((3_600, 5)), ..Self::default() }
    }
}

/// A new value of one setting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    ApiEnabled(Option<bool>),
    RequireExpiry(Option<bool>),
    DefaultLifetime(Option<Span>),
    MaxLifetime(Option<Span>),
    MaxKeys(Option<u16>),
    MaxOverlap(Option<Span>),
    Pattern(bool),
    DefaultRate(usize),
    ExtensiveUse(Option<Alert>),
    SuspiciousUse(Option<Alert>),
    Retention(Option<Span>),
    EventRetention(Option<Span>),
}

/// A rule in force, and its reason: `plan`, `setting` or `default`.
pub(crate) type Rule<T> = (T, &'static str);

/// The rules in force, cut to the plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Rules {
    pub(crate) api_enabled: Rule<bool>,
    pub(crate) require_expiry: Rule<bool>,
    pub(crate) default_lifetime: Rule<Option<Span>>,
    pub(crate) max_lifetime: Rule<Option<Span>>,
    pub(crate) max_keys: Rule<u16>,
    pub(crate) max_overlap: Rule<Span>,
    /// The pattern of the settings alone.
    pub(crate) pattern: Rule<bool>,
    pub(crate) default_rate: Rule<Option<Uses>>,
    pub(crate) extensive_use: Rule<Option<Alert>>,
    pub(crate) suspicious_use: Rule<Option<Alert>>,
    pub(crate) retention: Rule<Span>,
    pub(crate) event_retention: Rule<Span>,
}
