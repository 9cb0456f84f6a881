//! A small world on a store in memory, built anew for each schedule.
//!
//! It differs from the other tests' world: that one uses the crate as published, and this one the
//! crate's source compiled against another `std`.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use shuttle::future::block_on;

use crate::authority::{Authority, Issued};
use crate::decision::SecretUsed;
use crate::keywright::{Builder, Keywright};
use crate::record::actor::Actor;
use crate::record::new_key::NewKey;
use crate::record::role::RoleName;
use crate::record::settings::SettingsEdit;
use crate::store::{KeyStore, MemoryStore};
use crate::value::digest::PepperRing;
use crate::value::id::{KeyId, TenantId, UserId};
use crate::value::time::{ManualClock, Timestamp};
use crate::verifier::{Verifier, VerifyError};

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) clock: ManualClock,
    pub(crate) builder: Builder,
    pub(crate) authority: Authority,
    pub(crate) verifier: Verifier,
    pub(crate) admin: Actor,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(MemoryStore::new(), PepperRing::none())
    }

    pub(crate) fn on(store: impl KeyStore, peppers: PepperRing) -> Self {
        let store: Arc<dyn KeyStore> = Arc::new(store);
        let now = Timestamp::from_unix_micros(1_800_000_000_000_000).expect("a time in range");
        let clock = ManualClock::at(now);
        // Every schedule draws the same ids, so that a failure can be repeated.
        let builder = Keywright::builder(Arc::clone(&store))
            .peppers(peppers)
            .clock(clock.clone())
            .random(StdRng::seed_from_u64(1));
        let keywright = builder.clone().build().expect("a keywright");
        let user = UserId::new("ada").expect("a user id");
        let tenant = TenantId::new("globex").expect("a tenant id");
        let world = Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            store,
            clock,
            builder,
            admin: Actor::administrator(user).in_tenant(tenant),
        };
        world.edit_settings(SettingsEdit::new().api_enabled(Some(true)));
        world
    }

    /// Returns a world on the same store with other peppers.
    pub(crate) fn with_peppers(&self, peppers: PepperRing) -> Self {
        let builder = self.builder.clone().peppers(peppers);
        let keywright = builder.clone().build().expect("a keywright");
        Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            builder,
            ..self.clone()
        }
    }

    /// Returns another part of the program, which shares only the store.
    pub(crate) fn apart(&self) -> Self {
        let builder = Keywright::builder(Arc::clone(&self.store)).clock(self.clock.clone());
        let keywright = builder.clone().build().expect("a keywright");
        Self { verifier: keywright.verifier(), builder, ..self.clone() }
    }

    pub(crate) fn edit_settings(&self, edit: SettingsEdit) {
        let edited = block_on(self.authority.edit_settings(&self.admin, edit));
        edited.expect("the settings are edited");
    }

    /// Raises the limit of keys by one.
    pub(crate) fn raise_limit(&self) {
        let policy = block_on(self.authority.policy(&self.admin)).expect("the policy");
        let keys = policy.max_keys_per_user.value + 1;
        self.edit_settings(SettingsEdit::new().max_keys_per_user(Some(keys)));
    }

    /// Adds a role without scopes to the plan.
    pub(crate) fn add_role(&self, role: RoleName) {
        let mut plan = block_on(self.authority.policy(&self.admin)).expect("the policy").plan;
        plan.roles.entry(role).or_default();
        block_on(self.authority.set_plan(&self.admin, plan)).expect("the plan is set");
    }

    pub(crate) fn generate(&self) -> Issued {
        self.make(NewKey::named("prod-main-app").expect("a name"))
    }

    pub(crate) fn make(&self, new: NewKey) -> Issued {
        block_on(self.authority.generate(&self.admin, new)).expect("a key")
    }

    /// Returns `current`, `retiring` or the code of the refusal.
    pub(crate) fn says(&self, token: &str) -> &'static str {
        match block_on(self.verifier.verify(token)) {
            Ok(grant) if grant.secret_used() == SecretUsed::Current => "current",
            Ok(_) => "retiring",
            Err(VerifyError::Denied(denial)) => denial.reason().code(),
            Err(error) => panic!("the store is up, and it could not be decided: {error:?}"),
        }
    }

    pub(crate) fn uses(&self, key: &KeyId) -> u64 {
        block_on(self.authority.key(&self.admin, key)).expect("the key").uses
    }

    pub(crate) fn flush(&self) {
        block_on(self.verifier.flush()).expect("the uses are written");
    }
}
