//! This module holds new keys and the rules that a new key must meet. The store checks two more
//! rules when it commits: the limit of keys for each owner, and that the id is unused.

use std::time::Duration;

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::admin_limits::AdminLimits;
use crate::record::key::{Key, Owner};
use crate::record::policy_in_force::PolicyInForce;
use crate::record::rules::{
    ExpiryField, RuleError, check_lifetime, check_name, check_rate, check_scopes, is_administrator,
};
use crate::value::id::KeyId;
use crate::value::metadata::Metadata;
use crate::value::name::{Name, NameError};
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::scope::ScopeSet;
use crate::value::ticket::Ticket;
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

/// A key to generate with [`Authority::generate`](crate::Authority::generate).
///
/// This type cannot be deserialized. The host's code sets each field, so a request body cannot set
/// one by accident.
///
/// The actor who generates the key owns it, unless [`owner`](Self::owner) names another owner.
///
/// ```
/// use keywright::NewKey;
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let new = NewKey::named("prod-main-app")?
///     .scopes("invoices:read".parse()?)
///     .networks("203.0.113.0/24".parse()?)
///     .expires_in_days(90);
/// let issued = authority.generate(&alice, new).await?;
/// assert!(issued.key.expires_at.is_some());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct NewKey {
    pub(crate) owner: Option<Owner>,
    pub(crate) name: Name,
    pub(crate) scopes: ScopeSet,
    pub(crate) networks: Networks,
    pub(crate) rate: Option<Rate>,
    pub(crate) description: Option<Description>,
    pub(crate) contact: Option<Contact>,
    pub(crate) metadata: Metadata,
    pub(crate) ticket: Option<Ticket>,
    not_before: Option<Timestamp>,
    expiry: Expiry,
}

#[derive(Clone, Copy, Debug)]
enum Expiry {
    /// The policy's default lifetime, or else its maximum.
    Default,
    Never,
    At(Timestamp),
    In(Duration),
}

