//! Management: makes, changes, shows and ends keys, accounts and policies.
//!
//! Every method takes the actor first. The permissions are in `record::actor`, the transitions in
//! `record::key` and the rules of a tenant in `record::rules`. Here they are asked in this order, and
//! the change is written together with its event.

mod accounts;
mod attempt;
mod errors;
mod generate;
mod keys;
mod listing;
mod refusal;
mod revoke;
mod rotate;
mod tenant;
mod upkeep;
mod whole_listings;

use std::fmt;

use crate::record::actor::Actor;
use crate::record::event::Event;
#[cfg(feature = "management")]
use crate::record::event::{DetailField, EventDetails, EventOutcome, RefusalCode};
#[cfg(feature = "management")]
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::setup::Setup;
use crate::store::{Condition, StoreError};
#[cfg(feature = "management")]
use crate::value::id::{AccountId, KeyId};
use crate::value::time::Timestamp;

pub use self::errors::{AccountError, GenerateError, KeyError, ListError, SetPolicyError};
pub use self::generate::Issued;
pub use self::listing::{KeyEntry, Overlap};
pub use self::upkeep::SweepReport;
pub use self::whole_listings::Listing;

/// Manages keys, service accounts and policies. Clones share the store.
///
/// A service that only checks keys holds a [`Verifier`](crate::Verifier), which cannot create any.
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
/// Reading keys, accounts, the policy or events leaves no event.
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

    /// Returns the policy in force, and the condition that it has not changed.
    async fn policy_in_force(&self, actor: &Actor) -> Result<(Policy, Condition), StoreError> {
        let tenant = actor.tenant();
        let stored = self.setup.store.policy(tenant).await?;
        let policy = stored.unwrap_or_else(|| Policy::clone(&self.setup.default_policy));
        let version = policy.version;
        Ok((policy, Condition::PolicyVersion { tenant: tenant.clone(), version }))
    }

    /// Records a refused call: by itself, or in the count of its minute.
    async fn record_refusal(&self, event: Event) -> Result<(), StoreError> {
        self.setup.refusal_log.record(&*self.setup.store, event).await
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
}
