//! Management: generates, changes, lists and ends keys, service accounts and policies.
//!
//! Every method takes the actor first and works in the same order: permission, rules, change. The
//! permissions are decided in `record::actor`, the transitions of a key in `record::key`, and the
//! rules of a tenant in `record::rules`. The change is committed together with its event.

mod abilities;
mod account_entries;
mod accounts;
#[cfg(feature = "management")]
mod after_change;
mod all_tenants;
mod attempt;
mod ending;
mod errors;
mod generate;
mod keys;
mod listing;
mod obstacle;
mod refusal;
mod revoke;
mod rotate;
mod tenant;
mod ticket;
mod transfer;
mod upkeep;
mod users;
mod violation;
mod whole_listings;

use std::fmt;
use std::slice;
use std::sync::Arc;

#[cfg(feature = "management")]
use crate::record::actor::Actor;
use crate::record::event::Event;
#[cfg(feature = "management")]
use crate::record::event::{DetailField, EventDetails, EventOutcome, RefusalCode};
use crate::record::key::Owner;
#[cfg(feature = "management")]
use crate::record::operation::Operation;
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::{Policy, TenantPolicy};
use crate::record::policy_in_force::PolicyInForce;
use crate::record::user::User;
use crate::setup::Setup;
use crate::store::{Condition, OwnedKeys, StoreError};
#[cfg(feature = "management")]
use crate::value::id::{AccountId, KeyId};
use crate::value::id::{TenantId, UserId};
use crate::value::time::Timestamp;

pub use self::abilities::{Abilities, KeyChoices, KeyNumbers};
pub use self::account_entries::AccountEntry;
pub use self::all_tenants::RevokeReport;
pub use self::errors::{
    AccountError, GenerateError, KeyError, ListError, NewOwnerError, SetPolicyError, UserError,
};
pub use self::generate::Issued;
pub use self::listing::{KeyEntry, Overlap};
pub use self::obstacle::Obstacle;
pub use self::upkeep::SweepReport;
pub use self::whole_listings::Listing;

