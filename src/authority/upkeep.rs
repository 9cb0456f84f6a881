//! Upkeep: removes dead keys and events after their retention.

use crate::observe::Work;
use crate::record::actor::Actor;
use crate::record::event::{Event, EventDetails};
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::record::status::KeyStatus;
use crate::setup::Setup;
use crate::setup::retry::Attempted;
use crate::store::{Batch, Change, EventQuery, KeyQuery, MAX_LIMIT};
use crate::value::id::KeyId;

use super::Authority;
use super::attempt::begin;
use super::ending;
use super::errors::ListError;

/// The keys and events that a sweep has removed.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let swept = authority.sweep(&ada).await?;
/// println!("{} keys and {} events were removed", swept.keys.len(), swept.events);
/// # assert_eq!(swept, keywright::SweepReport::default());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SweepReport {
    /// The ids of the removed keys.
    pub keys: Vec<KeyId>,
    /// The number of removed events.
    pub events: u64,
}

impl Authority {
    /// Removes the tenant's old dead keys and old events, and returns what it has removed.
    ///
    /// A dead key (revoked or expired) is removed when it has been dead for
    /// [`Settings::retention`](crate::Settings::retention). Events older than
    /// [`Settings::event_retention`](crate::Settings::event_retention) are removed, the oldest first.
    /// The tenant's newest event always stays. The sweep writes an event for each removed key, and
    /// one for each batch of removed events.
    ///
    /// Call it regularly for each tenant, for example once a day.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{ManualClock, Settings};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let clock = ManualClock::at("2026-01-01T00:00:00Z".parse()?);
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).clock(clock.clone());
    /// # let authority = builder.default_policy(policy).build()?.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&ada, NewKey::named("prod-main-app")?).await?;
    /// authority.revoke(&ada, &issued.key.id).await?;
    /// clock.advance(Settings::DEFAULT_RETENTION);
    ///
    /// let swept = authority.sweep(&ada).await?;
    /// assert_eq!(swept.keys, [issued.key.id]);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// A sweep also writes the tenant's counts of refused calls. With the event of a deletion, it
    /// also removes the id of the deleted key or account. A new key could then have the same id,
    /// with a probability of 2⁻⁹⁵.
    ///
    /// See [Background work](crate::guide::background) in the guide.
    ///
    /// # Errors
    /// [`ListError`]: `PermissionDenied` or `Store`. The batches before the error are removed, and
    /// the next sweep continues.
    ///
    /// # Cancel safety
    /// A sweep works in batches. The batches before the drop stay removed, and the next sweep
    /// continues.
    pub async fn sweep(&self, actor: &Actor) -> Result<SweepReport, ListError> {
        let work = begin(actor, Operation::Sweep);
        work.run(self.sweep_all(&work, actor), ending::of).await.map(Outcome::into_inner)
    }

    async fn sweep_all(
        &self,
        work: &Work,
        actor: &Actor,
    ) -> Result<Outcome<SweepReport>, ListError> {
        self.step(work, actor, Operation::Sweep, |_| {
            Box::pin(async move {
                actor.must_for_any(Operation::Sweep)?;
                Ok::<_, ListError>(Attempted::Done(()))
            })
        })
        .await?;
        let Setup { store, refusal_log, .. } = &self.setup;
        refusal_log.flush(&**store, self.now(), Some(actor.tenant())).await?;
        let mut swept = SweepReport::default();
        self.sweep_keys(work, actor, &mut swept).await?;
        self.sweep_events(work, actor, &mut swept).await?;
        let is_unchanged = swept == SweepReport::default();
        Ok(if is_unchanged { Outcome::Unchanged(swept) } else { Outcome::Done(swept) })
    }

    async fn sweep_keys(
        &self,
        work: &Work,
        actor: &Actor,
        swept: &mut SweepReport,
    ) -> Result<(), ListError> {
        let dead = KeyQuery::new().status(KeyStatus::Revoked).status(KeyStatus::Expired);
        let mut query = dead.limit(MAX_LIMIT);
        loop {
            let (removed, next) = self.sweep_page_of_keys(work, actor, &query).await?;
            swept.keys.extend(removed);
            let Some(next) = next else { return Ok(()) };
            query = next;
        }
    }

    /// Removes the keys of one page whose retention has passed. Returns their ids and the query of
    /// the next page.
    async fn sweep_page_of_keys(
        &self,
        work: &Work,
        actor: &Actor,
        query: &KeyQuery,
    ) -> Result<(Vec<KeyId>, Option<KeyQuery>), ListError> {
        let step = self.step(work, actor, Operation::Sweep, |attempt| {
            Box::pin(async move {
                let now = attempt.now;
                let rules = attempt.rules().await?;
                let retention = rules.policy().retention().value;
                let page = attempt.store().keys(actor.tenant(), query, now).await?;
                let is_due = |key: &&Key| {
                    let dead = key.dead_since(now);
                    dead.is_some_and(|dead| dead.saturating_add(retention).has_passed(now))
                };
                let due: Vec<&Key> =
                    page.items.iter().map(|stored| stored.record.key()).filter(is_due).collect();
                let removed = (due.iter().map(|key| key.id).collect(), page.next);
                if due.is_empty() {
                    return Ok(Attempted::Done(removed));
                }
                let batch = Batch {
                    tenant: actor.tenant().clone(),
                    conditions: rules.conditions,
                    changes: due.iter().map(|key| Change::DeleteKey(key.id)).collect(),
                    events: due.iter().map(|key| attempt.event.clone().of(key)).collect(),
                };
                Ok::<_, ListError>(attempt.commit(batch, removed).await?)
            })
        });
        step.await.map(Outcome::into_inner)
    }

    async fn sweep_events(
        &self,
        work: &Work,
        actor: &Actor,
        swept: &mut SweepReport,
    ) -> Result<(), ListError> {
        loop {
            let (removed, is_last) = self.sweep_page_of_events(work, actor).await?;
            swept.events += removed;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Removes at most one page of old events, so that no commit removes too many at once. Returns
    /// their number, and whether this was the last page.
    async fn sweep_page_of_events(
        &self,
        work: &Work,
        actor: &Actor,
    ) -> Result<(u64, bool), ListError> {
        let oldest = &EventQuery::new().oldest_first().limit(MAX_LIMIT);
        let step = self.step(work, actor, Operation::Sweep, |attempt| {
            Box::pin(async move {
                let rules = attempt.rules().await?;
                let retention = rules.policy().event_retention().value;
                let page = attempt.store().events(actor.tenant(), oldest).await?;
                let is_due =
                    |event: &&Event| event.at.saturating_add(retention).has_passed(attempt.now);
                // Only up to the first event that is kept: the clocks of nodes differ, so later
                // events can have earlier times. The newest event stays; it is on the page only if
                // there is no next page.
                let newest = page.next.is_none().then(|| page.items.last()).flatten();
                let due = page.items.iter().take_while(is_due);
                let due: Vec<_> = due.filter(|event| Some(*event) != newest).collect();
                let Some(last) = due.last() else { return Ok(Attempted::Done((0, true))) };
                let tenant = actor.tenant().clone();
                let forget = Change::ForgetEvents { tenant, through: last.sequence };
                let removed = (due.len() as u64, due.len() < page.items.len());
                Ok::<_, ListError>(
                    attempt.write(rules.conditions, forget, EventDetails::NONE, removed).await?,
                )
            })
        });
        step.await.map(Outcome::into_inner)
    }
}
