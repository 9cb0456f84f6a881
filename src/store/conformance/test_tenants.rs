//! The workspace of a rule: two tenants, functions that build records, and checks.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Barrier};
use std::time::Duration;
use std::{panic, slice, thread};

use super::host::Host;
use super::run::side_by_side;
use crate::record::account::ServiceAccount;
use crate::record::admin_limits::AdminLimits;
use crate::record::event::{DetailField, Event, EventActor, EventDetails, EventKind};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::operation::Operation;
use crate::record::policy::TenantPolicy;
use crate::record::role::RoleName;
use crate::record::settings::Settings;
use crate::record::user::User;
use crate::store::{
    Batch, Change, EventQuery, KeyStore, MAX_LIMIT, StoreError, StoreErrorKind, StoredKey,
    UsageBatch, UsageDelta, UseKind,
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
use crate::value::use_alert::UseAlert;

/// The secret of every key in the suite.
pub(super) const SECRET: [u8; 32] = [b'x'; 32];

/// The workspace of one rule: a store, and two tenants that only this run of the rule uses.
pub(super) struct Space<'h> {
    host: &'h dyn Host,
    rule: &'static str,
    random: Random,
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) tenant: TenantId,
    pub(super) other: TenantId,
}

/// Returns the time `seconds` seconds after the beginning of 2026.
pub(super) fn at(seconds: u32) -> Timestamp {
    let beginning = Timestamp::from_unix_seconds(1_767_225_600).unwrap_or(Timestamp::MIN);
    beginning.saturating_add(Duration::from_secs(seconds.into()))
}

/// Returns the next version of the record, with a change.
pub(super) fn next(record: &KeyRecord, change: impl FnOnce(&mut Key)) -> KeyRecord {
    let mut key = record.key().clone();
    key.version += 1;
    key.updated_at = key.updated_at.saturating_add(Duration::from_secs(1));
    change(&mut key);
    KeyRecord::new(key, *record.digest())
}

/// Returns the next version of the record, with another name.
pub(super) fn renamed(record: &KeyRecord, to: &str) -> KeyRecord {
    next(record, |key| key.name = name(to))
}

/// Returns the next version of the account, with a change.
pub(super) fn next_account(
    account: &ServiceAccount,
    change: impl FnOnce(&mut ServiceAccount),
) -> ServiceAccount {
    let mut account = account.clone();
    account.version += 1;
    change(&mut account);
    account
}

/// Builds a policy of this version. Its limit of keys is the same number, so that versions differ in
/// content.
pub(super) fn policy(version: u64) -> TenantPolicy {
    let max_keys_per_user = Some(u16::try_from(version).unwrap_or(u16::MAX));
    let settings = Settings { max_keys_per_user, ..Settings::default() };
    TenantPolicy { settings: Some(settings), version, ..TenantPolicy::default() }
}

/// Builds a user's record of this version. Its display name has the same number, so that versions
/// differ in content.
pub(super) fn user_record(tenant: &TenantId, id: &str, version: u64) -> User {
    User {
        id: UserId::new(id).expect("the suite's user ids are valid"),
        tenant: tenant.clone(),
        display_name: Some(name(&format!("Person {version}"))),
        suspended: false,
        updated_at: at(0),
        version,
    }
}

/// Builds a change that writes a [`user_record`].
pub(super) fn put_user(tenant: &TenantId, id: &str, version: u64) -> Change {
    Change::PutUser(user_record(tenant, id, version))
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("the suite's names are valid")
}

pub(super) fn user(id: &str) -> Owner {
    Owner::User(UserId::new(id).expect("the suite's user ids are valid"))
}

impl<'h> Space<'h> {
    pub(super) fn new(host: &'h dyn Host, rule: &'static str) -> Self {
        let random = Random::system();
        let tenant = |side| {
            let id = KeyId::generate(&random).expect("the system's random source works");
            TenantId::new(format!("{side}-{id}")).expect("the suite's tenant ids are valid")
        };
        let (tenant, other) = (tenant("one"), tenant("other"));
        Self { host, rule, store: host.store(), tenant, other, random }
    }

