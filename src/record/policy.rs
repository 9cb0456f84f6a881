//! Policies: the rules of a tenant. Every limit and default has its reason.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::policy_field::PolicyField;
use crate::value::name::NamePattern;
use crate::value::rate::Rate;
use crate::value::redact::redact;
use crate::value::scope::ScopeSet;
use crate::value::text::serde_as_text;
use crate::value::time::in_words;

const DAY: Duration = Duration::from_hours(24);

/// The rules of one tenant. Take the one in force, change fields, and set it.
///
/// ```
/// use std::time::Duration;
/// use keywright::Policy;
///
/// let mut policy = Policy::allowing("invoices:read invoices:write".parse()?);
/// policy.max_lifetime = Some(Duration::from_secs(90 * 86_400));
/// # Ok::<(), keywright::ScopeError>(())
/// ```
///
/// A change of `max_lifetime`, `require_expiry`, `default_lifetime` or `max_keys_per_owner` affects
/// new keys alone, one of `name_pattern` new keys and new names. A `max_overlap`
/// holds for rotations from then on. Every other field is in force for every key at once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// Whether the tenant's plan includes API access. The host's to say, not the tenant's.
    ///
    /// Default `true`: a host without plans need not know the field.
    pub api_in_plan: bool,
    /// The tenant's own switch: turns all its keys on or off at once, and changes none.
    ///
    /// Default `false`: a tenant that never asked for API keys has none that work.
    pub api_enabled: bool,
    /// Whether every new key must have an expiry. Default `false`.
    pub require_expiry: bool,
    /// The lifetime of a new key that says nothing of its expiry. Default `None`: no expiry.
    #[serde(with = "crate::value::time::seconds::option")]
    pub default_lifetime: Option<Duration>,
    /// The longest lifetime of a new key; with one, "no expiry" is refused too. It has no upper
    /// limit. Default `None`.
    #[serde(with = "crate::value::time::seconds::option")]
    pub max_lifetime: Option<Duration>,
    /// How many live keys (active, disabled, scheduled) an owner may hold, 1 to 1000.
    ///
    /// Default [`Policy::DEFAULT_MAX_KEYS_PER_OWNER`].
    pub max_keys_per_owner: u16,
    /// The longest overlap of a rotation. Default [`Policy::DEFAULT_MAX_OVERLAP`].
    #[serde(with = "crate::value::time::seconds")]
    pub max_overlap: Duration,
    /// The pattern that new names of keys must follow. Default `None`: any name.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub name_pattern: Option<NamePattern>,
    /// The scopes that a user's key can have. Default empty: none.
    pub scope_ceiling: ScopeSet,
    /// The roles of service accounts, each a named set of scopes. Default none.
    #[serde(deserialize_with = "crate::value::serde_strict::unique")]
    pub roles: BTreeMap<RoleName, ScopeSet>,
    /// The rate of a key that has none of its own, and the most that an owner may give a key of
    /// their own. Default `None`: no limit.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub default_rate: Option<Rate>,
    /// Each time a key's uses pass another multiple of this number, an event tells of it.
    /// Default `None`: never.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub extensive_use: Option<NonZeroU64>,
    /// How long a dead key (revoked or expired) is kept before a sweep removes it.
    ///
    /// Default [`Policy::DEFAULT_RETENTION`].
    #[serde(with = "crate::value::time::seconds")]
    pub retention: Duration,
    /// How long an event is kept before a sweep removes it, at least
    /// [`Policy::MIN_EVENT_RETENTION`]. The id of a deleted key or account is remembered as long as the
    /// event of its deletion.
    ///
    /// Default [`Policy::DEFAULT_EVENT_RETENTION`].
    #[serde(with = "crate::value::time::seconds")]
    pub event_retention: Duration,
    /// 0 for a policy that was never set, then one more with each change. [`set_policy`] refuses a
    /// policy whose version is not the one in force. It is at most 2⁶³ − 1.
    ///
    /// [`set_policy`]: crate::Authority::set_policy
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

