//! The refusals among the errors, and their form in events: a code and values, never the message.

use std::time::Duration;

use crate::record::actor::PermissionDenied;
use crate::record::event::{DetailField, EventDetails, RefusalCode};
use crate::record::key::WrongStatus;
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::PolicyField;
use crate::record::requirement::{Requirement, Requirements};
use crate::record::rules::RuleError;
use crate::setup::retry::ATTEMPTS;
use crate::store::StoreError;
use crate::value::random::RandomError;

use super::errors::{
    AccountError, GenerateError, KeyError, ListError, NewOwnerError, SetPolicyError, UserError,
};

/// The code and the details that an event records of a refused call.
pub(super) struct Refusal {
    pub(super) code: RefusalCode,
    pub(super) details: EventDetails,
}

/// An error of a management operation.
pub(super) trait ManagementError: std::error::Error + From<StoreError> {
    /// Returns the refusal to record, if the error is one: permissions, rules or the state of a
    /// record forbid the call.
    ///
    /// Failures of the store or the random source and lost races are not refusals. The exception is
    /// a random source that repeats itself.
    fn refusal(&self) -> Option<Refusal>;

    /// Returns the error of an operation whose attempts all lost to concurrent changes.
    fn contended() -> Self {
        StoreError::conflict("too many concurrent changes; nothing was changed, try again").into()
    }
}

fn plain(code: RefusalCode) -> Refusal {
    with(code, EventDetails::NONE)
}

fn with(code: RefusalCode, details: EventDetails) -> Refusal {
    Refusal { code, details }
}

fn longest(code: RefusalCode, max: &Duration) -> Refusal {
    with(code, EventDetails::NONE.value(DetailField::MaxSeconds, max.as_secs()))
}

fn stale(given: u64, current: u64) -> Refusal {
    let details = EventDetails::NONE
        .value(DetailField::GivenVersion, given)
        .value(DetailField::CurrentVersion, current);
    with(RefusalCode::Stale, details)
}

fn permission_denied(_: PermissionDenied) -> Refusal {
    plain(RefusalCode::PermissionDenied)
}

fn wrong_status(error: WrongStatus) -> Refusal {
    let details = EventDetails::NONE.text(DetailField::Status, error.status);
    with(RefusalCode::WrongStatus, details)
}

fn rule(error: &RuleError) -> Refusal {
    let details = EventDetails::NONE;
    match error {
        RuleError::Name(_) => plain(RefusalCode::InvalidName),
        RuleError::ExpiryRequired => plain(RefusalCode::ExpiryRequired),
        RuleError::ExpiryPassed(expires) => {
            with(RefusalCode::ExpiryPassed, details.text(DetailField::ExpiresAt, expires))
        }
        RuleError::ZeroLifetime => plain(RefusalCode::ZeroLifetime),
        RuleError::LifetimeOverflow(_) => plain(RefusalCode::LifetimeOverflow),
        RuleError::LifetimeTooLong { max, .. } => longest(RefusalCode::LifetimeTooLong, max),
        RuleError::NeverValid { not_before, expires_at: expires } => {
            let details = details
                .text(DetailField::NotBefore, not_before)
                .text(DetailField::ExpiresAt, expires);
            with(RefusalCode::NeverValid, details)
        }
        RuleError::ScopeOutsideCeiling(scope) => {
            with(RefusalCode::ScopeOutsideCeiling, details.text(DetailField::Scope, scope))
        }
        RuleError::NoScopeLeft => plain(RefusalCode::NoScopeLeft),
        RuleError::SetByAdministrator { limit, .. } => {
            with(RefusalCode::SetByAdministrator, details.text(DetailField::Field, limit))
        }
        RuleError::RateAboveLimit { rate, limit } => {
            let details = details.text(DetailField::Rate, rate).text(DetailField::MaxRate, limit);
            with(RefusalCode::RateAboveLimit, details)
        }
    }
}