    /// Runs a future on the host.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut result = None;
        self.host.run(Box::pin(async { result = Some(future.await) }));
        result.expect("`Host::run` must run the future to completion")
    }

    /// Runs `work` on several threads at the same time, and returns the results.
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
            // The test fails with the panic message of the thread.
            ended.map(|ended| ended.unwrap_or_else(|panic| panic::resume_unwind(panic))).collect()
        })
    }

    /// Runs `work` in several futures that take turns on one thread, and returns the results.
    pub(super) fn in_turns<T>(&self, tasks: usize, work: impl AsyncFn(usize) -> T) -> Vec<T> {
        self.run(side_by_side((0..tasks).map(|number| work(number)).collect()))
    }

    /// Panics with a message that names the rule.
    #[track_caller]
    pub(super) fn broken(&self, what: impl AsRef<str>) -> ! {
        panic!("the rule {} does not hold: {}", self.rule, what.as_ref())
    }

    /// Panics unless `is`. `what` describes the failure.
    #[track_caller]
    pub(super) fn holds(&self, what: impl AsRef<str>, is: bool) {
        if !is {
            self.broken(what);
        }
    }

    /// Panics unless `seen` equals `expected`. `what` names the value.
    #[track_caller]
    pub(super) fn same<T: Debug + PartialEq>(&self, what: impl AsRef<str>, seen: &T, expected: &T) {
        if seen != expected {
            self.broken(format!("{}: expected {expected:?}, got {seen:?}", what.as_ref()));
        }
    }

    /// Returns the result of a call that must succeed. `what` names the call.
    #[track_caller]
    pub(super) fn done<T>(&self, what: impl AsRef<str>, result: Result<T, StoreError>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => self.broken(format!("{} failed: {error:?}", what.as_ref())),
        }
    }

    /// Checks that a call failed with `kind`. `what` names the call.
    #[track_caller]
    pub(super) fn refused<T>(
        &self,
        what: impl AsRef<str>,
        result: Result<T, StoreError>,
        kind: StoreErrorKind,
    ) {
        match result {
            Ok(_) => self.broken(format!("{} succeeded, expected {kind:?}", what.as_ref())),
            Err(error) => self.same(what, &error.kind(), &kind),
        }
    }

    /// Builds a batch of the rule's tenant, without conditions and events.
    pub(super) fn batch(&self, changes: impl IntoIterator<Item = Change>) -> Batch {
        let changes = changes.into_iter().collect();
        Batch { changes, ..Batch::of(self.tenant.clone()) }
    }

    /// Commits changes that are valid, in one batch for each tenant.
    pub(super) async fn put(&self, changes: impl IntoIterator<Item = Change>) {
        let mut batches: Vec<Batch> = Vec::new();
        for change in changes {
            let tenant = change.tenant().unwrap_or(&self.tenant).clone();
            match batches.iter_mut().find(|batch| batch.tenant == tenant) {
                Some(batch) => batch.changes.push(change),
                None => batches.push(Batch { changes: vec![change], ..Batch::of(tenant) }),
            }
        }
        for batch in batches {
            self.done("a valid commit", self.store.commit(batch).await);
        }
    }

    /// Returns the stored policy of a tenant, if there is one.
    pub(super) async fn policy_of(&self, tenant: &TenantId) -> Option<TenantPolicy> {
        let found =
            self.done("looking up a policy", self.store.policies(slice::from_ref(tenant)).await);
        let Ok([policy]) = <[_; 1]>::try_from(found) else {
            self.broken("the answer for one tenant is not one policy");
        };
        policy.map(Arc::unwrap_or_clone)
    }

    /// Returns the stored key, if there is one.
    pub(super) async fn stored(&self, id: &KeyId) -> Option<StoredKey> {
        self.done("looking up a key", self.store.key(&self.tenant, id).await)
    }

    /// Returns the stored key, which must exist.
    pub(super) async fn found(&self, id: &KeyId) -> StoredKey {
        match self.stored(id).await {
            Some(stored) => stored,
            None => self.broken("a key that was written is absent"),
        }
    }

    /// Returns all events of a tenant, oldest first.
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
        KeyId::generate(&self.random).expect("the system's random source works")
    }

    /// Builds a user's key in the rule's tenant.
    pub(super) fn key(&self) -> KeyRecord {
        self.key_of(&user("alice"))
    }

    pub(super) fn key_of(&self, owner: &Owner) -> KeyRecord {
        self.key_with(|key| key.owner = owner.clone())
    }

    /// Builds a user's key in the rule's tenant, with a change.
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
            description: None,
            contact: None,
            metadata: Metadata::default(),
            created_at: at(0),
            created_by: UserId::new("alice").expect("the suite's user ids are valid"),
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

    /// Builds a service account in the rule's tenant.
    pub(super) fn account(&self) -> ServiceAccount {
        ServiceAccount {
            id: AccountId::generate(&self.random).expect("the system's random source works"),
            tenant: self.tenant.clone(),
            name: name("an account"),
            role: RoleName::new("operator").expect("the suite's roles are valid"),
            access: Access::ReadWrite,
            enabled: true,
            created_at: at(0),
            updated_at: at(0),
            version: 1,
        }
    }

    /// Builds an event in the rule's tenant with the text `detail`.
    pub(super) fn event(&self, detail: impl Into<String>) -> Event {
        event_in(&self.tenant, detail)
    }

    /// Builds the first usage batch of a new writer.
    pub(super) fn usage(&self, deltas: impl IntoIterator<Item = UsageDelta>) -> UsageBatch {
        let mut writer = [0; 16];
        self.random.fill(&mut writer).expect("the system's random source works");
        UsageBatch { writer, sequence: 1, at: at(60), deltas: deltas.into_iter().collect() }
    }
}

/// Builds an event with the text `detail`.
pub(super) fn event_in(tenant: &TenantId, detail: impl Into<String>) -> Event {
    let kind = EventKind::Operation(Operation::KeyRename);
    let event = Event::new(tenant.clone(), at(1), EventActor::System, kind);
    let details = EventDetails::NONE.text(DetailField::Name, detail.into());
    Event { details, ..event }
}

/// Returns the text of an event from [`event_in`], or all details of any other event.
pub(super) fn said(event: &Event) -> String {
    let name = event.details.get_text(DetailField::Name).map(str::to_owned);
    name.unwrap_or_else(|| event.details.to_string())
}

/// Builds a delta of accepted uses of the first secret of a key.
pub(super) fn delta(key: &KeyId, uses: u64, last_used_at: Timestamp) -> UsageDelta {
    let kind = UseKind::Accepted { secret_number: 1 };
    UsageDelta { key: *key, kind, uses, last_used_at, alert: None }
}

/// Builds a delta whose uses count in the hour of the last one, in which more than `most` are one
/// alert.
pub(super) fn alerting(key: &KeyId, uses: u64, last_used_at: Timestamp, most: u64) -> UsageDelta {
    let alert = UseAlert::new(most, Duration::from_hours(1)).expect("the suite's alerts are valid");
    UsageDelta { alert: Some(alert), ..delta(key, uses, last_used_at) }
}
