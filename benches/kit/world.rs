//! A tenant to measure in: a stored policy, a service account, and an administrator.

use futures_lite::future::block_on;
use keywright::store::KeyStore;
use keywright::{
    Access, Actor, Authority, Issued, Keywright, Name, NewAccount, NewKey, Owner, PepperRing, Plan,
    Prefix, Role, RoleName, Scope, ScopeSet, SettingsEdit, TenantId, UserId, Verifier,
};

/// A setup with a stored policy and a service account.
#[derive(Clone, Debug)]
pub struct World {
    pub authority: Authority,
    pub verifier: Verifier,
    pub admin: Actor,
    pub account: Owner,
    pub scope: Scope,
}

impl World {
    /// The prefix of all keys.
    const PREFIX: &str = "acme_live";
    /// The length of all tokens.
    pub const TOKEN_BYTES: usize = Self::PREFIX.len() + 1 + 16 + 32 + 6;

    /// Creates a world in the default tenant.
    ///
    /// # Panics
    /// Panics if the store fails.
    pub fn new(store: impl KeyStore, peppers: PepperRing) -> Self {
        Self::of(&Self::setup(store, peppers).build().expect("a setup"), TenantId::default())
    }

    /// Creates a world for each of many tenants of one store.
    ///
    /// # Panics
    /// Panics if the store fails.
    pub fn tenants(store: impl KeyStore, tenants: usize, peppers: PepperRing) -> Vec<Self> {
        let keywright = Self::setup(store, peppers).build().expect("a setup");
        let tenant = |n| TenantId::new(format!("tenant-{n}")).expect("an id");
        (0..tenants).map(|n| Self::of(&keywright, tenant(n))).collect()
    }

    /// Returns the builder of all worlds.
    ///
    /// # Panics
    /// Never: the prefix is valid.
    pub fn setup(store: impl KeyStore, peppers: PepperRing) -> keywright::Builder {
        let prefix = Prefix::new(Self::PREFIX).expect("a prefix");
        Keywright::builder(store).prefix(prefix).peppers(peppers)
    }

    /// Creates the policy and the account of a tenant.
    ///
    /// # Panics
    /// Panics if the store fails.
    pub fn of(keywright: &Keywright, tenant: TenantId) -> Self {
        let authority = keywright.authority();
        let verifier = keywright.verifier();
        let admin = Actor::administrator(UserId::new("ada").expect("an id")).in_tenant(tenant);
        let role = RoleName::new("worker").expect("a role");
        let scopes = |text: &str| text.parse().expect("scopes");
        let mut plan = Plan::allowing(scopes("jobs:read"), scopes("jobs:run"));
        plan.roles.insert(role.clone(), Role::new(scopes("jobs:read jobs:run")));
        block_on(authority.set_plan(&admin, plan)).expect("a plan");
        let on = SettingsEdit::new().api_enabled(Some(true));
        block_on(authority.edit_settings(&admin, on)).expect("the settings");
        let account = NewAccount::new(Name::new("worker").expect("a name"), role);
        let account =
            block_on(authority.create_account(&admin, account)).expect("an account").account;
        assert_eq!(account.access, Access::ReadWrite);
        let scope = Scope::new("jobs:run").expect("a scope");
        Self { authority, verifier, admin, account: Owner::Account(account.id), scope }
    }

    /// Generates a key of the account.
    ///
    /// # Panics
    /// Panics if the store fails.
    pub fn generate(&self, name: &str) -> Issued {
        let new = NewKey::named(name).expect("a name").owner(self.account.clone());
        block_on(self.authority.generate(&self.admin, new)).expect("a key")
    }

    /// Generates one of many keys.
    ///
    /// # Panics
    /// Panics if the store fails.
    pub fn generate_numbered(&self, number: usize) -> Issued {
        let new = self.numbered(number);
        block_on(self.authority.generate(&self.admin, new)).expect("a key")
    }

    /// Returns what one of many keys is generated from: a name of 20 bytes, one scope and an expiry,
    /// for a user with 10 keys.
    ///
    /// # Panics
    /// Never: all values are valid.
    pub fn numbered(&self, number: usize) -> NewKey {
        let owner = Owner::User(UserId::new(format!("user-{}", number / 10)).expect("an id"));
        let scopes = ScopeSet::new([self.scope.clone()]).expect("a scope");
        let name = format!("service-key-{number:08}");
        let days = 30 + u32::try_from(number % 300).expect("a small number");
        let new = NewKey::named(name).expect("a name").owner(owner).scopes(scopes);
        new.expires_in_days(days)
    }

    /// Returns the id in a token of this world.
    pub fn id_of(token: &str) -> &str {
        &token[Self::PREFIX.len() + 1..][..16]
    }
}
