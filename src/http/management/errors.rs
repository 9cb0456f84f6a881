//! From every error of the authority to its problem. No wildcard: a new variant needs a row.

use std::fmt::Display;

use super::problem::{Code, Problem};
use crate::authority::{AccountError, GenerateError, KeyError, ListError, SetPolicyError};
use crate::record::actor::PermissionDenied;
use crate::record::key::WrongStatus;
use crate::record::policy::PolicyError;
use crate::record::rules::RuleError;

/// What the crate says of it: its messages repeat no secret.
fn said(code: Code, error: &impl Display) -> Problem {
    Problem::new(code, error.to_string())
}

/// The same words for a key that is not there, is another tenant's, can't be seen, or could never be.
pub(super) fn no_key() -> Problem {
    Problem::new(Code::KeyNotFound, "there is no such key")
}

pub(super) fn no_account() -> Problem {
    Problem::new(Code::AccountNotFound, "there is no such service account")
}

fn stale(what: &str, current: u64) -> Problem {
    let detail = format!("the {what} has version {current} by now: read it again and repeat this");
    Problem::new(Code::Stale, detail)
}

/// The text of a store or of a random source is for the operator, so none of it is in the answer.
pub(super) fn unavailable() -> Problem {
    Problem::new(
        Code::Unavailable,
        "this can't be done or shown now; a change may have been made nevertheless",
    )
}

fn no_random_bytes() -> Problem {
    Problem::new(
        Code::RandomSourceFailed,
        "the random source of the service is out of order; nothing was changed",
    )
}

fn contended() -> Problem {
    Problem::new(Code::Contended, "others changed the same each time: nothing was done, try again")
}

impl From<PermissionDenied> for Problem {
    fn from(error: PermissionDenied) -> Self {
        said(Code::PermissionDenied, &error)
    }
}

impl From<WrongStatus> for Problem {
    fn from(error: WrongStatus) -> Self {
        said(Code::WrongStatus, &error)
    }
}

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        let code = match &error {
            RuleError::Name(_) => Code::InvalidName,
            RuleError::ExpiryRequired => Code::ExpiryRequired,
            RuleError::ExpiryPassed(_) => Code::ExpiryPassed,
            RuleError::ZeroLifetime => Code::ZeroLifetime,
            RuleError::LifetimeOverflow(_) => Code::LifetimeOverflow,
            RuleError::LifetimeTooLong { .. } => Code::LifetimeTooLong,
            RuleError::NeverValid { .. } => Code::NeverValid,
            RuleError::ScopeOutsideCeiling(_) => Code::ScopeOutsideCeiling,
            RuleError::SetByAdministrator(_) => Code::SetByAdministrator,
            RuleError::RateAboveLimit { .. } => Code::RateAboveLimit,
        };
        said(code, &error)
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        let code = match &error {
            PolicyError::MaxKeys(_) => Code::InvalidMaxKeys,
            PolicyError::ZeroLifetime(_) => Code::ZeroLifetime,
            PolicyError::DefaultAboveMax => Code::DefaultAboveMax,
            PolicyError::EventRetention(_) => Code::EventRetentionTooShort,
            PolicyError::NotWholeSeconds(_) => Code::NotWholeSeconds,
            PolicyError::TooManyRoles(_) => Code::TooManyRoles,
            PolicyError::NamePattern => Code::InvalidNamePattern,
        };
        said(code, &error)
    }
}

