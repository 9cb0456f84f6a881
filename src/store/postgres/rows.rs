//! Rows as they are written: a record and the copies of what it is found by.

use serde::Serialize;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::record::usage::Usage;
use crate::store::image::{DeletedId, Tombstone};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// In the place of a time that never comes: last in every order.
pub(super) const NEVER: i64 = i64::MAX;
/// In the place of a time that never was: first in every order.
pub(super) const NEVER_YET: i64 = -1;

#[derive(Serialize)]
pub(super) struct KeyRow<'a> {
    id: &'a KeyId,
    tenant: &'a TenantId,
    owner: &'a Owner,
    account: Option<AccountId>,
    name: &'a str,
    created_at: i64,
    updated_at: i64,
    not_before: i64,
    expires_at: i64,
    disabled: bool,
    revoked: bool,
    version: u64,
    search: String,
    record: &'a KeyRecord,
}

impl<'a> KeyRow<'a> {
    pub(super) fn of(record: &'a KeyRecord) -> Self {
        let key = record.key();
        // Each part as the query compares it; nothing that a line of it does not contain is found.
        let search = [key.name.to_string(), key.display_prefix(), key.owner.to_string()];
        Self {
            id: &key.id,
            tenant: &key.tenant,
            owner: &key.owner,
            account: key.owner.account(),
            name: key.name.as_str(),
            created_at: key.created_at.unix_micros(),
            updated_at: key.updated_at.unix_micros(),
            not_before: key.not_before.map_or(0, Timestamp::unix_micros),
            expires_at: key.expires_at.map_or(NEVER, Timestamp::unix_micros),
            disabled: key.disabled,
            revoked: key.revoked_at.is_some(),
            version: key.version,
            search: search.map(|part| part.to_lowercase()).join("\n"),
            record,
        }
    }
}

#[derive(Serialize)]
pub(super) struct AccountRow<'a> {
    id: &'a AccountId,
    tenant: &'a TenantId,
    created_at: i64,
    version: u64,
    search: String,
    record: &'a ServiceAccount,
}

impl<'a> AccountRow<'a> {
    pub(super) fn of(account: &'a ServiceAccount) -> Self {
        let search = [account.name.as_str(), account.id.as_str(), account.role.as_str()];
        Self {
            id: &account.id,
            tenant: &account.tenant,
            created_at: account.created_at.unix_micros(),
            version: account.version,
            search: search.map(str::to_lowercase).join("\n"),
            record: account,
        }
    }
}

#[derive(Serialize)]
pub(super) struct PolicyRow<'a> {
    tenant: &'a TenantId,
    version: u64,
    record: &'a Policy,
}

impl<'a> PolicyRow<'a> {
    pub(super) fn of((tenant, policy): &'a (TenantId, Policy)) -> Self {
        Self::new(tenant, policy)
    }

    pub(super) fn new(tenant: &'a TenantId, policy: &'a Policy) -> Self {
        Self { tenant, version: policy.version, record: policy }
    }
}

#[derive(Serialize)]
pub(super) struct EventRow<'a> {
    tenant: &'a TenantId,
    sequence: u64,
    at: i64,
    actor: String,
    kind: String,
    key: Option<KeyId>,
    account: Option<AccountId>,
    record: &'a Event,
}

impl<'a> EventRow<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        Self {
            tenant: &event.tenant,
            sequence: event.sequence,
            at: event.at.unix_micros(),
            actor: event.actor.to_string(),
            kind: event.kind.to_string(),
            key: event.key,
            account: event.account,
            record: event,
        }
    }
}

#[derive(Serialize)]
pub(super) struct DeletedRow<'a> {
    id: String,
    tenant: &'a TenantId,
    event: u64,
}

impl<'a> DeletedRow<'a> {
    pub(super) fn of(tombstone: &'a Tombstone) -> Self {
        Self::new(tombstone.id, &tombstone.tenant, tombstone.event)
    }

    pub(super) fn new(id: DeletedId, tenant: &'a TenantId, event: u64) -> Self {
        Self { id: id.to_string(), tenant, event }
    }
}

/// The number of a tenant's last event.
#[derive(Serialize)]
pub(super) struct TenantRow<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) last_event: u64,
}

#[derive(Serialize)]
pub(super) struct UsageRow<'a> {
    key: &'a KeyId,
    last_used_at: i64,
    record: &'a Usage,
}

impl<'a> UsageRow<'a> {
    pub(super) fn of((key, usage): &'a (KeyId, Usage)) -> Self {
        Self { key, last_used_at: last_used_at(usage), record: usage }
    }
}

/// When a key was last used, as its column has it.
pub(super) fn last_used_at(usage: &Usage) -> i64 {
    usage.last_used_at().map_or(NEVER_YET, Timestamp::unix_micros)
}
