//! Which errors are refusals, and what an event says of each: a code and values, never the message.

use std::time::Duration;

use crate::record::actor::NotAllowed;
use crate::record::event::{DetailField, EventDetails, RefusalCode};
use crate::record::key::NotPossible;
use crate::record::new_key::NewKeyError;
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

fn not_allowed(_: NotAllowed) -> Told {
    plain(RefusalCode::NotAllowed)
}

fn not_possible(error: NotPossible) -> Told {
    let details = EventDetails::NONE.text(DetailField::Status, error.status);
    (RefusalCode::NotPossible, details)
}

fn rule(error: &NewKeyError) -> Told {
    let details = EventDetails::NONE;
    match error {
        NewKeyError::Name(_) => plain(RefusalCode::InvalidName),
        NewKeyError::ExpiryRequired => plain(RefusalCode::ExpiryRequired),
        NewKeyError::ExpiryPassed(expires) => {
            (RefusalCode::ExpiryPassed, details.text(DetailField::ExpiresAt, expires))
        }
        NewKeyError::ZeroLifetime => plain(RefusalCode::ZeroLifetime),
        NewKeyError::LifetimeOverflow(_) => plain(RefusalCode::LifetimeOverflow),
        NewKeyError::LifetimeTooLong { max } => longest(RefusalCode::LifetimeTooLong, max),
        NewKeyError::NeverValid { not_before, expires } => {
            let details = details
                .text(DetailField::NotBefore, not_before)
                .text(DetailField::ExpiresAt, expires);
            (RefusalCode::NeverValid, details)
        }
        NewKeyError::ScopeOutsideCeiling(scope) => {
            (RefusalCode::ScopeOutsideCeiling, details.text(DetailField::Scope, scope))
        }
        NewKeyError::SetByAdministrator(limit) => {
            (RefusalCode::SetByAdministrator, details.text(DetailField::Field, limit))
        }
        NewKeyError::RateAboveLimit { rate, limit } => {
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
            Self::NotAllowed(error) => not_allowed(*error),
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
            Self::NotAllowed(error) => not_allowed(*error),
            Self::NotFound(_) => plain(RefusalCode::KeyNotFound),
            Self::NotPossible(error) => not_possible(*error),
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
            Self::NotAllowed(error) => not_allowed(*error),
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
            Self::NotAllowed(error) => Some(not_allowed(*error)),
            Self::Limit(_) | Self::Store(_) => None,
        }
    }
}

impl Refusal for SetPolicyError {
    fn told(&self) -> Option<Told> {
        Some(match self {
            Self::NotAllowed(error) => not_allowed(*error),
            Self::Policy(error) => policy(error),
            Self::Stale { given, current } => stale(*given, *current),
            Self::Store(_) => return None,
        })
    }
}