impl From<GenerateError> for Problem {
    fn from(error: GenerateError) -> Self {
        let problem: Self = match error {
            GenerateError::UpgradeRequired => said(Code::UpgradeRequired, &error),
            GenerateError::AccessOff => said(Code::AccessOff, &error),
            GenerateError::PermissionDenied(error) => error.into(),
            GenerateError::AccountNotFound(_) => no_account(),
            GenerateError::AccountDisabled(_) => said(Code::AccountDisabled, &error),
            GenerateError::Rule(error) => error.into(),
            GenerateError::TooManyKeys { .. } => said(Code::TooManyKeys, &error),
            GenerateError::Random(_) => no_random_bytes(),
            GenerateError::Store(_) => unavailable(),
            GenerateError::Contended(_) => contended(),
        };
        problem.of_authority()
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let problem: Self = match error {
            KeyError::PermissionDenied(error) => error.into(),
            KeyError::NotFound(_) => no_key(),
            KeyError::WrongStatus(error) => error.into(),
            KeyError::OverlapTooLong { .. } => said(Code::OverlapTooLong, &error),
            KeyError::Rule(error) => error.into(),
            KeyError::Stale { current, .. } => stale("key", current),
            KeyError::Random(_) => no_random_bytes(),
            KeyError::Store(_) => unavailable(),
            KeyError::Contended(_) => contended(),
        };
        problem.of_authority()
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let problem: Self = match error {
            AccountError::PermissionDenied(error) => error.into(),
            AccountError::NotFound(_) => no_account(),
            AccountError::UnknownRole(_) => said(Code::UnknownRole, &error),
            AccountError::Stale { current, .. } => stale("account", current),
            AccountError::Random(_) => no_random_bytes(),
            AccountError::Store(_) => unavailable(),
            AccountError::Contended(_) => contended(),
        };
        problem.of_authority()
    }
}

