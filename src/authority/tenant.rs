//! The tenant: its policy and its events.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::Policy;
use crate::record::policy_field::PolicyField;
use crate::setup::retry::Attempted;
use crate::store::{Change, EventQuery, Page};
use crate::value::serde_strict::next_version;

use super::Authority;
use super::errors::{ListError, SetPolicyError};
use super::listing::check_limit;

impl Authority {
    /// Returns the policy in force: the tenant's own, or the host's default.
    ///
    /// # Errors
    /// [`ListError`]; here it is `PermissionDenied` or `Store`.
    pub async fn policy(&self, actor: &Actor) -> Result<Policy, ListError> {
        let operation = Operation::PolicyShow;
        actor.must_for_any(operation)?;
        Ok(self.policy_in_force(actor).await?.0)
    }

    /// Sets the tenant's policy. Take the one that [`policy`](Self::policy) returns and change its
    /// fields.
    ///
    /// A change of `api_in_plan` is the host's and needs the permission
    /// [`SET_PLAN`](crate::Permissions::SET_PLAN).
    ///
    /// # Errors
    /// [`SetPolicyError`]; `Stale` if somebody else has set it meanwhile.
    pub async fn set_policy(
        &self,
        actor: &Actor,
        policy: Policy,
    ) -> Result<Outcome<Policy>, SetPolicyError> {
        let policy = &policy;
        self.attempt(actor, Operation::PolicySet, |attempt| {
            Box::pin(async move {
                // Before anything is compared: an actor who may not see the policy does not learn by
                // comparison what it is.
                let sees = actor.may_for_any(Operation::PolicyShow);
                if !sees && !actor.may_for_any(Operation::PlanSet) {
                    actor.must_for_any(Operation::PolicySet)?;
                }
                let current = attempt.rules().await?.policy;
                let changed = current.changed_fields(policy);
                let operation = PolicyField::operation_of(&changed);
                attempt.event.kind = operation.into();
                actor.must_for_any(operation)?;
                for field in &changed {
                    actor.must_for_any(field.operation())?;
                }
                if policy.version != current.version {
                    return Err(SetPolicyError::Stale {
                        given: policy.version,
                        current: current.version,
                    });
                }
                policy.validate()?;
                if changed.is_empty() {
                    return Ok(attempt.unchanged(Outcome::Unchanged(current)).await?);
                }
                let next = Policy { version: next_version(current.version), ..policy.clone() };
                let put =
                    Change::PutPolicy { tenant: actor.tenant().clone(), policy: next.clone() };
                attempt.event.details = EventDetails::NONE.list(DetailField::Changed, &changed);
                let written =
                    attempt.write(Vec::new(), put, EventDetails::NONE, Outcome::Done(next)).await?;
                if let Attempted::Done(_) = written {
                    return Ok(written);
                }
                // Not tried again: the actor has not seen the policy that is in force now.
                let given = current.version;
                let current = attempt.rules().await?.policy.version;
                Err(SetPolicyError::Stale { given, current })
            })
        })
        .await
    }

    /// Lists the tenant's events, a page at a time, newest first unless the query says otherwise.
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
