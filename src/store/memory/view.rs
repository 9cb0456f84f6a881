//! Planning a batch against a state, whose tables and keys are the view.

use std::sync::Arc;

use papaya::{HashMapRef, LocalGuard};

use super::owned::Owned;
use super::state::State;
use super::tables::{Entry, Tables};
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::usage::{LastBatch, Usage, UsageBatch};
use crate::record::user::User;
use crate::store::batch::Batch;
use crate::store::epoch::Epoch;
use crate::store::error::StoreError;
use crate::store::plan::{self, DeletedId, Effects, View};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

impl State {
    /// Plans a batch: returns its effects and the epoch of its commit.
    pub(in crate::store) fn plan(&self, batch: Batch) -> Result<(Epoch, Effects), StoreError> {
        #[cfg(feature = "postgres")]
        self.stage.must_take_changes()?;
        let tables = self.read()?;
        let epoch = tables.epoch.0.checked_add(1);
        let epoch = epoch.ok_or_else(|| {
            StoreError::corrupt("the store has reached the highest epoch and takes no more commits")
        })?;
        Ok((Epoch(epoch), plan::batch(&self.view(&tables), batch)?))
    }

    /// Plans a batch of usage: returns its effects and the current epoch, which usage does not
    /// advance. Returns `None` if the batch was added before.
    pub(in crate::store) fn plan_usage(
        &self,
        batch: &UsageBatch,
    ) -> Result<Option<(Epoch, Effects)>, StoreError> {
        #[cfg(feature = "postgres")]
        self.stage.must_take_changes()?;
        let tables = self.read()?;
        let effects = plan::usage(&self.view(&tables), batch)?;
        Ok(effects.map(|effects| (tables.epoch, effects)))
    }

    fn view<'a>(&'a self, tables: &'a Tables) -> StateView<'a> {
        StateView { tables, index: self.index.pin() }
    }
}

/// A state that cannot change while the view exists, because the tables are locked.
struct StateView<'a> {
    tables: &'a Tables,
    index: HashMapRef<'a, KeyId, Entry, foldhash::fast::RandomState, LocalGuard<'a>>,
}

impl StateView<'_> {
    fn owned(&self, tenant: &TenantId, owner: &Owner) -> Option<&Owned> {
        self.tables.tenants.get(tenant)?.owners.get(owner)
    }
}

impl View for StateView<'_> {
    fn key(&self, key: &KeyId) -> Option<&KeyRecord> {
        self.index.get(key).map(|entry| entry.snapshot.record())
    }

    fn account(&self, account: &AccountId) -> Option<&ServiceAccount> {
        let tenant = self.tables.tenants.get(self.tables.accounts.get(account)?)?;
        tenant.accounts.get(account).map(AsRef::as_ref)
    }

    fn user(&self, tenant: &TenantId, user: &UserId) -> Option<&User> {
        self.tables.tenants.get(tenant)?.users.get(user).map(Arc::as_ref)
    }

    fn policy(&self, tenant: &TenantId) -> Option<&TenantPolicy> {
        self.tables.tenants.get(tenant)?.policy.as_deref()
    }

    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = KeyId> {
        self.owned(tenant, owner).into_iter().flat_map(Owned::keys).copied()
    }

    fn live_keys_of(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        at: Timestamp,
    ) -> impl Iterator<Item = KeyId> {
        let keys = self.owned(tenant, owner).into_iter();
        keys.flat_map(move |owned| owned.live_keys(at)).copied()
    }

    fn is_deleted(&self, id: &DeletedId) -> bool {
        self.tables.deleted.contains(id)
    }

    fn deleted_through(&self, tenant: &TenantId, through: u64) -> impl Iterator<Item = DeletedId> {
        let tenant = self.tables.tenants.get(tenant).into_iter();
        let deleted = tenant.flat_map(|tenant| &tenant.deleted);
        deleted.take_while(move |(event, _)| *event <= through).map(|(_, id)| *id)
    }

    fn last_event(&self, tenant: &TenantId) -> u64 {
        self.tables.last_events.get(tenant).copied().unwrap_or(0)
    }

    fn usage(&self, key: &KeyId) -> Option<Usage> {
        // A deleted key has no usage, so a key with usage exists.
        let stored = self.tables.usage.stored(key);
        stored.or_else(|| self.index.get(key).map(|_| Usage::default()))
    }

    fn last_batch(&self, writer: &[u8; 16]) -> Option<LastBatch> {
        self.tables.writers.get(writer).map(|writer| writer.last)
    }

    fn writers(&self) -> impl Iterator<Item = ([u8; 16], Timestamp)> {
        self.tables.writers.iter().map(|(id, writer)| (*id, writer.at))
    }
}
