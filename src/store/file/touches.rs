//! The changes of a batch that the rosters in memory must follow.

use super::rows::FileRows;
use crate::record::key::{KeyRecord, Owner};
use crate::store::plan::Effects;
use crate::value::id::{KeyId, TenantId};

/// A change that a roster follows.
#[derive(Clone, Debug)]
pub(super) enum Touch {
    /// The record of a key was written or removed.
    Key(KeyId),
    /// A key was used, at this time in microseconds.
    Used(KeyId, i64),
    /// The record of an owner was written or removed.
    Owner(Owner),
}

/// Returns the changes of a batch, each with its tenant. The effects were planned on these rows.
pub(super) fn touches(rows: &FileRows, effects: &Effects) -> Vec<(TenantId, Touch)> {
    let written = effects.written_keys().map(KeyRecord::key);
    let deleted = effects.deleted_keys.iter().filter_map(|id| rows.rows.keys.get(id));
    let keys = written.chain(deleted.map(KeyRecord::key));
    let keys = keys.map(|key| (key.tenant.clone(), Touch::Key(key.id)));
    let used = effects.usage.iter().filter_map(|(id, usage)| {
        let last = usage.last_used_at()?.unix_micros();
        Some((rows.tenants.get(id)?.clone(), Touch::Used(*id, last)))
    });
    let accounts = effects.written_accounts();
    let accounts = accounts.map(|account| (account.tenant.clone(), Owner::Account(account.id)));
    let users = effects.users.iter();
    let users = users.map(|user| (user.tenant.clone(), Owner::User(user.id.clone())));
    let owners = accounts.chain(users).map(|(tenant, owner)| (tenant, Touch::Owner(owner)));
    keys.chain(used).chain(owners).collect()
}
