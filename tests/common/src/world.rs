//! The world of the tests: an authority and a verifier over one store, with a clock that only the test
//! moves, and those who act in it.
//!
//! Nothing here asserts a promise; a step that fails ends the test that took it.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::conformance::InterceptedStore;
use keywright::store::{EventQuery, Freshness, KeyStore, MemoryStore};
use keywright::{
    AccessRequest, AccountError, Actor, Authority, Builder, Clock, Event, GenerateError, Issued,
    KeyError, KeyId, KeyStatus, Keywright, ManualClock, Name, NewAccount, NewKey, Owner,
    PepperRing, Policy, Prefix, Reason, RoleName, ServiceAccount, SetPolicyError, TenantId,
    Timestamp, Verifier,
};
use serde_json::Value;

use crate::actors::{
    admin, auditor, developer, named, open, open_policy, other_admin, tenant_admin,
};
use crate::answers::{decided, says};
use crate::faults::Faults;
use crate::time::{DAY, HOUR, start};
use crate::visible_state::all_events;

pub type TestResult<T = ()> = Result<T, Box<dyn Error>>;

/// Two tenants on one store, and those who act in them.
pub struct World {
    /// Where everything is kept.
    pub store: Arc<dyn KeyStore>,
    pub clock: ManualClock,
    pub builder: Builder,
    pub keywright: Keywright,
    pub authority: Authority,
    pub verifier: Verifier,
    /// May do everything in the first tenant.
    pub admin: Actor,
    /// Policy, list all, revoke any, read events.
    pub tenant_admin: Actor,
    /// A developer, who owns the keys that a test does not say more of.
    pub alice: Actor,
    /// Another developer.
    pub bob: Actor,
    pub auditor: Actor,
    /// May do everything in the second tenant.
    pub other: Actor,
    /// What was handed out, under a name of the test's own.
    pub issued: Vec<(&'static str, Issued)>,
    /// The file that everything is kept in, if it is one.
    pub file: Option<PathBuf>,
}

impl World {
    /// A world in which nothing has happened yet.
    pub fn bare(store: impl KeyStore) -> Self {
        let (store, clock): (Arc<dyn KeyStore>, _) = (Arc::new(store), ManualClock::at(start()));
        let builder = builder(Arc::clone(&store), &clock);
        Self::assemble(store, clock, builder)
    }

    /// A world in which the administrator of the first tenant has set the open policy.
    pub fn new(store: impl KeyStore) -> Self {
        let world = Self::bare(store);
        block_on(world.set_policy(open)).expect("the policy is set");
        world
    }

    /// A world in which nothing is stored, and every tenant without a policy has the open one.
    pub fn on(store: impl KeyStore) -> Self {
        Self::with(store, |builder| builder)
    }

    /// The same with other settings.
    pub fn with(store: impl KeyStore, change: impl FnOnce(Builder) -> Builder) -> Self {
        let world = Self::bare(store);
        world.with_settings(|builder| change(builder.default_policy(open_policy())))
    }

    /// The same on a store in memory.
    pub fn in_memory() -> Self {
        Self::on(MemoryStore::new())
    }

    /// The same, over a store that can be told to fail.
    pub fn faulty(change: impl FnOnce(Builder) -> Builder) -> (Self, Faults) {
        let (world, faults) = Self::bare(MemoryStore::new())
            .with_faults_and(|builder| change(builder.default_policy(open_policy())));
        (world, faults)
    }

    fn assemble(store: Arc<dyn KeyStore>, clock: ManualClock, builder: Builder) -> Self {
        let keywright = builder.clone().build().expect("the settings are possible");
        Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            builder,
            keywright,
            store,
            clock,
            admin: admin(),
            tenant_admin: tenant_admin(),
            alice: developer("alice"),
            bob: developer("bob"),
            auditor: auditor(),
            other: other_admin(),
            issued: Vec::new(),
            file: None,
        }
    }

    /// The same world, its authority and verifier made anew over a store that can be told to fail.
    pub fn with_faults(&self) -> TestResult<(Self, Faults)> {
        Ok(self.with_faults_and(|builder| builder))
    }

    fn with_faults_and(&self, change: impl FnOnce(Builder) -> Builder) -> (Self, Faults) {
        let faults = Faults::default();
        let store = InterceptedStore::new(Arc::clone(&self.store), faults.clone());
        let builder = change(builder(Arc::new(store), &self.clock));
        (Self::assemble(Arc::clone(&self.store), self.clock.clone(), builder), faults)
    }

