//! The data of a store, listed for a transfer.

use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::TenantPolicy;
use crate::record::usage::{LastBatch, Usage};
use crate::record::user::User;
use crate::store::plan::{DeletedId, Tombstone};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};

/// The data of a store, each list in the order of its ids. A row that the store does not have is
/// `None`.
#[derive(Default)]
pub(in crate::store) struct Export {
    pub(in crate::store) keys: ExportedKeys,
    pub(in crate::store) accounts: Vec<(AccountId, Option<ServiceAccount>)>,
    /// The id of a row is the tenant and the owner.
    pub(in crate::store) users: Vec<(String, Option<User>)>,
    pub(in crate::store) policies: Vec<(TenantId, Option<TenantPolicy>)>,
    /// The deleted ids, sorted as the database sorts their text: accounts come first.
    pub(in crate::store) deleted: Vec<(DeletedId, Option<Tombstone>)>,
    pub(in crate::store) writers: Vec<([u8; 16], Option<LastBatch>)>,
    pub(in crate::store) last_events: Vec<(TenantId, u64)>,
}

/// The keys of an export.
pub(in crate::store) enum ExportedKeys {
    /// All keys. Their records are read later, some at a time.
    All(Vec<KeyId>),
    /// Some keys, as they were together with the other rows.
    Some(Vec<(KeyId, Option<ExportedKey>)>),
}

/// The record of a key and its usage.
pub(in crate::store) type ExportedKey = (KeyRecord, Usage);

impl Default for ExportedKeys {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Export {
    /// Sorts the lists by their ids.
    pub(in crate::store) fn sort(&mut self) {
        let Self { keys, accounts, users, policies, deleted, writers, last_events } = self;
        match keys {
            ExportedKeys::All(keys) => keys.sort_unstable(),
            ExportedKeys::Some(keys) => keys.sort_unstable_by_key(|(id, _)| *id),
        }
        accounts.sort_unstable_by_key(|(id, _)| *id);
        users.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        policies.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        deleted.sort_unstable_by_key(|(id, _)| *id);
        writers.sort_unstable_by_key(|(id, _)| *id);
        last_events.sort_unstable();
    }
}

/// Returns the id of the row of a user.
pub(in crate::store) fn name_of(tenant: &TenantId, user: &UserId) -> String {
    format!("{tenant} {}", Owner::User(user.clone()))
}
