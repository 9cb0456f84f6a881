//! The limits in the errors of management, as fields that a form can show.

use std::time::Duration;

use crate::record::quantity::Quantity;
use crate::record::violation::Violation;

use super::errors::{AccountError, GenerateError, KeyError, NewOwnerError, SetPolicyError};

impl GenerateError {
    /// Returns the field of the new key that breaks a limit; `None` if the error is about no field.
    ///
    /// ```
    /// use keywright::{GenerateError, Quantity};
    ///
    /// let violation = GenerateError::TooManyKeys { limit: 10 }.violation();
    /// assert_eq!(violation.and_then(|violation| violation.bound), Some(Quantity::Number(10)));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn violation(&self) -> Option<Violation> {
        match self {
            Self::Rule(error) => Some(error.violation()),
            Self::TooManyKeys { limit } => Some(too_many_keys(*limit)),
            Self::Missing(_)
            | Self::UserSuspended(_)
            | Self::AccountNotFound(_)
            | Self::AccountDisabled(_)
            | Self::TicketUsed { .. }
            | Self::Random(_)
            | Self::Contended(_)
            | Self::Store(_) => None,
        }
    }
}

fn too_many_keys(limit: u16) -> Violation {
    Violation::of("owner").bound(Quantity::Number(limit.into()))
}

impl KeyError {
    /// Returns the field of the request that breaks a limit; `None` if the error is about no field.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{KeyError, Quantity};
    ///
    /// let overlap = Duration::from_secs(7_200);
    /// let error = KeyError::OverlapTooLong { overlap, max: Duration::from_secs(3_600) };
    /// if let Some(violation) = error.violation() {
    ///     assert_eq!(violation.field, "overlap");
    ///     assert_eq!(violation.value, Some(Quantity::Seconds(7_200)));
    ///     assert_eq!(violation.bound, Some(Quantity::Seconds(3_600)));
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn violation(&self) -> Option<Violation> {
        let overlap = |given, max| {
            let violation = Violation::of("overlap").value(Quantity::seconds(given));
            Some(violation.bound(Quantity::seconds(max)))
        };
        match self {
            Self::OverlapTooLong { overlap: given, max } => overlap(*given, *max),
            Self::OverlapWhileDisabled { overlap: given } => overlap(*given, Duration::ZERO),
            Self::Rule(error) => Some(error.violation()),
            Self::NewOwner(NewOwnerError::TooManyKeys { limit }) => Some(too_many_keys(*limit)),
            Self::NewOwner(_) => Some(Violation::of("owner")),
            Self::Stale { given, current } => Some(Violation::stale(*given, *current)),
            Self::PermissionDenied(_)
            | Self::NotFound(_)
            | Self::WrongStatus(_)
            | Self::Random(_)
            | Self::Contended(_)
            | Self::Store(_) => None,
        }
    }
}

impl AccountError {
    /// Returns the field of the request that breaks a rule; `None` if the error is about no field.
    ///
    /// ```
    /// use keywright::{AccountError, Quantity};
    ///
    /// if let Some(violation) = AccountError::UnknownRole("analyst".parse()?).violation() {
    ///     assert_eq!(violation.field, "role");
    ///     assert_eq!(violation.value, Some(Quantity::Text("analyst".to_owned())));
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn violation(&self) -> Option<Violation> {
        match self {
            Self::UnknownRole(role) => Some(Violation::of("role").value(Quantity::text(role))),
            Self::Stale { given, current } => Some(Violation::stale(*given, *current)),
            Self::PermissionDenied(_)
            | Self::NotFound(_)
            | Self::TicketUsed { .. }
            | Self::Random(_)
            | Self::Contended(_)
            | Self::Store(_) => None,
        }
    }
}