impl From<SetPolicyError> for Problem {
    fn from(error: SetPolicyError) -> Self {
        let problem: Self = match error {
            SetPolicyError::PermissionDenied(error) => error.into(),
            SetPolicyError::Policy(error) => error.into(),
            SetPolicyError::Stale { current, .. } => stale("policy", current),
            SetPolicyError::Store(_) => unavailable(),
        };
        problem.of_authority()
    }
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::PermissionDenied(error) => Self::from(error).of_authority(),
            // The query is malformed, and the authority records no look.
            ListError::Limit(_) => said(Code::InvalidQuery, &error),
            ListError::Store(_) => unavailable().of_authority(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::operation::Operation;
    use crate::record::policy_field::PolicyField;
    use crate::record::status::KeyStatus;
    use crate::store::StoreError;
    use crate::value::id::{AccountId, KeyId};
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

    fn told(problem: impl Into<Problem>) -> (u16, &'static str) {
        let problem = problem.into();
        (problem.code.status().as_u16(), problem.code.as_str())
    }

    const PERMISSION_DENIED: PermissionDenied = PermissionDenied { operation: Operation::KeyShow };
    const WRONG_STATUS: WrongStatus =
        WrongStatus { operation: Operation::KeyRotate, status: KeyStatus::Revoked };

    fn account() -> AccountId {
        "4fQ2xk9ZrT7bWm1c".parse().expect("an id")
    }

    fn key() -> KeyId {
        "4fQ2xk9ZrT7bWm1c".parse().expect("an id")
    }

    #[test]
    fn each_refusal_of_a_new_key_has_its_row() {
        type E = GenerateError;
        let rows = [
            (E::UpgradeRequired, (402, "upgrade_required")),
            (E::AccessOff, (409, "access_off")),
            (PERMISSION_DENIED.into(), (403, "permission_denied")),
            (E::AccountNotFound(account()), (404, "account_not_found")),
            (E::AccountDisabled(account()), (409, "account_disabled")),
            (RuleError::ZeroLifetime.into(), (422, "zero_lifetime")),
            (E::TooManyKeys { limit: 1 }, (409, "too_many_keys")),
            (no_random().into(), (503, "random_source_failed")),
            (E::Contended(1), (503, "contended")),
            (no_store().into(), (503, "unavailable")),
        ];
        for (error, row) in rows {
            assert_eq!(told(error), row);
        }
    }

    #[test]
    fn each_rule_of_a_new_key_has_its_row() {
        type E = RuleError;
        let (time, hour) = (Timestamp::MIN, Duration::from_hours(1));
        let rate = "1/1s".parse().expect("a rate");
        let rows = [
            (E::Name(NameError::Empty), "invalid_name"),
            (E::ExpiryRequired, "expiry_required"),
            (E::ExpiryPassed(time), "expiry_passed"),
            (E::ZeroLifetime, "zero_lifetime"),
            (E::LifetimeOverflow(hour), "lifetime_overflow"),
            (E::LifetimeTooLong { max: hour }, "lifetime_too_long"),
            (E::NeverValid { not_before: time, expires_at: time }, "never_valid"),
            (E::ScopeOutsideCeiling("a".parse().expect("a scope")), "scope_outside_ceiling"),
            (E::RateAboveLimit { rate, limit: rate }, "rate_above_limit"),
        ];
        for (error, code) in rows {
            assert_eq!(told(error), (422, code));
        }
    }

    #[test]
    fn each_refusal_of_a_change_of_a_key_has_its_row() {
        type E = KeyError;
        let rows = [
            (PERMISSION_DENIED.into(), (403, "permission_denied")),
            (E::NotFound(key()), (404, "key_not_found")),
            (WRONG_STATUS.into(), (409, "wrong_status")),
            (E::OverlapTooLong { max: Duration::ZERO }, (422, "overlap_too_long")),
            (RuleError::ExpiryRequired.into(), (422, "expiry_required")),
            (E::Stale { given: 1, current: 2 }, (412, "stale")),
            (no_random().into(), (503, "random_source_failed")),
            (E::Contended(1), (503, "contended")),
            (no_store().into(), (503, "unavailable")),
        ];
        for (error, row) in rows {
            assert_eq!(told(error), row);
        }
    }

    #[test]
    fn each_refusal_about_an_account_has_its_row() {
        type E = AccountError;
        let rows = [
            (PERMISSION_DENIED.into(), (403, "permission_denied")),
            (E::NotFound(account()), (404, "account_not_found")),
            (E::UnknownRole("viewer".parse().expect("a role")), (422, "unknown_role")),
            (E::Stale { given: 1, current: 2 }, (412, "stale")),
            (no_random().into(), (503, "random_source_failed")),
            (E::Contended(1), (503, "contended")),
            (no_store().into(), (503, "unavailable")),
        ];
        for (error, row) in rows {
            assert_eq!(told(error), row);
        }
    }

    #[test]
    fn each_refusal_of_a_policy_or_a_list_has_its_row() {
        type E = SetPolicyError;
        let rows = [
            (told(E::PermissionDenied(PERMISSION_DENIED)), (403, "permission_denied")),
            (told(E::Stale { given: 1, current: 2 }), (412, "stale")),
            (told(E::Store(no_store())), (503, "unavailable")),
            (told(E::Policy(PolicyError::MaxKeys(0))), (422, "invalid_max_keys")),
            (told(PolicyError::ZeroLifetime(PolicyField::MaxLifetime)), (422, "zero_lifetime")),
            (told(PolicyError::DefaultAboveMax), (422, "default_above_max")),
            (
                told(PolicyError::NotWholeSeconds(PolicyField::Retention)),
                (422, "not_whole_seconds"),
            ),
            (told(PolicyError::EventRetention(Duration::ZERO)), (422, "event_retention_too_short")),
            (told(PolicyError::TooManyRoles(65)), (422, "too_many_roles")),
            (told(PolicyError::NamePattern), (422, "invalid_name_pattern")),
            (told(ListError::PermissionDenied(PERMISSION_DENIED)), (403, "permission_denied")),
            (told(ListError::Limit(0)), (400, "invalid_query")),
            (told(ListError::Store(no_store())), (503, "unavailable")),
        ];
        for (found, row) in rows {
            assert_eq!(found, row);
        }
    }

    #[test]
    fn no_answer_says_what_the_store_or_the_random_source_said() {
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
