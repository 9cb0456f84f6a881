//! Pages of service accounts.

use super::entries::{Span, outdated};
use crate::record::account::ServiceAccount;
use crate::store::error::StoreError;
use crate::store::file::access::{Access, Reading};
use crate::store::file::index::{Order, entry_of_account, timed};
use crate::store::query::{AccountQuery, Page};
use crate::value::id::{AccountId, TenantId};

/// Returns a page of a tenant's service accounts.
pub(in crate::store::file) fn accounts(
    reading: &Reading,
    tenant: &TenantId,
    query: &AccountQuery,
) -> Result<Page<ServiceAccount>, StoreError> {
    let one_more = query.page_size() + 1;
    let mut found = Vec::new();
    let all = Span::of_tenant(Order::Accounts, tenant);
    let span = match query.after {
        None => all,
        Some((created, id)) => {
            let prefix = Order::Accounts.prefix(tenant);
            all.behind(&timed(prefix, created.unix_micros(), id.as_str().as_bytes()))
        }
    };
    for entry in span.entries(reading, false)? {
        let entry = entry?;
        let account = account_at(reading, &entry)?;
        if query.matches(&account) {
            found.push(account);
        }
        if found.len() == one_more {
            break;
        }
    }
    Ok(query.page(&found))
}

/// Reads the account of an entry.
fn account_at(reading: &Reading, entry: &[u8]) -> Result<ServiceAccount, StoreError> {
    let id = entry
        .split_last_chunk::<{ AccountId::LEN }>()
        .and_then(|(_, id)| std::str::from_utf8(id).ok()?.parse::<AccountId>().ok());
    let account = match id {
        Some(id) => reading.account(&id)?,
        None => None,
    };
    account.filter(|account| entry_of_account(account) == entry).ok_or_else(|| outdated(entry))
}