impl NewKey {
    /// Creates the description of a key with this name.
    ///
    /// The key may be used from any network. It has the policy's default rate and default lifetime;
    /// without a default lifetime, it has the maximum lifetime if there is one. It has no scopes of
    /// its own: a service account's key has all scopes of the account's role, and any other key has
    /// the plan's default scopes.
    ///
    /// ```
    /// use keywright::{Name, NewKey};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let name = Name::new("prod-main-app")?;
    /// let issued = authority.generate(&alice, NewKey::new(name)).await?;
    /// assert!(issued.key.scopes.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new(name: Name) -> Self {
        Self {
            owner: None,
            name,
            scopes: ScopeSet::empty(),
            networks: Networks::anywhere(),
            rate: None,
            description: None,
            contact: None,
            metadata: Metadata::default(),
            ticket: None,
            not_before: None,
            expiry: Expiry::Default,
        }
    }

    /// Creates the description of a key with this name, given as text.
    ///
    /// Everything else is as in [`new`](Self::new).
    ///
    /// ```
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// assert_eq!(issued.key.name.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`NameError`] if the text is not a valid name.
    pub fn named(name: impl AsRef<str>) -> Result<Self, NameError> {
        Ok(Self::new(Name::new(name)?))
    }

    /// Sets the owner.
    ///
    /// The default is the actor who generates the key. To name another owner, the actor needs the
    /// permission [`GENERATE_ANY`](crate::Permissions::GENERATE_ANY).
    ///
    /// ```
    /// use keywright::{NewKey, Owner, UserId};
    ///
    /// # use keywright::{Actor, Keywright, Policy, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let alice = Owner::User(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.owner(alice.clone());
    /// let issued = authority.generate(&ada, new).await?;
    /// assert_eq!(issued.key.owner, alice);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Sets the key's scopes.
    ///
    /// They must be in the catalog of the tenant's plan ([`Plan::scopes`](crate::Plan::scopes)) and,
    /// for a service account's key, in the account's role. A key without scopes follows the plan's
    /// default scopes or the role.
    ///
    /// ```
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// let issued = authority.generate(&alice, new).await?;
    /// assert_eq!(issued.key.scopes.to_string(), "invoices:read");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes, ..self }
    }

    /// Sets the networks that the key may be used from.
    ///
    /// ```
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let verifier = keywright.verifier();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.networks("203.0.113.0/24".parse()?);
    /// let issued = authority.generate(&alice, new).await?;
    ///
    /// // `verify` does not know the source address, so it refuses the key.
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn networks(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// Sets the key's own rate.
    ///
    /// Only an administrator can set a rate above the default rate, up to the plan's highest rate.
    ///
    /// The default is the policy's default rate.
    ///
    /// ```
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.rate("100/60s".parse()?);
    /// let issued = authority.generate(&alice, new).await?;
    /// assert_eq!(issued.key.rate.map(|rate| rate.uses()), Some(100));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn rate(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// Sets the description: the business need of the key.
    ///
    /// ```
    /// use keywright::{Description, NewKey};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let description = Description::new("Sends invoices to the archive")?;
    /// let new = NewKey::named("prod-main-app")?.description(description.clone());
    /// let issued = authority.generate(&alice, new).await?;
    /// assert_eq!(issued.key.description, Some(description));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn description(self, description: Description) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Sets the contact: the technical owner, who is told before a rotation.
    ///
    /// ```
    /// use keywright::{Contact, NewKey};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let contact = Contact::new("billing-team@example.com")?;
    /// let new = NewKey::named("prod-main-app")?.contact(contact.clone());
    /// let issued = authority.generate(&alice, new).await?;
    /// assert_eq!(issued.key.contact, Some(contact));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn contact(self, contact: Contact) -> Self {
        Self { contact: Some(contact), ..self }
    }

    /// Sets the metadata: key-value notes that the host keeps on the key.
    ///
    /// ```
    /// use keywright::{Metadata, NewKey};
    ///
    /// # use keywright::{Actor, Keywright, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let metadata = Metadata::new([("team", "billing")])?;
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?.metadata(metadata)).await?;
    /// assert_eq!(issued.key.metadata.get("team"), Some("billing"));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// Sets the ticket of the form, so that a form that is sent twice generates one key.
    ///
    /// A second call with the same ticket by the same actor fails with
    /// [`GenerateError::TicketUsed`](crate::GenerateError::TicketUsed), which names the first key.
    ///
    /// ```
    /// use keywright::{GenerateError, NewKey};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.ticket(authority.ticket()?);
    /// let issued = authority.generate(&alice, new.clone()).await?;
    /// match authority.generate(&alice, new).await {
    ///     Err(GenerateError::TicketUsed { key }) => assert_eq!(key, issued.key.id),
    ///     again => drop(again?),
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn ticket(self, ticket: Ticket) -> Self {
        Self { ticket: Some(ticket), ..self }
    }

    /// Sets the time from which the key is valid.
    ///
    /// By default, the key is valid at once. A time that has passed has the same effect.
    ///
    /// ```
    /// use keywright::{KeyStatus, NewKey, Timestamp};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let launch: Timestamp = "2999-01-01T00:00:00Z".parse()?;
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?.not_before(launch)).await?;
    /// assert_eq!(issued.key.status(issued.key.created_at), KeyStatus::Scheduled);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn not_before(self, time: Timestamp) -> Self {
        Self { not_before: Some(time), ..self }
    }

    /// Sets the time at which the key expires.
    ///
    /// The last call of `expires_at`, `expires_in`, `expires_in_days` and `never_expires` counts.
    ///
    /// ```
    /// use keywright::{NewKey, Timestamp};
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let end: Timestamp = "2999-01-01T00:00:00Z".parse()?;
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?.expires_at(end)).await?;
    /// assert_eq!(issued.key.expires_at, Some(end));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn expires_at(self, time: Timestamp) -> Self {
        Self { expiry: Expiry::At(time), ..self }
    }

    /// Sets the lifetime: the key expires this long after it is generated.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let hour = Duration::from_secs(3_600);
    /// let key = authority.generate(&alice, NewKey::named("test-import")?.expires_in(hour)).await?.key;
    /// assert_eq!(key.expires_at, Some(key.created_at.saturating_add(hour)));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn expires_in(self, lifetime: Duration) -> Self {
        Self { expiry: Expiry::In(lifetime), ..self }
    }

    /// Sets the lifetime in days of 24 hours.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.expires_in_days(90);
    /// let key = authority.generate(&alice, new).await?.key;
    /// let lifetime = key.expires_at.map(|end| end.since(key.created_at));
    /// assert_eq!(lifetime, Some(Duration::from_secs(90 * 86_400)));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn expires_in_days(self, days: u32) -> Self {
        self.expires_in(Duration::from_secs(u64::from(days) * 86_400))
    }

    /// Sets no expiry, even if the policy has a default lifetime.
    ///
    /// A policy with a maximum lifetime refuses such a key.
    ///
    /// ```
    /// use keywright::NewKey;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let new = NewKey::named("prod-main-app")?.never_expires();
    /// let issued = authority.generate(&alice, new).await?;
    /// assert_eq!(issued.key.expires_at, None);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn never_expires(self) -> Self {
        Self { expiry: Expiry::Never, ..self }
    }
}

