//! The numbers of keys: those of owners, and those of a query.

use super::owned::Owned;
use super::state::State;
use crate::record::key::Owner;
use crate::store::error::StoreError;
use crate::store::key_index::WORTH_INDEX;
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
            live: owned.count_live(at) as u64,
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
        self.in_slices(|tables| {
            let Some(of_tenant) = tables.tenants.get(tenant) else { return Ok(Some(0)) };
            if !query.has_filters() {
                return Ok(Some(of_tenant.keys.len() as u64));
            }
            let keys = self.keys_of(tables);
            let row = |id: &KeyId| keys.row(id);
            let owned = query.owner.as_ref().map(|owner| of_tenant.owners.get(owner));
            match owned {
                Some(None) => Ok(Some(0)),
                Some(Some(owned)) if owned.len() < WORTH_INDEX => {
                    Ok(Some(query.count(owned.keys().filter_map(row), at)))
                }
                None if of_tenant.keys.len() < WORTH_INDEX => {
                    let ids = of_tenant.keys.iter().map(|(_, id)| id);
                    Ok(Some(query.count(ids.filter_map(row), at)))
                }
                _ => match keys.index_of(tenant, of_tenant) {
                    Some(index) => index.count(query, at, &keys),
                    None => Ok(None),
                },
            }
        })
    }
}
