//! One attempt of an operation: its time, its event, its reads and writes, and the record of its
//! refusal.
//!
//! Every operation that changes something runs in [`Authority::attempt`], in this order:
//! permission, rules, change.

use std::pin::Pin;

use crate::observe::{Activity, Ending, Work};
use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::event::{Event, EventDetails, EventOutcome};
use crate::record::key::Owner;
use crate::record::operation::{Operation, Outcome};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::user::User;
use crate::setup::retry::{Attempted, commit, retry};
use crate::store::{Batch, Change, Condition, KeyStore, StoreError};
use crate::value::id::{KeyId, UserId};
use crate::value::random::RandomError;
use crate::value::time::Timestamp;

use super::ending::{self, Fails};
use super::refusal::ManagementError;
use super::{Authority, StoredPolicy};

/// One attempt of an operation.
pub(super) struct Attempt<'a> {
    authority: &'a Authority,
    work: Work,
    pub(super) actor: &'a Actor,
    /// The start of the attempt, which is the time of its rules, its change and its event.
    pub(super) now: Timestamp,
    /// The event of the operation, completed step by step. A refusal is recorded with the fields
    /// that are set so far.
    pub(super) event: Event,
}

/// The records that the rules of one operation depend on, and the conditions that they have not
/// changed.
pub(super) struct Rules {
    policy: StoredPolicy,
    pub(super) account: Option<ServiceAccount>,
    pub(super) conditions: Vec<Condition>,
}

/// The decision about one attempt. Boxed, because the compiler cannot prove an async closure
/// `Send`.
pub(super) type Decided<'a, T, E> =
    Pin<Box<dyn Future<Output = Result<Attempted<T>, E>> + Send + 'a>>;

impl Authority {
    /// Runs an operation: calls `decide` with a new [`Attempt`] until no other change comes before
    /// its commit.
    ///
    /// A refusal is recorded. If the record cannot be written, the store's error is returned
    /// instead, so that no refused call is missing from the audit trail.
    pub(super) async fn attempt<'a, T, E, D>(
        &'a self,
        actor: &'a Actor,
        operation: Operation,
        decide: D,
    ) -> Result<T, E>
    where
        E: Fails + ManagementError,
        D: for<'b> Fn(&'b mut Attempt<'a>) -> Decided<'b, T, E>,
    {
        let work = begin(actor, operation);
        let done = self.step(&work, actor, operation, decide);
        work.run(done, ending::of).await.map(Outcome::into_inner)
    }

    /// Runs one step of an operation like [`attempt`](Self::attempt). The caller observes the whole
    /// operation.
    pub(super) async fn step<'a, T, E, D>(
        &'a self,
        work: &Work,
        actor: &'a Actor,
        operation: Operation,
        decide: D,
    ) -> Result<Outcome<T>, E>
    where
        E: ManagementError,
        D: for<'b> Fn(&'b mut Attempt<'a>) -> Decided<'b, T, E>,
    {
        let decide = &decide;
        let done = retry(|| async move {
            let now = self.now();
            let event = Event::by(actor, operation, now);
            let mut attempt = Attempt { authority: self, work: work.clone(), actor, now, event };
            let decided = decide(&mut attempt).await;
            attempt.is_about(&attempt.event);
            if let Ok(Attempted::Overtaken) = &decided {
                work.overtaken();
            }
            if let Err(error) = &decided
                && let Some(refusal) = error.refusal()
            {
                let details = attempt.event.details.clone().and(&refusal.details);
                let outcome = EventOutcome::Refused(refusal.code);
                self.record_refusal(Event { outcome, details, ..attempt.event }).await?;
            }
            decided
        });
        done.await?.ok_or_else(E::contended)
    }
}

/// Returns what was drawn before the first attempt of an operation. The operation is observed as failed if
/// the random source failed.
pub(super) fn drawn<T>(
    actor: &Actor,
    operation: Operation,
    drawn: Result<T, RandomError>,
) -> Result<T, RandomError> {
    drawn.inspect_err(|error| {
        begin(actor, operation).ended(Ending::Failed(error.failure(), error));
    })
}

/// Runs an operation of an actor that only reads, and observes it.
pub(super) async fn reading<T, E: Fails + ManagementError>(
    actor: &Actor,
    operation: Operation,
    read: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    begin(actor, operation).run(read, ending::of_read).await
}