/// A new key that meets the rules and still lacks its id and prefix.
pub(crate) struct CheckedKey<'a> {
    new: &'a NewKey,
    owner: &'a Owner,
    actor: &'a Actor,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
}

impl NewKey {
    /// Checks every rule that depends on the policy and the time. `account` is the owner, if the
    /// owner is a service account.
    pub(crate) fn check<'a>(
        &'a self,
        owner: &'a Owner,
        actor: &'a Actor,
        policy: PolicyInForce<'_>,
        account: Option<&ServiceAccount>,
        now: Timestamp,
    ) -> Result<CheckedKey<'a>, RuleError> {
        check_name(&self.name, policy)?;
        check_scopes(&self.scopes, owner, account, policy)?;
        let expires_at = self.expiry(policy, now)?;
        // A start that has passed is dropped: the key is valid from its creation on.
        let not_before = self.not_before.filter(|begin| !begin.has_passed(now));
        if let (Some(not_before), Some(expires_at)) = (not_before, expires_at)
            && expires_at.has_passed(not_before)
        {
            return Err(RuleError::NeverValid { not_before, expires_at });
        }
        check_rate(self.rate, owner, actor, policy)?;
        Ok(CheckedKey { new: self, owner, actor, not_before, expires_at, now })
    }

    fn expiry(
        &self,
        policy: PolicyInForce<'_>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, RuleError> {
        let after = |lifetime: Duration| {
            let end = now.checked_add(lifetime).ok_or(RuleError::LifetimeOverflow(lifetime))?;
            // A timestamp counts microseconds, so a shorter lifetime ends at `now`.
            if end.has_passed(now) {
                return Err(RuleError::ZeroLifetime);
            }
            Ok(Some(end))
        };
        let (expires, field) = match (self.expiry, policy.default_lifetime().value) {
            // A maximum has no upper limit. If it ends after the last possible time, that time is
            // the expiry.
            (Expiry::Default, Some(lifetime)) => {
                (Some(now.saturating_add(lifetime)), ExpiryField::ExpiresIn)
            }
            (Expiry::In(lifetime), _) => (after(lifetime)?, ExpiryField::ExpiresIn),
            (Expiry::Default, None) => (None, ExpiryField::ExpiresIn),
            (Expiry::Never, _) => (None, ExpiryField::NeverExpires),
            (Expiry::At(time), _) if time.has_passed(now) => {
                return Err(RuleError::ExpiryPassed(time));
            }
            (Expiry::At(time), _) => (Some(time), ExpiryField::ExpiresAt),
        };
        check_lifetime(expires.map(|expires| expires.since(now)), field, policy)?;
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
            description: new.description.clone(),
            contact: new.contact.clone(),
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
