//! The lists of all tenants, which only an operator of the host reads.

use super::owned::Owned;
use super::state::State;
use super::tables::{Tables, Tenant};
use crate::store::error::StoreError;
use crate::store::query::{KeyQuery, Page, StoredKey, TenantEntry, TenantQuery};
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

impl State {
    /// Returns a page of the keys of all tenants. It looks at every key, because no index has their
    /// order.
    pub(in crate::store) fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let tables = self.read()?;
        let index = self.index.pin();
        let stored = |id: &KeyId| {
            let record = index.get(id)?.snapshot.record();
            Some(tables.row(tables.tenants.get(&record.key().tenant)?, record))
        };
        let tenants = tables.tenants.values();
        if let Some(owner) = &query.owner {
            let owned = tenants.filter_map(|tenant| tenant.owners.get(owner));
            return Ok(query.page(owned.flat_map(Owned::keys).filter_map(stored), at));
        }
        let ids = tenants.flat_map(|tenant| tenant.keys.iter().map(|(_, id)| id));
        Ok(query.page(ids.filter_map(stored), at))
    }

    pub(in crate::store) fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        let tables = self.read()?;
        let is_on_page = |id: &&TenantId| query.is_after_cursor(id) && query.matches(id);
        let mut ids: Vec<&TenantId> = tables.last_events.keys().filter(is_on_page).collect();
        ids.sort_unstable();
        // Only the tenants of the page are counted.
        let ids = ids.into_iter().take(query.page_size() + 1);
        Ok(query.page(ids.map(|id| tables.entry_of_tenant(id, at))))
    }
}

impl Tables {
    fn entry_of_tenant(&self, id: &TenantId, at: Timestamp) -> TenantEntry {
        let tenant = self.tenants.get(id);
        let live = |tenant: &Tenant| {
            tenant.owners.values().map(|owned| owned.live_keys(at).count() as u64).sum()
        };
        TenantEntry {
            tenant: id.clone(),
            live_keys: tenant.map_or(0, live),
            keys: tenant.map_or(0, |tenant| tenant.keys.len() as u64),
            accounts: tenant.map_or(0, |tenant| tenant.accounts.len() as u64),
            last_event: self.last_events.get(id).copied().unwrap_or(0),
        }
    }
}
