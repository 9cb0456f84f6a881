//! The view of the stored rows that the rules look at.

use std::iter;
use std::sync::Arc;

use super::deleted::DeletedId;
use crate::record::account::ServiceAccount;
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::{LastBatch, Usage};
use crate::record::user::User;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// Read access to the stored rows, for the rules of a commit.
///
/// No other write may happen between the planning of a batch and the writing of its effects. A
/// store that reads its rows first uses [`Rows`](super::Rows). A store with its tables in memory
/// implements this trait on them.
///
/// ```
/// use keywright::store::TenantPolicy;
/// use keywright::store::plan::{Rows, View};
/// use keywright::{Settings, TenantId};
///
/// /// Returns whether a tenant has turned API access on.
/// fn is_enabled(view: &impl View, tenant: &TenantId) -> bool {
///     let settings = view.policy(tenant).and_then(|policy| policy.settings.as_ref());
///     settings.is_some_and(|settings| settings.api_enabled == Some(true))
/// }
///
/// let globex = TenantId::new("globex")?;
/// let policy = TenantPolicy { settings: Some(Settings::enabled()), ..TenantPolicy::default() };
/// let mut rows = Rows::default();
/// rows.policies.insert(globex.clone(), policy);
/// assert!(is_enabled(&rows, &globex));
/// # Ok::<(), keywright::Error>(())
/// ```
pub trait View {
    /// Returns the record of a key of any tenant; `None` if there is no such key.
    fn key(&self, key: &KeyId) -> Option<&KeyRecord>;

    /// Returns a service account of any tenant; `None` if there is no such account.
    fn account(&self, account: &AccountId) -> Option<&ServiceAccount>;

    /// Returns the stored record of a user in a tenant.
    fn user(&self, tenant: &TenantId, user: &UserId) -> Option<&User>;

    /// Returns a tenant's stored policy; `None` if it has none.
    fn policy(&self, tenant: &TenantId) -> Option<&TenantPolicy>;

    /// Returns the record of a key's owner; `None` if the owner has none.
    ///
    /// A store that keeps its records in a [`View`] returns it with each key. The rules of a commit
    /// do not call this method.
    fn owner_of(&self, key: &Key) -> Option<OwnerRecord> {
        match &key.owner {
            Owner::User(id) => {
                self.user(&key.tenant, id).cloned().map(Arc::new).map(OwnerRecord::User)
            }
            Owner::Account(id) => self.account(id).cloned().map(Arc::new).map(OwnerRecord::Account),
            Owner::Organization => None,
        }
    }

    /// Returns all keys of an owner, dead keys included, in any order.
    fn keys_of(&self, tenant: &TenantId, owner: &Owner) -> impl Iterator<Item = KeyId>;

    /// Returns the keys of an owner that are live at a time, in any order.
    ///
    /// The default body looks at every key of the owner. A store with an index of live keys
    /// overrides it.
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

    /// Returns whether an id was deleted and is not forgotten yet.
    fn is_deleted(&self, id: &DeletedId) -> bool;

    /// Returns the deleted ids of a tenant whose [`Tombstone::event`](super::Tombstone::event) is
    /// at most this number, for [`Effects::forgotten_ids`](super::Effects::forgotten_ids).
    ///
    /// The default body returns none. It fits a store that removes deleted ids with its own
    /// statement, or keeps them permanently; see
    /// [`Effects`](super::Effects#deleted-ids-and-writers).
    fn deleted_through(&self, _: &TenantId, _: u64) -> impl Iterator<Item = DeletedId> {
        iter::empty()
    }

    /// Returns the number of a tenant's newest event; 0 if the tenant has no events.
    fn last_event(&self, tenant: &TenantId) -> u64;

    /// Returns the usage of a key; `None` if there is no such key, and
    /// [`Usage::default()`](Usage) if the key was never used.
    fn usage(&self, key: &KeyId) -> Option<Usage>;

    /// Returns the last batch of a writer of usage; `None` if the writer is unknown.
    fn last_batch(&self, writer: &[u8; 16]) -> Option<LastBatch>;

    /// Returns all writers of usage, each with the time of its last batch, for
    /// [`Effects::forgotten_writers`](super::Effects::forgotten_writers).
    ///
    /// The default body returns none. It fits a store that removes writers with its own statement,
    /// or keeps them permanently; see [`Effects`](super::Effects#deleted-ids-and-writers).
    fn writers(&self) -> impl Iterator<Item = ([u8; 16], Timestamp)> {
        iter::empty()
    }
}
