//! This module defines policies: the rules of a tenant, with the reason for each limit and default.

use std::collections::BTreeMap;
use std::fmt;
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
use crate::value::use_alert::UseAlert;

const DAY: Duration = Duration::from_hours(24);

/// The rules of one tenant.
///
/// To change the rules, read the policy in force, change its fields, and set it:
///
/// ```
/// use std::time::Duration;
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let mut policy = authority.policy(&ada).await?;
/// policy.require_expiry = true;
/// policy.max_lifetime = Some(Duration::from_secs(90 * 86_400));
/// authority.set_policy(&ada, policy).await?;
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// Most fields apply to every key at once. These fields apply to later operations only:
///
/// * `max_lifetime`, `require_expiry`, `default_lifetime` and `max_keys_per_owner` apply to new
///   keys.
/// * `name_pattern` applies to new keys and new names.
/// * `max_overlap` applies to later rotations.
///
/// See [Policies](crate::guide::policies) in the guide.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// True if the tenant's plan includes API access. The host sets this field, not the tenant: it
    /// needs the permission [`SET_PLAN`](crate::Permissions::SET_PLAN).
    ///
    /// Default `true`, so that a host without plans can ignore the field.
    pub api_in_plan: bool,
    /// The tenant's switch for API access. It turns all keys of the tenant on or off at once,
    /// without changing any of them.
    ///
    /// Default `false`, so that no key works in a tenant that has not asked for API keys.
    pub api_enabled: bool,
    /// True if every new key must have an expiry. Default `false`.
    pub require_expiry: bool,
    /// The lifetime of a new key whose caller sets no expiry, in whole seconds. Default `None`: the
    /// key never expires.
    #[serde(with = "crate::value::time::seconds::option")]
    pub default_lifetime: Option<Duration>,
    /// The longest lifetime of a new key, in whole seconds. The value itself has no upper limit. If
    /// it is set, a key without an expiry is refused too. Default `None`: no limit.
    #[serde(with = "crate::value::time::seconds::option")]
    pub max_lifetime: Option<Duration>,
    /// The number of live keys (active, disabled or scheduled) that an owner may hold: 1 to 1000.
    ///
    /// Default [`Policy::DEFAULT_MAX_KEYS_PER_OWNER`].
    pub max_keys_per_owner: u16,
    /// The longest overlap of a rotation, in whole seconds. Default
    /// [`Policy::DEFAULT_MAX_OVERLAP`].
    #[serde(with = "crate::value::time::seconds")]
    pub max_overlap: Duration,
    /// The pattern that new names of keys must follow. Default `None`: any name.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub name_pattern: Option<NamePattern>,
    /// The scopes that a user's key can have. A scope that is removed here no longer works in
    /// existing keys. Default empty: none.
    pub scope_ceiling: ScopeSet,
    /// The roles of service accounts, each a named set of scopes, at most [`Policy::MAX_ROLES`].
    /// Default empty.
    #[serde(deserialize_with = "crate::value::serde_strict::unique")]
    pub roles: BTreeMap<RoleName, ScopeSet>,
    /// The rate of a key without a rate of its own. It is also the highest rate that owners can
    /// give to their own keys. Default `None`: no limit.
    ///
    /// All keys of an owner also share a limit: this rate times `max_keys_per_owner`. It refuses
    /// only keys that are younger than the period of the rate, so an owner cannot regain uses by
    /// replacing keys. Keys with a higher rate from an administrator do not count.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub default_rate: Option<Rate>,
    /// The alert for extensive use: one event for each key and period with more accepted uses than
    /// this. Default `None`: no events, since only the host knows how many uses are many.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub extensive_use: Option<UseAlert>,
    /// The alert for suspicious use: one event for each key and period with more refused uses than
    /// this. Default `None`: no events.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub suspicious_use: Option<UseAlert>,
    /// The time for which a dead key (revoked or expired) is kept before a sweep removes it, in
    /// whole seconds.
    ///
    /// Default [`Policy::DEFAULT_RETENTION`].
    #[serde(with = "crate::value::time::seconds")]
    pub retention: Duration,
    /// The time for which an audit event is kept before a sweep removes it: whole seconds, at least
    /// [`Policy::MIN_EVENT_RETENTION`]. The store remembers the id of a deleted key or account, and
    /// does not accept it again, as long as it keeps the event of the deletion.
    ///
    /// Default [`Policy::DEFAULT_EVENT_RETENTION`].
    #[serde(with = "crate::value::time::seconds")]
    pub event_retention: Duration,
    /// The version: 0 for a policy that was never set, and one more with each change, up to
    /// 2⁶³ − 1. [`set_policy`] refuses a policy with another version than the policy in force.
    ///
    /// [`set_policy`]: crate::Authority::set_policy
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

