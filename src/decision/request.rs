//! The request to decide on: a credential, its source, and what it needs.

use std::net::IpAddr;
use std::time::Duration;

use crate::record::freshness::Freshness;
use crate::value::id::TenantId;
use crate::value::scope::{Access, Scope, ScopeSet};

use crate::value::token::Credential;

/// The number of scopes that a request holds without an allocation.
const INLINE: usize = 4;

/// A request to check: its credential, its source address, and the access and scopes that it needs.
///
/// ```
/// use std::net::IpAddr;
/// use keywright::{AccessRequest, Scope};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// let scope = Scope::new("invoices:read")?;
/// let request = AccessRequest::token(issued.token.expose())
///     .source(IpAddr::from([203, 0, 113, 7]))
///     .scope(&scope);
/// let grant = verifier.verify_request(&request).await?;
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct AccessRequest<'a> {
    pub(crate) credential: Credential<'a>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) access: Access,
    pub(crate) freshness: Freshness,
    needed: [Option<&'a Scope>; INLINE],
    /// Further scopes. Most requests need one scope and leave this empty.
    needed_too: Vec<&'a Scope>,
}

impl<'a> AccessRequest<'a> {
    /// Creates a request that needs only an accepted credential.
    ///
    /// ```
    /// use keywright::{AccessRequest, Credential};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let request = AccessRequest::new(Credential::Token(issued.token.expose()));
    /// assert!(verifier.verify_request(&request).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new(credential: Credential<'a>) -> Self {
        Self {
            credential,
            source: None,
            tenant: None,
            access: Access::ReadOnly,
            freshness: Freshness::StoreDefault,
            needed: [None; INLINE],
            needed_too: Vec::new(),
        }
    }

    /// Creates a request with a whole token, which needs only an accepted credential.
    ///
    /// ```
    /// use keywright::AccessRequest;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let request = AccessRequest::token(issued.token.expose());
    /// assert!(verifier.verify_request(&request).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn token(token: &'a str) -> Self {
        Self::new(Credential::Token(token))
    }

    /// Creates a request with a key id and a key secret, which needs only an accepted credential.
    ///
    /// ```
    /// use keywright::AccessRequest;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let (id, secret) = (issued.token.key_id(), issued.token.expose_key_secret());
    /// let request = AccessRequest::parts(id.as_str(), secret);
    /// assert!(verifier.verify_request(&request).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn parts(key_id: &'a str, key_secret: &'a str) -> Self {
        Self::new(Credential::Parts { key_id, key_secret })
    }

    /// Sets the source address.
    ///
    /// Without a source address, a key that is bound to networks is refused.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use keywright::AccessRequest;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let new = NewKey::named("prod-office")?.networks("203.0.113.0/24".parse()?);
    /// let office = authority.generate(&alice, new).await?;
    ///
    /// let request = AccessRequest::token(office.token.expose());
    /// assert!(verifier.verify_request(&request).await.is_err());
    /// let request = request.source(IpAddr::from([203, 0, 113, 7]));
    /// assert!(verifier.verify_request(&request).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn source(self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Names the tenant that the request is for.
    ///
    /// A key of another tenant is then [`Unrecognized`](crate::Reason::Unrecognized), like an
    /// unknown key. Without a tenant, the keys of all tenants are accepted, and
    /// [`Grant::tenant`](crate::Grant::tenant) says which tenant the key belongs to.
    ///
    /// ```
    /// use keywright::{AccessRequest, Reason, TenantId};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// let (acme, globex) = (TenantId::new("acme")?, TenantId::new("globex")?);
    /// let alice = Actor::developer(UserId::new("alice")?).in_tenant(acme.clone());
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    ///
    /// let request = AccessRequest::token(issued.token.expose());
    /// verifier.verify_request(&request.clone().tenant(&acme)).await?;
    /// let error = verifier.verify_request(&request.tenant(&globex)).await.expect_err("not globex's");
    /// assert_eq!(error.denial().map(|denial| denial.reason()), Some(&Reason::Unrecognized));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn tenant(self, tenant: &'a TenantId) -> Self {
        Self { tenant: Some(tenant.as_str()), ..self }
    }

    /// Sets the access that the request needs.
    ///
    /// The default is [`Access::ReadOnly`].
    ///
    /// A key of a read-only account is refused write access. **Keys of users and of the organization
    /// are never read-only**: their scopes decide what they may change.
    ///
    /// ```
    /// use keywright::{Access, AccessRequest};
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Owner, Policy};
    /// # use keywright::{Role, RoleName, UserId};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("analyst")?, Role::new("invoices:read reports:read".parse()?));
    /// # let store = keywright::store::MemoryStore::new();
    /// # let keywright = Keywright::builder(store).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let account = NewAccount::new(Name::new("nightly-report")?, RoleName::new("analyst")?);
    /// # let account = authority.create_account(&ada, account.read_only()).await?.account;
    /// # let new = NewKey::named("prod-nightly")?.owner(Owner::Account(account.id));
    /// # let issued = authority.generate(&ada, new).await?;
    /// let request = AccessRequest::token(issued.token.expose());
    /// assert!(verifier.verify_request(&request).await.is_ok());
    /// let request = request.access(Access::ReadWrite);
    /// assert!(verifier.verify_request(&request).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Requires write access, like [`access`](Self::access) with [`Access::ReadWrite`].
    ///
    /// ```
    /// use keywright::AccessRequest;
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Owner, Policy};
    /// # use keywright::{Role, RoleName, UserId};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("analyst")?, Role::new("invoices:read reports:read".parse()?));
    /// # let store = keywright::store::MemoryStore::new();
    /// # let keywright = Keywright::builder(store).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let account = NewAccount::new(Name::new("nightly-report")?, RoleName::new("analyst")?);
    /// # let account = authority.create_account(&ada, account.read_only()).await?.account;
    /// # let new = NewKey::named("prod-nightly")?.owner(Owner::Account(account.id));
    /// # let issued = authority.generate(&ada, new).await?;
    /// let request = AccessRequest::token(issued.token.expose()).write();
    /// assert!(verifier.verify_request(&request).await.is_err(), "the account is read-only");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn write(self) -> Self {
        self.access(Access::ReadWrite)
    }

    /// Limits the age of the store's answer for this request.
    ///
    /// The store's own bound still applies if it is lower.
    ///
    /// With zero, a cache always asks the store behind it. Stores that do not cache ignore the
    /// setting.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::AccessRequest;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let request = AccessRequest::token(issued.token.expose()).max_age(Duration::ZERO);
    /// let grant = verifier.verify_request(&request).await?;
    /// assert_eq!(grant.age().duration(), Duration::ZERO);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn max_age(self, age: Duration) -> Self {
        Self { freshness: Freshness::AtMost(age), ..self }
    }

    /// Requires a scope, in addition to the scopes required before.
    ///
    /// ```
    /// use keywright::{AccessRequest, Scope};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let scope = Scope::new("invoices:write")?;
    /// let request = AccessRequest::token(issued.token.expose()).scope(&scope);
    /// assert!(verifier.verify_request(&request).await.is_err(), "the key may only read");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn scope(mut self, scope: &'a Scope) -> Self {
        match self.needed.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(scope),
            None => self.needed_too.push(scope),
        }
        self
    }

    /// Requires all of these scopes, in addition to the scopes required before.
    ///
    /// ```
    /// use keywright::{AccessRequest, ScopeSet};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let scopes: ScopeSet = "invoices:read invoices:write".parse()?;
    /// let request = AccessRequest::token(issued.token.expose()).scopes(&scopes);
    /// assert!(verifier.verify_request(&request).await.is_err(), "the key may only read");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn scopes(self, scopes: &'a ScopeSet) -> Self {
        scopes.iter().fold(self, Self::scope)
    }

    /// Returns the first needed scope that `is_missing`.
    #[inline]
    pub(crate) fn first_needed(&self, is_missing: impl Fn(&Scope) -> bool) -> Option<&'a Scope> {
        // The places are filled in order, so the first empty one ends them.
        for place in &self.needed {
            let scope = (*place)?;
            if is_missing(scope) {
                return Some(scope);
            }
        }
        self.needed_too.iter().copied().find(|scope| is_missing(scope))
    }
}