impl SetPolicyError {
    /// Returns the field of the policy that breaks a limit; `None` if the error is about no field.
    ///
    /// ```
    /// use keywright::{PolicyError, PolicyField, Quantity, SetPolicyError};
    ///
    /// let error = PolicyError::MaxKeys { field: PolicyField::MaxKeysPerUser, got: 0 };
    /// if let Some(violation) = SetPolicyError::from(error).violation() {
    ///     assert_eq!(violation.field, "max_keys_per_user");
    ///     assert_eq!(violation.bound, Some(Quantity::Number(1)));
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn violation(&self) -> Option<Violation> {
        match self {
            Self::Policy(error) => Some(error.violation()),
            Self::Stale { given, current } => Some(Violation::stale(*given, *current)),
            Self::PermissionDenied(_) | Self::Store(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::actor::{Actor, PermissionDenied};
    use crate::record::admin_limits::KeyLimit;
    use crate::record::key::WrongStatus;
    use crate::record::operation::Operation;
    use crate::record::policy::Policy;
    use crate::record::policy_error::PolicyError;
    use crate::record::policy_field::PolicyField;
    use crate::record::policy_in_force::PolicyInForce;
    use crate::record::requirement::Requirements;
    use crate::record::rules::{ExpiryField, RuleError};
    use crate::record::status::KeyStatus;
    use crate::store::StoreError;
    use crate::value::id::UserId;
    use crate::value::name::NameError;
    use crate::value::random::RandomError;
    use crate::value::time::Timestamp;

    const HOUR: Duration = Duration::from_hours(1);
    const ID: &str = "4fQ2xk9ZrT7bWm1c";
    const DENIED: PermissionDenied = PermissionDenied { operation: Operation::KeyShow };

    /// Prints a violation as `field value bound`, with `-` for what is absent.
    fn printed(violation: &Violation) -> String {
        let or_dash = |quantity: &Option<Quantity>| {
            quantity.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        let Violation { field, value, bound } = violation;
        format!("{field} {} {}", or_dash(value), or_dash(bound))
    }

    fn broken() -> StoreError {
        StoreError::corrupt("the disk")
    }

    #[test]
    fn rule_errors_name_field_and_bound() {
        type E = RuleError;
        let (time, rate) = (Timestamp::MIN, "9/60s".parse().expect("a rate"));
        let limit = "1/60s".parse().expect("a rate");
        let over = HOUR + Duration::from_micros(1);
        let field = ExpiryField::ExpiresAt;
        let environments = vec!["prod".to_owned(), "dev".to_owned()];
        let pattern = |environments| NameError::Pattern { environments, example: String::new() };
        let long = |field, lifetime| E::LifetimeTooLong { field, lifetime, max: HOUR };
        let rows = [
            (E::Name(NameError::Empty), "name - -"),
            (E::Name(NameError::TooLong(101)), "name 101 100"),
            (E::Name(NameError::OuterSpace), "name - -"),
            (E::Name(NameError::Control('\n')), "name - -"),
            (E::Name(NameError::Invisible('\u{200b}')), "name - -"),
            (E::Name(NameError::LooksLikeEmail), "name - -"),
            (E::Name(NameError::LooksLikeToken), "name - -"),
            (E::Name(pattern(Vec::new())), "name - -"),
            (E::Name(pattern(environments)), "name - prod, dev"),
            (E::ExpiryRequired, "expires_at - -"),
            (E::ExpiryPassed(time), "expires_at 1970-01-01T00:00:00Z -"),
            (E::ZeroLifetime, "expires_in 0 1"),
            (E::LifetimeOverflow(HOUR), "expires_in 3600 9999-12-31T23:59:59.999999Z"),
            (long(ExpiryField::ExpiresIn, Some(2 * HOUR)), "expires_in 7200 3600"),
            (long(field, Some(over)), "expires_at 3601 3600"),
            (long(ExpiryField::NeverExpires, None), "never_expires - 3600"),
            (
                E::NeverValid { not_before: time, expires_at: time },
                "not_before 1970-01-01T00:00:00Z 1970-01-01T00:00:00Z",
            ),
            (E::ScopeOutsideCeiling("a:b".parse().expect("a scope")), "scopes a:b -"),
            (E::NoScopeLeft, "scopes - -"),
            (
                E::SetByAdministrator { limit: KeyLimit::Networks, bound: "192.0.2.1".to_owned() },
                "networks - 192.0.2.1",
            ),
            (E::RateAboveLimit { rate, limit }, "rate 9/60s 1/60s"),
        ];
        for (error, expected) in rows {
            assert_eq!(printed(&error.violation()), expected, "{error:?}");
            let wrapped = GenerateError::from(error.clone()).violation();
            assert_eq!(wrapped.as_ref(), Some(&error.violation()));
            assert_eq!(KeyError::from(error).violation(), wrapped);
        }
    }

    #[test]
    fn policy_errors_name_field_and_bound() {
        type E = PolicyError;
        type F = PolicyField;
        let scope = || "a:b".parse().expect("a scope");
        let viewer = "viewer".parse().expect("a role");
        let (value, bound) = (Quantity::Seconds(7_200), Quantity::Seconds(3_600));
        let beyond = E::BeyondPlan { field: F::Retention, value, relation: "at most", bound };
        let rows = [
            (E::MaxKeys { field: F::MaxKeysPerUser, got: 0 }, "max_keys_per_user 0 1"),
            (
                E::MaxKeys { field: F::MaxKeysPerAccount, got: 1_001 },
                "max_keys_per_account 1001 1000",
            ),
            (E::ZeroLifetime(PolicyField::MaxLifetime), "max_lifetime 0 1"),
            (E::DefaultAboveMax { default: 2 * HOUR, max: HOUR }, "default_lifetime 7200 3600"),
            (E::EventRetentionRange { min: 2 * HOUR, max: HOUR }, "max_event_retention 3600 7200"),
            (E::TooManyScopes(257), "scopes 257 256"),
            (E::UnknownScope { scope: scope(), role: None }, "default_scopes a:b -"),
            (E::UnknownScope { scope: scope(), role: Some(viewer) }, "roles a:b -"),
            (beyond, "retention 7200 3600"),
            (E::EventRetention(HOUR), "event_retention 3600 86400"),
            (E::NotWholeSeconds(PolicyField::Retention), "retention - -"),
            (E::TooManyRoles(65), "roles 65 64"),
            (E::NamePattern, "name_pattern - -"),
        ];
        for (error, expected) in rows {
            assert_eq!(printed(&error.violation()), expected, "{error:?}");
            let wrapped = SetPolicyError::from(error.clone()).violation();
            assert_eq!(wrapped, Some(error.violation()));
        }
    }

    #[test]
    fn other_errors_name_their_field() {
        let (account, key) = (ID.parse().expect("an id"), ID.parse().expect("an id"));
        let status = WrongStatus { operation: Operation::KeyRotate, status: KeyStatus::Revoked };
        let alice: UserId = "alice".parse().expect("a user id");
        let (actor, policy) = (Actor::developer(alice.clone()), Policy::default());
        let policy = PolicyInForce::new(None, &policy);
        let missing = Requirements::missing_for(&actor, &actor.as_owner(), policy);
        let missing = GenerateError::Missing(missing);
        let rows = [
            (GenerateError::TooManyKeys { limit: 3 }.violation(), "owner - 3"),
            (missing.violation(), ""),
            (GenerateError::UserSuspended(alice.clone()).violation(), ""),
            (KeyError::from(NewOwnerError::TooManyKeys { limit: 3 }).violation(), "owner - 3"),
            (KeyError::from(NewOwnerError::AccountNotFound(account)).violation(), "owner - -"),
            (KeyError::from(NewOwnerError::AccountDisabled(account)).violation(), "owner - -"),
            (KeyError::from(NewOwnerError::UserSuspended(alice)).violation(), "owner - -"),
            (GenerateError::AccountNotFound(account).violation(), ""),
            (GenerateError::AccountDisabled(account).violation(), ""),
            (GenerateError::Random(RandomError::Stuck).violation(), ""),
            (GenerateError::Contended(1).violation(), ""),
            (GenerateError::Store(broken()).violation(), ""),
            (
                KeyError::OverlapTooLong { overlap: 2 * HOUR, max: HOUR }.violation(),
                "overlap 7200 3600",
            ),
            (KeyError::OverlapWhileDisabled { overlap: HOUR }.violation(), "overlap 3600 0"),
            (KeyError::Stale { given: 1, current: 2 }.violation(), "version 1 2"),
            (KeyError::PermissionDenied(DENIED).violation(), ""),
            (KeyError::NotFound(key).violation(), ""),
            (KeyError::WrongStatus(status).violation(), ""),
            (KeyError::Random(RandomError::Stuck).violation(), ""),
            (KeyError::Contended(1).violation(), ""),
            (KeyError::Store(broken()).violation(), ""),
            (
                AccountError::UnknownRole("viewer".parse().expect("a role")).violation(),
                "role viewer -",
            ),
            (AccountError::Stale { given: 1, current: 2 }.violation(), "version 1 2"),
            (AccountError::PermissionDenied(DENIED).violation(), ""),
            (AccountError::NotFound(account).violation(), ""),
            (AccountError::Random(RandomError::Stuck).violation(), ""),
            (AccountError::Contended(1).violation(), ""),
            (AccountError::Store(broken()).violation(), ""),
            (SetPolicyError::Stale { given: 1, current: 2 }.violation(), "version 1 2"),
            (SetPolicyError::PermissionDenied(DENIED).violation(), ""),
            (SetPolicyError::Store(broken()).violation(), ""),
        ];
        for (place, (violation, expected)) in rows.into_iter().enumerate() {
            let found = violation.as_ref().map(printed).unwrap_or_default();
            assert_eq!(found, expected, "row {place}");
        }
    }
}
