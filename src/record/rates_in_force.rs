//! Which rates hold for a key: its own, the policy's default, and what all keys of an owner share.

use crate::record::key::Key;
use crate::record::policy::Policy;
use crate::value::rate::Rate;
use crate::value::time::Timestamp;

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
    /// Returns the rates that hold for `key` under `policy` at `now`; `None` if the key has no
    /// limit.
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
