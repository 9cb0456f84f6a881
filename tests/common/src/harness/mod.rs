//! What the tests that try to break the stores share: a small world with a clock that stands still,
//! everything that can be seen of it in one value, and seeds that can be given.

pub mod life;
pub mod writer;

use std::env;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{
    AccountQuery, EventQuery, FileStore, KeyQuery, KeyStore, MAX_LIMIT, MemoryStore,
};
use keywright::{
    AccessRequest, Actor, Authority, Builder, Event, Issued, KeyId, Keywright, ManualClock, Name,
    NewKey, Policy, Prefix, SecretUsed, TenantId, Timestamp, UserId, Verifier, VerifyError,
};
use serde_json::{Value, json};

pub const SECOND: Duration = Duration::from_secs(1);
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);

/// Where the tests' clocks begin.
pub const BEGINNING: i64 = 1_800_000_000_000_000;

/// Two tenants on one store, with the tokens that were handed out in them.
pub struct World {
    pub store: Arc<dyn KeyStore>,
    pub clock: ManualClock,
    pub builder: Builder,
    pub keywright: Keywright,
    pub authority: Authority,
    pub verifier: Verifier,
    /// May do everything in the first tenant.
    pub admin: Actor,
    /// May do everything in the second.
    pub other: Actor,
    /// A developer of the first.
    pub alice: Actor,
    /// What was handed out, under a name of the test's own.
    pub issued: Vec<(&'static str, Issued)>,
}

impl World {
    /// A world in which the first tenant has API access turned on.
    pub fn new(store: impl KeyStore) -> Self {
        let world = Self::bare(store);
        world.set_policy(|policy| {
            policy.api_enabled = true;
            policy.scope_ceiling = "invoices:read invoices:write".parse().expect("scopes");
        });
        world
    }

    /// A world in which nothing has happened yet.
    pub fn bare(store: impl KeyStore) -> Self {
        let clock = ManualClock::at(time(BEGINNING));
        let prefix = Prefix::new("acme_live").expect("a prefix");
        let store: Arc<dyn KeyStore> = Arc::new(store);
        let builder = Keywright::builder(Arc::clone(&store)).prefix(prefix).clock(clock.clone());
        let keywright = builder.clone().build().expect("a default policy within its bounds");
        let user = |id| UserId::new(id).expect("a user id");
        let tenant = |id| TenantId::new(id).expect("a tenant id");
        Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            store,
            clock,
            builder,
            keywright,
            admin: Actor::administrator(user("ada")).in_tenant(tenant("globex")),
            other: Actor::administrator(user("otto")).in_tenant(tenant("initech")),
            alice: Actor::developer(user("alice")).in_tenant(tenant("globex")),
            issued: Vec::new(),
        }
    }

    /// Lets go of the store and goes on with this one, such as the same one opened again.
    pub fn reopen(&mut self, store: impl KeyStore) {
        let issued = std::mem::take(&mut self.issued);
        let clock = self.clock.clone();
        *self = Self { issued, ..Self::bare(store) };
        self.use_clock(clock);
    }

    /// Lets go of the store, so that its file is free.
    pub fn let_go(&mut self) {
        self.reopen(MemoryStore::new());
    }

    fn use_clock(&mut self, clock: ManualClock) {
        self.rebuild(|builder| builder.clock(clock.clone()));
        self.clock = clock;
    }

    /// Goes on with other settings on the same store.
    pub fn rebuild(&mut self, change: impl FnOnce(Builder) -> Builder) {
        self.builder = change(self.builder.clone());
        self.keywright = self.builder.clone().build().expect("a default policy within its bounds");
        self.authority = self.keywright.authority();
        self.verifier = self.keywright.verifier();
    }

    pub fn set_policy(&self, change: impl FnOnce(&mut Policy)) {
        let mut policy = block_on(self.authority.policy(&self.admin)).expect("the policy");
        change(&mut policy);
        block_on(self.authority.set_policy(&self.admin, policy)).expect("the policy is set");
    }

