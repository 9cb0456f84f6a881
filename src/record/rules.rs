//! This module holds the rules for new and edited keys: name, scopes, rate, and permission to widen
//! a limit.
//!
//! The owner of a key and administrators set its scopes, networks and rate. An administrator is an
//! actor who may edit any key, or who generates a key for another owner. The owner can narrow a
//! limit that an administrator set, but not widen it. The owner can change their own limits freely,
//! within the policy.

use std::time::Duration;

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::admin_limits::KeyLimit;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::scopes_in_force::can_have;
use crate::value::name::{Name, NameError};
use crate::value::rate::Rate;
use crate::value::scope::{Scope, ScopeSet};
use crate::value::text_enum::text_enum;
use crate::value::time::{Timestamp, in_words};

/// The error for a new or edited key that breaks a rule of the tenant's policy or an
/// administrator's limit.
///
/// Nothing was stored.
///
/// ```
/// use keywright::{GenerateError, NewKey, RuleError};
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let new = NewKey::named("prod-main-app")?.scopes("invoices:delete".parse()?);
/// let refused = authority.generate(&alice, new).await;
/// assert!(matches!(refused, Err(GenerateError::Rule(RuleError::ScopeOutsideCeiling(_)))));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The name does not follow the tenant's pattern.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The tenant requires an expiry, and the new key has none.
    #[error("the tenant's policy requires an expiry; set one")]
    ExpiryRequired,
    /// The expiry is not in the future.
    #[error("the expiry must be in the future, got {0}")]
    ExpiryPassed(Timestamp),
    /// The lifetime is shorter than 1 microsecond.
    #[error("the lifetime of a key must be longer than zero")]
    ZeroLifetime,
    /// The lifetime ends after the year 9999.
    #[error(
        "the lifetime of {} ends after the year 9999; set a shorter one, or no expiry",
        in_words(*.0)
    )]
    LifetimeOverflow(Duration),
    /// The lifetime is longer than the policy allows, or the key has no expiry and the policy has a
    /// limit.
    #[error(
        "the key must expire within {}, as the tenant's policy requires, got {}",
        in_words(*.max),
        lifetime.map_or_else(|| "no expiry".to_owned(), in_words)
    )]
    LifetimeTooLong {
        /// The field of the request that sets the expiry.
        field: ExpiryField,
        /// The lifetime that the caller asked for; `None` for a key that never expires.
        lifetime: Option<Duration>,
        /// The longest lifetime that the policy allows.
        max: Duration,
    },
    /// The key would become valid at its expiry or later.
    #[error("not_before must be earlier than the expiry {expires_at}, got {not_before}")]
    NeverValid {
        /// The time from which the key would be valid.
        not_before: Timestamp,
        /// The time at which the key would expire.
        expires_at: Timestamp,
    },
    /// Keys of this owner cannot have this scope.
    #[error("keys of this owner cannot have the scope {0}")]
    ScopeOutsideCeiling(Scope),
    /// The new owner of a key can have none of the key's scopes. Without scopes of its own, the key
    /// would have all those that keys of the new owner follow.
    #[error("keys of the new owner can have none of the key's scopes; change the scopes first")]
    NoScopeLeft,
    /// An administrator set this limit of the key, and the edit would widen it.
    #[error(
        "an administrator limited the {limit} of this key to {bound}; its owner can narrow but not \
         widen the limit"
    )]
    SetByAdministrator {
        /// The limit that the edit would widen.
        limit: KeyLimit,
        /// The scopes, networks or rate to which the key is limited now.
        bound: String,
    },
    /// The rate is above the plan's highest rate, or above the default rate, which owners cannot
    /// exceed for their own keys.
    #[error("the rate must be at most {limit}, the limit in the tenant's policy, got {rate}")]
    RateAboveLimit {
        /// The rate that the caller asked for.
        rate: Rate,
        /// The rate that it exceeds.
        limit: Rate,
    },
}

