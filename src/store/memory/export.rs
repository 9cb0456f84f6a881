//! The data of a state, listed for a transfer.

use super::state::State;
use super::tables::Tables;
use super::touched::{Journal, Touched};
use crate::store::error::StoreError;
use crate::store::plan::Tombstone;
use crate::store::transfer::{Export, ExportedKey, ExportedKeys, name_of};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};

impl State {
    /// Lists all data at one moment.
    pub(in crate::store) fn export(&self) -> Result<Export, StoreError> {
        let tables = self.read()?;
        let tenants = || tables.tenants.values();
        let keys = tenants().flat_map(|tenant| tenant.keys.iter());
        let accounts = tenants().flat_map(|tenant| tenant.accounts.iter());
        let users = tenants().flat_map(|tenant| tenant.users.values());
        let policies = tables
            .tenants
            .iter()
            .filter_map(|(id, tenant)| Some((id.clone(), tenant.policy.as_deref().cloned()?)));
        let deleted = tables.tenants.iter().flat_map(|(name, tenant)| {
            let tombstone =
                |(event, id): &(u64, _)| Tombstone { id: *id, tenant: name.clone(), event: *event };
            tenant.deleted.iter().map(tombstone)
        });
        let writers = tables.writers.iter();
        let mut export = Export {
            keys: ExportedKeys::All(keys.map(|(_, id)| *id).collect()),
            accounts: accounts.map(|(id, account)| (*id, Some((**account).clone()))).collect(),
            users: users
                .map(|user| (name_of(&user.tenant, &user.id), Some((**user).clone())))
                .collect(),
            policies: policies.map(|(id, policy)| (id, Some(policy))).collect(),
            deleted: deleted.map(|tombstone| (tombstone.id, Some(tombstone))).collect(),
            writers: writers.map(|(id, writer)| (*id, Some(writer.last))).collect(),
            last_events: tables.last_events.iter().map(|(id, last)| (id.clone(), *last)).collect(),
        };
        drop(tables);
        export.sort();
        Ok(export)
    }

    /// Takes the rows of the journal into `touched`, and lists these rows, all at one moment. If a
    /// change came in between, a row could refer to one that is not listed.
    pub(in crate::store) fn export_touched(
        &self,
        journal: &Journal,
        touched: &mut Touched,
    ) -> Result<Export, StoreError> {
        // Changes note their rows under the same lock.
        let tables = self.read()?;
        touched.absorb(journal.take());
        let account = |id: &AccountId| {
            let tenant = tables.tenants.get(tables.accounts.get(id)?)?;
            tenant.accounts.get(id).map(|account| (**account).clone())
        };
        let user = |tenant: &TenantId, id: &UserId| {
            let tenant = tables.tenants.get(tenant)?;
            tenant.users.get(id).map(|user| (**user).clone())
        };
        let policy = |tenant: &TenantId| tables.tenants.get(tenant)?.policy.as_deref().cloned();
        let writer = |id: &[u8; 16]| Some(tables.writers.get(id)?.last);
        let last_event =
            |tenant: &TenantId| Some((tenant.clone(), *tables.last_events.get(tenant)?));
        let deleted = touched.deleted.iter();
        let keys = touched.keys.iter().map(|id| (*id, self.exported(id, &tables)));
        Ok(Export {
            keys: ExportedKeys::Some(keys.collect()),
            accounts: touched.accounts.iter().map(|id| (*id, account(id))).collect(),
            users: touched.users.iter().map(|(t, id)| (name_of(t, id), user(t, id))).collect(),
            policies: touched.policies.iter().map(|id| (id.clone(), policy(id))).collect(),
            deleted: deleted.map(|(id, tombstone)| (*id, tombstone.clone())).collect(),
            writers: touched.writers.iter().map(|id| (*id, writer(id))).collect(),
            last_events: touched.events.iter().filter_map(last_event).collect(),
        })
    }

    /// Returns keys of any tenant with their usage, in the order of the ids.
    pub(in crate::store) fn exported_keys(
        &self,
        ids: &[KeyId],
    ) -> Result<Vec<Option<ExportedKey>>, StoreError> {
        let tables = self.read()?;
        Ok(ids.iter().map(|id| self.exported(id, &tables)).collect())
    }

    fn exported(&self, id: &KeyId, tables: &Tables) -> Option<ExportedKey> {
        let record = self.index.pin().get(id)?.snapshot.record().clone();
        Some((record, tables.usage.get(id)))
    }
}
