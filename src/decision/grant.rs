//! Grants: the proof that a credential was accepted, and what its key may do.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::freshness::Age;
use crate::record::key::{Key, Owner};
use crate::record::policy::Policy;
use crate::record::scopes_in_force::ScopesInForce;
use crate::record::snapshot::Snapshot;
use crate::value::digest::Digest;
use crate::value::id::{KeyId, TenantId};
use crate::value::scope::{Access, Scope, ScopeSet};
use crate::value::time::Timestamp;

use super::denial::{Denial, Reason};

/// Tells which of a key's two secrets a client presented.
///
/// Two secrets work during the overlap of a rotation.
///
/// ```
/// use std::time::Duration;
/// use keywright::SecretUsed;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// let rotated = authority.rotate(&alice, &issued.key.id, Duration::from_secs(86_400)).await?;
/// let old = verifier.verify(issued.token.expose()).await?;
/// let new = verifier.verify(rotated.token.expose()).await?;
/// assert_eq!(old.secret_used(), SecretUsed::Retiring);
/// assert_eq!(new.secret_used(), SecretUsed::Current);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SecretUsed {
    /// The current secret.
    Current,
    /// The secret before the current one, during the overlap of a rotation.
    Retiring,
}

/// The proof that a credential was accepted, which only a verification can create.
///
/// A grant is for one request. Do not keep it: a later revocation does not end it. A grant cannot
/// be deserialized or turned into an [`Actor`](crate::Actor), so a key never manages keys.
///
/// ```
/// use keywright::Scope;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// let grant = verifier.verify(issued.token.expose()).await?;
/// assert_eq!(grant.owner().to_string(), "user:alice");
/// assert!(grant.allows(&Scope::new("invoices:read")?));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// These do not compile:
///
/// ```compile_fail
/// fn forge(key: keywright::Key) -> keywright::Grant { keywright::Grant { key } }
/// ```
/// ```compile_fail
/// fn forge() -> serde_json::Result<keywright::Grant> { serde_json::from_str("{}") }
/// ```
/// ```compile_fail
/// fn manage(grant: keywright::Grant) -> keywright::Actor { grant.into() }
/// ```
///
/// See [In a web service](crate::guide::web) in the guide.
#[derive(Clone)]
pub struct Grant {
    pub(super) snapshot: Arc<Snapshot>,
    /// The host's default policy, if the tenant has no stored plan.
    pub(super) default_policy: Option<Arc<Policy>>,
    pub(super) secret_used: SecretUsed,
    pub(super) at: Timestamp,
    pub(super) age: Age,
}

impl Grant {
    /// Creates the grant for a key whose current secret was presented, and which
    /// [`quick::accepts`](super::quick::accepts) or `decide` has accepted at `now`.
    pub(crate) fn of_current(
        snapshot: &Arc<Snapshot>,
        age: Age,
        default_policy: &Arc<Policy>,
        now: Timestamp,
    ) -> Self {
        // A clone changes a counter that other requests share, so it is made only where it is
        // needed.
        let default_policy = snapshot.head().has_no_plan().then(|| Arc::clone(default_policy));
        let (snapshot, secret_used) = (Arc::clone(snapshot), SecretUsed::Current);
        Self { snapshot, default_policy, secret_used, at: now, age }
    }

