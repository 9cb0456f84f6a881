//! What a new key is to be, and the rules that it must meet. Pure: the store's rules (the limit of
//! keys, the uniqueness of the id) are in the commit.

use std::time::Duration;

use crate::record::account::ServiceAccount;
use crate::record::admin_limits::KeyLimit;
use crate::record::key::Owner;
use crate::record::policy::Policy;
use crate::value::metadata::Metadata;
use crate::value::name::{Name, NameError};
use crate::value::network::Networks;
use crate::value::rate::Rate;
use crate::value::scope::{Scope, ScopeSet};
use crate::value::time::{Timestamp, in_words};

/// What a new key is to be. It cannot be deserialised: the host says each privilege by name.
///
/// ```
/// use std::time::Duration;
/// use keywright::NewKey;
///
/// let new = NewKey::named("prod-main-app")?
///     .scopes("invoices:read".parse()?)
///     .networks("203.0.113.0/24".parse()?)
///     .expires_in(Duration::from_secs(90 * 86_400));
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct NewKey {
    pub(crate) owner: Option<Owner>,
    pub(crate) name: Name,
    pub(crate) scopes: ScopeSet,
    pub(crate) networks: Networks,
    pub(crate) rate: Option<Rate>,
    pub(crate) metadata: Metadata,
    not_before: Option<Timestamp>,
    expiry: Expiry,
}

#[derive(Clone, Copy, Debug)]
enum Expiry {
    /// As the policy's default lifetime says.
    Default,
    Never,
    At(Timestamp),
    In(Duration),
}

impl NewKey {
    /// A key of this name with nothing else said of it.
    pub fn new(name: Name) -> Self {
        Self {
            owner: None,
            name,
            scopes: ScopeSet::empty(),
            networks: Networks::anywhere(),
            rate: None,
            metadata: Metadata::default(),
            not_before: None,
            expiry: Expiry::Default,
        }
    }

    /// The same, from text.
    ///
    /// # Errors
    /// [`NameError`], by what is wrong with the name.
    pub fn named(name: impl AsRef<str>) -> Result<Self, NameError> {
        Ok(Self::new(Name::new(name)?))
    }

    /// Sets the owner, in place of the actor who generates the key.
    pub fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Its own scopes.
    pub fn scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes, ..self }
    }

    /// The networks that it may be used from.
    pub fn networks(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// Its own rate, in place of the policy's default.
    pub fn rate(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// What the host notes on it.
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// It begins to work at `time`.
    pub fn not_before(self, time: Timestamp) -> Self {
        Self { not_before: Some(time), ..self }
    }

    /// It stops to work at `time`.
    pub fn expires_at(self, time: Timestamp) -> Self {
        Self { expiry: Expiry::At(time), ..self }
    }

    /// It stops to work so long after it is made.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        Self { expiry: Expiry::In(lifetime), ..self }
    }

    /// It stops to work so many days of 24 hours after it is made.
    pub fn expires_in_days(self, days: u32) -> Self {
        self.expires_in(Duration::from_secs(u64::from(days) * 86_400))
    }

    /// It stays valid indefinitely, whatever the policy's default lifetime.
    pub fn never_expires(self) -> Self {
        Self { expiry: Expiry::Never, ..self }
    }
}

/// A new key does not meet the rules. Nothing was stored.
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

/// When a key begins and stops to work, checked.
pub(crate) struct Validity {
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewKey {
    /// Checks everything about the key that depends on the policy and the time.
    pub(crate) fn check(
        &self,
        policy: &Policy,
        account: Option<&ServiceAccount>,
        now: Timestamp,
    ) -> Result<Validity, RuleError> {
        if let Some(pattern) = &policy.name_pattern {
            pattern.check(&self.name)?;
        }
        check_scopes(&self.scopes, policy, account)?;
        let expires = self.expiry(policy, now)?;
        // A not-before that has passed says nothing that the time of creation does not say.
        let not_before = self.not_before.filter(|begin| !begin.has_passed(now));
        match (not_before, expires) {
            (Some(not_before), Some(expires)) if expires.has_passed(not_before) => {
                Err(RuleError::NeverValid { not_before, expires_at: expires })
            }
            _ => Ok(Validity { not_before, expires_at: expires }),
        }
    }

    fn expiry(&self, policy: &Policy, now: Timestamp) -> Result<Option<Timestamp>, RuleError> {
        let after = |lifetime: Duration| {
            let end = now.checked_add(lifetime).ok_or(RuleError::LifetimeOverflow(lifetime))?;
            // A time has microseconds: a shorter lifetime is none.
            if end.has_passed(now) {
                return Err(RuleError::ZeroLifetime);
            }
            Ok(Some(end))
        };
        let expires = match (self.expiry, policy.default_lifetime) {
            (Expiry::Default, Some(lifetime)) | (Expiry::In(lifetime), _) => after(lifetime)?,
            (Expiry::Default, None) | (Expiry::Never, _) => None,
            (Expiry::At(time), _) if time.has_passed(now) => {
                return Err(RuleError::ExpiryPassed(time));
            }
            (Expiry::At(time), _) => Some(time),
        };
        if policy.require_expiry && expires.is_none() {
            return Err(RuleError::ExpiryRequired);
        }
        if let Some(max) = policy.max_lifetime
            && expires.is_none_or(|expires| expires.since(now) > max)
        {
            return Err(RuleError::LifetimeTooLong { max });
        }
        Ok(expires)
    }
}

/// The ceiling of a user's key is the policy's, that of an account's key the account's role.
pub(crate) fn check_scopes(
    scopes: &ScopeSet,
    policy: &Policy,
    account: Option<&ServiceAccount>,
) -> Result<(), RuleError> {
    const NOTHING: &ScopeSet = &ScopeSet::empty();
    let ceiling = match account {
        Some(account) => policy.roles.get(&account.role).unwrap_or(NOTHING),
        None => &policy.scope_ceiling,
    };
    match scopes.first_outside(ceiling) {
        Some(scope) => Err(RuleError::ScopeOutsideCeiling(scope.clone())),
        None => Ok(()),
    }
}
