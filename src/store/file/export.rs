//! The data of a file, listed for a transfer.

use redb::ReadableTable;

use super::access::{Access, Reading};
use super::errors::storage;
use super::tables::{DeletedRecord, Summed, parse_key};
use crate::record::usage::Usage;
use crate::store::error::StoreError;
use crate::store::memory::Touched;
use crate::store::plan::{DeletedId, Tombstone, Writer};
use crate::store::transfer::{Export, ExportedKey, ExportedKeys, name_of};
use crate::value::id::{AccountId, KeyId, TenantId};

/// Lists all data of a file.
pub(super) fn export(tables: &Reading) -> Result<Export, StoreError> {
    let mut export = Export::default();
    let mut keys: Vec<KeyId> = Vec::new();
    each_key(tables, Summed::Keys, |id| keys.push(id))?;
    export.keys = ExportedKeys::All(keys);
    let mut accounts: Vec<AccountId> = Vec::new();
    each_key(tables, Summed::Accounts, |id| accounts.push(id))?;
    for id in accounts {
        export.accounts.push((id, tables.account(&id)?));
    }
    let mut users = Vec::new();
    each_row(tables, Summed::Users, |key| {
        users.push(key.to_vec());
        Ok(())
    })?;
    for key in users {
        if let Some(user) = tables.record::<crate::User>(Summed::Users, &key)? {
            export.users.push((name_of(&user.tenant, &user.id), Some(user)));
        }
    }
    let mut tenants: Vec<TenantId> = Vec::new();
    each_key(tables, Summed::Policies, |id| tenants.push(id))?;
    for tenant in tenants {
        let policy = tables.policy(&tenant)?;
        export.policies.push((tenant, policy));
    }
    let mut deleted: Vec<DeletedId> = Vec::new();
    each_key(tables, Summed::Deleted, |id| deleted.push(id))?;
    for id in deleted {
        let tombstone = tables.deleted(&id)?;
        let tombstone =
            tombstone.map(|DeletedRecord { tenant, event }| Tombstone { id, tenant, event });
        export.deleted.push((id, tombstone));
    }
    let mut writers = Vec::new();
    each_row(tables, Summed::Writers, |key| {
        let id: [u8; 16] = key.try_into().map_err(|_| malformed(key))?;
        writers.push(id);
        Ok(())
    })?;
    for id in writers {
        export.writers.push((id, tables.writer(&id)?.map(|writer| Writer::from(writer).last)));
    }
    let mut tenants: Vec<TenantId> = Vec::new();
    each_key(tables, Summed::Tenants, |id| tenants.push(id))?;
    for tenant in tenants {
        export.last_events.extend(last_event(tables, tenant)?);
    }
    export.sort();
    Ok(export)
}

/// Lists the touched rows of a file.
pub(super) fn export_touched(tables: &Reading, touched: &Touched) -> Result<Export, StoreError> {
    let mut export = Export::default();
    let keys = touched.keys.iter().map(|id| Ok((*id, exported(tables, id)?)));
    export.keys = ExportedKeys::Some(keys.collect::<Result<_, StoreError>>()?);
    for id in &touched.accounts {
        export.accounts.push((*id, tables.account(id)?));
    }
    for (tenant, user) in &touched.users {
        export.users.push((name_of(tenant, user), tables.user(tenant, user)?));
    }
    for tenant in &touched.policies {
        export.policies.push((tenant.clone(), tables.policy(tenant)?));
    }
    for (id, tombstone) in &touched.deleted {
        export.deleted.push((*id, tombstone.clone()));
    }
    for id in &touched.writers {
        export.writers.push((*id, tables.writer(id)?.map(|writer| Writer::from(writer).last)));
    }
    for tenant in &touched.events {
        export.last_events.extend(last_event(tables, tenant.clone())?);
    }
    export.sort();
    Ok(export)
}

/// Returns keys of any tenant with their usage, in the order of the ids.
pub(super) fn exported_keys(
    tables: &Reading,
    ids: &[KeyId],
) -> Result<Vec<Option<ExportedKey>>, StoreError> {
    ids.iter().map(|id| exported(tables, id)).collect()
}

fn exported(tables: &Reading, id: &KeyId) -> Result<Option<ExportedKey>, StoreError> {
    let Some(record) = tables.key(id)? else { return Ok(None) };
    let usage = tables.usage(id)?.map_or_else(Usage::default, |found| found.usage);
    Ok(Some((record, usage)))
}

fn last_event(tables: &Reading, tenant: TenantId) -> Result<Option<(TenantId, u64)>, StoreError> {
    let last = tables.tenant(&tenant)?.last_event;
    Ok((last > 0).then_some((tenant, last)))
}

/// Calls `each` with the id of each row of a table.
fn each_key<T: std::str::FromStr>(
    tables: &Reading,
    table: Summed,
    mut each: impl FnMut(T),
) -> Result<(), StoreError> {
    each_row(tables, table, |key| {
        each(parse_key(table.name(), key)?);
        Ok(())
    })
}

fn each_row(
    tables: &Reading,
    table: Summed,
    mut each: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for row in tables.records(table)?.iter().map_err(storage)? {
        let (key, _) = row.map_err(storage)?;
        each(key.value())?;
    }
    Ok(())
}

fn malformed(key: &[u8]) -> StoreError {
    super::tables::malformed("writers", key)
}
