//! What the integration tests share: a small world of one tenant, on each store in turn.
//!
//! The world has a clock that stands still, actors of each role, and API access turned on. Nothing
//! here asserts a promise; a step that fails ends the test that took it.

pub mod faulty;
pub mod guide;
pub mod operations;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{EventQuery, KeyStore, MAX_LIMIT, MemoryStore};
use keywright::{
    AccessRequest, AccountError, Actor, Authority, Builder, Clock, Event, GenerateError, Grant,
    Issued, KeyError, KeyId, KeyStatus, Keywright, ManualClock, Name, NewAccount, NewKey, Owner,
    PepperRing, Policy, Prefix, Reason, RoleName, ServiceAccount, SetPolicyError, TenantId,
    Timestamp, UserId, Verifier, VerifyError,
};

use self::faulty::FaultyStore;

pub type TestResult<T = ()> = Result<T, Box<dyn Error>>;

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);
/// The shortest time that a [`Timestamp`] knows.
pub const MOMENT: Duration = Duration::from_micros(1);

/// Every scope that the policy of the world knows, each in the ceiling of users' keys.
pub const SCOPES: &str = "invoices:read invoices:write reports:read";

/// One tenant with API access turned on, and those who act in it.
pub struct World {
    pub store: Arc<dyn KeyStore>,
    pub clock: ManualClock,
    pub builder: Builder,
    pub keywright: Keywright,
    pub authority: Authority,
    pub verifier: Verifier,
    /// May do everything.
    pub admin: Actor,
    /// Policy, list all, revoke any, read events.
    pub tenant_admin: Actor,
    /// A developer, who owns the keys that a test does not say more of.
    pub alice: Actor,
    /// Another developer.
    pub bob: Actor,
    pub auditor: Actor,
    /// The file that everything is kept in, if it is one.
    pub file: Option<PathBuf>,
}

/// Runs a test on a store in memory, then on one in a file of a temporary folder.
#[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
#[track_caller]
pub fn on_each_store(test: impl AsyncFn(&World) -> TestResult) {
    // What is printed is shown with a failure, and says on which store it was.
    println!("in memory");
    run(&test, MemoryStore::new(), None);
    #[cfg(feature = "file")]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("keys.db");
        println!("in a file");
        let store = block_on(keywright::store::FileStore::open(&file)).expect("a new store");
        run(&test, store.clone(), Some(&file));
        block_on(store.close()).expect("the store closes");
    }
}

#[track_caller]
fn run(test: &impl AsyncFn(&World) -> TestResult, store: impl KeyStore, file: Option<&Path>) {
    let done = block_on(async {
        let mut world = World::new(Arc::new(store)).await?;
        world.file = file.map(Path::to_owned);
        test(&world).await
    });
    if let Err(error) = done {
        panic!("a step failed: {error} ({error:?})");
    }
}

impl World {
    /// A world on a store that is empty.
    pub async fn new(store: Arc<dyn KeyStore>) -> TestResult<Self> {
        let clock = ManualClock::at("2026-01-01T09:00:00Z".parse()?);
        let builder = builder(FaultyStore::over(Arc::clone(&store)), &clock)?;
        let world = Self::assemble(store, clock, builder)?;
        let mut policy = world.authority.policy(&world.admin).await?;
        policy.api_enabled = true;
        policy.scope_ceiling = SCOPES.parse()?;
        policy.roles.insert(RoleName::new("organisation-admin")?, SCOPES.parse()?);
        policy.roles.insert(RoleName::new("analyst")?, "invoices:read reports:read".parse()?);
        world.authority.set_policy(&world.admin, policy).await?;
        Ok(world)
    }

