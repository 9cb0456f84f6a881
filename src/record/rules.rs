//! The rules that a new and an edited key must meet: name, scopes, rate, and who may loosen a limit.
//!
//! A key's scopes, networks and rate are set by its owner or by an administrator (an actor who may
//! edit any key). An owner may narrow what an administrator set and never widen it. What owners set
//! themselves they may change as they like, within the policy.

use std::time::Duration;

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::admin_limits::KeyLimit;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::value::name::{Name, NameError};
use crate::value::rate::Rate;
use crate::value::scope::{Scope, ScopeSet};
use crate::value::time::{Timestamp, in_words};

/// A new or an edited key does not meet the rules. Nothing was stored.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The name does not follow the tenant's pattern.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The tenant requires an expiry and none was given.
    #[error("the tenant's policy requires that every new key has an expiry: give one")]
    ExpiryRequired,
    /// The expiry has passed already.
    #[error("the expiry {0} has passed already")]
    ExpiryPassed(Timestamp),
    /// A lifetime of zero, or of less than a microsecond.
    #[error("a lifetime of zero would make a key that is dead when made")]
    ZeroLifetime,
    /// The expiry is past the year 9999.
    #[error("the lifetime of {} ends after the year 9999: for no expiry say so", in_words(*.0))]
    LifetimeOverflow(Duration),
    /// The lifetime is longer than the policy allows, or endless where it has a limit.
    #[error("the lifetime is longer than the {} that the tenant's policy allows", in_words(*.max))]
    LifetimeTooLong {
        /// The longest lifetime in the policy.
        max: Duration,
    },
    /// The key would begin to work when it has expired.
    #[error(
        "the key would begin to work at {not_before}, which is not before its expiry {expires_at}"
    )]
    NeverValid {
        /// When it would begin.
        not_before: Timestamp,
        /// When it would stop.
        expires_at: Timestamp,
    },
    /// A scope lies outside what the owner's keys can have.
    #[error("scope {0} is outside what keys of this owner can have")]
    ScopeOutsideCeiling(Scope),
    /// An administrator set this limit of the key, and the edit would widen it.
    #[error(
        "an administrator set the {0} of this key: its owner can narrow them and not widen them"
    )]
    SetByAdministrator(KeyLimit),
    /// The rate is above the policy's default, which its owner may not exceed.
    #[error("the rate {rate} is above {limit}, the most that an owner may give a key of their own")]
    RateAboveLimit {
        /// What was asked for.
        rate: Rate,
        /// The policy's default rate.
        limit: Rate,
    },
}

/// Returns whether `actor` sets the limits of this owner's keys as an administrator: an actor who is not
/// the owner, or who may edit any key.
pub(crate) fn is_administrator(actor: &Actor, owner: &Owner) -> bool {
    !actor.owns(owner) || actor.may_for_any(Operation::KeyEdit)
}

/// Checks a new name against the policy's pattern.
///
/// # Errors
/// [`RuleError::Name`].
pub(crate) fn check_name(name: &Name, policy: &Policy) -> Result<(), RuleError> {
    match &policy.name_pattern {
        Some(pattern) => Ok(pattern.check(name)?),
        None => Ok(()),
    }
}

/// Returns the scopes that keys of an owner can have: a user's the policy's ceiling, a service account's
/// those of its role. An account that is lost, or whose role the policy lacks, allows none.
pub(crate) fn scope_ceiling<'a>(
    owner: &Owner,
    account: Option<&ServiceAccount>,
    policy: &'a Policy,
) -> &'a ScopeSet {
    const NOTHING: &ScopeSet = &ScopeSet::empty();
    match owner {
        Owner::User(_) => &policy.scope_ceiling,
        Owner::Account(_) => {
            account.and_then(|account| policy.roles.get(&account.role)).unwrap_or(NOTHING)
        }
    }
}

/// Checks the scopes that a key is to have against the ceiling of its owner's keys.
///
/// # Errors
/// [`RuleError::ScopeOutsideCeiling`].
pub(crate) fn check_scopes(
    scopes: &ScopeSet,
    owner: &Owner,
    account: Option<&ServiceAccount>,
    policy: &Policy,
) -> Result<(), RuleError> {
    match scopes.first_outside(scope_ceiling(owner, account, policy)) {
        Some(scope) => Err(RuleError::ScopeOutsideCeiling(scope.clone())),
        None => Ok(()),
    }
}

/// Checks the rate that a key is to have: owners do not lift the limit that the policy sets for them.
///
/// # Errors
/// [`RuleError::RateAboveLimit`].
pub(crate) fn check_rate(
    rate: Option<Rate>,
    owner: &Owner,
    actor: &Actor,
    policy: &Policy,
) -> Result<(), RuleError> {
    match (rate, policy.default_rate) {
        (Some(rate), Some(limit)) if !rate.is_within(&limit) && !is_administrator(actor, owner) => {
            Err(RuleError::RateAboveLimit { rate, limit })
        }
        _ => Ok(()),
    }
}