/// The error for a policy that contradicts itself or exceeds a limit.
///
/// ```
/// use keywright::{Policy, PolicyError};
///
/// let mut policy = Policy::default();
/// policy.max_keys_per_owner = 0;
/// assert_eq!(policy.validate(), Err(PolicyError::MaxKeys(0)));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// `max_keys_per_owner` is not between 1 and 1000.
    #[error(
        "max_keys_per_owner must be between 1 and {max}, got {0}",
        max = Policy::MAX_KEYS_PER_OWNER
    )]
    MaxKeys(u16),
    /// `max_lifetime` or `default_lifetime` is zero.
    #[error("{0} must be at least 1 second, got 0")]
    ZeroLifetime(PolicyField),
    /// `default_lifetime` is longer than `max_lifetime`.
    #[error("default_lifetime must not be longer than max_lifetime")]
    DefaultAboveMax,
    /// `event_retention` is shorter than [`Policy::MIN_EVENT_RETENTION`].
    #[error(
        "event_retention must be at least {min}, got {got}",
        min = in_words(Policy::MIN_EVENT_RETENTION),
        got = in_words(*.0)
    )]
    EventRetention(Duration),
    /// A duration is not a whole number of seconds. A store keeps whole seconds and would cut off
    /// the rest.
    #[error("{0} must be a whole number of seconds")]
    NotWholeSeconds(PolicyField),
    /// The policy has more than [`Policy::MAX_ROLES`] roles.
    #[error("a policy can have at most {max} roles, got {0}", max = Policy::MAX_ROLES)]
    TooManyRoles(usize),
    /// The name pattern does not have 1 to 16 environments, or one of them is not 1 to 32
    /// characters of `a-z0-9`.
    #[error("name_pattern must have 1 to 16 environments, each of 1 to 32 characters of a-z 0-9")]
    NamePattern,
}

impl Policy {
    /// The highest possible [`max_keys_per_owner`](Self::max_keys_per_owner): 1000 keys.
    pub const MAX_KEYS_PER_OWNER: u16 = 1_000;
    /// 10 keys: enough for an owner's environments and one rotation by hand, few enough to survey.
    pub const DEFAULT_MAX_KEYS_PER_OWNER: u16 = 10;
    /// 7 days: one deployment cycle. During every day of overlap two secrets can leak.
    pub const DEFAULT_MAX_OVERLAP: Duration = DAY.saturating_mul(7);
    /// 90 days: long enough to answer questions about a key that stopped working last quarter.
    pub const DEFAULT_RETENTION: Duration = DAY.saturating_mul(90);
    /// 400 days: more than a year, so that an audit can ask about the same day of last year.
    pub const DEFAULT_EVENT_RETENTION: Duration = DAY.saturating_mul(400);
    /// 1 day: no actor can do something and erase its traces on the same day.
    pub const MIN_EVENT_RETENTION: Duration = DAY;
    /// The highest number of roles in a policy.
    pub const MAX_ROLES: usize = 64;

    /// Returns a policy that turns API access on and lets the keys of users have these scopes.
    ///
    /// Every other field has its default.
    ///
    /// ```
    /// use keywright::Policy;
    ///
    /// let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// assert!(policy.api_enabled);
    /// assert_eq!(policy.scope_ceiling.len(), 2);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn allowing(scope_ceiling: ScopeSet) -> Self {
        Self { api_enabled: true, scope_ceiling, ..Self::default() }
    }

    /// Checks that every field is within its limits.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{Policy, PolicyError};
    ///
    /// let mut policy = Policy::default();
    /// assert_eq!(policy.validate(), Ok(()));
    ///
    /// policy.max_lifetime = Some(Duration::from_secs(86_400));
    /// policy.default_lifetime = Some(Duration::from_secs(2 * 86_400));
    /// assert_eq!(policy.validate(), Err(PolicyError::DefaultAboveMax));
    /// ```
    ///
    /// # Errors
    /// [`PolicyError`] for the first field that is out of its limits.
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

    /// Returns the fields in which `next` differs from this policy, apart from the version.
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
            suspicious_use,
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
            PolicyField::SuspiciousUse => *suspicious_use != next.suspicious_use,
            PolicyField::Retention => *retention != next.retention,
            PolicyField::EventRetention => *event_retention != next.event_retention,
        };
        PolicyField::ALL.iter().copied().filter(differs).collect()
    }
}

impl Default for Policy {
    /// Returns a policy with API access off and the default of every field.
    ///
    /// ```
    /// use keywright::Policy;
    ///
    /// assert!(!Policy::default().api_enabled);
    /// ```
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
            suspicious_use: None,
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

/// The name of a role: 1 to 64 characters of `a-z 0-9 _ -`, starting with a letter.
///
/// ```
/// use keywright::{Policy, RoleName};
///
/// let mut policy = Policy::default();
/// policy.roles.insert(RoleName::new("billing")?, "invoices:read".parse()?);
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
