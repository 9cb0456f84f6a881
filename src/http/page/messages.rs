//! The messages for the rules that a value breaks, each beside its field.

use std::time::Duration;

use super::form::Fault;
use super::texts::{Message, Text};
use super::units;
use crate::authority::NewOwnerError;
use crate::record::plan::Plan;
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::PolicyField;
use crate::record::quantity::Quantity;
use crate::record::rules::RuleError;
use crate::value::name::{Name, NameError};
use crate::value::note::NoteError;

/// Returns the fault for a rule of the policy.
pub(super) fn of_rule(error: &RuleError) -> Fault {
    match error {
        RuleError::Name(error) => Fault::new("name", of_name(error)),
        RuleError::ExpiryRequired => Fault::new("expiry", Text::EXPIRY_REQUIRED),
        RuleError::ExpiryPassed(time) => {
            Fault::new("expiry", Text::EXPIRY_PASSED.with("time", time))
        }
        RuleError::ZeroLifetime => Fault::new("expiry", Text::ZERO_LIFETIME),
        RuleError::LifetimeOverflow(_) => Fault::new("expiry", Text::LIFETIME_OVERFLOW),
        RuleError::LifetimeTooLong { max, .. } => {
            Fault::new("expiry", Text::LIFETIME_TOO_LONG.saying("max", units::words(*max)))
        }
        RuleError::NeverValid { expires_at, .. } => {
            Fault::new("expiry", Text::NEVER_VALID.with("time", expires_at))
        }
        RuleError::ScopeOutsideCeiling(scope) => {
            Fault::new("scope", Text::SCOPE_OUTSIDE_CEILING.with("scope", scope))
        }
        RuleError::NoScopeLeft => Fault::new("owner", Text::NO_SCOPE_LEFT),
        RuleError::SetByAdministrator { limit, bound } => {
            let message = Text::SET_BY_ADMINISTRATOR.with("bound", bound);
            let field = match limit.as_str() {
                "scopes" => "scope",
                other => other,
            };
            Fault::new(field, message)
        }
        RuleError::RateAboveLimit { limit, .. } => {
            Fault::new("rate", Text::RATE_ABOVE_LIMIT.with("limit", limit))
        }
    }
}

/// Returns the message for a name.
pub(super) fn of_name(error: &NameError) -> Message {
    match error {
        NameError::Empty => Text::NAME_EMPTY.into(),
        NameError::TooLong(chars) => {
            Text::NAME_TOO_LONG.with("max", Name::MAX_CHARS).with("got", chars)
        }
        NameError::OuterSpace | NameError::Control(_) | NameError::Invisible(_) => {
            Text::NAME_INVISIBLE.into()
        }
        NameError::LooksLikeEmail => Text::NAME_LIKE_EMAIL.into(),
        NameError::LooksLikeToken => Text::NAME_LIKE_TOKEN.into(),
        NameError::Pattern { environments, example } if environments.is_empty() => {
            Text::NAME_PATTERN.with("example", example)
        }
        NameError::Pattern { environments, example } => Text::NAME_PATTERN_FIRST
            .with("environments", environments.join(", "))
            .with("example", example),
        NameError::NoneFits { .. } => Text::NO_NAME_FITS.into(),
    }
}

/// Returns the message for a description or a contact.
pub(super) fn of_note(error: &NoteError) -> Message {
    match error {
        NoteError::TooLong { field, chars } => {
            Text::NOTE_TOO_LONG.with("max", field.max_chars()).with("got", chars)
        }
        _ => Text::NOTE_INVISIBLE.into(),
    }
}

/// Returns the fault for an owner that cannot take a key.
pub(super) fn of_new_owner(error: &NewOwnerError) -> Fault {
    let message = match error {
        NewOwnerError::AccountNotFound(_) => Text::ACCOUNT_NOT_FOUND.into(),
        NewOwnerError::AccountDisabled(_) => Text::ACCOUNT_IS_DISABLED.into(),
        NewOwnerError::UserSuspended(user) => Text::USER_IS_SUSPENDED.with("user", user),
        NewOwnerError::TooManyKeys { limit } => Text::NEW_OWNER_FULL.with("limit", limit),
    };
    Fault::new("owner", message)
}

/// Returns the fault for a setting that is out of its bounds.
pub(super) fn of_policy(error: &PolicyError) -> Fault {
    let violation = error.violation();
    let bound = violation.bound.as_ref();
    let message = match error {
        PolicyError::MaxKeys { .. } => Text::KEYS_INVALID.with("max", Plan::MAX_KEYS),
        PolicyError::ZeroLifetime(_) => Text::ZERO_LIFETIME.into(),
        PolicyError::DefaultAboveMax { .. } => bounded(Text::DEFAULT_ABOVE_MAX, "max", bound),
        PolicyError::EventRetention(_) => bounded(Text::AT_LEAST, "min", bound),
        PolicyError::NamePattern => Text::ENVIRONMENTS_INVALID.into(),
        PolicyError::BeyondPlan { field, value, bound: Quantity::Seconds(least), .. } => {
            match (field, value) {
                (PolicyField::ExtensiveUse | PolicyField::SuspiciousUse, _) => {
                    bounded(Text::PERIOD_BEYOND_PLAN, "min", bound)
                }
                (_, Quantity::Seconds(given)) if given < least => {
                    bounded(Text::SHORTER_THAN_PLAN, "min", bound)
                }
                _ => bounded(Text::BEYOND_PLAN, "max", bound),
            }
        }
        PolicyError::BeyondPlan { field: PolicyField::RequireExpiry, .. } => {
            Text::PLAN_REQUIRES_EXPIRY.into()
        }
        PolicyError::BeyondPlan { .. } => bounded(Text::BEYOND_PLAN, "max", bound),
        _ => bounded(Text::SETTING_OUT_OF_BOUNDS, "bound", bound),
    };
    Fault::new(violation.field, message)
}

fn bounded(text: Text, name: &'static str, bound: Option<&Quantity>) -> Message {
    match bound {
        Some(Quantity::Seconds(seconds)) => {
            text.saying(name, units::words(Duration::from_secs(*seconds)))
        }
        Some(other) => text.with(name, other),
        None => text.with(name, ""),
    }
}
