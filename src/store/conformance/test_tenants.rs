//! What every rule works with: tenants of its own, records to write, and a way to say what was wrong.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Barrier};
use std::time::Duration;
use std::{panic, thread};

use super::host::Host;
use super::run::side_by_side;
use crate::record::account::ServiceAccount;
use crate::record::admin_limits::AdminLimits;
use crate::record::event::{DetailField, Event, EventActor, EventDetails, EventKind};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::operation::Operation;
use crate::record::policy::{Policy, RoleName};
use crate::store::{
    Batch, Change, Epoch, EventQuery, KeyStore, MAX_LIMIT, StoreError, StoreErrorKind, StoredKey,
    UsageBatch, UsageDelta,
};
use crate::value::digest::PepperRing;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::random::Random;
use crate::value::scope::{Access, ScopeSet};
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

/// What every digest is made of.
pub(super) const SECRET: [u8; 32] = [b'x'; 32];

/// Where one rule works: a store, and two tenants that nobody else has.
pub(super) struct Space<'h> {
    host: &'h dyn Host,
    rule: &'static str,
    random: Random,
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) tenant: TenantId,
    pub(super) other: TenantId,
}

/// The time so many seconds after the beginning of 2026.
pub(super) fn at(seconds: u32) -> Timestamp {
    let beginning = Timestamp::from_unix_seconds(1_767_225_600).unwrap_or(Timestamp::MIN);
    beginning.saturating_add(Duration::from_secs(seconds.into()))
}

/// A batch without conditions and events.
pub(super) fn batch(changes: impl IntoIterator<Item = Change>) -> Batch {
    Batch { changes: changes.into_iter().collect(), ..Batch::default() }
}

/// The record with a change, as its next version.
pub(super) fn next(record: &KeyRecord, change: impl FnOnce(&mut Key)) -> KeyRecord {
    let mut key = record.key().clone();
    key.version += 1;
    key.updated_at = key.updated_at.saturating_add(Duration::from_secs(1));
    change(&mut key);
    KeyRecord::new(key, *record.digest())
}

/// The record under another name, as its next version.
pub(super) fn renamed(record: &KeyRecord, to: &str) -> KeyRecord {
    next(record, |key| key.name = name(to))
}

/// The account with a change, as its next version.
pub(super) fn next_account(
    account: &ServiceAccount,
    change: impl FnOnce(&mut ServiceAccount),
) -> ServiceAccount {
    let mut account = account.clone();
    account.version += 1;
    change(&mut account);
    account
}

/// A policy of this version, which says so in its limit of keys too.
pub(super) fn policy(version: u64) -> Policy {
    let max_keys_per_owner = u16::try_from(version).unwrap_or(u16::MAX);
    Policy { max_keys_per_owner, version, ..Policy::default() }
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("a name of the suite is one")
}

pub(super) fn user(id: &str) -> Owner {
    Owner::User(UserId::new(id).expect("a user id of the suite is one"))
}

impl<'h> Space<'h> {
    pub(super) fn new(host: &'h dyn Host, rule: &'static str) -> Self {
        let random = Random::system();
        let tenant = |side| {
            let id = KeyId::generate(&random).expect("the system has random numbers");
            TenantId::new(format!("{side}-{id}")).expect("a tenant id of the suite is one")
        };
        let (tenant, other) = (tenant("one"), tenant("other"));
        Self { host, rule, store: host.store(), tenant, other, random }
    }

