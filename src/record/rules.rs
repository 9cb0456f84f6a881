//! Which limits hold for a key, and who may loosen them.
//!
//! A key's scopes, networks and rate are set by its owner or by an administrator (an actor who may edit any key). An owner
//! may narrow what an administrator set and never widen it; what owners set themselves they may change as they like,
//! within the policy.

use crate::record::actor::Actor;
use crate::record::admin_limits::{AdminLimits, KeyLimit};
use crate::record::key::{Key, KeyEdit, NewRate, Owner};
use crate::record::new_key::{NewKey, RuleError};
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::value::rate::Rate;
use crate::value::time::Timestamp;

/// Whether `actor` sets the limits of this owner's keys as an administrator: as somebody else than the owner, or as one
/// who may edit any key.
pub(crate) fn is_administrator(actor: &Actor, owner: &Owner) -> bool {
    !actor.owns(owner) || actor.may_for_any(Operation::KeyEdit)
}

/// Which limits of a new key an administrator sets.
pub(crate) fn admin_limits(new: &NewKey, actor: &Actor, owner: &Owner) -> AdminLimits {
    let by_admin = is_administrator(actor, owner);
    AdminLimits {
        scopes: by_admin && !new.scopes.is_empty(),
        networks: by_admin && !new.networks.is_anywhere(),
        rate: by_admin && new.rate.is_some(),
    }
}

/// Checks the rate of a new key: owners do not lift the limit that the policy sets for them.
///
/// # Errors
/// [`RuleError::RateAboveLimit`].
pub(crate) fn check_rate(
    rate: Option<Rate>,
    policy: &Policy,
    actor: &Actor,
    owner: &Owner,
) -> Result<(), RuleError> {
    match (rate, policy.default_rate) {
        (Some(rate), Some(limit)) if !rate.is_within(&limit) && !is_administrator(actor, owner) => {
            Err(RuleError::RateAboveLimit { rate, limit })
        }
        _ => Ok(()),
    }
}

/// Checks that an edit widens nothing that is not the actor's to widen.
///
/// # Errors
/// [`RuleError::SetByAdministrator`] or [`RuleError::RateAboveLimit`].
pub(crate) fn check_edit(
    edit: &KeyEdit,
    key: &Key,
    policy: &Policy,
    actor: &Actor,
) -> Result<(), RuleError> {
    if is_administrator(actor, &key.owner) {
        return Ok(());
    }
    let set = key.admin_limits;
    let widens = |is_set: bool, limit: KeyLimit| {
        if is_set { Err(RuleError::SetByAdministrator(limit)) } else { Ok(()) }
    };
    if let Some(scopes) = &edit.scopes
        && scopes.first_outside(&key.scopes).is_some()
    {
        widens(set.scopes, KeyLimit::Scopes)?;
    }
    if let Some(networks) = &edit.networks
        && !networks.is_within(&key.networks)
    {
        widens(set.networks, KeyLimit::Networks)?;
    }
    match (edit.rate, key.rate) {
        (Some(NewRate(rate)), Some(limit)) if set.rate => {
            widens(!rate.is_some_and(|rate| rate.is_within(&limit)), KeyLimit::Rate)
        }
        (Some(NewRate(rate)), _) => check_rate(rate, policy, actor, &key.owner),
        (None, _) => Ok(()),
    }
}

/// The rates that one use of a key is counted against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RatesInForce {
    /// The rate of the key.
    pub(crate) key: Rate,
    /// The rate of all keys of the owner together, if this one is counted among them.
    pub(crate) owner: Option<SharedRate>,
}

/// A rate, times the number of keys that share it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SharedRate {
    pub(crate) rate: Rate,
    pub(crate) keys: u16,
    /// Whether the key is refused when the rate is spent. If not, its uses are counted all the same.
    pub(crate) binds: bool,
}

impl RatesInForce {
    /// The rates that hold for `key` under `policy` at `now`; `None` if it has no limit.
    ///
    /// A rate that an administrator set holds whatever the policy's default is. A rate that the owner set holds together
    /// with the default: neither lifts the other. Without a rate of its own the key has the default.
    ///
    /// A key brings its whole number of uses with it. Deleting a key and generating another must not give back what was
    /// spent. So all keys of an owner are counted against the default rate, as often as the owner may hold keys, and
    /// those that are younger than its period are bound by it. Older ones are not: what they may spend, they have
    /// regained.
    pub(crate) fn of(key: &Key, policy: &Policy, now: Timestamp) -> Option<Self> {
        let Some(default) = policy.default_rate else {
            return key.rate.map(|rate| Self { key: rate, owner: None });
        };
        let rate = match key.rate {
            Some(rate) if key.admin_limits.rate => rate,
            Some(rate) => rate.within_both(default),
            None => default,
        };
        let is_new = !key.created_at.saturating_add(default.per()).has_passed(now);
        let shared = SharedRate {
            rate: default,
            // A store of the host's may hold a policy that was never checked.
            keys: policy.max_keys_per_owner.clamp(1, Policy::MAX_KEYS_PER_OWNER),
            binds: is_new,
        };
        Some(Self { key: rate, owner: rate.is_within(&default).then_some(shared) })
    }
}