/// Returns the refusal to record if the random source repeats itself: an investigation needs to
/// know when this began.
fn repetition(error: &RandomError) -> Option<Refusal> {
    matches!(error, RandomError::Repeats(_)).then(|| plain(RefusalCode::RandomSourceRepeats))
}

/// Returns the code of a refusal for missing requirements: that of the first one.
fn refusal_of(missing: &Requirements) -> RefusalCode {
    match missing.first() {
        Some(Requirement::License) => RefusalCode::UpgradeRequired,
        Some(Requirement::Switch) => RefusalCode::AccessOff,
        Some(Requirement::Permission) | None => RefusalCode::PermissionDenied,
    }
}

fn policy(error: &PolicyError) -> Refusal {
    let given = |code, given| with(code, EventDetails::NONE.value(DetailField::Given, given));
    let field = |name| EventDetails::NONE.text(DetailField::Field, name);
    match error {
        PolicyError::MaxKeys { field: name, got } => {
            let details = field(name).value(DetailField::Given, *got);
            with(RefusalCode::InvalidMaxKeys, details)
        }
        PolicyError::ZeroLifetime(name) => with(RefusalCode::ZeroLifetime, field(name)),
        PolicyError::DefaultAboveMax { max, .. } => longest(RefusalCode::DefaultAboveMax, max),
        PolicyError::EventRetention(time) => {
            given(RefusalCode::EventRetentionTooShort, time.as_secs())
        }
        PolicyError::AlertPeriod(time) => given(RefusalCode::InvalidAlertPeriod, time.as_secs()),
        PolicyError::EventRetentionRange { max, .. } => {
            given(RefusalCode::EventRetentionTooShort, max.as_secs())
        }
        PolicyError::NotWholeSeconds(name) => with(RefusalCode::NotWholeSeconds, field(name)),
        PolicyError::TooManyRoles(roles) => given(RefusalCode::TooManyRoles, *roles as u64),
        PolicyError::TooManyScopes(scopes) => given(RefusalCode::TooManyScopes, *scopes as u64),
        PolicyError::UnknownScope { scope, role } => {
            let details = EventDetails::NONE.text(DetailField::Scope, scope);
            let details = match role {
                Some(role) => details.text(DetailField::Role, role),
                None => details.text(DetailField::Field, PolicyField::DefaultScopes),
            };
            with(RefusalCode::UnknownScope, details)
        }
        PolicyError::NamePattern => plain(RefusalCode::InvalidNamePattern),
        PolicyError::BeyondPlan { field: name, value, bound, .. } => {
            let details = field(name).text(DetailField::Value, value);
            with(RefusalCode::BeyondPlan, details.text(DetailField::Bound, bound))
        }
    }
}

fn new_owner(error: &NewOwnerError) -> Refusal {
    match error {
        NewOwnerError::AccountNotFound(_) => plain(RefusalCode::AccountNotFound),
        NewOwnerError::AccountDisabled(_) => plain(RefusalCode::AccountDisabled),
        NewOwnerError::UserSuspended(_) => plain(RefusalCode::UserSuspended),
        NewOwnerError::TooManyKeys { limit } => too_many_keys(*limit),
    }
}

fn too_many_keys(limit: u16) -> Refusal {
    let details = EventDetails::NONE.value(DetailField::Limit, u64::from(limit));
    with(RefusalCode::TooManyKeys, details)
}

impl ManagementError for GenerateError {
    fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::Missing(missing) => {
                let names: Vec<_> = missing.iter().collect();
                let details = EventDetails::NONE.list(DetailField::Missing, &names);
                with(refusal_of(missing), details)
            }
            Self::UserSuspended(_) => plain(RefusalCode::UserSuspended),
            Self::AccountNotFound(_) => plain(RefusalCode::AccountNotFound),
            Self::AccountDisabled(_) => plain(RefusalCode::AccountDisabled),
            Self::Rule(error) => rule(error),
            Self::TooManyKeys { limit } => too_many_keys(*limit),
            Self::TicketUsed { .. } => plain(RefusalCode::TicketUsed),
            Self::Random(error) => return repetition(error),
            Self::Contended(_) | Self::Store(_) => return None,
        })
    }

    fn contended() -> Self {
        Self::Contended(ATTEMPTS)
    }
}