    /// The same world, its authority and verifier made anew with other settings.
    pub fn with_settings(&self, change: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = change(self.builder.clone());
        Self::assemble(Arc::clone(&self.store), self.clock.clone(), builder)
    }

    /// The same world, its authority and verifier made anew with these peppers.
    pub fn with_peppers(&self, peppers: PepperRing) -> TestResult<Self> {
        Ok(self.with_settings(|builder| builder.peppers(peppers)))
    }

    /// Goes on with other settings on the same store.
    pub fn rebuild(&mut self, change: impl FnOnce(Builder) -> Builder) {
        self.builder = change(self.builder.clone());
        self.keywright = self.builder.clone().build().expect("the settings are possible");
        self.authority = self.keywright.authority();
        self.verifier = self.keywright.verifier();
    }

    /// Lets go of the store and goes on with this one, such as the same one opened again.
    pub fn reopen(&mut self, store: impl KeyStore) {
        let store: Arc<dyn KeyStore> = Arc::new(store);
        let builder = builder(Arc::clone(&store), &self.clock);
        let issued = std::mem::take(&mut self.issued);
        *self = Self { issued, ..Self::assemble(store, self.clock.clone(), builder) };
    }

    /// Lets go of the store, so that its file is free.
    pub fn let_go(&mut self) {
        self.reopen(MemoryStore::new());
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

    /// A key of alice's with nothing said of it.
    pub async fn key(&self) -> Issued {
        self.key_of(&self.alice, named("prod-main-app")).await
    }

    /// A key of `actor`'s own, which must be possible.
    pub async fn key_of(&self, actor: &Actor, new: NewKey) -> Issued {
        self.generate_for(actor, new).await.expect("a key")
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

    /// A key of the administrator's own, for callers that are not async.
    pub fn issue(&self, name: &str) -> Issued {
        block_on(self.key_of(&self.admin, named(name)))
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
        let policy = self.authority.policy(&self.admin).await;
        let mut policy = policy.expect("an administrator can see the policy");
        change(&mut policy);
        Ok(self.authority.set_policy(&self.admin, policy).await?.into_inner())
    }

    /// The same for callers that are not async; it must be possible.
    pub fn change_policy(&self, change: impl FnOnce(&mut Policy)) {
        block_on(self.set_policy(change)).expect("the policy is set");
    }

    /// Whether a token is accepted, and if not why.
    pub async fn check(&self, issued: &Issued) -> Result<(), Reason> {
        self.check_request(&AccessRequest::token(issued.token.expose())).await
    }

    /// Whether a request is accepted, and if not why.
    pub async fn check_request(&self, request: &AccessRequest<'_>) -> Result<(), Reason> {
        decided(self.verifier.verify_request(request).await).map(|_| ())
    }

    /// What a verify says: which secret it was, or the code of the reason against it.
    #[track_caller]
    pub fn says(&self, token: &str) -> &'static str {
        says(&self.verifier, token)
    }

    /// A key of alice's in this status, in the overlap of a rotation (which is over for a dead one).
    /// Moves the clock by an hour if it is to be expired.
    pub async fn generate_in(&self, status: KeyStatus) -> TestResult<Issued> {
        self.generate_owned_in(&self.alice.as_owner(), status).await
    }

    /// The same for any owner.
    pub async fn generate_owned_in(&self, owner: &Owner, status: KeyStatus) -> TestResult<Issued> {
        let new = named("prod-main-app");
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
    pub async fn shown(&self, key: &KeyId) -> TestResult<Value> {
        Ok(serde_json::to_value(self.authority.key(&self.admin, key).await?)?)
    }

    /// The record of a key as the store has it, as JSON.
    pub async fn stored(&self, key: &KeyId) -> Value {
        let found = self.store.resolve(key, Freshness::Usual).await;
        let found = found.expect("the store works").expect("a key");
        serde_json::to_value(found.record()).expect("a record serializes")
    }

    /// The events of the tenant that a query selects, all of them, oldest first.
    pub async fn events(&self, query: EventQuery) -> TestResult<Vec<Event>> {
        Ok(all_events(&self.authority, &self.admin, query).await)
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

fn builder(store: Arc<dyn KeyStore>, clock: &ManualClock) -> Builder {
    let prefix = Prefix::new("acme_live").expect("a prefix");
    Keywright::builder(store).prefix(prefix).clock(clock.clone())
}
