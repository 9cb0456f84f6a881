//! Maps the crate's errors to a word or two. An error that no operation of the model can cause
//! fails the test.

use keywright::{
    AccountError, GenerateError, KeyError, ListError, NameError, NewOwnerError, Operation,
    PermissionDenied, PolicyError, Reason, Requirement, RuleError, SetPolicyError, UserError,
    VerifyError,
};

use crate::plain::{Answer, Span, refused};

fn permission_denied(error: PermissionDenied) -> String {
    format!("not allowed {}", error.operation)
}

fn rule(error: &RuleError) -> String {
    match error {
        RuleError::Name(NameError::Pattern { .. } | NameError::NoneFits { .. }) => {
            "rule pattern".to_owned()
        }
        RuleError::ExpiryRequired => "rule expiry required".to_owned(),
        RuleError::ExpiryPassed(_) => "rule passed".to_owned(),
        RuleError::ZeroLifetime => "rule zero lifetime".to_owned(),
        RuleError::LifetimeOverflow(_) => "rule overflow".to_owned(),
        RuleError::LifetimeTooLong { .. } => "rule too long".to_owned(),
        RuleError::NeverValid { .. } => "rule never valid".to_owned(),
        RuleError::ScopeOutsideCeiling(scope) => format!("rule scope {scope}"),
        RuleError::NoScopeLeft => "rule no scope left".to_owned(),
        RuleError::RateAboveLimit { .. } => "rule rate".to_owned(),
        RuleError::SetByAdministrator { limit, .. } => format!("rule {limit} of an admin"),
        other => panic!("no operation of the model returns {other:?}"),
    }
}

pub(super) fn generate_error(error: &GenerateError) -> String {
    match error {
        GenerateError::Missing(missing) => {
            let names: Vec<_> = missing.iter().map(Requirement::as_str).collect();
            format!("missing {}", names.join(" "))
        }
        GenerateError::UserSuspended(_) => "user suspended".to_owned(),
        GenerateError::AccountNotFound(_) => "no account".to_owned(),
        GenerateError::AccountDisabled(_) => "account disabled".to_owned(),
        GenerateError::Rule(error) => rule(error),
        GenerateError::TooManyKeys { limit } => format!("too many keys {limit}"),
        other => panic!("no operation of the model returns {other:?}"),
    }
}

pub(super) fn key_error(error: &KeyError) -> String {
    match error {
        KeyError::PermissionDenied(error) => permission_denied(*error),
        KeyError::NotFound(_) => "not found".to_owned(),
        KeyError::WrongStatus(error) => {
            assert!(Operation::ALL.contains(&error.operation));
            format!("not possible {}", error.status)
        }
        KeyError::OverlapTooLong { .. } => "overlap too long".to_owned(),
        KeyError::OverlapWhileDisabled { .. } => "overlap while disabled".to_owned(),
        KeyError::Rule(error) => rule(error),
        KeyError::NewOwner(error) => match error {
            NewOwnerError::AccountNotFound(_) => "no account".to_owned(),
            NewOwnerError::AccountDisabled(_) => "account disabled".to_owned(),
            NewOwnerError::UserSuspended(_) => "user suspended".to_owned(),
            NewOwnerError::TooManyKeys { limit } => format!("new owner too many keys {limit}"),
            other => panic!("no operation of the model returns {other:?}"),
        },
        other => panic!("no operation of the model returns {other:?}"),
    }
}

pub(super) fn account_error(error: &AccountError) -> String {
    match error {
        AccountError::PermissionDenied(error) => permission_denied(*error),
        AccountError::NotFound(_) => "not found".to_owned(),
        AccountError::UnknownRole(_) => "unknown role".to_owned(),
        other => panic!("no operation of the model returns {other:?}"),
    }
}

pub(super) fn list_error(error: &ListError) -> String {
    match error {
        ListError::PermissionDenied(error) => permission_denied(*error),
        ListError::Limit(limit) => format!("limit {limit}"),
        other => panic!("no operation of the model returns {other:?}"),
    }
}

pub(super) fn set_policy_error(error: &SetPolicyError) -> String {
    let fault = match error {
        SetPolicyError::PermissionDenied(error) => return permission_denied(*error),
        SetPolicyError::Stale { given, current } => return format!("stale {given} {current}"),
        SetPolicyError::Policy(error) => error,
        other => panic!("no operation of the model returns {other:?}"),
    };
    let fault = match fault {
        PolicyError::MaxKeys { .. } => "max keys",
        PolicyError::ZeroLifetime(_) => "zero lifetime",
        PolicyError::NotWholeSeconds(_) => "not whole seconds",
        PolicyError::DefaultAboveMax { .. } => "default above max",
        PolicyError::EventRetention(_) => "event retention",
        PolicyError::EventRetentionRange { .. } => "event retention range",
        PolicyError::AlertPeriod(_) => "alert period",
        PolicyError::UnknownScope { .. } => "unknown scope",
        PolicyError::BeyondPlan { field, .. } => return format!("policy beyond {field}"),
        other => panic!("no operation of the model returns {other:?}"),
    };
    format!("policy {fault}")
}

pub(super) fn user_error(error: &UserError) -> String {
    match error {
        UserError::PermissionDenied(error) => permission_denied(*error),
        other => panic!("no operation of the model returns {other:?}"),
    }
}

pub(super) fn verify_error(error: &VerifyError) -> Answer {
    let VerifyError::Denied(denial) = error else { panic!("the store is up: {error:?}") };
    match denial.reason() {
        Reason::MissingScope(scope) => refused(format!("missing_scope {scope}")),
        Reason::RateLimited(wait) => {
            assert_eq!(wait.subsec_nanos() % 1_000, 0, "a wait is whole microseconds: {wait:?}");
            let micros = Span::try_from(wait.as_micros()).expect("a wait is at most months");
            Answer::RateLimited(micros..=micros)
        }
        other => refused(other.code()),
    }
}
