//! New keys, and the rules that they must meet. The store checks the limit of keys and the uniqueness of
//! the id in the commit.

use std::time::Duration;

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::admin_limits::AdminLimits;
use crate::record::key::{Key, Owner};
use crate::record::policy::Policy;
use crate::record::rules::{RuleError, check_name, check_rate, check_scopes, is_administrator};
use crate::value::id::KeyId;
use crate::value::metadata::Metadata;
use crate::value::name::{Name, NameError};
use crate::value::network::Networks;
use crate::value::rate::Rate;
use crate::value::scope::ScopeSet;
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

/// A key that is to be generated, for [`Authority::generate`](crate::Authority::generate). It cannot be
/// deserialized: the host names each privilege.
///
/// The actor who generates the key owns it, unless [`owner`](Self::owner) names another owner.
///
/// ```
/// use keywright::NewKey;
///
/// let new = NewKey::named("prod-main-app")?
///     .scopes("invoices:read".parse()?)
///     .networks("203.0.113.0/24".parse()?)
///     .expires_in_days(90);
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
    /// The policy's default lifetime.
    Default,
    Never,
    At(Timestamp),
    In(Duration),
}

impl NewKey {
    /// Creates a key of this name, with no scopes, from any network, and with the policy's defaults
    /// for the rest.
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

    /// Creates a key of this name, from text.
    ///
    /// # Errors
    /// [`NameError`], by what is wrong with the name.
    pub fn named(name: impl AsRef<str>) -> Result<Self, NameError> {
        Ok(Self::new(Name::new(name)?))
    }

    /// Sets the owner, in place of the actor who generates the key. Another owner than the actor takes the
    /// permission [`GENERATE_ANY`](crate::Permissions::GENERATE_ANY).
    ///
    /// ```
    /// use keywright::store::MemoryStore;
    /// use keywright::{Actor, Keywright, NewKey, Owner, Policy, UserId};
    ///
    /// # fn main() -> Result<(), keywright::Error> { futures_lite::future::block_on(async {
    /// # let mut policy = Policy::default();
    /// # policy.api_enabled = true;
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// let admin = Actor::administrator(UserId::new("ada")?);
    /// let alice = Owner::User(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.owner(alice.clone());
    /// let issued = keywright.authority().generate(&admin, new).await?;
    /// assert_eq!(issued.key.owner, alice);
    /// # Ok(()) }) }
    /// ```
    pub fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Sets the key's own scopes.
    pub fn scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes, ..self }
    }

    /// Sets the networks that the key may be used from.
    pub fn networks(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// Sets the key's own rate, in place of the policy's default.
    pub fn rate(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// Sets the metadata: notes of the host.
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// Sets when the key starts to be valid. Default: at once.
    pub fn not_before(self, time: Timestamp) -> Self {
        Self { not_before: Some(time), ..self }
    }

    /// Sets when the key expires.
    pub fn expires_at(self, time: Timestamp) -> Self {
        Self { expiry: Expiry::At(time), ..self }
    }

    /// Sets the lifetime: the key expires this long after it is generated.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        Self { expiry: Expiry::In(lifetime), ..self }
    }

    /// Sets the lifetime in days of 24 hours.
    pub fn expires_in_days(self, days: u32) -> Self {
        self.expires_in(Duration::from_secs(u64::from(days) * 86_400))
    }

    /// Sets no expiry, whatever the policy's default lifetime.
    pub fn never_expires(self) -> Self {
        Self { expiry: Expiry::Never, ..self }
    }
}

/// A new key that meets the rules, without its id and prefix.
pub(crate) struct CheckedKey<'a> {
    new: &'a NewKey,
    owner: &'a Owner,
    actor: &'a Actor,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
}

impl NewKey {
    /// Checks everything about the key that depends on the policy and the time. `account` is the owner,
    /// if it is a service account.
    pub(crate) fn check<'a>(
        &'a self,
        owner: &'a Owner,
        actor: &'a Actor,
        policy: &Policy,
        account: Option<&ServiceAccount>,
        now: Timestamp,
    ) -> Result<CheckedKey<'a>, RuleError> {
        check_name(&self.name, policy)?;
        check_scopes(&self.scopes, owner, account, policy)?;
        let expires_at = self.expiry(policy, now)?;
        // A not-before that has passed says nothing that the time of creation does not say.
        let not_before = self.not_before.filter(|begin| !begin.has_passed(now));
        if let (Some(not_before), Some(expires_at)) = (not_before, expires_at)
            && expires_at.has_passed(not_before)
        {
            return Err(RuleError::NeverValid { not_before, expires_at });
        }
        check_rate(self.rate, owner, actor, policy)?;
        Ok(CheckedKey { new: self, owner, actor, not_before, expires_at, now })
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

impl CheckedKey<'_> {
    pub(crate) fn into_key(self, id: KeyId, prefix: Prefix) -> Key {
        let Self { new, owner, actor, not_before, expires_at, now } = self;
        let by_admin = is_administrator(actor, owner);
        Key {
            id,
            tenant: actor.tenant().clone(),
            owner: owner.clone(),
            name: new.name.clone(),
            prefix,
            scopes: new.scopes.clone(),
            networks: new.networks.clone(),
            rate: new.rate,
            admin_limits: AdminLimits {
                scopes: by_admin && !new.scopes.is_empty(),
                networks: by_admin && !new.networks.is_anywhere(),
                rate: by_admin && new.rate.is_some(),
            },
            metadata: new.metadata.clone(),
            created_at: now,
            created_by: actor.id().clone(),
            updated_at: now,
            not_before,
            expires_at,
            disabled: false,
            revoked_at: None,
            rotated_at: None,
            overlap_ends_at: None,
            secret_number: 1,
            version: 1,
        }
    }
}
