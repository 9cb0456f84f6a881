//! Which errors are refusals, and what an event says of each: a code and values, never the message.

use std::time::Duration;

use crate::record::actor::PermissionDenied;
use crate::record::event::{DetailField, EventDetails, RefusalCode};
use crate::record::key::WrongStatus;
use crate::record::new_key::RuleError;
use crate::record::policy::PolicyError;
use crate::value::random::RandomError;

use super::errors::{AccountError, GenerateError, KeyError, ListError, SetPolicyError};

/// A refusal as an event tells of it.
pub(super) type Told = (RefusalCode, EventDetails);

/// An error that may be a refusal: the actor tried what permissions, rules or the state of things
/// forbid. A failure of the store or the random source, or a race, is none, but for a source that repeats itself.
pub(super) trait Refusal: std::error::Error {
    /// Returns what an event says of it, if it is a refusal.
    fn told(&self) -> Option<Told>;
}

fn plain(code: RefusalCode) -> Told {
    (code, EventDetails::NONE)
}

fn longest(code: RefusalCode, max: &Duration) -> Told {
    (code, EventDetails::NONE.value(DetailField::MaxSeconds, max.as_secs()))
}

fn stale(given: u64, current: u64) -> Told {
    let details = EventDetails::NONE
        .value(DetailField::GivenVersion, given)
        .value(DetailField::CurrentVersion, current);
    (RefusalCode::Stale, details)
}

fn permission_denied(_: PermissionDenied) -> Told {
    plain(RefusalCode::PermissionDenied)
}

fn wrong_status(error: WrongStatus) -> Told {
    let details = EventDetails::NONE.text(DetailField::Status, error.status);
    (RefusalCode::WrongStatus, details)
}

fn rule(error: &RuleError) -> Told {
    let details = EventDetails::NONE;
    match error {
        RuleError::Name(_) => plain(RefusalCode::InvalidName),
        RuleError::ExpiryRequired => plain(RefusalCode::ExpiryRequired),
        RuleError::ExpiryPassed(expires) => {
            (RefusalCode::ExpiryPassed, details.text(DetailField::ExpiresAt, expires))
        }
        RuleError::ZeroLifetime => plain(RefusalCode::ZeroLifetime),
        RuleError::LifetimeOverflow(_) => plain(RefusalCode::LifetimeOverflow),
        RuleError::LifetimeTooLong { max } => longest(RefusalCode::LifetimeTooLong, max),
        RuleError::NeverValid { not_before, expires_at: expires } => {
            let details = details
                .text(DetailField::NotBefore, not_before)
                .text(DetailField::ExpiresAt, expires);
            (RefusalCode::NeverValid, details)
        }
        RuleError::ScopeOutsideCeiling(scope) => {
            (RefusalCode::ScopeOutsideCeiling, details.text(DetailField::Scope, scope))
        }
        RuleError::SetByAdministrator(limit) => {
            (RefusalCode::SetByAdministrator, details.text(DetailField::Field, limit))
        }
        RuleError::RateAboveLimit { rate, limit } => {
            let details = details.text(DetailField::Rate, rate).text(DetailField::MaxRate, limit);
            (RefusalCode::RateAboveLimit, details)
        }
    }
}

/// A source that repeats itself is on record: who looks into it must learn when that began.
fn repetition(error: &RandomError) -> Option<Told> {
    matches!(error, RandomError::Repeats(_)).then(|| plain(RefusalCode::RandomSourceRepeats))
}

fn policy(error: &PolicyError) -> Told {
    let given = |code, given| (code, EventDetails::NONE.value(DetailField::Given, given));
    let field = |code, name| (code, EventDetails::NONE.text(DetailField::Field, name));
    match error {
        PolicyError::MaxKeys(max) => given(RefusalCode::InvalidMaxKeys, u64::from(*max)),
        PolicyError::ZeroLifetime(name) => field(RefusalCode::ZeroLifetime, *name),
        PolicyError::DefaultAboveMax => plain(RefusalCode::DefaultAboveMax),
        PolicyError::EventRetention(time) => {
            given(RefusalCode::EventRetentionTooShort, time.as_secs())
        }
        PolicyError::NotWholeSeconds(name) => field(RefusalCode::NotWholeSeconds, *name),
        PolicyError::TooManyRoles(roles) => given(RefusalCode::TooManyRoles, *roles as u64),
        PolicyError::NamePattern => plain(RefusalCode::InvalidNamePattern),
    }
}

impl Refusal for GenerateError {
    fn told(&self) -> Option<Told> {
        Some(match self {
            Self::UpgradeRequired => plain(RefusalCode::UpgradeRequired),
            Self::AccessOff => plain(RefusalCode::AccessOff),
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::AccountNotFound(_) => plain(RefusalCode::AccountNotFound),
            Self::AccountDisabled(_) => plain(RefusalCode::AccountDisabled),
            Self::Key(error) => rule(error),
            Self::TooManyKeys { limit } => {
                let details = EventDetails::NONE.value(DetailField::Limit, u64::from(*limit));
                (RefusalCode::TooManyKeys, details)
            }
            Self::Random(error) => return repetition(error),
            Self::Contended(_) | Self::Store(_) => return None,
        })
    }
}

impl Refusal for KeyError {
    fn told(&self) -> Option<Told> {
        Some(match self {
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::NotFound(_) => plain(RefusalCode::KeyNotFound),
            Self::WrongStatus(error) => wrong_status(*error),
            Self::OverlapTooLong { max } => longest(RefusalCode::OverlapTooLong, max),
            Self::Rule(error) => rule(error),
            Self::Stale { given, current } => stale(*given, *current),
            Self::Random(error) => return repetition(error),
            Self::Contended(_) | Self::Store(_) => return None,
        })
    }
}

impl Refusal for AccountError {
    fn told(&self) -> Option<Told> {
        Some(match self {
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::NotFound(_) => plain(RefusalCode::AccountNotFound),
            Self::UnknownRole(role) => {
                let details = EventDetails::NONE.text(DetailField::Role, role);
                (RefusalCode::UnknownRole, details)
            }
            Self::Stale { given, current } => stale(*given, *current),
            Self::Random(error) => return repetition(error),
            Self::Contended(_) | Self::Store(_) => return None,
        })
    }
}

/// Of what is shown; only a sweep puts it on record.
impl Refusal for ListError {
    fn told(&self) -> Option<Told> {
        match self {
            Self::PermissionDenied(error) => Some(permission_denied(*error)),
            Self::Limit(_) | Self::Store(_) => None,
        }
    }
}

impl Refusal for SetPolicyError {
    fn told(&self) -> Option<Told> {
        Some(match self {
            Self::PermissionDenied(error) => permission_denied(*error),
            Self::Policy(error) => policy(error),
            Self::Stale { given, current } => stale(*given, *current),
            Self::Store(_) => return None,
        })
    }
}
