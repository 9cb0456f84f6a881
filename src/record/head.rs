//! The head of a snapshot: all that most verifications read of it, side by side.
//!
//! A key, its owner and the policy are spread over a dozen cache lines. The head has the answers of
//! all rules that depend on neither the request nor the host's default policy. Each open
//! question is an [`Obstacles`] flag, which a request, a default policy or another rule lifts.

use crate::record::key::KeyRecord;
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::{Policy, TenantPolicy};
use crate::record::scopes_in_force::ScopesInForce;
use crate::value::scope::{Access, ScopeSet};
use crate::value::time::{NEVER, Timestamp};
use crate::value::token::Prefix;

/// The head of a snapshot, before the digest of its record. It accepts a key or leaves the decision
/// open, and never refuses one.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Head {
    pub(crate) obstacles: Obstacles,
    /// The first moment at which the key can be accepted.
    begins: i64,
    /// The moment from which the key cannot be accepted: the first one, if it is revoked or
    /// disabled, or if its owner or the stored policy forbids it.
    ends: i64,
    pub(crate) prefix: Prefix,
    /// The scopes of the key, if all of them are in force under a stored plan.
    pub(crate) scopes: ScopeSet,
}

/// The obstacles that must be lifted before the head accepts a key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Obstacles(u8);

impl Obstacles {
    /// The key is bound to networks.
    pub(crate) const NETWORKS: Self = Self(1);
    /// The key or the stored policy has a rate.
    pub(crate) const RATE: Self = Self(2);
    /// The owner may only read.
    pub(crate) const READ_ONLY: Self = Self(4);
    /// The head does not know the scopes that are in force.
    pub(crate) const SCOPES: Self = Self(8);
    /// The default settings decide whether the API is on.
    const DEFAULT_SWITCH: Self = Self(16);
    /// The default plan decides.
    const DEFAULT_PLAN: Self = Self(32);
    /// The default settings may have a rate.
    const DEFAULT_RATE: Self = Self(64);
    /// The default plan may have a rate.
    const DEFAULT_MAX_RATE: Self = Self(128);
    /// All obstacles that a use of the rates in force lifts.
    pub(crate) const RATES: Self = Self::RATE.and(Self::DEFAULT_RATE).and(Self::DEFAULT_MAX_RATE);

    pub(crate) const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    fn and_if(self, holds: bool, more: Self) -> Self {
        if holds { self.and(more) } else { self }
    }

    /// Returns the obstacles that remain when these are lifted.
    pub(crate) const fn without(self, lifted: Self) -> Self {
        Self(self.0 & !lifted.0)
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, any_of: Self) -> bool {
        self.0 & any_of.0 != 0
    }

    /// Returns the obstacles that a default policy lifts.
    pub(crate) fn lifted_by(Policy { plan, settings }: &Policy) -> Self {
        Self::default()
            .and_if(settings.api_enabled == Some(true), Self::DEFAULT_SWITCH)
            .and_if(settings.default_rate.is_none(), Self::DEFAULT_RATE)
            .and_if(plan.api_access, Self::DEFAULT_PLAN)
            .and_if(plan.max_rate.is_none(), Self::DEFAULT_MAX_RATE)
    }
}

impl Head {
    pub(crate) fn of(
        record: &KeyRecord,
        owner: Option<&OwnerRecord>,
        policy: Option<&TenantPolicy>,
    ) -> Self {
        let key = record.key();
        let account = owner.and_then(OwnerRecord::account);
        let plan = policy.and_then(|policy| policy.plan.as_ref());
        let settings = policy.and_then(|policy| policy.settings.as_ref());

        let never = key.revoked_at.is_some()
            || key.disabled
            || owner.is_some_and(|owner| !owner.is_enabled())
            || plan.is_some_and(|plan| !plan.api_access)
            || settings.is_some_and(|settings| settings.api_enabled == Some(false));
        let ends = key.expires_at.map_or(NEVER, Timestamp::unix_micros);
        let begins = key.not_before.map_or(i64::MIN, Timestamp::unix_micros);

        let whole = plan.and_then(|plan| ScopesInForce::of(key, account, plan).whole());
        let has_rate = key.rate.is_some()
            || plan.is_some_and(|plan| plan.max_rate.is_some())
            || settings.is_some_and(|settings| settings.default_rate.is_some());
        let has_switch = settings.is_some_and(|settings| settings.api_enabled.is_some());
        let obstacles = Obstacles::default()
            .and_if(!key.networks.is_anywhere(), Obstacles::NETWORKS)
            .and_if(has_rate, Obstacles::RATE)
            .and_if(account.is_some_and(|a| a.access != Access::ReadWrite), Obstacles::READ_ONLY)
            .and_if(whole.is_none(), Obstacles::SCOPES)
            .and_if(!has_switch, Obstacles::DEFAULT_SWITCH)
            .and_if(plan.is_none(), Obstacles::DEFAULT_PLAN.and(Obstacles::DEFAULT_MAX_RATE))
            .and_if(!has_rate, Obstacles::DEFAULT_RATE);
        Self {
            obstacles,
            begins,
            ends: if never { i64::MIN } else { ends },
            prefix: key.prefix.clone(),
            scopes: whole.cloned().unwrap_or_default(),
        }
    }

    /// Returns whether the default plan decides.
    pub(crate) fn has_no_plan(&self) -> bool {
        self.obstacles.has(Obstacles::DEFAULT_PLAN)
    }

    /// Returns whether the key, its owner and the stored policy allow a use at this time.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        (self.begins..self.ends).contains(&now.unix_micros())
    }
}
