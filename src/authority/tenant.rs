//! A tenant: its plan, its settings and its events.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::operation::{Operation, Outcome};
use crate::record::plan::Plan;
use crate::record::policy::TenantPolicy;
use crate::record::policy_field::PolicyField;
use crate::record::policy_in_force::EffectivePolicy;
use crate::record::settings::{Settings, SettingsEdit};
use crate::setup::retry::Attempted;
use crate::store::{Change, EventQuery, Page, StoreError};
use crate::value::serde_strict::next_version;

use super::attempt::{Attempt, reading};
use super::errors::{ListError, SetPolicyError};
use super::listing::check_limit;
use super::{Authority, StoredPolicy};

/// The longest text of the values before or after a change in an event, in characters.
const MAX_VALUES: usize = 2_000;

impl Authority {
    /// Returns the rules that are in force in the tenant, each with the reason for its value.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let rules = authority.policy(&alice).await?;
    /// assert!(rules.api_enabled.value);
    /// println!("each user can have {} keys", rules.max_keys_per_user.value);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError::PermissionDenied`] and [`ListError::Store`].
    pub async fn policy(&self, actor: &Actor) -> Result<EffectivePolicy, ListError> {
        let read = async {
            actor.must_for_any(Operation::PolicyShow)?;
            Ok(self.stored_policy(actor.tenant()).await?.in_force().explained())
        };
        reading(actor, Operation::PolicyShow, read).await
    }

    /// Replaces the plan of the actor's tenant: the limits that the host sets.
    ///
    /// Read the plan in force with [`policy`](Self::policy), change its fields, and set it. The plan
    /// must have the version of the plan in force, so two changes cannot overwrite each other.
    /// Settings that are now beyond the plan stay as they are, and the plan's bound is in force.
    ///
    /// Only an actor of the host should have the permission
    /// [`SET_PLAN`](crate::Permissions::SET_PLAN).
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let mut plan = authority.policy(&ada).await?.plan;
    /// plan.max_keys_per_user = 3;
    /// authority.set_plan(&ada, plan).await?;
    /// assert_eq!(authority.policy(&ada).await?.max_keys_per_user.value, 3);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SetPolicyError`]: the actor has no permission, the plan contradicts itself, the plan has
    /// changed since it was read, or the store failed. Nothing is changed.
    pub async fn set_plan(
        &self,
        actor: &Actor,
        plan: Plan,
    ) -> Result<Outcome<Plan>, SetPolicyError> {
        let (operation, plan) = (Operation::PlanSet, &plan);
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                actor.must_for_any(operation)?;
                let rules = attempt.rules().await?;
                let current = rules.policy().plan;
                if plan.version != current.version {
                    let (given, current) = (plan.version, current.version);
                    return Err(SetPolicyError::Stale { given, current });
                }
                plan.validate()?;
                let next = Plan { version: next_version(current.version), ..plan.clone() };
                attempt.event.details = changes(&current.fields(), &plan.fields());
                if plan == current {
                    return Ok(attempt.unchanged(Outcome::Unchanged(plan.clone())).await?);
                }
                let stored = rules.stored_policy().with_plan(next.clone());
                Ok(attempt.put_policy(stored, Outcome::Done(next)).await?)
            })
        })
        .await
    }

    /// Changes some of the tenant's settings.
    ///
    /// The edit changes only the fields that are set. Each new value must be within the tenant's
    /// plan.
    ///
    /// ```
    /// use keywright::SettingsEdit;
    ///
    /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::tenant_admin(UserId::new("ada")?);
    /// let edit = SettingsEdit::new().max_keys_per_user(Some(3)).require_expiry(Some(true));
    /// let settings = authority.edit_settings(&ada, edit).await?.into_inner();
    /// assert_eq!(settings.max_keys_per_user, Some(3));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SetPolicyError`]: the actor has no permission, a value is out of its limits or beyond the
    /// plan, the settings have another version than the edit expects, or the store failed. Nothing
    /// is changed.
    pub async fn edit_settings(
        &self,
        actor: &Actor,
        edit: SettingsEdit,
    ) -> Result<Outcome<Settings>, SetPolicyError> {
        let (operation, edit) = (Operation::SettingsEdit, &edit);
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                actor.must_for_any(operation)?;
                let rules = attempt.rules().await?;
                let current = &rules.stored_policy().settings();
                if let Some(given) = edit.if_version.filter(|given| *given != current.version) {
                    return Err(SetPolicyError::Stale { given, current: current.version });
                }
                let next = edit.applied_to(current);
                attempt.event.details = changes(&current.fields(), &next.fields());
                next.validate()?;
                // A setting that the plan has overtaken stays until it is changed.
                edit.applied_to(&Settings::default()).must_be_within(rules.policy().plan)?;
                if next == *current {
                    return Ok(attempt.unchanged(Outcome::Unchanged(next)).await?);
                }
                let next = Settings { version: next_version(current.version), ..next };
                let stored = rules.stored_policy().with_settings(next.clone());
                Ok(attempt.put_policy(stored, Outcome::Done(next)).await?)
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
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
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
        let read = async {
            actor.must_for_any(Operation::EventsShow)?;
            check_limit(query.limit)?;
            Ok(self.setup.store.events(actor.tenant(), query).await?)
        };
        reading(actor, Operation::EventsShow, read).await
    }
}

impl Attempt<'_> {
    /// Writes the policy of the tenant. It fails if another commit has written one meanwhile.
    async fn put_policy<T>(
        &self,
        policy: TenantPolicy,
        value: T,
    ) -> Result<Attempted<T>, StoreError> {
        let put = Change::PutPolicy { tenant: self.actor.tenant().clone(), policy };
        self.write(Vec::new(), put, EventDetails::NONE, value).await
    }
}

impl StoredPolicy {
    fn settings(&self) -> Settings {
        self.stored.as_ref().and_then(|policy| policy.settings.clone()).unwrap_or_default()
    }

    fn with_plan(&self, plan: Plan) -> TenantPolicy {
        TenantPolicy { plan: Some(plan), ..self.next() }
    }

    fn with_settings(&self, settings: Settings) -> TenantPolicy {
        TenantPolicy { settings: Some(settings), ..self.next() }
    }

    fn next(&self) -> TenantPolicy {
        let policy = self.stored.as_deref().cloned().unwrap_or_default();
        TenantPolicy { version: next_version(policy.version), ..policy }
    }
}

/// Returns the fields that differ between two records, with their values before and after.
fn changes(before: &[(PolicyField, String)], after: &[(PolicyField, String)]) -> EventDetails {
    let pairs = || before.iter().zip(after).filter(|(before, after)| before != after);
    let changed: Vec<_> = pairs().map(|((field, _), _)| *field).collect();
    let named = |(field, value): &(PolicyField, String)| format!("{field}={value}");
    let (from, to): (Vec<_>, Vec<_>) =
        pairs().map(|(before, after)| (named(before), named(after))).unzip();
    EventDetails::NONE
        .list(DetailField::Changed, &changed)
        .text(DetailField::From, shortened(from.join("; ")))
        .text(DetailField::To, shortened(to.join("; ")))
}

/// Cuts a text to a length that an event may have.
fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_VALUES) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