impl ManagementError for KeyError {
    fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::NotFound(_) => plain(RefusalCode::KeyNotFound),
            Self::WrongStatus(error) => wrong_status(*error),
            Self::OverlapTooLong { max, .. } => longest(RefusalCode::OverlapTooLong, max),
            Self::OverlapWhileDisabled { .. } => plain(RefusalCode::OverlapWhileDisabled),
            Self::Rule(error) => rule(error),
            Self::NewOwner(error) => new_owner(error),
            Self::Stale { given, current } => stale(*given, *current),
            Self::Random(error) => return repetition(error),
            Self::Contended(_) | Self::Store(_) => return None,
        })
    }

    fn contended() -> Self {
        Self::Contended(ATTEMPTS)
    }
}

impl ManagementError for AccountError {
    fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::NotFound(_) => plain(RefusalCode::AccountNotFound),
            Self::UnknownRole(role) => {
                let details = EventDetails::NONE.text(DetailField::Role, role);
                with(RefusalCode::UnknownRole, details)
            }
            Self::TicketUsed { .. } => plain(RefusalCode::TicketUsed),
            Self::Stale { given, current } => stale(*given, *current),
            Self::Random(error) => return repetition(error),
            Self::Contended(_) | Self::Store(_) => return None,
        })
    }

    fn contended() -> Self {
        Self::Contended(ATTEMPTS)
    }
}

impl ManagementError for UserError {
    fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::PermissionDenied(error) => Some(permission_denied(*error)),
            Self::Contended(_) | Self::Store(_) => None,
        }
    }

    fn contended() -> Self {
        Self::Contended(ATTEMPTS)
    }
}

/// Only a sweep records its refusal; a read has no event.
impl ManagementError for ListError {
    fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::PermissionDenied(error) => Some(permission_denied(*error)),
            Self::Limit(_) | Self::Store(_) => None,
        }
    }
}

