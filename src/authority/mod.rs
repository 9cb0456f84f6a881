//! Management: whatever makes, changes, shows or ends keys, accounts and policies.
//!
//! Every method takes the actor first. What it may do is decided in [`actor`](crate::Actor), what
//! is possible in which status in [`key`](crate::KeyStatus); here the two are asked, the change is
//! written together with its event, and a change that met another is tried again on fresh data.

mod accounts;
mod errors;
mod generate;
mod keys;
mod listing;
mod pages;
mod refusal;
mod revoke;
mod rotate;
mod tenant;
mod upkeep;

use std::fmt;

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
#[cfg(feature = "management")]
use crate::record::event::{DetailField, EventDetails, RefusalCode};
use crate::record::event::{Event, EventOutcome};
#[cfg(feature = "management")]
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::setup::Setup;
use crate::store::{Batch, Condition, StoreError};
use crate::value::id::AccountId;
#[cfg(feature = "management")]
use crate::value::id::KeyId;
use crate::value::time::Timestamp;

use self::refusal::Refusal;

pub use self::errors::{AccountError, GenerateError, KeyError, ListError, SetPolicyError};
pub use self::generate::Issued;
pub use self::listing::{KeyEntry, Overlap};
pub use self::pages::Listing;
pub use self::upkeep::SweepReport;

/// How often a change that met another is tried on fresh data.
const ATTEMPTS: u32 = 64;

/// Manages keys, service accounts and policies. Clones share the store.
///
/// A service that only checks keys holds a [`Verifier`](crate::Verifier), and nothing that can mint.
///
/// # Audit
/// Every call that changes something leaves an [`Event`] in the same atomic step. A call that is
/// refused leaves one too, and if that can't be written, the call fails with the store's error.
///
/// Refused calls can't fill the store: of each actor (a user in a tenant), the first 10 of a minute
/// are recorded each by itself. Later ones in that minute are counted in memory, and one event of
/// the kind [`EventKind::Refusals`](crate::EventKind::Refusals) tells how many there were. It is
/// written after the minute: by the next refused call that is recorded, of any actor, by
/// [`Verifier::flush`](crate::Verifier::flush) over the same setup, and by [`sweep`](Self::sweep)
/// for its tenant. The caller gets the same error either way. A process keeps 10,000 actors apart and
/// counts further ones for their tenant as a whole. The bound holds for each process. A
/// process that stops loses the counts that are not written yet, at most those of the last minute
/// if it flushes. If the store fails after it has written a count, the count is told again.
///
/// A look at keys, accounts, policy or events leaves no event.
///
/// # Cancel safety
/// Dropping the future of any method leaves everything as before the call or as after it. A token
/// whose future was dropped is lost: generate or rotate again.
#[derive(Clone)]
pub struct Authority {
    setup: Setup,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup }
    }

    fn now(&self) -> Timestamp {
        self.setup.clock.now()
    }

    /// The policy in force, with the condition that it still is when something is written.
    async fn policy_in_force(&self, actor: &Actor) -> Result<(Policy, Condition), StoreError> {
        let tenant = actor.tenant();
        let stored = self.setup.store.policy(tenant).await?;
        let policy = stored.unwrap_or_else(|| Policy::clone(&self.setup.default_policy));
        let version = policy.version;
        Ok((policy, Condition::PolicyVersion { tenant: tenant.clone(), version }))
    }

    /// An account of the actor's tenant, with the condition that it has not changed.
    async fn account_in_force(
        &self,
        actor: &Actor,
        account: &AccountId,
    ) -> Result<Option<(ServiceAccount, Condition)>, StoreError> {
        let found = self.setup.store.account(actor.tenant(), account).await?;
        Ok(found.map(|found| {
            let condition = Condition::AccountVersion { account: *account, version: found.version };
            (found, condition)
        }))
    }

    /// Writes an event that tells of no change.
    async fn note(&self, event: Event) -> Result<(), StoreError> {
        let batch = Batch { events: vec![event], ..Batch::default() };
        self.setup.store.commit(batch).await.map(|_| ())
    }

    /// Passes a result on, and records it if it is a refusal. If it can't be recorded, that is the
    /// error: an attempt is not left out of the audit trail.
    async fn on_record<T, E: Refusal + From<StoreError>>(
        &self,
        result: Result<T, E>,
        event: &Event,
    ) -> Result<T, E> {
        if let Err(error) = &result
            && let Some((code, more)) = error.told()
        {
            let outcome = EventOutcome::Refused(code);
            let details = event.details.clone().and(more);
            self.record_refusal(Event { outcome, details, ..event.clone() }).await?;
        }
        result
    }

    /// Records a refused call: by itself, or in the count of its minute.
    async fn record_refusal(&self, event: Event) -> Result<(), StoreError> {
        self.setup.refusals.record(&*self.setup.store, event).await
    }

    /// Records a request of an actor that could not be read. `problem` is the code of what is wrong.
    #[cfg(feature = "management")]
    pub(crate) async fn record_malformed(
        &self,
        actor: &Actor,
        operation: Operation,
        key: Option<KeyId>,
        account: Option<AccountId>,
        problem: &str,
    ) -> Result<(), StoreError> {
        let outcome = EventOutcome::Refused(RefusalCode::Malformed);
        let details = EventDetails::NONE.text(DetailField::Problem, problem);
        let event = Event::by(actor, operation, self.now());
        self.record_refusal(Event { key, account, outcome, details, ..event }).await
    }

    /// Writes a batch. `false` if somebody else was faster: read again and decide again.
    async fn commits(&self, batch: Batch) -> Result<bool, StoreError> {
        match self.setup.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
