//! Upkeep: dead keys and events past their retention go.

use crate::record::actor::Actor;
use crate::record::event::{Event, EventDetails};
use crate::record::key::Key;
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;
use crate::setup::Setup;
use crate::setup::retry::Attempted;
use crate::store::{Batch, Change, EventQuery, KeyQuery, MAX_LIMIT};
use crate::value::id::KeyId;

use super::Authority;
use super::attempt::Rules;
use super::errors::ListError;

/// The keys and events that a sweep has removed.
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
    /// Call it now and then, for each tenant. It works in batches: if it fails or is dropped, the
    /// batches before stay removed.
    ///
    /// # Errors
    /// [`ListError`]; here it is `PermissionDenied` or `Store`.
    pub async fn sweep(&self, actor: &Actor) -> Result<SweepReport, ListError> {
        self.attempt(actor, Operation::Sweep, |_| {
            Box::pin(async move {
                actor.must_for_any(Operation::Sweep)?;
                Ok::<_, ListError>(Attempted::Done(()))
            })
        })
        .await?;
        let Setup { store, refusal_log, .. } = &self.setup;
        refusal_log.flush(&**store, self.now(), Some(actor.tenant())).await?;
        let mut swept = SweepReport::default();
        self.sweep_keys(actor, &mut swept).await?;
        self.sweep_events(actor, &mut swept).await?;
        Ok(swept)
    }

    async fn sweep_keys(&self, actor: &Actor, swept: &mut SweepReport) -> Result<(), ListError> {
        let dead = KeyQuery::new().status(KeyStatus::Revoked).status(KeyStatus::Expired);
        let mut query = dead.limit(MAX_LIMIT);
        loop {
            let (removed, next) = self.sweep_page_of_keys(actor, &query).await?;
            swept.keys.extend(removed);
            let Some(next) = next else { return Ok(()) };
            query = next;
        }
    }

    /// Removes the keys of a page that have been dead for long enough. Returns their ids and the
    /// query of the next page.
    async fn sweep_page_of_keys(
        &self,
        actor: &Actor,
        query: &KeyQuery,
    ) -> Result<(Vec<KeyId>, Option<KeyQuery>), ListError> {
        self.attempt(actor, Operation::Sweep, |attempt| {
            Box::pin(async move {
                let now = attempt.now;
                let Rules { policy, conditions, .. } = attempt.rules().await?;
                let page = attempt.store().keys(actor.tenant(), query, now).await?;
                let is_due = |key: &&Key| {
                    let dead = key.dead_since(now);
                    dead.is_some_and(|dead| dead.saturating_add(policy.retention).has_passed(now))
                };
                let due: Vec<&Key> =
                    page.items.iter().map(|stored| stored.record.key()).filter(is_due).collect();
                let removed = (due.iter().map(|key| key.id).collect(), page.next);
                if due.is_empty() {
                    return Ok(Attempted::Done(removed));
                }
                let batch = Batch {
                    conditions,
                    changes: due.iter().map(|key| Change::DeleteKey(key.id)).collect(),
                    events: due.iter().map(|key| attempt.event.clone().of(key)).collect(),
                };
                Ok::<_, ListError>(attempt.commit(batch, removed).await?)
            })
        })
        .await
    }

    async fn sweep_events(&self, actor: &Actor, swept: &mut SweepReport) -> Result<(), ListError> {
        loop {
            let (removed, is_last) = self.sweep_page_of_events(actor).await?;
            swept.events += removed;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Removes old events, at most a page, so that no commit removes many at once. Returns how many, and
    /// whether no more are due.
    async fn sweep_page_of_events(&self, actor: &Actor) -> Result<(u64, bool), ListError> {
        let oldest = &EventQuery::new().oldest_first().limit(MAX_LIMIT);
        self.attempt(actor, Operation::Sweep, |attempt| {
            Box::pin(async move {
                let Rules { policy, conditions, .. } = attempt.rules().await?;
                let page = attempt.store().events(actor.tenant(), oldest).await?;
                let is_due = |event: &&Event| {
                    event.at.saturating_add(policy.event_retention).has_passed(attempt.now)
                };
                // Up to the first that is kept: clocks may have disagreed behind it. The newest one stays,
                // and is on the page only if that is the last.
                let newest = page.next.is_none().then(|| page.items.last()).flatten();
                let due = page.items.iter().take_while(is_due);
                let due: Vec<_> = due.filter(|event| Some(*event) != newest).collect();
                let Some(last) = due.last() else { return Ok(Attempted::Done((0, true))) };
                let tenant = actor.tenant().clone();
                let forget = Change::ForgetEvents { tenant, through: last.sequence };
                let removed = (due.len() as u64, due.len() < page.items.len());
                Ok::<_, ListError>(
                    attempt.write(conditions, forget, EventDetails::NONE, removed).await?,
                )
            })
        })
        .await
    }
}
