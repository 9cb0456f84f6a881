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
mod refusal;
mod revoke;
mod rotate;
mod tenant;
mod upkeep;

use std::fmt;

use crate::account::ServiceAccount;
use crate::actor::Actor;
use crate::event::{Event, EventOutcome};
use crate::id::AccountId;
use crate::policy::Policy;
use crate::setup::{Setup, SetupError};
use crate::store::{Batch, Condition, StoreError};
use crate::time::Timestamp;

use self::refusal::Refusal;

pub use self::errors::{AccountError, GenerateError, KeyError, ListError, SetPolicyError};
pub use self::generate::Issued;
pub use self::listing::{Handover, KeyEntry};
pub use self::upkeep::Swept;

/// How often a change that met another is tried on fresh data.
const ATTEMPTS: u32 = 64;

/// Manages keys, service accounts and policies. Clones share the store.
///
/// A service that only checks keys holds a [`Verifier`](crate::Verifier), and nothing that can mint.
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
    /// An authority over the setup's store.
    ///
    /// # Errors
    /// [`SetupError::DefaultPolicy`] if the default policy leaves its limits.
    pub fn new(setup: &Setup) -> Result<Self, SetupError> {
        setup.default_policy.validate()?;
        Ok(Self { setup: setup.clone() })
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
            self.note(Event { outcome, details, ..event.clone() }).await?;
        }
        result
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
