//! What the rules look at.

use std::iter;

use super::deleted::DeletedId;
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::record::usage::{LastBatch, Usage};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// The rows that a batch is planned against, as of the moment at which it is written.
///
/// Nobody else may write between the planning of a batch and the writing of its effects. [`Rows`](super::Rows) is
/// the view of a store that reads its rows first.
pub trait View {
    /// Returns a key, of whatever tenant.
    fn key(&self, key: &KeyId) -> Option<&KeyRecord>;

    /// Returns a service account, of whatever tenant.
    fn account(&self, account: &AccountId) -> Option<&ServiceAccount>;

    /// Returns a tenant's stored policy.
    fn policy(&self, tenant: &TenantId) -> Option<&Policy>;

    /// Returns all keys of an owner, dead ones too, in any order.
    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = KeyId>;

    /// Returns the keys of an owner that are live at a time. An index of these spares the look at every dead
    /// key.
    fn live_keys_of(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        at: Timestamp,
    ) -> impl Iterator<Item = KeyId> {
        let is_live =
            move |id: &KeyId| self.key(id).is_some_and(|record| record.key().status(at).is_live());
        self.keys_of(tenant, owner).filter(is_live)
    }

    /// Returns whether the id was deleted and is not yet forgotten.
    fn is_deleted(&self, id: &DeletedId) -> bool;

    /// Returns the deleted ids of a tenant whose [`Tombstone::event`](super::Tombstone::event) is at most this
    /// number. A store that keeps them for good, or removes them by a statement of its own, returns none.
    fn deleted_through(&self, _: &TenantId, _: u64) -> impl Iterator<Item = DeletedId> {
        iter::empty()
    }

    /// Returns the number of a tenant's newest event, 0 if it has none.
    fn last_event(&self, tenant: &TenantId) -> u64;

    /// Returns the usage of a key; `None` if there is no such key.
    fn usage(&self, key: &KeyId) -> Option<Usage>;

    /// Returns the last batch of a writer of usage.
    fn last_batch(&self, writer: &[u8; 16]) -> Option<LastBatch>;

    /// Returns all writers of usage, each with the time of its last batch. A store that keeps them for good,
    /// or removes them by a statement of its own, returns none.
    fn writers(&self) -> impl Iterator<Item = ([u8; 16], Timestamp)> {
        iter::empty()
    }
}
