//! The world of the tests: an authority and a verifier over one store, a clock that only the test moves, and
//! actors.
//!
//! Its functions check no promise of the crate. If one of them fails, the test fails.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::conformance::InterceptedStore;
use keywright::store::{EventQuery, Freshness, KeyStore, MemoryStore};
use keywright::{
    AccessRequest, AccountError, Actor, Authority, Builder, Clock, EffectivePolicy, Event,
    GenerateError, Issued, KeyError, KeyId, KeyStatus, Keywright, ManualClock, Name, NewAccount,
    NewKey, Owner, PepperRing, Policy, Prefix, Reason, RoleName, ServiceAccount, SetPolicyError,
    Settings, SettingsEdit, TenantId, Timestamp, Verifier,
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

/// Two tenants on one store, and their actors.
pub struct World {
    /// The store of both tenants.
    pub store: Arc<dyn KeyStore>,
    pub clock: ManualClock,
    pub builder: Builder,
    pub keywright: Keywright,
    pub authority: Authority,
    pub verifier: Verifier,
    /// An administrator of the first tenant.
    pub admin: Actor,
    /// An actor who may set the policy, list all keys, revoke any key and read events.
    pub tenant_admin: Actor,
    /// A developer, the owner of a key unless a test names another one.
    pub alice: Actor,
    /// Another developer.
    pub bob: Actor,
    pub auditor: Actor,
    /// An administrator of the second tenant.
    pub other: Actor,
    /// The tokens, each under a name that the test chose.
    pub issued: Vec<(&'static str, Issued)>,
    /// The path of the store's file, if it has one.
    pub file: Option<PathBuf>,
}

impl World {
    /// Creates a world with the default settings on a store.
    pub fn bare(store: impl KeyStore) -> Self {
        let (store, clock): (Arc<dyn KeyStore>, _) = (Arc::new(store), ManualClock::at(start()));
        let builder = builder(Arc::clone(&store), &clock);
        Self::assemble(store, clock, builder)
    }

    /// Creates a world in which the administrator of the first tenant has set the open policy.
    pub fn new(store: impl KeyStore) -> Self {
        let world = Self::bare(store);
        block_on(world.set_policy(open)).expect("the policy is set");
        world
    }

    /// Creates a world whose default policy is the open one. Nothing is stored.
    pub fn on(store: impl KeyStore) -> Self {
        Self::with(store, |builder| builder)
    }

    /// Creates a world whose default policy is the open one, with other settings.
    pub fn with(store: impl KeyStore, change: impl FnOnce(Builder) -> Builder) -> Self {
        let world = Self::bare(store);
        world.with_settings(|builder| change(builder.default_policy(open_policy())))
    }

    /// Creates a world whose default policy is the open one, on a store in memory.
    pub fn in_memory() -> Self {
        Self::on(MemoryStore::new())
    }

    /// Creates a world like [`World::with`] on a store in memory that can fail.
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

    /// Creates a world on the same records and clock, whose store can fail.
    pub fn with_faults(&self) -> TestResult<(Self, Faults)> {
        Ok(self.with_faults_and(|builder| builder))
    }

    fn with_faults_and(&self, change: impl FnOnce(Builder) -> Builder) -> (Self, Faults) {
        let faults = Faults::default();
        let store = InterceptedStore::new(Arc::clone(&self.store), faults.clone());
        let builder = change(builder(Arc::new(store), &self.clock));
        (Self::assemble(Arc::clone(&self.store), self.clock.clone(), builder), faults)
    }

    /// Creates a world on the same store and clock, with other settings.
    pub fn with_settings(&self, change: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = change(self.builder.clone());
        Self::assemble(Arc::clone(&self.store), self.clock.clone(), builder)
    }

    /// Creates a world on the same store and clock, with these peppers.
    pub fn with_peppers(&self, peppers: PepperRing) -> TestResult<Self> {
        Ok(self.with_settings(|builder| builder.peppers(peppers)))
    }

    /// Changes the settings of this world. The store stays.
    pub fn rebuild(&mut self, change: impl FnOnce(Builder) -> Builder) {
        self.builder = change(self.builder.clone());
        self.keywright = self.builder.clone().build().expect("the settings are possible");
        self.authority = self.keywright.authority();
        self.verifier = self.keywright.verifier();
    }

    /// Replaces the store, for example with the same one after it was reopened.
    pub fn reopen(&mut self, store: impl KeyStore) {
        let store: Arc<dyn KeyStore> = Arc::new(store);
        let builder = builder(Arc::clone(&store), &self.clock);
        let issued = std::mem::take(&mut self.issued);
        *self = Self { issued, ..Self::assemble(store, self.clock.clone(), builder) };
    }

    /// Drops the store, so that its file can be opened again.
    pub fn let_go(&mut self) {
        self.reopen(MemoryStore::new());
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the time that is `by` after now.
    pub fn later(&self, by: Duration) -> Timestamp {
        self.now().saturating_add(by)
    }

    pub fn tenant(&self) -> &TenantId {
        self.admin.tenant()
    }

    /// Generates a key of alice with default settings.
    pub async fn key(&self) -> Issued {
        self.key_of(&self.alice, named("prod-main-app")).await
    }

    /// Generates a key of `actor`, and panics if that fails.
    pub async fn key_of(&self, actor: &Actor, new: NewKey) -> Issued {
        self.generate_for(actor, new).await.expect("a key")
    }

    /// Generates a key of alice.
    pub async fn generate(&self, new: NewKey) -> Result<Issued, GenerateError> {
        self.generate_for(&self.alice, new).await
    }

    /// Generates a key of `actor`.
    pub async fn generate_for(&self, actor: &Actor, new: NewKey) -> Result<Issued, GenerateError> {
        self.authority.generate(actor, new).await
    }

    /// Generates a key of a service account.
    pub async fn generate_under(
        &self,
        account: &ServiceAccount,
        new: NewKey,
    ) -> Result<Issued, GenerateError> {
        self.authority.generate(&self.admin, new.owner(Owner::Account(account.id))).await
    }

    /// Generates a key of the administrator, for callers that are not async.
    pub fn issue(&self, name: &str) -> Issued {
        block_on(self.key_of(&self.admin, named(name)))
    }

    /// Creates a service account.
    pub async fn account(&self, name: &str, role: &str) -> TestResult<ServiceAccount> {
        let new = NewAccount::new(Name::new(name)?, RoleName::new(role)?);
        Ok(self.authority.create_account(&self.admin, new).await?.account)
    }

    /// Changes the plan and the settings of the tenant, as its administrator.
    pub async fn set_policy(
        &self,
        change: impl FnOnce(&mut Policy),
    ) -> Result<EffectivePolicy, SetPolicyError> {
        set_policy(&self.authority, &self.admin, change).await
    }

    /// Returns the rules that are in force in the tenant.
    pub async fn policy(&self) -> EffectivePolicy {
        self.authority.policy(&self.admin).await.expect("an administrator can see the policy")
    }

    /// Changes the tenant's policy, for callers that are not async. Panics if that fails.
    pub fn change_policy(&self, change: impl FnOnce(&mut Policy)) {
        block_on(self.set_policy(change)).expect("the policy is set");
    }

    /// Verifies a token, and returns the reason if it is denied.
    pub async fn check(&self, issued: &Issued) -> Result<(), Reason> {
        self.check_request(&AccessRequest::token(issued.token.expose())).await
    }

    /// Verifies a request, and returns the reason if it is denied.
    pub async fn check_request(&self, request: &AccessRequest<'_>) -> Result<(), Reason> {
        decided(self.verifier.verify_request(request).await).map(|_| ())
    }

    /// Verifies a token, and returns `current` or `retiring`, or the code of the reason for the denial.
    #[track_caller]
    pub fn says(&self, token: &str) -> &'static str {
        says(&self.verifier, token)
    }

    /// Generates a key of alice in this status, and rotates it with an overlap, which a dead key has lost.
    /// For an expired key, the clock moves by an hour.
    pub async fn generate_in(&self, status: KeyStatus) -> TestResult<Issued> {
        self.generate_owned_in(&self.alice.as_owner(), status).await
    }

    /// Generates a key like [`World::generate_in`] for any owner.
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
        assert_eq!(is, status, "the key must have the requested status");
        Ok(issued)
    }

    pub async fn status(&self, key: &KeyId) -> Result<KeyStatus, KeyError> {
        Ok(self.authority.key(&self.admin, key).await?.status)
    }

    /// Returns the entry of a key that the administrator sees, in a form that tests can compare.
    pub async fn shown(&self, key: &KeyId) -> TestResult<Value> {
        Ok(serde_json::to_value(self.authority.key(&self.admin, key).await?)?)
    }

    /// Returns the stored record of a key, as JSON.
    pub async fn stored(&self, key: &KeyId) -> Value {
        let found = self.store.resolve(key, Freshness::StoreDefault).await;
        let found = found.expect("the store works").expect("a key");
        serde_json::to_value(found.record()).expect("a record serializes")
    }

    /// Returns all events of the tenant that match a query, oldest first.
    pub async fn events(&self, query: EventQuery) -> TestResult<Vec<Event>> {
        Ok(all_events(&self.authority, &self.admin, query).await)
    }

    /// Returns the events of a key, oldest first.
    pub async fn events_of(&self, key: &KeyId) -> TestResult<Vec<Event>> {
        self.events(EventQuery::new().key(*key)).await
    }

    /// Returns the current state of a service account.
    pub async fn account_now(
        &self,
        account: &ServiceAccount,
    ) -> Result<ServiceAccount, AccountError> {
        Ok(self.authority.account(&self.admin, &account.id).await?.account)
    }
}

/// Changes the plan and the settings of the actor's tenant, each if it differs. The plan is set first, and
/// the edit has only the settings that differ.
pub async fn set_policy(
    authority: &Authority,
    actor: &Actor,
    change: impl FnOnce(&mut Policy),
) -> Result<EffectivePolicy, SetPolicyError> {
    let current = authority.policy(actor).await.expect("the actor can see the policy");
    let mut policy = Policy::default();
    (policy.plan, policy.settings) = (current.plan.clone(), current.settings.clone());
    change(&mut policy);
    if policy.plan != current.plan {
        authority.set_plan(actor, policy.plan).await?;
    }
    if policy.settings != current.settings {
        let edit = settings_edit(&current.settings, &policy.settings);
        authority.edit_settings(actor, edit).await?;
    }
    Ok(authority.policy(actor).await.expect("the actor can see the policy"))
}

/// Returns the edit with the settings that differ.
pub fn settings_edit(before: &Settings, after: &Settings) -> SettingsEdit {
    macro_rules! edit {
        ($($field:ident)*) => {{
            let mut edit = SettingsEdit::new().if_version(after.version);
            $(if before.$field != after.$field {
                edit = edit.$field(after.$field.clone());
            })*
            let mut applied = edit.applied_to(before);
            applied.version = after.version;
            assert_eq!(applied, *after, "every setting");
            edit
        }};
    }
    edit!(
        api_enabled require_expiry default_lifetime max_lifetime max_keys_per_user max_overlap
        name_pattern default_rate extensive_use suspicious_use retention event_retention
    )
}

fn builder(store: Arc<dyn KeyStore>, clock: &ManualClock) -> Builder {
    let prefix = Prefix::new("acme_live").expect("a prefix");
    Keywright::builder(store).prefix(prefix).clock(clock.clone())
}
