//! The data of a state, listed for a transfer.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::policy::TenantPolicy;
use crate::record::usage::LastBatch;
use crate::record::user::User;
use crate::store::error::StoreError;
use crate::store::memory::State;
use crate::store::plan::Tombstone;
use crate::value::id::{KeyId, TenantId};

/// The data of a state, each list in the order of its ids. The keys' records are looked up later,
/// one by one.
pub(super) struct Export {
    pub(super) keys: Vec<KeyId>,
    pub(super) accounts: Vec<Arc<ServiceAccount>>,
    pub(super) users: Vec<Arc<User>>,
    pub(super) policies: Vec<(TenantId, Arc<TenantPolicy>)>,
    /// The deleted ids, sorted as the database sorts their text: accounts come first.
    pub(super) deleted: Vec<Tombstone>,
    pub(super) writers: Vec<([u8; 16], LastBatch)>,
    pub(super) last_events: Vec<(TenantId, u64)>,
}

impl Export {
    /// Lists the data of a state at one moment.
    pub(super) fn of(state: &State) -> Result<Self, StoreError> {
        let tables = state.read()?;
        let tenants = || tables.tenants.values();
        let keys = tenants().flat_map(|tenant| tenant.keys.iter().map(|(_, id)| *id));
        let accounts = tenants().flat_map(|tenant| tenant.accounts.values().cloned());
        let users = tenants().flat_map(|tenant| tenant.users.values().cloned());
        let policies = tables
            .tenants
            .iter()
            .filter_map(|(id, tenant)| Some((id.clone(), tenant.policy.clone()?)));
        let deleted = tables.tenants.iter().flat_map(|(name, tenant)| {
            let tombstone =
                |(event, id): &(u64, _)| Tombstone { id: *id, tenant: name.clone(), event: *event };
            tenant.deleted.iter().map(tombstone)
        });
        let mut export = Self {
            keys: keys.collect(),
            accounts: accounts.collect(),
            users: users.collect(),
            policies: policies.collect(),
            deleted: deleted.collect(),
            writers: tables.writers.iter().map(|(id, writer)| (*id, writer.last)).collect(),
            last_events: tables.last_events.iter().map(|(id, last)| (id.clone(), *last)).collect(),
        };
        drop(tables);
        export.keys.sort_unstable();
        export.accounts.sort_unstable_by_key(|account| account.id);
        export.users.sort_unstable_by_key(|user| (user.tenant.clone(), user.id.clone()));
        export.policies.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        export.deleted.sort_unstable_by_key(|tombstone| tombstone.id);
        export.writers.sort_unstable_by_key(|(id, _)| *id);
        export.last_events.sort_unstable();
        Ok(export)
    }
}