/// Begins to observe an operation.
pub(super) fn begin(actor: &Actor, operation: Operation) -> Work {
    Work::begin(Activity::Operation(operation), Some(actor.tenant()))
}

impl Attempt<'_> {
    pub(super) fn store(&self) -> &dyn KeyStore {
        &*self.authority.setup.store
    }

    /// Reads the policy in force.
    pub(super) async fn rules(&self) -> Result<Rules, StoreError> {
        let policy = self.authority.stored_policy(self.actor.tenant()).await?;
        let conditions = vec![policy.unchanged.clone()];
        Ok(Rules { policy, account: None, conditions })
    }

    /// Reads the policy in force, and the service account if one is the owner.
    pub(super) async fn rules_of(&self, owner: &Owner) -> Result<Rules, StoreError> {
        let mut rules = self.rules().await?;
        if let Owner::Account(id) = owner
            && let Some(account) = self.store().account(self.actor.tenant(), id).await?
        {
            rules.add_account(account);
        }
        Ok(rules)
    }

    /// Returns the record of a user of the tenant, or that of an unknown user.
    pub(super) async fn user(&self, user: &UserId) -> Result<User, StoreError> {
        self.authority.user_record(self.actor.tenant(), user, self.now).await
    }

    /// Reads the record of an owner; `None` if the owner has none.
    pub(super) async fn owner_record(
        &self,
        owner: &Owner,
    ) -> Result<Option<OwnerRecord>, StoreError> {
        self.authority.owner_record(self.actor.tenant(), owner, self.now).await
    }

    /// Writes one change together with the event, after adding `details` to the event.
    pub(super) async fn write<T>(
        &self,
        conditions: Vec<Condition>,
        change: Change,
        details: EventDetails,
        value: T,
    ) -> Result<Attempted<T>, StoreError> {
        let details = self.event.details.clone().and(&details);
        let event = Event { details, ..self.event.clone() };
        let tenant = self.actor.tenant().clone();
        let batch = Batch { tenant, conditions, changes: vec![change], events: vec![event] };
        self.commit(batch, value).await
    }

    /// Writes a batch of changes and events.
    pub(super) async fn commit<T>(
        &self,
        batch: Batch,
        value: T,
    ) -> Result<Attempted<T>, StoreError> {
        if let [event] = &*batch.events {
            self.is_about(event);
        }
        commit(self.store(), batch, value).await
    }

    /// Writes an event that says that nothing was changed.
    pub(super) async fn unchanged<T>(&self, value: T) -> Result<Attempted<T>, StoreError> {
        let event = Event { outcome: EventOutcome::Unchanged, ..self.event.clone() };
        let batch = Batch { events: vec![event], ..Batch::of(self.actor.tenant().clone()) };
        self.store().commit(batch).await?;
        Ok(Attempted::Unchanged(value))
    }

    /// Notes the key and the account of an event for the span of the operation.
    fn is_about(&self, event: &Event) {
        self.work.is_about(event.key.as_ref(), event.account.as_ref());
    }
}

impl Rules {
    pub(super) fn policy(&self) -> PolicyInForce<'_> {
        self.policy.in_force()
    }

    pub(super) fn stored_policy(&self) -> &StoredPolicy {
        &self.policy
    }

    /// Adds the record of an owner, with the condition that it has not changed.
    pub(super) fn add_owner(&mut self, record: Option<&OwnerRecord>) {
        match record {
            Some(OwnerRecord::Account(account)) => {
                self.add_account(ServiceAccount::clone(account));
            }
            Some(OwnerRecord::User(user)) => self.add_user(user),
            None => {}
        }
    }

    /// Adds the condition that the user's record has not changed since it was read.
    pub(super) fn add_user(&mut self, user: &User) {
        let (tenant, version) = (user.tenant.clone(), user.version);
        self.conditions.push(Condition::UserVersion { tenant, user: user.id.clone(), version });
    }

    /// Adds the service account that owns the key, with the condition that it has not changed.
    pub(super) fn add_account(&mut self, account: ServiceAccount) {
        let (account_id, version) = (account.id, account.version);
        self.conditions.push(Condition::AccountVersion { account: account_id, version });
        self.account = Some(account);
    }
}

/// Returns the condition that a key still belongs to an owner. A revoke and a delete hold at any
/// version of the key, so they name the owner for whom the permission was checked.
pub(super) fn owned_by(key: KeyId, owner: &Owner) -> Condition {
    Condition::KeyOwner { key, owner: owner.clone() }
}
