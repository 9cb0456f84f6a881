//! Upkeep: dead keys past their retention go.

use crate::actor::Actor;
use crate::event::Event;
use crate::id::KeyId;
use crate::key::Key;
use crate::operation::Operation;
use crate::setup::Setup;
use crate::status::KeyStatus;
use crate::store::{Batch, Change, KeyQuery, MAX_LIMIT, StoreError};

use super::errors::ListError;
use super::{ATTEMPTS, Authority};

/// What a sweep has removed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Swept {
    /// The keys that are gone.
    pub keys: Vec<KeyId>,
}

impl Authority {
    /// Removes the tenant's keys that have been dead (revoked or expired) for longer than the
    /// policy's retention. Each leaves an event. Events stay. Writes the tenant's counts of refused
    /// calls first.
    ///
    /// Call it now and then, for each tenant. It works in batches: what it has removed when it
    /// fails or is dropped stays removed.
    ///
    /// # Errors
    /// [`ListError`]; here it is `NotAllowed` or `Store`.
    pub async fn sweep(&self, actor: &Actor) -> Result<Swept, ListError> {
        let operation = Operation::Sweep;
        let allowed = actor.must_for_any(operation).map_err(ListError::from);
        self.on_record(allowed, &Event::by(actor, operation, self.now())).await?;
        let Setup { store, refusals, .. } = &self.setup;
        refusals.flush(&**store, self.now(), Some(actor.tenant())).await?;
        let mut swept = Swept::default();
        let mut conflicts = 0;
        let dead = KeyQuery::new().status(KeyStatus::Revoked).status(KeyStatus::Expired);
        let mut query = dead.limit(MAX_LIMIT);
        loop {
            let now = self.now();
            let (policy, holds) = self.policy_in_force(actor).await?;
            let page = self.setup.store.keys(actor.tenant(), &query, now).await?;
            let due: Vec<&Key> = page
                .items
                .iter()
                .map(|stored| stored.record.key())
                .filter(|key| {
                    let dead = key.dead_since(now);
                    dead.is_some_and(|dead| dead.saturating_add(policy.retention).has_passed(now))
                })
                .collect();
            let event = Event::by(actor, operation, now);
            let batch = Batch {
                conditions: vec![holds],
                changes: due.iter().map(|key| Change::DeleteKey(key.id)).collect(),
                events: due.iter().map(|key| event.clone().of(key)).collect(),
            };
            if !due.is_empty() {
                match self.setup.store.commit(batch).await {
                    Ok(_) => swept.keys.extend(due.iter().map(|key| key.id)),
                    // Somebody deleted one of them or set the policy meanwhile: look at the same page again.
                    Err(error) if error.is_conflict() && conflicts < ATTEMPTS => {
                        conflicts += 1;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let Some(next) = page.next else { return Ok(swept) };
            query = query.after(&next).map_err(|_| {
                StoreError::unsupported("the store gave a cursor that is not of its own query")
            })?;
        }
    }
}