impl ManagementError for SetPolicyError {
    fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::Policy(error) => policy(error),
            Self::Stale { given, current } => stale(*given, *current),
            Self::Store(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::actor::Actor;
    use crate::record::admin_limits::KeyLimit;
    use crate::record::operation::Operation;
    use crate::record::policy::Policy;
    use crate::record::policy_in_force::PolicyInForce;
    use crate::record::quantity::Quantity;
    use crate::record::role::RoleName;
    use crate::record::rules::ExpiryField;
    use crate::record::status::KeyStatus;
    use crate::value::id::UserId;
    use crate::value::name::NameError;
    use crate::value::random::Drawn;
    use crate::value::time::Timestamp;

    fn stored(error: &impl ManagementError) -> Option<(RefusalCode, String)> {
        error.refusal().map(|Refusal { code, details }| (code, details.to_string()))
    }

    fn of_key(error: impl Into<KeyError>) -> Option<(RefusalCode, String)> {
        stored(&error.into())
    }

    /// Returns the refusal of an actor in a tenant whose plan or switch is off.
    fn missing(is_denied: bool, in_plan: bool) -> Option<(RefusalCode, String)> {
        let alice: UserId = "alice".parse().expect("a user id");
        let actor = if is_denied { Actor::auditor(alice) } else { Actor::developer(alice) };
        let mut policy = Policy::default();
        policy.plan.api_access = in_plan;
        let policy = PolicyInForce::new(None, &policy);
        let missing = Requirements::missing_for(&actor, &actor.as_owner(), policy);
        stored(&GenerateError::Missing(missing))
    }

    fn of_policy(error: impl Into<SetPolicyError>) -> Option<(RefusalCode, String)> {
        stored(&error.into())
    }

    /// Events hold codes and values, not messages, so new wording of an error does not change them.
    #[test]
    #[expect(clippy::too_many_lines, reason = "the table has a row for each code")]
    fn refusals_are_stored_as_code_and_values() {
        use RefusalCode as C;
        let id = "4fQ2xk9ZrT7bWm1c";
        let (account, key) = (id.parse().expect("an id"), id.parse().expect("an id"));
        let (time, hour) = (Timestamp::MIN, Duration::from_hours(1));
        let rate = "1/60s".parse().expect("a rate");
        let bound = "1/60s".to_owned();
        let by_admin = of_key(RuleError::SetByAdministrator { limit: KeyLimit::Rate, bound });
        let denied = PermissionDenied { operation: Operation::KeyShow };
        let status = WrongStatus { operation: Operation::KeyRotate, status: KeyStatus::Revoked };
        let expires = format!("expires_at=\"{time}\"");
        let both = format!("{expires} not_before=\"{time}\"");
        let viewer: RoleName = "viewer".parse().expect("a role");
        let role = viewer.clone();
        let alice: UserId = "alice".parse().expect("a user id");
        let scope = || "a:b".parse().expect("a scope");
        let beyond = PolicyError::BeyondPlan {
            field: PolicyField::Retention,
            value: Quantity::Seconds(4),
            relation: "at most",
            bound: Quantity::Seconds(3),
        };
        let versions = "given_version=1 current_version=2";
        let rows = [
            (missing(true, false), C::PermissionDenied, "missing=\"permission, license, switch\""),
            (missing(false, false), C::UpgradeRequired, "missing=\"license, switch\""),
            (missing(false, true), C::AccessOff, "missing=\"switch\""),
            (stored(&GenerateError::UserSuspended(alice.clone())), C::UserSuspended, ""),
            (stored(&GenerateError::AccountNotFound(account)), C::AccountNotFound, ""),
            (stored(&GenerateError::AccountDisabled(account)), C::AccountDisabled, ""),
            (stored(&GenerateError::TooManyKeys { limit: 3 }), C::TooManyKeys, "limit=3"),
            (stored(&GenerateError::TicketUsed { key }), C::TicketUsed, ""),
            (stored(&AccountError::TicketUsed { account }), C::TicketUsed, ""),
            (of_key(denied), C::PermissionDenied, ""),
            (of_key(KeyError::NotFound(key)), C::KeyNotFound, ""),
            (of_key(status), C::WrongStatus, "status=\"revoked\""),
            (
                of_key(KeyError::OverlapTooLong { overlap: 2 * hour, max: hour }),
                C::OverlapTooLong,
                "max_seconds=3600",
            ),
            (of_key(KeyError::OverlapWhileDisabled { overlap: hour }), C::OverlapWhileDisabled, ""),
            (of_key(KeyError::Stale { given: 1, current: 2 }), C::Stale, versions),
            (of_key(RandomError::Repeats(Drawn::Secret)), C::RandomSourceRepeats, ""),
            (of_key(RuleError::Name(NameError::Empty)), C::InvalidName, ""),
            (of_key(RuleError::ExpiryRequired), C::ExpiryRequired, ""),
            (of_key(RuleError::ExpiryPassed(time)), C::ExpiryPassed, &expires),
            (of_key(RuleError::ZeroLifetime), C::ZeroLifetime, ""),
            (of_key(RuleError::LifetimeOverflow(hour)), C::LifetimeOverflow, ""),
            (
                of_key(RuleError::LifetimeTooLong {
                    field: ExpiryField::ExpiresIn,
                    lifetime: None,
                    max: hour,
                }),
                C::LifetimeTooLong,
                "max_seconds=3600",
            ),
            (
                of_key(RuleError::NeverValid { not_before: time, expires_at: time }),
                C::NeverValid,
                &both,
            ),
            (
                of_key(RuleError::ScopeOutsideCeiling(scope())),
                C::ScopeOutsideCeiling,
                "scope=\"a:b\"",
            ),
            (by_admin, C::SetByAdministrator, "field=\"rate\""),
            (
                of_key(RuleError::RateAboveLimit { rate, limit: rate }),
                C::RateAboveLimit,
                "rate=\"1/60s\" max_rate=\"1/60s\"",
            ),
            (stored(&AccountError::UnknownRole(role)), C::UnknownRole, "role=\"viewer\""),
            (of_key(RuleError::NoScopeLeft), C::NoScopeLeft, ""),
            (of_key(NewOwnerError::AccountNotFound(account)), C::AccountNotFound, ""),
            (of_key(NewOwnerError::AccountDisabled(account)), C::AccountDisabled, ""),
            (of_key(NewOwnerError::UserSuspended(alice)), C::UserSuspended, ""),
            (of_key(NewOwnerError::TooManyKeys { limit: 3 }), C::TooManyKeys, "limit=3"),
            (stored(&UserError::from(denied)), C::PermissionDenied, ""),
            (
                of_policy(PolicyError::MaxKeys { field: PolicyField::MaxKeysPerUser, got: 0 }),
                C::InvalidMaxKeys,
                "field=\"max_keys_per_user\" given=0",
            ),
            (
                of_policy(PolicyError::ZeroLifetime(PolicyField::MaxLifetime)),
                C::ZeroLifetime,
                "field=\"max_lifetime\"",
            ),
            (
                of_policy(PolicyError::DefaultAboveMax { default: 2 * hour, max: hour }),
                C::DefaultAboveMax,
                "max_seconds=3600",
            ),
            (of_policy(PolicyError::EventRetention(hour)), C::EventRetentionTooShort, "given=3600"),
            (
                of_policy(PolicyError::NotWholeSeconds(PolicyField::Retention)),
                C::NotWholeSeconds,
                "field=\"retention\"",
            ),
            (of_policy(PolicyError::TooManyRoles(65)), C::TooManyRoles, "given=65"),
            (
                of_policy(PolicyError::EventRetentionRange { min: 2 * hour, max: hour }),
                C::EventRetentionTooShort,
                "given=3600",
            ),
            (of_policy(PolicyError::TooManyScopes(257)), C::TooManyScopes, "given=257"),
            (
                of_policy(PolicyError::UnknownScope { scope: scope(), role: None }),
                C::UnknownScope,
                "field=\"default_scopes\" scope=\"a:b\"",
            ),
            (
                of_policy(PolicyError::UnknownScope { scope: scope(), role: Some(viewer) }),
                C::UnknownScope,
                "role=\"viewer\" scope=\"a:b\"",
            ),
            (of_policy(beyond), C::BeyondPlan, "field=\"retention\" value=\"4\" bound=\"3\""),
            (of_policy(PolicyError::AlertPeriod(Duration::ZERO)), C::InvalidAlertPeriod, "given=0"),
            (of_policy(PolicyError::NamePattern), C::InvalidNamePattern, ""),
        ];
        let mut codes = BTreeSet::from([C::Malformed, C::Counted]);
        for (found, code, details) in rows {
            assert_eq!(found, Some((code, details.to_owned())));
            codes.insert(code);
        }
        assert!(codes.iter().eq(C::ALL), "each code has a row");
    }

    #[test]
    fn failures_and_races_are_not_recorded() {
        let failed = || StoreError::corrupt("the disk");
        assert!(stored(&GenerateError::Random(RandomError::Stuck)).is_none());
        assert!(of_key(KeyError::contended()).is_none());
        assert!(of_key(failed()).is_none());
        assert!(stored(&AccountError::contended()).is_none());
        assert!(of_policy(SetPolicyError::contended()).is_none());
        assert!(stored(&ListError::from(failed())).is_none());
    }
}
