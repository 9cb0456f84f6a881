//! The numbers of keys: those of owners, and those of a query.

use super::owned::Owned;
use super::state::State;
use crate::record::key::Owner;
use crate::store::error::StoreError;
use crate::store::query::{KeyQuery, OwnedKeys};
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

impl State {
    pub(in crate::store) fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let tables = self.read()?;
        let index = self.index.pin();
        let owned = |owner| tables.tenants.get(tenant)?.owners.get(owner);
        let keys = |owned: &Owned| OwnedKeys {
            live: owned.live_keys(at).count() as u64,
            all: owned.len() as u64,
            keys: (owned.keys().rev().take(most.into()))
                .filter_map(|id| Some(tables.stored(index.get(id)?.snapshot.record())))
                .collect(),
        };
        Ok(owners.iter().map(|owner| owned(owner).map_or_else(OwnedKeys::default, keys)).collect())
    }

    pub(in crate::store) fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let tables = self.read()?;
        let Some(tenant) = tables.tenants.get(tenant) else { return Ok(0) };
        if !query.has_filters() {
            return Ok(tenant.keys.len() as u64);
        }
        let index = self.index.pin();
        let row = |id: &KeyId| Some(tables.row(tenant, index.get(id)?.snapshot.record()));
        Ok(match &query.owner {
            Some(owner) => {
                let ids = tenant.owners.get(owner).into_iter().flat_map(Owned::keys);
                query.count(ids.filter_map(row), at)
            }
            None => query.count(tenant.keys.iter().filter_map(|(_, id)| row(id)), at),
        })
    }
}
