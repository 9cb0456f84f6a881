//! The tenant: its policy and its events.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails, EventOutcome};
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::Policy;
use crate::store::{Batch, Change, EventQuery, Page};
use crate::value::serde_strict::next_version;

use super::Authority;
use super::errors::{ListError, SetPolicyError};
use super::listing::check_limit;

impl Authority {
    /// The policy in force: the tenant's own, or the host's default.
    ///
    /// # Errors
    /// [`ListError`]; here it is `PermissionDenied` or `Store`.
    pub async fn policy(&self, actor: &Actor) -> Result<Policy, ListError> {
        let operation = Operation::PolicyShow;
        actor.must_for_any(operation)?;
        Ok(self.policy_in_force(actor).await?.0)
    }

    /// Sets the tenant's policy, to what [`policy`](Self::policy) gave with other fields.
    ///
    /// Whether the plan includes API access is the host's to say and needs a permission of its own.
    ///
    /// # Errors
    /// [`SetPolicyError`]; `Stale` if somebody else has set it meanwhile.
    pub async fn set_policy(
        &self,
        actor: &Actor,
        policy: Policy,
    ) -> Result<Outcome<Policy>, SetPolicyError> {
        let now = self.now();
        // Before anything is compared: what a stranger guesses right, they may not learn either.
        let sees = actor.may_for_any(Operation::PolicyShow);
        if !sees && !actor.may_for_any(Operation::PlanSet) {
            let allowed = actor.must_for_any(Operation::PolicySet).map_err(SetPolicyError::from);
            self.on_record(allowed, &Event::by(actor, Operation::PolicySet, now)).await?;
        }
        let current = self.policy_in_force(actor).await?.0;
        let changed = changed_fields(&current, &policy);
        let operation = match changed.as_slice() {
            ["api_in_plan"] => Operation::PlanSet,
            _ => Operation::PolicySet,
        };
        let event = Event::by(actor, operation, now);
        let checked = check(actor, operation, &changed, &current, &policy);
        self.on_record(checked, &event).await?;
        if changed.is_empty() {
            self.note(Event { outcome: EventOutcome::Unchanged, ..event }).await?;
            return Ok(Outcome::Unchanged(current));
        }
        let next = Policy { version: next_version(current.version), ..policy };
        let put = Change::PutPolicy { tenant: actor.tenant().clone(), policy: next.clone() };
        let details = EventDetails::NONE.text(DetailField::Changed, changed.join(", "));
        let event = Event { details, ..event };
        let batch = Batch { changes: vec![put], events: vec![event.clone()], ..Batch::default() };
        if self.commits(batch).await? {
            return Ok(Outcome::Done(next));
        }
        let given = current.version;
        let current = self.policy_in_force(actor).await?.0.version;
        self.on_record(Err(SetPolicyError::Stale { given, current }), &event).await
    }

    /// A page of the tenant's events, newest first unless the query says otherwise.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn events(
        &self,
        actor: &Actor,
        query: &EventQuery,
    ) -> Result<Page<Event>, ListError> {
        let operation = Operation::EventsShow;
        actor.must_for_any(operation)?;
        check_limit(query.limit)?;
        Ok(self.setup.store.events(actor.tenant(), query).await?)
    }
}

fn check(
    actor: &Actor,
    operation: Operation,
    changed: &[&str],
    current: &Policy,
    next: &Policy,
) -> Result<(), SetPolicyError> {
    let plan_too = changed.contains(&"api_in_plan").then_some(Operation::PlanSet);
    for operation in [Some(operation), plan_too].into_iter().flatten() {
        actor.must_for_any(operation)?;
    }
    if next.version != current.version {
        return Err(SetPolicyError::Stale { given: next.version, current: current.version });
    }
    Ok(next.validate()?)
}

/// The names of the fields in which two policies differ, apart from the version.
fn changed_fields(a: &Policy, b: &Policy) -> Vec<&'static str> {
    macro_rules! differing {
        ($($field:ident)*) => {{
            // Without `..`: a new field that is missing below does not compile.
            let Policy { version: _, $($field: _,)* } = a;
            [$((stringify!($field), a.$field != b.$field),)*]
        }};
    }
    let fields = differing!(
        api_in_plan api_enabled require_expiry default_lifetime max_lifetime max_keys_per_owner
        max_overlap name_pattern scope_ceiling roles default_rate extensive_use retention
        event_retention
    );
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
