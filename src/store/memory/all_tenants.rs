//! The lists of all tenants, which only an operator of the host reads.

use std::ops::Bound;

use super::state::State;
use super::tables::Tables;
use crate::store::error::StoreError;
use crate::store::key_index::WORTH_INDEX;
use crate::store::query::{KeyQuery, Page, StoredKey, TenantEntry, TenantQuery};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

impl State {
    /// Returns a page of the keys of all tenants.
    pub(in crate::store) fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.in_slices(|tables| {
            let keys = self.keys_of(tables);
            if self.index.len() < WORTH_INDEX {
                let ids = tables.tenants.values().flat_map(|tenant| tenant.keys.iter());
                return Ok(Some(query.page(ids.filter_map(|(_, id)| keys.row(id)), at)));
            }
            let Some(index) = keys.index_of_all() else { return Ok(None) };
            let found = index.first(query, at, &keys)?;
            Ok(found.map(|found| query.page(found.iter().filter_map(|id| keys.row(id)), at)))
        })
    }

    pub(in crate::store) fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        let tables = self.read()?;
        let prefix = query.prefix.as_deref().filter(|prefix| !prefix.is_empty());
        // No id starts with a text that is no id itself.
        let Ok(prefix) = prefix.map(str::parse::<TenantId>).transpose() else {
            return Ok(query.page([]));
        };
        let begin = prefix.max(query.after.clone());
        let from = begin.map_or(Bound::Unbounded, Bound::Included);
        // In the order of the ids, the search ends when the page is full.
        let ids = tables.last_events.range((from, Bound::Unbounded)).map(|(id, _)| id);
        let ids = ids.filter(|id| query.is_after_cursor(id)).take_while(|id| query.matches(id));
        let ids = ids.take(query.page_size() + 1);
        Ok(query.page(ids.map(|id| tables.entry_of_tenant(id, at))))
    }
}

impl Tables {
    fn entry_of_tenant(&self, id: &TenantId, at: Timestamp) -> TenantEntry {
        let tenant = self.tenants.get(id);
        TenantEntry {
            tenant: id.clone(),
            live_keys: tenant.map_or(0, |tenant| tenant.live.count(at)),
            keys: tenant.map_or(0, |tenant| tenant.keys.len() as u64),
            accounts: tenant.map_or(0, |tenant| tenant.accounts.len() as u64),
            last_event: self.last_events.get(id).copied().unwrap_or(0),
        }
    }
}
