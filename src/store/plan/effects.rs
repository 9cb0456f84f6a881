//! What a batch comes to.

use std::collections::HashMap;

use super::deleted::{DeletedId, Tombstone};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::record::policy::Policy;
use crate::record::usage::{LastBatch, Usage};
use crate::store::batch::Subject;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// What a batch comes to: the rows as they will be, with nothing left to decide.
///
/// A store writes all of it or nothing. Take it apart with a pattern that names every field: a version of the
/// crate with one more then does not compile until the store writes that one too.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The keys to insert.
    pub new_keys: Vec<KeyRecord>,
    /// The keys whose record is replaced.
    pub changed_keys: Vec<KeyRecord>,
    /// The keys to remove, with their usage.
    pub deleted_keys: Vec<KeyId>,
    /// The service accounts to insert.
    pub new_accounts: Vec<ServiceAccount>,
    /// The service accounts to replace.
    pub changed_accounts: Vec<ServiceAccount>,
    /// The service accounts to remove.
    pub deleted_accounts: Vec<AccountId>,
    /// The policies to insert or replace.
    pub policies: Vec<(TenantId, Policy)>,
    /// The usage to insert or replace.
    pub usage: Vec<(KeyId, Usage)>,
    /// The writer whose last batch is to be remembered, by its id.
    pub writer: Option<([u8; 16], Writer)>,
    /// The writers to forget.
    pub forgotten_writers: Vec<[u8; 16]>,
    /// The events to insert, each with its number.
    pub events: Vec<Event>,
    /// The number of the last event of each tenant that has new ones.
    pub last_events: HashMap<TenantId, u64>,
    /// The ids that are not to be used again from now on.
    pub tombstones: Vec<Tombstone>,
    /// The tenants that lose their oldest events, each with the number of the last one to remove.
    pub forgotten_events: Vec<(TenantId, u64)>,
    /// The deleted ids that are forgotten with these events, and may be used again.
    pub forgotten_ids: Vec<DeletedId>,
}

/// A writer of usage, as a store remembers it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Writer {
    /// Its last batch.
    pub last: LastBatch,
    /// When that batch was made.
    pub at: Timestamp,
}

impl Effects {
    /// Returns the keys that are inserted or changed.
    pub fn written_keys(&self) -> impl Iterator<Item = &KeyRecord> {
        self.new_keys.iter().chain(&self.changed_keys)
    }

    /// Returns the service accounts that are inserted or changed.
    pub fn written_accounts(&self) -> impl Iterator<Item = &ServiceAccount> {
        self.new_accounts.iter().chain(&self.changed_accounts)
    }

    /// Returns what the batch touches, for [`KeyStore::changes`](crate::store::KeyStore::changes).
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        let keys = self.written_keys().map(KeyRecord::id).chain(&self.deleted_keys);
        let accounts = self.written_accounts().map(|account| &account.id);
        let accounts = accounts.chain(&self.deleted_accounts).copied().map(Subject::Account);
        let policies = self.policies.iter().map(|(tenant, _)| Subject::Policy(tenant.clone()));
        let events = self.forgotten_events.iter();
        let events = events.map(|(tenant, _)| Subject::Events(tenant.clone()));
        keys.copied().map(Subject::Key).chain(accounts).chain(policies).chain(events)
    }
}
