//! The table from every error of the crate to the code of its problem. Each variant needs a row.

use std::error::Error;

use super::problem::{Code, Problem};
use crate::authority::{
    AccountError, GenerateError, KeyError, ListError, NewOwnerError, SetPolicyError, UserError,
};
use crate::record::actor::PermissionDenied;
use crate::record::key::WrongStatus;
use crate::record::policy_error::PolicyError;
use crate::record::requirement::{Requirement, Requirements};
use crate::record::rules::RuleError;
use crate::record::violation::Violation;

/// An error with a code. Its `Display` never contains a secret.
trait Coded: Error + Send + Sync + 'static {
    /// Set for an error of the authority, which has then recorded the refusal.
    const IS_OF_AUTHORITY: bool;

    fn code(&self) -> Code;

    /// Returns the field of the request that breaks a limit.
    fn wrong_field(&self) -> Option<Violation>;

    /// Returns the requirements of generating a key that are missing.
    fn missing(&self) -> Option<&Requirements>;
}

macro_rules! table {
    ($(
        $error:ident, of_authority = $of_authority:literal, wrong_field = $wrong:expr
        $(, missing = $missing:expr)?;
        { $($pattern:pat => $code:expr;)* }
    )*) => {$(
        impl Coded for $error {
            const IS_OF_AUTHORITY: bool = $of_authority;

            fn code(&self) -> Code {
                match self {
                    $($pattern => $code,)*
                }
            }

            fn wrong_field(&self) -> Option<Violation> {
                let wrong: fn(&Self) -> Option<Violation> = $wrong;
                wrong(self)
            }

            fn missing(&self) -> Option<&Requirements> {
                table!(@missing self $($missing)?)
            }
        }
    )*};
    (@missing $error:ident $missing:expr) => {{
        let missing: fn(&Self) -> Option<&Requirements> = $missing;
        missing($error)
    }};
    (@missing $error:ident) => { None };
}

table! {
    PermissionDenied, of_authority = false, wrong_field = |_| None; {
        Self { .. } => Code::PermissionDenied;
    }
    WrongStatus, of_authority = false, wrong_field = |_| None; {
        Self { .. } => Code::WrongStatus;
    }
    RuleError, of_authority = false, wrong_field = |error| Some(error.violation()); {
        Self::Name(_) => Code::InvalidName;
        Self::ExpiryRequired => Code::ExpiryRequired;
        Self::ExpiryPassed(_) => Code::ExpiryPassed;
        Self::ZeroLifetime => Code::ZeroLifetime;
        Self::LifetimeOverflow(_) => Code::LifetimeOverflow;
        Self::LifetimeTooLong { .. } => Code::LifetimeTooLong;
        Self::NeverValid { .. } => Code::NeverValid;
        Self::ScopeOutsideCeiling(_) => Code::ScopeOutsideCeiling;
        Self::NoScopeLeft => Code::NoScopeLeft;
        Self::SetByAdministrator { .. } => Code::SetByAdministrator;
        Self::RateAboveLimit { .. } => Code::RateAboveLimit;
    }
    PolicyError, of_authority = false, wrong_field = |error| Some(error.violation()); {
        Self::MaxKeys { .. } => Code::InvalidMaxKeys;
        Self::AlertPeriod(_) => Code::InvalidAlertPeriod;
        Self::ZeroLifetime(_) => Code::ZeroLifetime;
        Self::DefaultAboveMax { .. } => Code::DefaultAboveMax;
        Self::EventRetention(_) | Self::EventRetentionRange { .. } => Code::EventRetentionTooShort;
        Self::NotWholeSeconds(_) => Code::NotWholeSeconds;
        Self::TooManyRoles(_) => Code::TooManyRoles;
        Self::TooManyScopes(_) => Code::TooManyScopes;
        Self::UnknownScope { .. } => Code::UnknownScope;
        Self::BeyondPlan { .. } => Code::BeyondPlan;
        Self::NamePattern => Code::InvalidNamePattern;
    }
    NewOwnerError, of_authority = false, wrong_field = |_| None; {
        Self::AccountNotFound(_) => Code::AccountNotFound;
        Self::AccountDisabled(_) => Code::AccountDisabled;
        Self::UserSuspended(_) => Code::UserSuspended;
        Self::TooManyKeys { .. } => Code::TooManyKeys;
    }
    GenerateError, of_authority = true, wrong_field = Self::violation,
        missing = |error| if let Self::Missing(missing) = error { Some(missing) } else { None }; {
        Self::Missing(missing) => of_missing(missing);
        Self::UserSuspended(_) => Code::UserSuspended;
        Self::AccountNotFound(_) => Code::AccountNotFound;
        Self::AccountDisabled(_) => Code::AccountDisabled;
        Self::Rule(error) => error.code();
        Self::TooManyKeys { .. } => Code::TooManyKeys;
        Self::TicketUsed { .. } => Code::TicketUsed;
        Self::Random(_) => Code::RandomSourceFailed;
        Self::Store(_) => Code::Unavailable;
        Self::Contended(_) => Code::Contended;
    }
    KeyError, of_authority = true, wrong_field = Self::violation; {
        Self::PermissionDenied(error) => error.code();
        Self::NotFound(_) => Code::KeyNotFound;
        Self::WrongStatus(error) => error.code();
        Self::OverlapTooLong { .. } => Code::OverlapTooLong;
        Self::OverlapWhileDisabled { .. } => Code::OverlapWhileDisabled;
        Self::Rule(error) => error.code();
        Self::NewOwner(error) => error.code();
        Self::Stale { .. } => Code::Stale;
        Self::Random(_) => Code::RandomSourceFailed;
        Self::Store(_) => Code::Unavailable;
        Self::Contended(_) => Code::Contended;
    }
    AccountError, of_authority = true, wrong_field = Self::violation; {
        Self::PermissionDenied(error) => error.code();
        Self::NotFound(_) => Code::AccountNotFound;
        Self::UnknownRole(_) => Code::UnknownRole;
        Self::TicketUsed { .. } => Code::TicketUsed;
        Self::Stale { .. } => Code::Stale;
        Self::Random(_) => Code::RandomSourceFailed;
        Self::Store(_) => Code::Unavailable;
        Self::Contended(_) => Code::Contended;
    }
    UserError, of_authority = true, wrong_field = |_| None; {
        Self::PermissionDenied(error) => error.code();
        Self::Store(_) => Code::Unavailable;
        Self::Contended(_) => Code::Contended;
    }
    SetPolicyError, of_authority = true, wrong_field = Self::violation; {
        Self::PermissionDenied(error) => error.code();
        Self::Policy(error) => error.code();
        Self::Stale { .. } => Code::Stale;
        Self::Store(_) => Code::Unavailable;
    }
    ListError, of_authority = true, wrong_field = |_| None; {
        Self::PermissionDenied(error) => error.code();
        Self::Limit(_) => Code::InvalidQuery;
        Self::Store(_) => Code::Unavailable;
    }
}

