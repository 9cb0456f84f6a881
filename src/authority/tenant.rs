//! A tenant: its policy and its events.

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
    /// Returns the policy in force: the tenant's own, or the default policy if the tenant has none.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let policy = authority.policy(&alice).await?;
    /// println!("you can have {} keys", policy.max_keys_per_owner);
    /// # assert_eq!(policy.version, 0);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: `PermissionDenied` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn policy(&self, actor: &Actor) -> Result<Policy, ListError> {
        let operation = Operation::PolicyShow;
        actor.must_for_any(operation)?;
        Ok(self.policy_in_force(actor).await?.0)
    }

    /// Sets the tenant's policy, and returns it with its new version.
    ///
    /// Take the policy that [`policy`](Self::policy) returns, change its fields, and set it. Its
    /// version prevents lost updates: if another actor has changed the policy since it was read, it
    /// is refused.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let mut policy = authority.policy(&ada).await?;
    /// policy.max_lifetime = Some(Duration::from_secs(90 * 86_400));
    /// let policy = authority.set_policy(&ada, policy).await?.into_inner();
    /// assert_eq!(policy.version, 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// A change of `api_in_plan` needs the permission [`SET_PLAN`](crate::Permissions::SET_PLAN),
    /// which is meant for the host. Every other change needs
    /// [`SET_POLICY`](crate::Permissions::SET_POLICY).
    ///
    /// # Errors
    /// * [`SetPolicyError::Stale`] if the policy has changed since it was read: read it again, and
    ///   repeat the change.
    /// * [`SetPolicyError::Policy`] if a field is out of its bounds.
    /// * Otherwise `PermissionDenied` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves either the old policy or the new one in force.
    pub async fn set_policy(
        &self,
        actor: &Actor,
        policy: Policy,
    ) -> Result<Outcome<Policy>, SetPolicyError> {
        let policy = &policy;
        self.attempt(actor, Operation::PolicySet, |attempt| {
            Box::pin(async move {
                // Before the policies are compared, so that an actor who cannot see the policy does
                // not find it out by comparison.
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
                // No second attempt: the actor has not seen the policy that is in force now.
                let given = current.version;
                let current = attempt.rules().await?.policy.version;
                Err(SetPolicyError::Stale { given, current })
            })
        })
        .await
    }

    /// Lists the tenant's events, one page at a time, newest first.
    ///
    /// [`EventQuery::oldest_first`] reverses the order. Other methods of the query set filters. A
    /// page has 50 events unless the query sets another limit. A page can have fewer items than its
    /// limit, or none, and still have a next page. [`all_events`](Self::all_events) reads all
    /// pages.
    ///
    /// ```
    /// use keywright::{Operation, store::EventQuery};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let query = EventQuery::new().key(issued.key.id).kind(Operation::KeyGenerate);
    /// let page = authority.events(&ada, &query).await?;
    /// assert_eq!(page.items[0].actor.to_string(), "user:alice");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: `PermissionDenied`, `Limit` or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
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