    /// A key of the administrator's own.
    pub fn generate(&self, name: &str) -> Issued {
        let new = NewKey::named(name).expect("a name");
        block_on(self.authority.generate(&self.admin, new)).expect("a key is generated")
    }

    /// What a verify says: which secret it was, or the code of the reason against it.
    pub fn says(&self, token: &str) -> &'static str {
        says(&self.verifier, token)
    }

    /// Everything that can be seen of both tenants, and what a verify says to each token.
    pub fn state(&self) -> Value {
        let said: Vec<_> = self
            .issued
            .iter()
            .map(|(name, issued)| json!([name, self.says(issued.token.expose())]))
            .collect();
        json!({ "globex": self.seen_by(&self.admin), "initech": self.seen_by(&self.other), "verify": said })
    }

    /// Everything of a tenant that its administrator can see.
    pub fn seen_by(&self, actor: &Actor) -> Value {
        let authority = &self.authority;
        let policy = block_on(authority.policy(actor)).expect("the policy");
        let accounts = block_on(authority.accounts(actor, &AccountQuery::new().limit(MAX_LIMIT)))
            .expect("the accounts");
        let mut keys = Vec::new();
        let mut query = KeyQuery::new().limit(MAX_LIMIT);
        loop {
            let page = block_on(authority.keys(actor, &query)).expect("the keys");
            keys.extend(page.items);
            let Some(next) = page.next else { break };
            query = next;
        }
        let events = events(authority, actor, EventQuery::new());
        json!({ "policy": policy, "accounts": accounts, "keys": keys, "events": events })
    }
}

/// All events that a query selects, oldest first.
pub fn events(authority: &Authority, actor: &Actor, query: EventQuery) -> Vec<Event> {
    let mut query = query.oldest_first().limit(MAX_LIMIT);
    let mut found = Vec::new();
    loop {
        let page = block_on(authority.events(actor, &query)).expect("the events");
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        query = next;
    }
}

/// The events of a key, oldest first.
pub fn events_of(world: &World, key: KeyId) -> Vec<Event> {
    events(&world.authority, &world.admin, EventQuery::new().key(key))
}

/// `current` or `retiring`, or the code of the reason against it.
pub fn says(verifier: &Verifier, token: &str) -> &'static str {
    let source = "203.0.113.7".parse().expect("an address");
    match block_on(verifier.verify_request(&AccessRequest::token(token).source(source))) {
        Ok(grant) if grant.secret_used() == SecretUsed::Current => "current",
        Ok(_) => "retiring",
        Err(VerifyError::Denied(denial)) => denial.reason().code(),
        Err(error) => panic!("the store is up, and it could not be decided: {error:?}"),
    }
}

pub fn time(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros).expect("a time in range")
}

pub fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Runs a test on a store in memory, then on one in a file, so many rounds on each.
pub fn on_each_store(in_memory: u32, in_a_file: u32, test: impl Fn(&World)) {
    // What is printed is shown with a failure, and says on which store it was.
    for round in 0..in_memory {
        println!("in memory, round {round}");
        test(&World::new(MemoryStore::new()));
    }
    for round in 0..in_a_file {
        println!("in a file, round {round}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a new store");
        test(&World::new(store.clone()));
        block_on(store.close()).expect("the store closes");
    }
}

/// The seed of a test that draws: from `KEYWRIGHT_SEED`, or anew. It is printed, to be given again.
pub fn seed() -> u64 {
    let seed = from_environment("KEYWRIGHT_SEED").unwrap_or_else(rand::random);
    println!("KEYWRIGHT_SEED={seed}");
    seed
}

/// How often a test does something: from the environment, or so often.
pub fn amount(variable: &str, default: u32) -> u32 {
    from_environment(variable).unwrap_or(default)
}

fn from_environment<T: FromStr<Err: Debug>>(variable: &str) -> Option<T> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text} is no number: {error:?}")))
}
