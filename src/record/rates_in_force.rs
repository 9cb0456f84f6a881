//! This module computes the rates that apply to a key: its own, the policy's default, and the rate
//! that all keys of an owner share.

use crate::record::key::Key;
use crate::record::plan::Plan;
use crate::record::policy_in_force::PolicyInForce;
use crate::value::rate::Rate;
use crate::value::time::Timestamp;

/// The rates that one use of a key counts against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RatesInForce {
    /// The rate of the key.
    pub(crate) key: Rate,
    /// The rate that all keys of the owner share, if this key counts against it.
    pub(crate) owner: Option<SharedRate>,
}

/// A rate, multiplied by the number of keys that share it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SharedRate {
    pub(crate) rate: Rate,
    pub(crate) keys: u16,
    /// True if this key is refused when the rate is used up. If it is false, the uses of this key
    /// count against the rate all the same.
    pub(crate) binds: bool,
}

impl RatesInForce {
    /// Returns the rates that apply to `key` under `policy` at `now`; `None` if the key has no
    /// limit.
    ///
    /// A rate that an administrator set applies regardless of the policy's default. A rate that the
    /// owner set applies together with the default, and neither lifts the other. A key without a
    /// rate has the default.
    ///
    /// A new key starts with its full number of uses. An owner must not regain spent uses by
    /// deleting a key and generating another. All keys of an owner therefore share one more limit:
    /// the default rate, multiplied by the number of keys that the owner may hold. It refuses only
    /// keys that are younger than the period of the rate. An older key has had a full period to
    /// regain its uses, so its own rate suffices. The new keys of an owner without a limit of keys
    /// share the rate of [`Plan::MAX_KEYS`]; its older keys do not count, since they may be many.
    pub(crate) fn of(key: &Key, policy: PolicyInForce<'_>, now: Timestamp) -> Option<Self> {
        let Some(default) = policy.default_rate().value else {
            // The plan has no highest rate either: it would be the default.
            return key.rate.map(|rate| Self { key: rate, owner: None });
        };
        let own = key.rate.map(|rate| rate.at_most(policy.plan.max_rate));
        let rate = match own {
            Some(rate) if key.admin_limits.rate => rate,
            Some(rate) => rate.within_both(default),
            None => default,
        };
        let is_new = !key.created_at.saturating_add(default.per()).has_passed(now);
        let shared = match policy.max_keys_of(&key.owner) {
            Some(keys) => Some(SharedRate { rate: default, keys, binds: is_new }),
            None if is_new => Some(SharedRate { rate: default, keys: Plan::MAX_KEYS, binds: true }),
            None => None,
        };
        Some(Self { key: rate, owner: shared.filter(|_| rate.is_within(&default)) })
    }
}
