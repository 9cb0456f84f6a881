//! The data that a durable store reads when it is opened.

use std::collections::HashMap;

use super::state::State;
use crate::record::account::ServiceAccount;
use crate::record::key::KeyRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::Usage;
use crate::record::user::User;
use crate::store::batch::Epoch;
use crate::store::error::StoreError;
use crate::store::plan::{Tombstone, Writer};
use crate::value::id::{KeyId, TenantId};

/// All data of a store except the events.
#[derive(Default)]
pub(in crate::store) struct Loaded {
    pub(in crate::store) epoch: Epoch,
    pub(in crate::store) keys: Vec<KeyRecord>,
    pub(in crate::store) accounts: Vec<ServiceAccount>,
    pub(in crate::store) policies: Vec<(TenantId, TenantPolicy)>,
    pub(in crate::store) users: Vec<User>,
    pub(in crate::store) usage: Vec<(KeyId, Usage)>,
    pub(in crate::store) tombstones: Vec<Tombstone>,
    pub(in crate::store) writers: Vec<([u8; 16], Writer)>,
    pub(in crate::store) last_events: HashMap<TenantId, u64>,
}

impl State {
    /// Creates the state of a store that was opened.
    pub(in crate::store) fn load(loaded: Loaded) -> Result<Self, StoreError> {
        let state = Self::default();
        {
            let mut tables = state.write()?;
            tables.epoch = loaded.epoch;
            tables.recent_since = loaded.epoch;
            tables.usage.extend(loaded.usage);
            tables.writers.extend(loaded.writers);
            tables.last_events = loaded.last_events;
            for (tenant, policy) in loaded.policies {
                tables.insert_policy(tenant, policy);
            }
            for account in loaded.accounts {
                tables.insert_account(account);
            }
            for user in loaded.users {
                tables.insert_user(user);
            }
            for tombstone in loaded.tombstones {
                tables.bury(tombstone);
            }
            let index = state.index.pin();
            for record in loaded.keys {
                let id = *record.id();
                tables.index_key(record.key(), None);
                index.insert(id, tables.entry(record)?);
            }
        }
        Ok(state)
    }
}