    /// Runs a future as the host says.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut came_to = None;
        self.host.run(Box::pin(async { came_to = Some(future.await) }));
        came_to.expect("a host runs a future to its end")
    }

    /// Runs `work` so many times at once, each on a thread of its own; what each came to.
    pub(super) fn on_threads<T: Send>(
        &self,
        threads: usize,
        work: impl AsyncFn(usize) -> T + Sync,
    ) -> Vec<T> {
        let barrier = Barrier::new(threads);
        thread::scope(|scope| {
            let spawn = |number| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    self.run(work(number))
                })
            };
            let running: Vec<_> = (0..threads).map(spawn).collect();
            let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
            // A rule that is broken on a thread is broken in the words of that thread.
            ended.map(|ended| ended.unwrap_or_else(|said| panic::resume_unwind(said))).collect()
        })
    }

    /// Runs `work` so many times side by side in one task; what each came to.
    pub(super) fn in_turns<T>(&self, tasks: usize, work: impl AsyncFn(usize) -> T) -> Vec<T> {
        self.run(side_by_side((0..tasks).map(|number| work(number)).collect()))
    }

    /// Ends the rule, in words.
    #[track_caller]
    pub(super) fn broken(&self, what: impl AsRef<str>) -> ! {
        panic!("the rule {} does not hold: {}", self.rule, what.as_ref())
    }

    #[track_caller]
    pub(super) fn holds(&self, what: impl AsRef<str>, is: bool) {
        if !is {
            self.broken(what);
        }
    }

    #[track_caller]
    pub(super) fn same<T: Debug + PartialEq>(&self, what: impl AsRef<str>, seen: &T, expected: &T) {
        if seen != expected {
            self.broken(format!("{}: {seen:?} was seen, not {expected:?}", what.as_ref()));
        }
    }

    /// What a call that must succeed came to.
    #[track_caller]
    pub(super) fn done<T>(&self, what: impl AsRef<str>, result: Result<T, StoreError>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => self.broken(format!("{} failed: {error:?}", what.as_ref())),
        }
    }

    /// A call must fail, and in this way.
    #[track_caller]
    pub(super) fn refused<T>(
        &self,
        what: impl AsRef<str>,
        result: Result<T, StoreError>,
        kind: StoreErrorKind,
    ) {
        match result {
            Ok(_) => self.broken(format!("{} was accepted, not {kind:?}", what.as_ref())),
            Err(error) => self.same(what, &error.kind(), &kind),
        }
    }

    /// Writes changes that must be accepted.
    pub(super) async fn put(&self, changes: impl IntoIterator<Item = Change>) -> Epoch {
        self.done("a commit that nothing is against", self.store.commit(batch(changes)).await)
    }

    /// The key as the store has it.
    pub(super) async fn stored(&self, id: &KeyId) -> Option<StoredKey> {
        self.done("looking up a key", self.store.key(&self.tenant, id).await)
    }

    /// The key as the store has it, which must.
    pub(super) async fn found(&self, id: &KeyId) -> StoredKey {
        match self.stored(id).await {
            Some(stored) => stored,
            None => self.broken("a key that was written is absent"),
        }
    }

    /// All events of a tenant, oldest first.
    pub(super) async fn events_of(&self, tenant: &TenantId) -> Vec<Event> {
        let mut query = EventQuery::new().oldest_first().limit(MAX_LIMIT);
        let mut found = Vec::new();
        loop {
            let page = self.done("listing events", self.store.events(tenant, &query).await);
            found.extend(page.items);
            let Some(next) = page.next else { return found };
            query = next;
        }
    }

    pub(super) fn key_id(&self) -> KeyId {
        KeyId::generate(&self.random).expect("the system has random numbers")
    }

    /// A user's key in the rule's tenant.
    pub(super) fn key(&self) -> KeyRecord {
        self.key_of(&user("alice"))
    }

    pub(super) fn key_of(&self, owner: &Owner) -> KeyRecord {
        self.key_with(|key| key.owner = owner.clone())
    }

    /// A key that is something else than others.
    pub(super) fn key_with(&self, change: impl FnOnce(&mut Key)) -> KeyRecord {
        let mut key = Key {
            id: self.key_id(),
            tenant: self.tenant.clone(),
            owner: user("alice"),
            name: name("a key"),
            prefix: Prefix::default(),
            scopes: ScopeSet::empty(),
            networks: Networks::anywhere(),
            rate: None,
            admin_limits: AdminLimits::default(),
            metadata: Metadata::default(),
            created_at: at(0),
            created_by: UserId::new("alice").expect("a user id of the suite is one"),
            updated_at: at(0),
            not_before: None,
            expires_at: None,
            disabled: false,
            revoked_at: None,
            rotated_at: None,
            overlap_ends_at: None,
            secret_number: 1,
            version: 1,
        };
        change(&mut key);
        let digest = PepperRing::none().digest(&key.id, &SECRET);
        KeyRecord::new(key, digest)
    }

    /// A service account in the rule's tenant.
    pub(super) fn account(&self) -> ServiceAccount {
        ServiceAccount {
            id: AccountId::generate(&self.random).expect("the system has random numbers"),
            tenant: self.tenant.clone(),
            name: name("an account"),
            role: RoleName::new("operator").expect("a role of the suite is one"),
            access: Access::ReadWrite,
            enabled: true,
            created_at: at(0),
            updated_at: at(0),
            version: 1,
        }
    }

    /// An event in the rule's tenant that says `detail`.
    pub(super) fn event(&self, detail: impl Into<String>) -> Event {
        event_in(&self.tenant, detail)
    }

    /// A first batch of usage of a writer that nobody knows.
    pub(super) fn usage(&self, deltas: impl IntoIterator<Item = UsageDelta>) -> UsageBatch {
        let mut writer = [0; 16];
        self.random.fill(&mut writer).expect("the system has random numbers");
        UsageBatch { writer, sequence: 1, at: at(60), deltas: deltas.into_iter().collect() }
    }
}

/// An event that says `detail`.
pub(super) fn event_in(tenant: &TenantId, detail: impl Into<String>) -> Event {
    let kind = EventKind::Operation(Operation::KeyRename);
    let event = Event::new(tenant.clone(), at(1), EventActor::System, kind);
    let details = EventDetails::NONE.text(DetailField::Name, detail.into());
    Event { details, ..event }
}

/// What an event of [`event_in`] says, or the details of another one on one line.
pub(super) fn said(event: &Event) -> String {
    let name = event.details.get_text(DetailField::Name).map(str::to_owned);
    name.unwrap_or_else(|| event.details.to_string())
}

/// So many uses of a key, the last of them at a time.
pub(super) fn delta(key: &KeyId, uses: u64, last_used_at: Timestamp) -> UsageDelta {
    UsageDelta { key: *key, secret_number: 1, uses, last_used_at, alert_every: None }
}
