//! The error for a plan or settings that contradict themselves or exceed a limit.

use std::time::Duration;

use crate::record::policy_bounds;
use crate::record::policy_field::PolicyField;
use crate::record::quantity::Quantity;
use crate::record::role::RoleName;
use crate::value::name::NamePattern;
use crate::value::redact::looks_like_token;
use crate::value::scope::Scope;
use crate::value::time::in_words;
use crate::value::use_alert::UseAlert;

/// The error for a plan or settings that contradict themselves or exceed a limit.
///
/// ```
/// use keywright::{Plan, PolicyError, PolicyField};
///
/// let mut plan = Plan::default();
/// plan.max_keys_per_user = 0;
/// let field = PolicyField::MaxKeysPerUser;
/// assert_eq!(plan.validate(), Err(PolicyError::MaxKeys { field, got: 0 }));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A number of keys is not between 1 and 1000.
    #[error("{field} must be between 1 and {max}, got {got}", max = policy_bounds::MAX_KEYS)]
    MaxKeys {
        /// The field.
        field: PolicyField,
        /// The number that was given.
        got: u64,
    },
    /// A lifetime is zero.
    #[error("{0} must be at least 1 second, got 0")]
    ZeroLifetime(PolicyField),
    /// `default_lifetime` is longer than `max_lifetime`.
    #[error(
        "default_lifetime must not be longer than max_lifetime, which is {}, got {}",
        in_words(*.max), in_words(*.default)
    )]
    DefaultAboveMax {
        /// The default lifetime that was given.
        default: Duration,
        /// The longest lifetime.
        max: Duration,
    },
    /// `event_retention` or `min_event_retention` is shorter than [`Plan::MIN_EVENT_RETENTION`](crate::Plan::MIN_EVENT_RETENTION).
    #[error(
        "event_retention must be at least {min}, got {got}",
        min = in_words(policy_bounds::MIN_EVENT_RETENTION),
        got = in_words(*.0)
    )]
    EventRetention(Duration),
    /// `min_alert_period` is not between [`UseAlert::MIN_PERIOD`] and [`UseAlert::MAX_PERIOD`].
    #[error(
        "min_alert_period must be between {min} and {max}, got {got}",
        min = in_words(UseAlert::MIN_PERIOD),
        max = in_words(UseAlert::MAX_PERIOD),
        got = in_words(*.0)
    )]
    AlertPeriod(Duration),
    /// The plan's longest retention of events is shorter than its shortest.
    #[error(
        "max_event_retention must be at least min_event_retention, which is {}, got {}",
        in_words(*.min), in_words(*.max)
    )]
    EventRetentionRange {
        /// The shortest retention.
        min: Duration,
        /// The longest retention that was given.
        max: Duration,
    },
    /// A duration is not a whole number of seconds. A store keeps whole seconds and would cut off
    /// the rest.
    #[error("{0} must be a whole number of seconds")]
    NotWholeSeconds(PolicyField),
    /// The plan has more than [`Plan::MAX_ROLES`](crate::Plan::MAX_ROLES) roles.
    #[error("a plan can have at most {max} roles, got {0}", max = policy_bounds::MAX_ROLES)]
    TooManyRoles(usize),
    /// The plan has more than [`Plan::MAX_SCOPES`](crate::Plan::MAX_SCOPES) scopes.
    #[error("a plan can have at most {max} scopes, got {0}", max = policy_bounds::MAX_SCOPES)]
    TooManyScopes(usize),
    /// A role or the default scopes name a scope that is not in the plan's catalog.
    #[error("{} the scope {scope}, which is not in the plan's scopes", in_role(.role.as_ref()))]
    UnknownScope {
        /// The scope.
        scope: Scope,
        /// The role that names it; `None` if the default scopes do.
        role: Option<RoleName>,
    },
    /// The name pattern has more than 16 environments, or one of them is not 1 to 32 characters of
    /// `a-z0-9`, or looks like a token, which no name may do.
    #[error(
        "name_pattern must have at most 16 environments, each of 1 to 32 characters of a-z 0-9"
    )]
    NamePattern,
    /// A setting is beyond the bound that the tenant's plan sets for it.
    #[error(
        "{field} must be {relation} {}, as the tenant's plan requires, got {}",
        .bound.in_words(), .value.in_words()
    )]
    BeyondPlan {
        /// The setting.
        field: PolicyField,
        /// The value that was given.
        value: Quantity,
        /// The relation that the value must have to the bound, such as `at most`.
        relation: &'static str,
        /// The bound.
        bound: Quantity,
    },
}

fn in_role(role: Option<&RoleName>) -> String {
    role.map_or_else(|| "default_scopes names".to_owned(), |role| format!("role {role} names"))
}

impl PolicyError {
    /// Checks a number of keys: 1 to 1000.
    pub(crate) fn keys(field: PolicyField, got: u64) -> Result<u16, Self> {
        let keys = u16::try_from(got).ok();
        keys.filter(|keys| (1..=policy_bounds::MAX_KEYS).contains(keys))
            .ok_or(Self::MaxKeys { field, got })
    }

    /// Checks that each duration is a whole number of seconds.
    pub(super) fn must_be_whole(
        durations: impl IntoIterator<Item = (PolicyField, Option<Duration>)>,
    ) -> Result<(), Self> {
        let broken = |d: &Option<Duration>| d.is_some_and(|d| d.subsec_nanos() != 0);
        match durations.into_iter().find(|(_, d)| broken(d)) {
            Some((field, _)) => Err(Self::NotWholeSeconds(field)),
            None => Ok(()),
        }
    }

    /// Checks that names can follow the pattern.
    pub(super) fn must_be_possible(pattern: Option<&NamePattern>) -> Result<(), Self> {
        let word = |w: &String| {
            (1..=32).contains(&w.len())
                && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                && !looks_like_token(w)
        };
        let possible = |pattern: &NamePattern| {
            pattern.environments.len() <= 16 && pattern.environments.iter().all(word)
        };
        if pattern.is_none_or(possible) { Ok(()) } else { Err(Self::NamePattern) }
    }
}
