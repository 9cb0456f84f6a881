//! Upkeep: dead keys and events past their retention go.

use crate::record::actor::Actor;
use crate::record::event::Event;
use crate::record::key::Key;
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;
use crate::setup::Setup;
use crate::store::{Batch, Change, EventQuery, KeyQuery, MAX_LIMIT};
use crate::value::id::KeyId;

use super::errors::ListError;
use super::{ATTEMPTS, Authority};

/// What a sweep has removed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SweepReport {
    /// The keys that are gone.
    pub keys: Vec<KeyId>,
    /// How many events are gone. The ids whose deletion they told of are forgotten with them.
    pub events: u64,
}

impl Authority {
    /// Removes the tenant's keys that have been dead (revoked or expired) for longer than the
    /// policy's retention, and its events that are older than the policy's event retention. Writes the
    /// tenant's counts of refused calls first.
    ///
    /// Each key leaves an event, and so does each batch of events. An event stays as long as an older
    /// one is kept, and the newest one always. The id of a deleted key or account is forgotten with the
    /// events of its deletion. From then on it can in theory be drawn again: it has 95 random bits.
    ///
    /// Call it now and then, for each tenant. It works in batches: what it has removed when it
    /// fails or is dropped stays removed.
    ///
    /// # Errors
    /// [`ListError`]; here it is `PermissionDenied` or `Store`.
    pub async fn sweep(&self, actor: &Actor) -> Result<SweepReport, ListError> {
        let operation = Operation::Sweep;
        let allowed = actor.must_for_any(operation).map_err(ListError::from);
        self.on_record(allowed, &Event::by(actor, operation, self.now())).await?;
        let Setup { store, refusals, .. } = &self.setup;
        refusals.flush(&**store, self.now(), Some(actor.tenant())).await?;
        let mut swept = SweepReport::default();
        self.sweep_keys(actor, &mut swept).await?;
        self.sweep_events(actor, &mut swept).await?;
        Ok(swept)
    }

    async fn sweep_keys(&self, actor: &Actor, swept: &mut SweepReport) -> Result<(), ListError> {
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
            let event = Event::by(actor, Operation::Sweep, now);
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
            let Some(next) = page.next else { return Ok(()) };
            query = next;
        }
    }

    /// A page at a time, so that no commit removes many at once.
    async fn sweep_events(&self, actor: &Actor, swept: &mut SweepReport) -> Result<(), ListError> {
        let mut conflicts = 0;
        let oldest = EventQuery::new().oldest_first().limit(MAX_LIMIT);
        loop {
            let now = self.now();
            let (policy, holds) = self.policy_in_force(actor).await?;
            let page = self.setup.store.events(actor.tenant(), &oldest).await?;
            let is_due =
                |event: &&Event| event.at.saturating_add(policy.event_retention).has_passed(now);
            // Up to the first that is kept: clocks may have disagreed behind it. The newest one stays,
            // and is on the page only if that is the last.
            let newest = page.next.is_none().then(|| page.items.last()).flatten();
            let due = page.items.iter().take_while(is_due);
            let due: Vec<_> = due.filter(|event| Some(*event) != newest).collect();
            let Some(last) = due.last() else { return Ok(()) };
            let tenant = actor.tenant().clone();
            let batch = Batch {
                conditions: vec![holds],
                changes: vec![Change::ForgetEvents { tenant, through: last.sequence }],
                events: vec![Event::by(actor, Operation::Sweep, now)],
            };
            match self.setup.store.commit(batch).await {
                Ok(_) => {
                    swept.events += due.len() as u64;
                    if due.len() < page.items.len() {
                        return Ok(());
                    }
                }
                // Somebody set the policy meanwhile: look again.
                Err(error) if error.is_conflict() && conflicts < ATTEMPTS => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
