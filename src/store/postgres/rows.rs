//! The rows: each has a record, and copies of the fields that queries search and order
//! by.

use std::sync::Arc;

use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, Row};

use super::shard::shard_of;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::{KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::Usage;
use crate::record::user::User;
use crate::store::plan::Tombstone;
use crate::store::query::StoredKey;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::name::Name;
use crate::value::note::{Contact, Description};
use crate::value::time::{NEVER, NEVER_YET, Timestamp};

#[derive(Serialize)]
pub(in crate::store) struct KeyRow<'a> {
    id: &'a KeyId,
    tenant: &'a TenantId,
    shard: i16,
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
    pub(in crate::store) fn of(record: &'a KeyRecord) -> Self {
        let key = record.key();
        // One part on each line, so that no search text matches across two parts. The prefix and the kind of
        // the owner are left out: many keys share them, and they would make the index twice as large.
        let mut search = vec![key.name.as_str(), key.id.as_str(), key.owner.id()];
        search.extend(key.contact.as_ref().map(Contact::as_str));
        search.extend(key.description.as_ref().map(Description::as_str));
        Self {
            id: &key.id,
            tenant: &key.tenant,
            shard: shard_of(&key.tenant),
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
            search: search.join("\n").to_lowercase(),
            record,
        }
    }
}

#[derive(Serialize)]
pub(in crate::store) struct AccountRow<'a> {
    id: &'a AccountId,
    tenant: &'a TenantId,
    created_at: i64,
    version: u64,
    search: String,
    record: &'a ServiceAccount,
}

impl<'a> AccountRow<'a> {
    pub(in crate::store) fn of(account: &'a ServiceAccount) -> Self {
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
pub(in crate::store) struct UserRow<'a> {
    tenant: &'a TenantId,
    owner: Owner,
    version: u64,
    search: String,
    record: &'a User,
}

impl<'a> UserRow<'a> {
    pub(in crate::store) fn of(user: &'a User) -> Self {
        Self {
            tenant: &user.tenant,
            owner: Owner::User(user.id.clone()),
            version: user.version,
            search: user.display_name.as_ref().map_or("", Name::as_str).to_lowercase(),
            record: user,
        }
    }
}

#[derive(Serialize)]
pub(in crate::store) struct PolicyRow<'a> {
    tenant: &'a TenantId,
    version: u64,
    record: &'a TenantPolicy,
}

impl<'a> PolicyRow<'a> {
    pub(in crate::store) fn of((tenant, policy): &'a (TenantId, TenantPolicy)) -> Self {
        Self::new(tenant, policy)
    }

    pub(in crate::store) fn new(tenant: &'a TenantId, policy: &'a TenantPolicy) -> Self {
        Self { tenant, version: policy.version, record: policy }
    }
}

/// Returns the beginning of the statement that inserts [`EventRow`]s, up to the value that holds them. The
/// rows may be joined with other rows before them, such as `claimed, `.
pub(in crate::store) fn insert_events(joined: &str) -> String {
    format!(
        "INSERT INTO {{schema}}.events
            (tenant, sequence, at, actor, kind, key, account, previous_account, record)
        SELECT n.* FROM {joined}jsonb_to_recordset("
    )
}

/// The end of the statement of [`insert_events`].
pub(in crate::store) const OF_EVENTS: &str = ") AS n (tenant text, sequence bigint, at bigint,
    actor text, kind text, key text, account text, previous_account text, record jsonb)";

/// Returns the beginning of the statement that inserts or replaces [`TenantRow`]s, as [`insert_events`]
/// does.
pub(super) fn put_tenants(joined: &str) -> String {
    format!(
        "INSERT INTO {{schema}}.tenants (tenant, last_event)
        SELECT n.* FROM {joined}jsonb_to_recordset("
    )
}

/// The end of the statement of [`put_tenants`].
pub(super) const OF_TENANTS: &str = ") AS n (tenant text, last_event bigint)
    ON CONFLICT (tenant) DO UPDATE SET last_event = excluded.last_event";

#[derive(Serialize)]
pub(in crate::store) struct EventRow<'a> {
    tenant: &'a TenantId,
    sequence: u64,
    at: i64,
    actor: String,
    kind: String,
    key: Option<KeyId>,
    account: Option<AccountId>,
    previous_account: Option<AccountId>,
    record: &'a Event,
}

impl<'a> EventRow<'a> {
    pub(in crate::store) fn of(event: &'a Event) -> Self {
        Self {
            tenant: &event.tenant,
            sequence: event.sequence,
            at: event.at.unix_micros(),
            actor: event.actor.to_string(),
            kind: event.kind.to_string(),
            key: event.key,
            account: event.account,
            previous_account: event.previous_account,
            record: event,
        }
    }
}

#[derive(Serialize)]
pub(in crate::store) struct DeletedRow<'a> {
    id: String,
    tenant: &'a TenantId,
    shard: i16,
    event: u64,
}

impl<'a> DeletedRow<'a> {
    pub(in crate::store) fn of(Tombstone { id, tenant, event }: &'a Tombstone) -> Self {
        Self { id: id.to_string(), tenant, shard: shard_of(tenant), event: *event }
    }
}

/// The number of a tenant's last event.
#[derive(Serialize)]
pub(super) struct TenantRow<'a> {
    tenant: &'a TenantId,
    last_event: u64,
}

impl<'a> TenantRow<'a> {
    pub(super) fn of((tenant, last_event): (&'a TenantId, &'a u64)) -> Self {
        Self { tenant, last_event: *last_event }
    }
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

/// Returns the last use of a key as its column stores it.
pub(in crate::store) fn last_used_at(usage: &Usage) -> i64 {
    usage.last_used_at().map_or(NEVER_YET, Timestamp::unix_micros)
}

/// Converts records to rows, as the parameter of a statement.
pub(super) fn json<T, R>(
    records: impl IntoIterator<Item = T>,
    row: impl FnMut(T) -> R,
) -> Json<Vec<R>> {
    Json(records.into_iter().map(row).collect())
}

/// Reads a key from the columns `record`, `usage`, `account` and `user`.
pub(super) fn stored_key(row: &PgRow) -> Result<StoredKey, Error> {
    let record: Json<KeyRecord> = row.try_get("record")?;
    let usage: Json<Usage> = row.try_get("usage")?;
    Ok(StoredKey { record: record.0, usage: usage.0, owner: owner_of(row)? })
}

/// Reads the record of a key's owner from the columns `account` and `user`.
pub(super) fn owner_of(row: &PgRow) -> Result<Option<OwnerRecord>, Error> {
    let account: Option<Json<ServiceAccount>> = row.try_get("account")?;
    let user: Option<Json<User>> = row.try_get("user")?;
    let account = account.map(|account| OwnerRecord::Account(Arc::new(account.0)));
    Ok(account.or_else(|| user.map(|user| OwnerRecord::User(Arc::new(user.0)))))
}