    /// Returns the key that the credential belongs to.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.key().name.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn key(&self) -> &Key {
        self.snapshot.record().key()
    }

    /// Returns the key's id.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(*grant.key_id(), issued.key.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn key_id(&self) -> &KeyId {
        &self.key().id
    }

    /// Returns the key's tenant.
    ///
    /// ```
    /// use keywright::TenantId;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(*grant.tenant(), TenantId::default());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn tenant(&self) -> &TenantId {
        &self.key().tenant
    }

    /// Returns the user or service account that the key acts for.
    ///
    /// The same id in another tenant is another owner. Store a user's data under both the
    /// [`tenant`](Self::tenant) and the owner.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// let place = format!("{}/{}", grant.tenant(), grant.owner());
    /// assert_eq!(place, "default/user:alice");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn owner(&self) -> &Owner {
        &self.key().owner
    }

    /// Returns the service account that owns the key, or `None` if a user or the
    /// organization owns it.
    ///
    /// ```
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
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// let name = grant.account().map(|account| account.name.as_str());
    /// assert_eq!(name, Some("nightly-report"));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn account(&self) -> Option<&ServiceAccount> {
        self.snapshot.account()
    }

    /// Returns which of the key's secrets the client presented.
    ///
    /// During an overlap, this shows which clients still use the old secret.
    ///
    /// ```
    /// use keywright::SecretUsed;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// if grant.secret_used() == SecretUsed::Retiring {
    ///     eprintln!("key {} is still used with its old secret", grant.key_id());
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn secret_used(&self) -> SecretUsed {
        self.secret_used
    }

    /// Returns the time of the verification.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert!(grant.decided_at() >= issued.key.created_at);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn decided_at(&self) -> Timestamp {
        self.at
    }

    /// Returns an upper bound on the age of the store's answer: zero unless the store caches.
    ///
    /// With an age of 2 s, for example, the verification saw every revocation that the store
    /// acknowledged more than 2 s before [`decided_at`](Self::decided_at).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.age().duration(), Duration::ZERO);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn age(&self) -> Age {
        self.age
    }

    /// Returns whether the key may write or only read.
    ///
    /// The key of a service account has the access of the account. Any other key may always
    /// write, within its scopes.
    ///
    /// ```
    /// use keywright::Access;
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
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.access(), Access::ReadOnly);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn access(&self) -> Access {
        self.snapshot.access()
    }

    /// Returns whether the key has this scope.
    ///
    /// A key of a read-only account never has a scope that the plan lists as one for writing.
    ///
    /// ```
    /// use keywright::Scope;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert!(grant.allows(&Scope::new("invoices:read")?));
    /// assert!(!grant.allows(&Scope::new("invoices:write")?));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn allows(&self, scope: &Scope) -> bool {
        self.scopes_in_force().is_some_and(|scopes| scopes.contains(scope))
    }

    /// Returns all scopes that the key has.
    ///
    /// To check one scope, [`Grant::allows`] is cheaper.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.scopes().to_string(), "invoices:read");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn scopes(&self) -> ScopeSet {
        self.scopes_in_force().map_or_else(ScopeSet::empty, ScopesInForce::to_set)
    }

    /// Checks that the key has a scope.
    ///
    /// Use this method if the required scope is known only inside of the handler. Otherwise,
    /// [`AccessRequest::scope`](crate::AccessRequest::scope) checks it during the verification.
    ///
    /// ```
    /// use keywright::{Reason, Scope};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// grant.require(&Scope::new("invoices:read")?)?;
    ///
    /// let write = Scope::new("invoices:write")?;
    /// let denial = grant.require(&write).err();
    /// assert_eq!(denial.map(|denial| denial.reason().clone()), Some(Reason::MissingScope(write)));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Denial`] with [`Reason::MissingScope`].
    pub fn require(&self, scope: &Scope) -> Result<(), Denial> {
        if self.allows(scope) {
            return Ok(());
        }
        Err(Denial::of(*self.key_id(), Reason::MissingScope(scope.clone())))
    }

    /// Checks that the key may write.
    ///
    /// Use this method if only the handler can tell whether the request writes. Otherwise,
    /// [`AccessRequest::write`](crate::AccessRequest::write) checks it during the verification.
    ///
    /// ```
    /// use keywright::Reason;
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
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// let denial = grant.require_write().err();
    /// assert_eq!(denial.map(|denial| denial.reason().clone()), Some(Reason::ReadOnly));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Denial`] with [`Reason::ReadOnly`].
    pub fn require_write(&self) -> Result<(), Denial> {
        if self.access().covers(Access::ReadWrite) {
            return Ok(());
        }
        Err(Denial::of(*self.key_id(), Reason::ReadOnly))
    }

    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Returns the number of the secret that was presented.
    pub(crate) fn secret_number(&self) -> u32 {
        match self.secret_used {
            SecretUsed::Current => self.key().secret_number,
            SecretUsed::Retiring => self.key().secret_number.saturating_sub(1),
        }
    }

    /// Returns the stored digest of the secret that was presented.
    pub(crate) fn digest_used(&self) -> &Digest {
        let record = self.snapshot.record();
        record.digest_of(self.secret_number()).unwrap_or(record.digest())
    }

    fn scopes_in_force(&self) -> Option<ScopesInForce<'_>> {
        let default = self.default_policy.as_deref().map(|policy| &policy.plan);
        let plan = self.snapshot.plan().or(default)?;
        Some(ScopesInForce::of(self.key(), self.account(), plan))
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("key", self.key_id())
            .field("tenant", self.tenant())
            .field("owner", self.owner())
            .field("secret_used", &self.secret_used)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