/// Generates and manages API keys, service accounts and policies.
///
/// [`Keywright::authority`](crate::Keywright::authority) returns one. Clones are cheap and share
/// one store. A service that only checks keys holds a [`Verifier`](crate::Verifier) instead, which
/// cannot create keys.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::{Actor, Keywright, NewKey, Policy, UserId};
///
/// # futures_lite::future::block_on(async {
/// let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// let authority = keywright.authority();
///
/// // Alice generates a key that can read invoices. Its token is shown once.
/// let alice = Actor::developer(UserId::new("alice")?);
/// let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// let issued = authority.generate(&alice, new).await?;
/// println!("your token: {}", issued.token.expose());
///
/// // The token has leaked. After this call, every check refuses it.
/// authority.revoke(&alice, &issued.key.id).await?;
/// assert!(keywright.verifier().verify(issued.token.expose()).await.is_err());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Actors](crate::guide::actors) and [States](crate::guide::states) in the guide. Five pages
/// there show how to build a page on this type: for
/// [an organization](crate::guide::organization_keys), [a user](crate::guide::user_keys),
/// [key ids and secrets](crate::guide::key_id_and_secret),
/// [service accounts](crate::guide::service_accounts) and
/// [the tenant's admin](crate::guide::tenant_console).
///
/// # Overview
/// | task | methods |
/// |---|---|
/// | generate a key | [`generate`](Self::generate) |
/// | draw a ticket for a form | [`ticket`](Self::ticket) |
/// | show what an actor may do | [`abilities`](Self::abilities) |
/// | show keys | [`key`](Self::key), [`keys`](Self::keys), [`all_keys`](Self::all_keys) |
/// | change a key | [`edit`](Self::edit), [`rename`](Self::rename) |
/// | stop a key for a while | [`disable`](Self::disable), [`enable`](Self::enable) |
/// | replace a secret | [`rotate`](Self::rotate), [`finish_rotation`](Self::finish_rotation) |
/// | end one key | [`revoke`](Self::revoke), [`delete`](Self::delete) |
/// | end many keys | [`revoke_many`](Self::revoke_many), [`revoke_owned`](Self::revoke_owned) |
/// | create a service account | [`create_account`](Self::create_account) |
/// | show service accounts | [`account`](Self::account), [`accounts`](Self::accounts), [`all_accounts`](Self::all_accounts) |
/// | change a service account | [`edit_account`](Self::edit_account) |
/// | stop a service account for a while | [`disable_account`](Self::disable_account), [`enable_account`](Self::enable_account) |
/// | delete a service account and its keys | [`delete_account`](Self::delete_account) |
/// | show the rules of a tenant | [`policy`](Self::policy) |
/// | set the host's limits for a tenant | [`set_plan`](Self::set_plan) |
/// | change a tenant's own rules | [`edit_settings`](Self::edit_settings) |
/// | hand keys to another owner | [`transfer_key`](Self::transfer_key), [`transfer_owned`](Self::transfer_owned) |
/// | stop all keys of a user for a while | [`suspend_user`](Self::suspend_user), [`restore_user`](Self::restore_user) |
/// | give a user a display name | [`set_display_name`](Self::set_display_name), [`user`](Self::user) |
/// | read the audit trail | [`events`](Self::events), [`all_events`](Self::all_events) |
/// | remove old keys and events | [`sweep`](Self::sweep) |
/// | for an [`Operator`](crate::Operator): list all tenants, and the keys of all | [`tenants`](Self::tenants), [`keys_of_all_tenants`](Self::keys_of_all_tenants), [`find_key`](Self::find_key) |
/// | for an operator: end keys in any tenant | [`revoke_in_any_tenant`](Self::revoke_in_any_tenant), [`revoke_owned_in_all_tenants`](Self::revoke_owned_in_all_tenants) |
/// | for an operator: remove old keys and events of all tenants | [`sweep_all_tenants`](Self::sweep_all_tenants) |
///
/// # Actors and permissions
/// Every method for one tenant takes an [`Actor`](crate::Actor) first. The actor is the user who makes the call, the tenant in
/// which the user acts, and the user's permissions. The host creates an actor for each call, from
/// its own login.
///
/// A method works in the actor's tenant only. A key or service account of another tenant is
/// reported as not found, and so is a key that the actor has no permission to see.
///
/// The methods for all tenants take an [`Operator`](crate::Operator) instead, which stands for the
/// host. No actor can become one.
///
/// # When a change takes effect
/// When a method returns, every later check in this process sees the change, and so does every
/// other process that reads the store directly. A cache on another node sees the change within its
/// `max_staleness`, by default 1 second. During an outage it can take longer, if the host has
/// allowed that.
///
/// # Repeated calls
/// Most changes return an [`Outcome`](crate::Outcome). It is `Done` if the call changed the record,
/// and `Unchanged` if the record was already in that state. Both are successes, so these calls can
/// be repeated safely. A repeated [`generate`](Self::generate) generates a second key, unless both
/// calls have the same [`ticket`](Self::ticket). A repeated [`rotate`](Self::rotate) replaces the
/// secret again.
///
/// # Concurrent changes
/// A method reads the current records, checks the change against them, and writes it in one atomic
/// step. If another caller changes a record in between, the method starts again, up to 64 times.
/// After that it fails with `Contended`, and nothing was changed. A change that names the version
/// that the actor has seen fails with `Stale` instead.
///
/// # Failures of the store
/// The `Store` variant of each error holds the [`StoreError`]. After the kind
/// [`Unavailable`](crate::store::StoreErrorKind::Unavailable) the change may have been made: read
/// the record before you repeat the call. After any other kind nothing was changed.
///
/// # Audit
/// Every change writes an [`Event`] in the same atomic step. A refused change writes one too. If
/// the event of a refusal cannot be written, the call fails with the store's error. Reading keys,
/// accounts, the policy or events writes no event, even if it is refused.
///
/// Refused calls cannot fill the store. For each actor (a user in a tenant), the first 10 refused
/// calls of a minute have an event each. Later ones in that minute are counted in memory, and one
/// event of the kind [`EventKind::Refusals`](crate::EventKind::Refusals) records their number. The
/// caller gets the same error either way.
///
/// The count is written after its minute has ended:
///
/// * with the next refused call that has an event of its own, from any actor,
/// * by [`Verifier::flush`](crate::Verifier::flush) of the same [`Keywright`](crate::Keywright),
/// * by [`sweep`](Self::sweep) for the tenant of the count.
///
/// The bound of 10 holds for each process. A process counts up to 10,000 actors separately, and the
/// others as one group for each tenant. A process that ends loses the counts that are not written
/// yet: at most those of the last minute, if it flushes every few seconds. A count can be written
/// twice if the store writes it and fails before it answers.
///
/// # Cancel safety
/// Dropping the future of any method leaves all records as they were before the call or as they are
/// after it. [`revoke_many`](Self::revoke_many) and [`sweep`](Self::sweep) do so for each of their
/// steps. A dropped `generate` or `rotate` loses its token: generate another key, or rotate again.
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

    pub(crate) fn now(&self) -> Timestamp {
        self.setup.clock.now()
    }

    /// Returns the policy that the tenant has stored, and the condition that it has not changed.
    async fn stored_policy(&self, tenant: &TenantId) -> Result<StoredPolicy, StoreError> {
        let stored = self.stored_policies(slice::from_ref(tenant)).await?.pop();
        stored.ok_or_else(answers_missing)
    }

    /// Returns the policies that tenants have stored, in the order of `tenants`.
    async fn stored_policies(&self, tenants: &[TenantId]) -> Result<Vec<StoredPolicy>, StoreError> {
        let found = self.setup.store.policies(tenants).await?;
        // A missing answer must not read as a tenant without a policy of its own.
        if found.len() != tenants.len() {
            return Err(answers_missing());
        }
        let of = |(tenant, stored): (&TenantId, Option<Arc<TenantPolicy>>)| {
            let version = stored.as_ref().map_or(0, |policy| policy.version);
            let unchanged = Condition::PolicyVersion { tenant: tenant.clone(), version };
            StoredPolicy { stored, default: Arc::clone(&self.setup.default_policy), unchanged }
        };
        Ok(tenants.iter().zip(found).map(of).collect())
    }

    /// Returns the numbers of keys of owners and the newest keys of each, in the order of `owners`.
    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        now: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let found = self.setup.store.owned_keys(tenant, owners, most, now).await?;
        if found.len() == owners.len() { Ok(found) } else { Err(answers_missing()) }
    }

    /// Returns the tenant's record of a user, or one that says nothing if there is none.
    async fn user_record(
        &self,
        tenant: &TenantId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<User, StoreError> {
        let stored = self.setup.store.user(tenant, user).await?;
        Ok(stored.unwrap_or_else(|| User::unknown(tenant.clone(), user.clone(), now)))
    }

    /// Returns the record of an owner. It is `None` for the organization and for an absent account.
    async fn owner_record(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Option<OwnerRecord>, StoreError> {
        Ok(match owner {
            Owner::Account(id) => {
                let found = self.setup.store.account(tenant, id).await?;
                found.map(|account| OwnerRecord::Account(Arc::new(account)))
            }
            Owner::User(id) => {
                Some(OwnerRecord::User(Arc::new(self.user_record(tenant, id, now).await?)))
            }
            Owner::Organization => None,
        })
    }

    /// Records a refused call, with an event of its own or in the count of its minute.
    async fn record_refusal(&self, event: Event) -> Result<(), StoreError> {
        self.setup.refusal_log.record(&*self.setup.store, event).await
    }

    /// Records a request of an actor that could not be parsed. `problem` is the code of the error.
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

/// Returns the error for a store that does not return one answer for each tenant or owner.
fn answers_missing() -> StoreError {
    StoreError::corrupt("the store did not return one answer for each tenant or owner")
}

/// The policy that a tenant has stored, beside the host's default.
struct StoredPolicy {
    stored: Option<Arc<TenantPolicy>>,
    default: Arc<Policy>,
    /// The condition that the tenant's policy has not changed.
    unchanged: Condition,
}

impl StoredPolicy {
    fn in_force(&self) -> PolicyInForce<'_> {
        PolicyInForce::new(self.stored.as_deref(), &self.default)
    }
}
