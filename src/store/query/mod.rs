//! Questions to a store: filters, orders, and pages that stay stable while keys change.
//!
//! A page begins behind a cursor, which is a place in the order and not a number of rows: a key
//! that is neither added nor removed nor moved in the order meanwhile appears on exactly one page.

mod accounts;
mod events;
mod keys;
mod page;

pub use self::accounts::AccountQuery;
pub use self::events::EventQuery;
pub use self::keys::{KeyPosition, KeyQuery, KeySort, StoredKey};
pub(crate) use self::page::sealed;
pub use self::page::{Cursor, CursorError, DEFAULT_LIMIT, ListQuery, Listed, MAX_LIMIT, Page};