/// A policy that contradicts itself or leaves its limits.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// `max_keys_per_owner` is not 1 to 1000.
    #[error("max_keys_per_owner is {0}, possible are 1 to {max}", max = Policy::MAX_KEYS_PER_OWNER)]
    MaxKeys(u16),
    /// `max_lifetime` or `default_lifetime` is zero.
    #[error("{0} is zero: such keys would be dead when made")]
    ZeroLifetime(PolicyField),
    /// `default_lifetime` is longer than `max_lifetime`.
    #[error("default_lifetime is longer than max_lifetime: no key could be made by default")]
    DefaultAboveMax,
    /// `event_retention` is shorter than [`Policy::MIN_EVENT_RETENTION`].
    #[error(
        "event_retention must be at least {min}, got {got}",
        min = in_words(Policy::MIN_EVENT_RETENTION),
        got = in_words(*.0)
    )]
    EventRetention(Duration),
    /// A duration that is not in whole seconds would be stored as another one.
    #[error("{0} is not a whole number of seconds")]
    NotWholeSeconds(PolicyField),
    /// More roles than [`Policy::MAX_ROLES`].
    #[error("{0} roles are too many: a policy holds at most {max}", max = Policy::MAX_ROLES)]
    TooManyRoles(usize),
    /// The name pattern has no environment, too many, or one that is no word of `a-z0-9`.
    #[error("the name pattern needs 1 to 16 environments, each 1 to 32 of a-z 0-9")]
    NamePattern,
}

impl Policy {
    /// The most keys that a policy can let an owner hold.
    pub const MAX_KEYS_PER_OWNER: u16 = 1_000;
    /// 10: enough for an owner's environments and one rotation by hand, few enough to survey.
    pub const DEFAULT_MAX_KEYS_PER_OWNER: u16 = 10;
    /// 7 days: a deployment cycle; every day of overlap is one in which two secrets can leak.
    pub const DEFAULT_MAX_OVERLAP: Duration = DAY.saturating_mul(7);
    /// 90 days: long enough to be asked about a key that stopped working last quarter.
    pub const DEFAULT_RETENTION: Duration = DAY.saturating_mul(90);
    /// 400 days: more than a year, so that an audit can ask about the same day of last year.
    pub const DEFAULT_EVENT_RETENTION: Duration = DAY.saturating_mul(400);
    /// 1 day: no actor can do something and erase its traces within the day.
    pub const MIN_EVENT_RETENTION: Duration = DAY;
    /// The most roles in a policy.
    pub const MAX_ROLES: usize = 64;

    /// Returns a policy that turns API access on and allows keys these scopes. Every other field has its default.
    ///
    /// ```
    /// use keywright::Policy;
    ///
    /// let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// assert!(policy.api_enabled);
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn allowing(scope_ceiling: ScopeSet) -> Self {
        Self { api_enabled: true, scope_ceiling, ..Self::default() }
    }

