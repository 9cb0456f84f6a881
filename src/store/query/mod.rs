//! Queries of a store: filters, orders, and pages that stay stable while keys change.

mod accounts;
mod events;
mod keys;
mod owned_keys;
mod page;
mod tenants;

pub use self::accounts::AccountQuery;
pub use self::events::EventQuery;
pub use self::keys::{KeyPosition, KeyQuery, KeySort, StoredKey};
pub use self::owned_keys::OwnedKeys;
pub(crate) use self::page::sealed;
pub use self::page::{Cursor, CursorError, DEFAULT_LIMIT, ListQuery, Listed, MAX_LIMIT, Page};
pub use self::tenants::{TenantEntry, TenantQuery};