text_enum! {
    /// A field of a request that sets the expiry of a new key, with a text form such as
    /// `expires_in`.
    ///
    /// ```
    /// use keywright::ExpiryField;
    ///
    /// assert_eq!(ExpiryField::ExpiresIn.to_string(), "expires_in");
    /// ```
    pub enum ExpiryField {
        /// The time of the expiry.
        ExpiresAt = "expires_at";
        /// The lifetime.
        ExpiresIn = "expires_in";
        /// The wish for a key that never expires.
        NeverExpires = "never_expires";
    }
}

/// Returns whether `actor` sets the limits of this owner's keys as an administrator: an actor who
/// is not the owner, or who may edit any key.
pub(crate) fn is_administrator(actor: &Actor, owner: &Owner) -> bool {
    !actor.owns(owner) || actor.may_for_any(Operation::KeyEdit)
}

/// Checks a new name against the patterns of plan and settings.
///
/// # Errors
/// [`RuleError::Name`].
pub(crate) fn check_name(name: &Name, policy: PolicyInForce<'_>) -> Result<(), RuleError> {
    Ok(policy.check_name(name)?)
}

/// Checks that keys of the owner can have these scopes.
///
/// # Errors
/// [`RuleError::ScopeOutsideCeiling`].
pub(crate) fn check_scopes(
    scopes: &ScopeSet,
    owner: &Owner,
    account: Option<&ServiceAccount>,
    policy: PolicyInForce<'_>,
) -> Result<(), RuleError> {
    match scopes.iter().find(|scope| !can_have(owner, account, policy.plan, scope)) {
        Some(scope) => Err(RuleError::ScopeOutsideCeiling(scope.clone())),
        None => Ok(()),
    }
}

/// Checks the lifetime of a new key, which is `None` if the key never expires. `field` is the field of
/// the request that sets it.
///
/// # Errors
/// [`RuleError::ExpiryRequired`] and [`RuleError::LifetimeTooLong`].
pub(crate) fn check_lifetime(
    lifetime: Option<Duration>,
    field: ExpiryField,
    policy: PolicyInForce<'_>,
) -> Result<(), RuleError> {
    if policy.require_expiry().value && lifetime.is_none() {
        return Err(RuleError::ExpiryRequired);
    }
    match policy.max_lifetime().value {
        Some(max) if lifetime.is_none_or(|lifetime| lifetime > max) => {
            Err(RuleError::LifetimeTooLong { field, lifetime, max })
        }
        _ => Ok(()),
    }
}

/// Checks the rate of a key, which can be up to the [`highest_rate`].
///
/// # Errors
/// [`RuleError::RateAboveLimit`].
pub(crate) fn check_rate(
    rate: Option<Rate>,
    owner: &Owner,
    actor: &Actor,
    policy: PolicyInForce<'_>,
) -> Result<(), RuleError> {
    must_be_within(rate, highest_rate(owner, actor, policy))
}

/// Returns the highest rate that the actor can set for a key of this owner: an administrator the
/// plan's highest rate, and an owner the default rate. `None` if there is no limit.
pub(crate) fn highest_rate(
    owner: &Owner,
    actor: &Actor,
    policy: PolicyInForce<'_>,
) -> Option<Rate> {
    if is_administrator(actor, owner) { policy.plan.max_rate } else { policy.default_rate().value }
}

/// Checks that a rate is within the plan's highest rate, which holds for every actor.
///
/// # Errors
/// [`RuleError::RateAboveLimit`].
pub(crate) fn check_highest_rate(
    rate: Option<Rate>,
    policy: PolicyInForce<'_>,
) -> Result<(), RuleError> {
    must_be_within(rate, policy.plan.max_rate)
}

fn must_be_within(rate: Option<Rate>, limit: Option<Rate>) -> Result<(), RuleError> {
    match (rate, limit) {
        (Some(rate), Some(limit)) if !rate.is_within(&limit) => {
            Err(RuleError::RateAboveLimit { rate, limit })
        }
        _ => Ok(()),
    }
}