    /// Checks the policy against its limits.
    ///
    /// # Errors
    /// [`PolicyError`], for the first that fails.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if !(1..=Self::MAX_KEYS_PER_OWNER).contains(&self.max_keys_per_owner) {
            return Err(PolicyError::MaxKeys(self.max_keys_per_owner));
        }
        let lifetimes = [
            (PolicyField::MaxLifetime, self.max_lifetime),
            (PolicyField::DefaultLifetime, self.default_lifetime),
        ];
        if let Some((field, _)) = lifetimes.iter().find(|(_, d)| *d == Some(Duration::ZERO)) {
            return Err(PolicyError::ZeroLifetime(*field));
        }
        let others = [
            (PolicyField::MaxOverlap, Some(self.max_overlap)),
            (PolicyField::Retention, Some(self.retention)),
            (PolicyField::EventRetention, Some(self.event_retention)),
        ];
        let broken = |d: &Option<Duration>| d.is_some_and(|d| d.subsec_nanos() != 0);
        if let Some((field, _)) = lifetimes.iter().chain(&others).find(|(_, d)| broken(d)) {
            return Err(PolicyError::NotWholeSeconds(*field));
        }
        if let (Some(default), Some(max)) = (self.default_lifetime, self.max_lifetime)
            && default > max
        {
            return Err(PolicyError::DefaultAboveMax);
        }
        if self.event_retention < Self::MIN_EVENT_RETENTION {
            return Err(PolicyError::EventRetention(self.event_retention));
        }
        if self.roles.len() > Self::MAX_ROLES {
            return Err(PolicyError::TooManyRoles(self.roles.len()));
        }
        if self.name_pattern.as_ref().is_some_and(|pattern| !is_possible(pattern)) {
            return Err(PolicyError::NamePattern);
        }
        Ok(())
    }

    /// Returns the fields in which `next` differs, apart from the version.
    pub(crate) fn changed_fields(&self, next: &Self) -> Vec<PolicyField> {
        // Without `..`: a new field that is missing here does not compile.
        let Self {
            version: _,
            api_in_plan,
            api_enabled,
            require_expiry,
            default_lifetime,
            max_lifetime,
            max_keys_per_owner,
            max_overlap,
            name_pattern,
            scope_ceiling,
            roles,
            default_rate,
            extensive_use,
            retention,
            event_retention,
        } = self;
        let differs = |field: &PolicyField| match field {
            PolicyField::ApiInPlan => *api_in_plan != next.api_in_plan,
            PolicyField::ApiEnabled => *api_enabled != next.api_enabled,
            PolicyField::RequireExpiry => *require_expiry != next.require_expiry,
            PolicyField::DefaultLifetime => *default_lifetime != next.default_lifetime,
            PolicyField::MaxLifetime => *max_lifetime != next.max_lifetime,
            PolicyField::MaxKeysPerOwner => *max_keys_per_owner != next.max_keys_per_owner,
            PolicyField::MaxOverlap => *max_overlap != next.max_overlap,
            PolicyField::NamePattern => *name_pattern != next.name_pattern,
            PolicyField::ScopeCeiling => *scope_ceiling != next.scope_ceiling,
            PolicyField::Roles => *roles != next.roles,
            PolicyField::DefaultRate => *default_rate != next.default_rate,
            PolicyField::ExtensiveUse => *extensive_use != next.extensive_use,
            PolicyField::Retention => *retention != next.retention,
            PolicyField::EventRetention => *event_retention != next.event_retention,
        };
        PolicyField::ALL.iter().copied().filter(differs).collect()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            api_in_plan: true,
            api_enabled: false,
            require_expiry: false,
            default_lifetime: None,
            max_lifetime: None,
            max_keys_per_owner: Self::DEFAULT_MAX_KEYS_PER_OWNER,
            max_overlap: Self::DEFAULT_MAX_OVERLAP,
            name_pattern: None,
            scope_ceiling: ScopeSet::empty(),
            roles: BTreeMap::new(),
            default_rate: None,
            extensive_use: None,
            retention: Self::DEFAULT_RETENTION,
            event_retention: Self::DEFAULT_EVENT_RETENTION,
            version: 0,
        }
    }
}

fn is_possible(pattern: &NamePattern) -> bool {
    let word = |w: &String| {
        (1..=32).contains(&w.len())
            && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    (1..=16).contains(&pattern.environments.len()) && pattern.environments.iter().all(word)
}

/// The name of a role: 1 to 64 of `a-z 0-9 _ -`, starting with a letter.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RoleName(Arc<str>);

/// A text that is not a [`RoleName`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a role name: expected 1 to 64 of a-z 0-9 _ - starting with a letter")]
pub struct RoleNameError(String);

impl RoleName {
    /// Takes a role name.
    ///
    /// # Errors
    /// [`RoleNameError`] outside the grammar.
    pub fn new(text: impl AsRef<str>) -> Result<Self, RoleNameError> {
        text.as_ref().parse()
    }

    /// Returns the name as text.
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
