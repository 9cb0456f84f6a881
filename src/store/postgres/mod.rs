//! A store in PostgreSQL, for a service with many nodes.
//!
//! A commit is one transaction that locks one row from its beginning to its end; see [`commit`]. The
//! store caches nothing between calls, so any number of processes can use one database.

mod all_tenants;
mod commit;
mod count_keys;
mod database;
mod epoch;
mod errors;
mod hints;
mod lists;
mod migrate;
mod options;
mod owned_keys;
mod policies;
mod reading;
mod rows;
mod schema;
mod session;
mod store;
mod usage;

pub(in crate::store) use self::epoch::advance_beyond as advance_epoch_beyond;
pub(in crate::store) use self::errors::{Failure, database as database_error};
pub use self::hints::PostgresHints;
pub use self::options::PostgresOptions;
pub(in crate::store) use self::rows::{
    AccountRow, DeletedRow, EventRow, KeyRow, PolicyRow, UserRow, insert_events, last_used_at,
};
pub(in crate::store) use self::schema::Sql;
pub use self::schema::{SchemaName, SchemaNameError};
pub use self::store::PostgresStore;