    fn assemble(
        store: Arc<dyn KeyStore>,
        clock: ManualClock,
        builder: Builder,
    ) -> TestResult<Self> {
        let tenant = TenantId::new("globex")?;
        let keywright = builder.clone().build()?;
        Ok(Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            builder,
            keywright,
            store,
            clock,
            admin: Actor::administrator(UserId::new("ada")?).in_tenant(tenant.clone()),
            tenant_admin: Actor::tenant_admin(UserId::new("tara")?).in_tenant(tenant.clone()),
            alice: Actor::developer(UserId::new("alice-jones")?).in_tenant(tenant.clone()),
            bob: Actor::developer(UserId::new("bob-miller")?).in_tenant(tenant.clone()),
            auditor: Actor::auditor(UserId::new("audrey")?).in_tenant(tenant),
            file: None,
        })
    }

    /// The same world, its authority and verifier made anew over a store that can be told to fail.
    pub fn with_faults(&self) -> TestResult<(Self, FaultyStore)> {
        let faulty = FaultyStore::over(Arc::clone(&self.store));
        let builder = builder(faulty.clone(), &self.clock)?;
        Ok((Self::assemble(Arc::clone(&self.store), self.clock.clone(), builder)?, faulty))
    }

    /// The same world, its authority and verifier built anew with other settings over its store.
    pub fn with_settings(&self, adjust: impl FnOnce(Builder) -> Builder) -> TestResult<Self> {
        let builder = builder(FaultyStore::over(Arc::clone(&self.store)), &self.clock)?;
        Self::assemble(Arc::clone(&self.store), self.clock.clone(), adjust(builder))
    }

    /// The same world, its authority and verifier made anew with these peppers.
    pub fn with_peppers(&self, peppers: PepperRing) -> TestResult<Self> {
        self.with_settings(|builder| builder.peppers(peppers))
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// So much later than now.
    pub fn later(&self, by: Duration) -> Timestamp {
        self.now().saturating_add(by)
    }

    pub fn tenant(&self) -> &TenantId {
        self.admin.tenant()
    }

    /// A key of alice's.
    pub async fn generate(&self, new: NewKey) -> Result<Issued, GenerateError> {
        self.generate_for(&self.alice, new).await
    }

    /// A key of an actor's own.
    pub async fn generate_for(&self, actor: &Actor, new: NewKey) -> Result<Issued, GenerateError> {
        self.authority.generate(actor, new).await
    }

    /// A key of a service account's.
    pub async fn generate_under(
        &self,
        account: &ServiceAccount,
        new: NewKey,
    ) -> Result<Issued, GenerateError> {
        self.authority.generate(&self.admin, new.owner(Owner::Account(account.id))).await
    }

    /// A service account with the role of this name.
    pub async fn account(&self, name: &str, role: &str) -> TestResult<ServiceAccount> {
        let new = NewAccount::new(Name::new(name)?, RoleName::new(role)?);
        Ok(self.authority.create_account(&self.admin, new).await?)
    }

    /// Changes the tenant's policy, as its administrator.
    pub async fn set_policy(
        &self,
        change: impl FnOnce(&mut Policy),
    ) -> Result<Policy, SetPolicyError> {
        let mut policy = match self.authority.policy(&self.admin).await {
            Ok(policy) => policy,
            Err(error) => panic!("an administrator can see the policy: {error}"),
        };
        change(&mut policy);
        Ok(self.authority.set_policy(&self.admin, policy).await?.into_inner())
    }

    /// Whether a token is accepted, and if not why.
    pub async fn check(&self, issued: &Issued) -> Result<(), Reason> {
        self.check_request(&AccessRequest::token(issued.token.expose())).await
    }

    /// Whether a request is accepted, and if not why.
    pub async fn check_request(&self, request: &AccessRequest<'_>) -> Result<(), Reason> {
        decided(self.verifier.verify_request(request).await).map(|_| ())
    }

    /// A key of alice's in this status, in the overlap of a rotation (which is over for a dead one).
    /// Moves the clock by an hour if it is to be expired.
    pub async fn generate_in(&self, status: KeyStatus) -> TestResult<Issued> {
        self.generate_owned_in(&self.alice.as_owner(), status).await
    }

    /// The same for any owner.
    pub async fn generate_owned_in(&self, owner: &Owner, status: KeyStatus) -> TestResult<Issued> {
        let new = NewKey::named("prod-main-app")?;
        let new = match status {
            KeyStatus::Scheduled => new.not_before(self.later(30 * DAY)),
            KeyStatus::Expired => new.expires_in(HOUR),
            KeyStatus::Active | KeyStatus::Disabled | KeyStatus::Revoked => new,
        };
        let first = self.authority.generate(&self.admin, new.owner(owner.clone())).await?;
        let issued = self.authority.rotate(&self.admin, &first.key.id, DAY).await?;
        match status {
            KeyStatus::Expired => self.clock.advance(HOUR),
            KeyStatus::Disabled => {
                self.authority.disable(&self.admin, &issued.key.id).await?;
            }
            KeyStatus::Revoked => {
                self.authority.revoke(&self.admin, &issued.key.id).await?;
            }
            KeyStatus::Active | KeyStatus::Scheduled => {}
        }
        let is = self.status(&issued.key.id).await?;
        assert_eq!(is, status, "the key is in the status that was asked for");
        Ok(issued)
    }

    pub async fn status(&self, key: &KeyId) -> Result<KeyStatus, KeyError> {
        Ok(self.authority.key(&self.admin, key).await?.status)
    }

    /// All that the listing shows of a key to the administrator, in a form that can be compared.
    pub async fn shown(&self, key: &KeyId) -> TestResult<serde_json::Value> {
        Ok(serde_json::to_value(self.authority.key(&self.admin, key).await?)?)
    }

    /// The events of the tenant that a query selects, all of them, oldest first.
    pub async fn events(&self, query: EventQuery) -> TestResult<Vec<Event>> {
        let mut query = query.oldest_first().limit(MAX_LIMIT);
        let mut events = Vec::new();
        loop {
            let page = self.authority.events(&self.admin, &query).await?;
            events.extend(page.items);
            let Some(next) = page.next else { return Ok(events) };
            query = next;
        }
    }

    /// The events of a key, oldest first.
    pub async fn events_of(&self, key: &KeyId) -> TestResult<Vec<Event>> {
        self.events(EventQuery::new().key(*key)).await
    }

    /// The service account as it is now.
    pub async fn account_now(
        &self,
        account: &ServiceAccount,
    ) -> Result<ServiceAccount, AccountError> {
        self.authority.account(&self.admin, &account.id).await
    }
}

fn builder(store: FaultyStore, clock: &ManualClock) -> TestResult<Builder> {
    Ok(Keywright::builder(store).prefix(Prefix::new("acme_live")?).clock(clock.clone()))
}

/// What was decided. It is a failure of the test if nothing could be.
pub fn decided(verified: Result<Grant, VerifyError>) -> Result<Grant, Reason> {
    match verified {
        Ok(grant) => Ok(grant),
        Err(VerifyError::Denied(denial)) => Err(denial.reason().clone()),
        Err(error) => panic!("the store is up, and it could not be decided: {error:?}"),
    }
}

/// The secret part of a token, without its check.
pub fn secret_of(issued: &Issued) -> &str {
    &issued.token.expose_key_secret()[..32]
}
