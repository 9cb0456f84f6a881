//! The data of a state, listed for a transfer.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::key::Owner;
use crate::record::policy::TenantPolicy;
use crate::record::snapshot::Snapshot;
use crate::record::usage::LastBatch;
use crate::record::user::User;
use crate::store::error::StoreError;
use crate::store::memory::{Journal, State, Touched};
use crate::store::plan::{DeletedId, Tombstone};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};

/// The data of a state, each list in the order of its ids. A row that the state does not have is
/// `None`. The usage of keys is looked up later, one by one.
pub(super) struct Export {
    pub(super) keys: Vec<(KeyId, Option<Arc<Snapshot>>)>,
    pub(super) accounts: Vec<(AccountId, Option<Arc<ServiceAccount>>)>,
    /// The id of a row is the tenant and the owner.
    pub(super) users: Vec<(String, Option<Arc<User>>)>,
    pub(super) policies: Vec<(TenantId, Option<Arc<TenantPolicy>>)>,
    /// The deleted ids, sorted as the database sorts their text: accounts come first.
    pub(super) deleted: Vec<(DeletedId, Option<Tombstone>)>,
    pub(super) writers: Vec<([u8; 16], Option<LastBatch>)>,
    pub(super) last_events: Vec<(TenantId, u64)>,
}

impl Export {
    /// Lists all data of a state at one moment.
    pub(super) fn of(state: &State) -> Result<Self, StoreError> {
        let tables = state.read()?;
        let tenants = || tables.tenants.values();
        let keys = tenants().flat_map(|tenant| tenant.keys.iter());
        let accounts = tenants().flat_map(|tenant| tenant.accounts.iter());
        let users = tenants().flat_map(|tenant| tenant.users.values());
        let policies = tables
            .tenants
            .iter()
            .filter_map(|(id, tenant)| Some((id.clone(), Some(tenant.policy.clone()?))));
        let deleted = tables.tenants.iter().flat_map(|(name, tenant)| {
            let tombstone =
                |(event, id): &(u64, _)| Tombstone { id: *id, tenant: name.clone(), event: *event };
            tenant.deleted.iter().map(tombstone)
        });
        let writers = tables.writers.iter();
        let mut export = Self {
            keys: keys.map(|(_, id)| (*id, state.snapshot(id))).collect(),
            accounts: accounts.map(|(id, account)| (*id, Some(Arc::clone(account)))).collect(),
            users: users
                .map(|user| (name_of(&user.tenant, &user.id), Some(user.clone())))
                .collect(),
            policies: policies.collect(),
            deleted: deleted.map(|tombstone| (tombstone.id, Some(tombstone))).collect(),
            writers: writers.map(|(id, writer)| (*id, Some(writer.last))).collect(),
            last_events: tables.last_events.iter().map(|(id, last)| (id.clone(), *last)).collect(),
        };
        drop(tables);
        export.keys.sort_unstable_by_key(|(id, _)| *id);
        export.accounts.sort_unstable_by_key(|(id, _)| *id);
        export.users.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        export.policies.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        export.deleted.sort_unstable_by_key(|(id, _)| *id);
        export.writers.sort_unstable_by_key(|(id, _)| *id);
        export.last_events.sort_unstable();
        Ok(export)
    }

    /// Takes the rows of the journal into `touched`, and lists these rows of a state, all at one
    /// moment. If a change came in between, a row could refer to one that is not listed.
    pub(super) fn of_touched(
        state: &State,
        journal: &Journal,
        touched: &mut Touched,
    ) -> Result<Self, StoreError> {
        // Changes note their rows under the same lock.
        let tables = state.read()?;
        touched.absorb(journal.take());
        let account = |id: &AccountId| {
            let tenant = tables.tenants.get(tables.accounts.get(id)?)?;
            tenant.accounts.get(id).cloned()
        };
        let user = |tenant: &TenantId, id: &UserId| {
            tables.tenants.get(tenant).and_then(|tenant| tenant.users.get(id)).cloned()
        };
        let policy = |tenant: &TenantId| tables.tenants.get(tenant)?.policy.clone();
        let writer = |id: &[u8; 16]| Some(tables.writers.get(id)?.last);
        let last_event =
            |tenant: &TenantId| Some((tenant.clone(), *tables.last_events.get(tenant)?));
        let deleted = touched.deleted.iter();
        Ok(Self {
            keys: touched.keys.iter().map(|id| (*id, state.snapshot(id))).collect(),
            accounts: touched.accounts.iter().map(|id| (*id, account(id))).collect(),
            users: touched.users.iter().map(|(t, id)| (name_of(t, id), user(t, id))).collect(),
            policies: touched.policies.iter().map(|id| (id.clone(), policy(id))).collect(),
            deleted: deleted.map(|(id, tombstone)| (*id, tombstone.clone())).collect(),
            writers: touched.writers.iter().map(|id| (*id, writer(id))).collect(),
            last_events: touched.events.iter().filter_map(last_event).collect(),
        })
    }
}

/// Returns the id of the row of a user.
fn name_of(tenant: &TenantId, user: &UserId) -> String {
    format!("{tenant} {}", Owner::User(user.clone()))
}