/// Returns the code for missing requirements: that of the first one.
fn of_missing(missing: &Requirements) -> Code {
    match missing.first() {
        Some(Requirement::License) => Code::UpgradeRequired,
        Some(Requirement::Switch) => Code::AccessOff,
        Some(Requirement::Permission) | None => Code::PermissionDenied,
    }
}

impl<E: Coded> From<E> for Problem {
    fn from(error: E) -> Self {
        let code = error.code();
        let problem = match code.fixed_detail() {
            Some(_) => Self::from(code),
            None => Self::new(code, error.to_string()),
        };
        let problem = match error.wrong_field() {
            Some(violation) => problem.about(violation),
            None => problem,
        };
        let problem = match error.missing() {
            Some(missing) => problem.missing(missing),
            None => problem,
        };
        // The authority does not record a malformed query as an event.
        let is_recorded = E::IS_OF_AUTHORITY && code != Code::InvalidQuery;
        let problem = if is_recorded { problem.of_authority() } else { problem };
        problem.because(error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::actor::{Actor, Permissions};
    use crate::record::operation::Operation;
    use crate::record::plan::Plan;
    use crate::record::policy::Policy;
    use crate::record::policy_field::PolicyField;
    use crate::record::policy_in_force::PolicyInForce;
    use crate::record::quantity::Quantity;
    use crate::record::rules::ExpiryField;
    use crate::record::status::KeyStatus;
    use crate::store::StoreError;
    use crate::value::id::{AccountId, KeyId, UserId};
    use crate::value::name::NameError;
    use crate::value::random::{Random, RandomError};
    use crate::value::time::Timestamp;

    #[derive(Debug, thiserror::Error)]
    #[error("the device has a name")]
    struct Broken;

    struct NoRandom;

    impl rand_core::TryRng for NoRandom {
        type Error = Broken;

        fn try_next_u32(&mut self) -> Result<u32, Broken> {
            Err(Broken)
        }

        fn try_next_u64(&mut self) -> Result<u64, Broken> {
            Err(Broken)
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Broken> {
            Err(Broken)
        }
    }

    impl rand_core::TryCryptoRng for NoRandom {}

    fn no_random() -> RandomError {
        Random::new(NoRandom).fill(&mut [0]).expect_err("it has none")
    }

    fn no_store() -> StoreError {
        StoreError::corrupt("the disk has a name")
    }

    fn row_of(problem: impl Into<Problem>) -> (u16, &'static str) {
        let problem = problem.into();
        (problem.code().status().as_u16(), problem.code().as_str())
    }

    const PERMISSION_DENIED: PermissionDenied = PermissionDenied { operation: Operation::KeyShow };
    const WRONG_STATUS: WrongStatus =
        WrongStatus { operation: Operation::KeyRotate, status: KeyStatus::Revoked };

    fn account() -> AccountId {
        "4fQ2xk9ZrT7bWm1c".parse().expect("an id")
    }

    fn user() -> UserId {
        "alice".parse().expect("an id")
    }

    fn key() -> KeyId {
        "4fQ2xk9ZrT7bWm1c".parse().expect("an id")
    }

    #[test]
    fn generate_errors_have_their_rows() {
        type E = GenerateError;
        let rows = [
            (E::UserSuspended(user()), (409, "user_suspended")),
            (E::AccountNotFound(account()), (404, "account_not_found")),
            (E::AccountDisabled(account()), (409, "account_disabled")),
            (RuleError::ZeroLifetime.into(), (422, "zero_lifetime")),
            (E::TooManyKeys { limit: 1 }, (409, "too_many_keys")),
            (E::TicketUsed { key: key() }, (409, "ticket_used")),
            (no_random().into(), (503, "random_source_failed")),
            (E::Contended(1), (503, "contended")),
            (no_store().into(), (503, "unavailable")),
        ];
        for (error, row) in rows {
            assert_eq!(row_of(error), row);
        }
    }

    #[test]
    fn missing_requirements_use_the_first_code() {
        let (plan, off) = (Policy { plan: no_access(), ..Policy::default() }, Policy::default());
        let (alice, nobody) = (Actor::developer(user()), Actor::new(user(), Permissions::NONE));
        let rows = [
            (&nobody, &plan, (403, "permission_denied"), 3),
            (&alice, &plan, (402, "upgrade_required"), 2),
            (&alice, &off, (409, "access_off"), 1),
        ];
        for (actor, policy, row, count) in rows {
            let rules = PolicyInForce::new(None, policy);
            let missing = Requirements::missing_for(actor, &actor.as_owner(), rules);
            let problem = Problem::from(GenerateError::Missing(missing));
            let view = serde_json::to_value(problem.view()).expect("JSON");
            assert_eq!(view["missing"].as_array().map(Vec::len), Some(count));
            assert_eq!(row_of(problem), row);
        }
    }

    fn no_access() -> Plan {
        Plan { api_access: false, ..Plan::default() }
    }

    #[test]
    fn owner_and_user_errors_have_rows() {
        type E = NewOwnerError;
        let rows = [
            (row_of(E::AccountNotFound(account())), (404, "account_not_found")),
            (row_of(E::AccountDisabled(account())), (409, "account_disabled")),
            (row_of(E::UserSuspended(user())), (409, "user_suspended")),
            (row_of(KeyError::from(E::TooManyKeys { limit: 1 })), (409, "too_many_keys")),
            (row_of(UserError::PermissionDenied(PERMISSION_DENIED)), (403, "permission_denied")),
            (row_of(UserError::Contended(1)), (503, "contended")),
            (row_of(UserError::Store(no_store())), (503, "unavailable")),
        ];
        for (found, row) in rows {
            assert_eq!(found, row);
        }
    }

    #[test]
    fn rule_errors_have_their_rows() {
        type E = RuleError;
        let (time, hour) = (Timestamp::MIN, Duration::from_hours(1));
        let rate = "1/1s".parse().expect("a rate");
        let rows = [
            (E::Name(NameError::Empty), "invalid_name"),
            (E::ExpiryRequired, "expiry_required"),
            (E::ExpiryPassed(time), "expiry_passed"),
            (E::ZeroLifetime, "zero_lifetime"),
            (E::LifetimeOverflow(hour), "lifetime_overflow"),
            (
                E::LifetimeTooLong { field: ExpiryField::ExpiresAt, lifetime: None, max: hour },
                "lifetime_too_long",
            ),
            (E::NeverValid { not_before: time, expires_at: time }, "never_valid"),
            (E::ScopeOutsideCeiling("a".parse().expect("a scope")), "scope_outside_ceiling"),
            (E::NoScopeLeft, "no_scope_left"),
            (E::RateAboveLimit { rate, limit: rate }, "rate_above_limit"),
        ];
        for (error, code) in rows {
            assert_eq!(row_of(error), (422, code));
        }
    }

    #[test]
    fn key_errors_have_their_rows() {
        type E = KeyError;
        let rows = [
            (PERMISSION_DENIED.into(), (403, "permission_denied")),
            (E::NotFound(key()), (404, "key_not_found")),
            (WRONG_STATUS.into(), (409, "wrong_status")),
            (
                E::OverlapTooLong { overlap: Duration::MAX, max: Duration::ZERO },
                (422, "overlap_too_long"),
            ),
            (E::OverlapWhileDisabled { overlap: Duration::MAX }, (422, "overlap_while_disabled")),
            (RuleError::ExpiryRequired.into(), (422, "expiry_required")),
            (E::Stale { given: 1, current: 2 }, (412, "stale")),
            (no_random().into(), (503, "random_source_failed")),
            (E::Contended(1), (503, "contended")),
            (no_store().into(), (503, "unavailable")),
        ];
        for (error, row) in rows {
            assert_eq!(row_of(error), row);
        }
    }

    #[test]
    fn account_errors_have_their_rows() {
        type E = AccountError;
        let rows = [
            (PERMISSION_DENIED.into(), (403, "permission_denied")),
            (E::NotFound(account()), (404, "account_not_found")),
            (E::UnknownRole("viewer".parse().expect("a role")), (422, "unknown_role")),
            (E::TicketUsed { account: account() }, (409, "ticket_used")),
            (E::Stale { given: 1, current: 2 }, (412, "stale")),
            (no_random().into(), (503, "random_source_failed")),
            (E::Contended(1), (503, "contended")),
            (no_store().into(), (503, "unavailable")),
        ];
        for (error, row) in rows {
            assert_eq!(row_of(error), row);
        }
    }

    #[test]
    fn policy_and_list_errors_have_their_rows() {
        type E = SetPolicyError;
        let (value, bound) = (Quantity::Number(11), Quantity::Number(10));
        let (field, relation) = (PolicyField::MaxKeysPerUser, "at most");
        let beyond = PolicyError::BeyondPlan { field, value, relation, bound };
        let rows = [
            (row_of(E::PermissionDenied(PERMISSION_DENIED)), (403, "permission_denied")),
            (row_of(E::Stale { given: 1, current: 2 }), (412, "stale")),
            (row_of(E::Store(no_store())), (503, "unavailable")),
            (
                row_of(E::Policy(PolicyError::MaxKeys {
                    field: PolicyField::MaxKeysPerUser,
                    got: 0,
                })),
                (422, "invalid_max_keys"),
            ),
            (row_of(PolicyError::ZeroLifetime(PolicyField::MaxLifetime)), (422, "zero_lifetime")),
            (
                row_of(PolicyError::DefaultAboveMax {
                    default: Duration::MAX,
                    max: Duration::ZERO,
                }),
                (422, "default_above_max"),
            ),
            (
                row_of(PolicyError::NotWholeSeconds(PolicyField::Retention)),
                (422, "not_whole_seconds"),
            ),
            (
                row_of(PolicyError::EventRetention(Duration::ZERO)),
                (422, "event_retention_too_short"),
            ),
            (row_of(PolicyError::TooManyRoles(65)), (422, "too_many_roles")),
            (row_of(PolicyError::TooManyScopes(257)), (422, "too_many_scopes")),
            (row_of(beyond), (422, "beyond_plan")),
            (row_of(PolicyError::NamePattern), (422, "invalid_name_pattern")),
            (row_of(ListError::PermissionDenied(PERMISSION_DENIED)), (403, "permission_denied")),
            (row_of(ListError::Limit(0)), (400, "invalid_query")),
            (row_of(ListError::Store(no_store())), (503, "unavailable")),
        ];
        for (found, row) in rows {
            assert_eq!(found, row);
        }
    }

    #[test]
    fn internal_error_texts_stay_inside() {
        let problems: [Problem; 3] = [
            KeyError::from(no_store()).into(),
            AccountError::from(no_random()).into(),
            ListError::from(no_store()).into(),
        ];
        for problem in problems {
            let text = serde_json::to_string(&problem.view()).expect("JSON");
            assert!(!text.contains("has a name"), "{text}");
        }
    }
}
