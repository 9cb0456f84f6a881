//! A store in PostgreSQL, for a service with many nodes.
//!
//! Tasks write the batches of all callers in groups; see [`groups`]. A group is read in one statement and
//! written in another, which writes a batch only if no other commit of its shard came in between; see
//! [`commit`]. The store caches nothing between calls, so any number
//! of processes can use one database.

mod all_tenants;
mod changes;
mod commit;
mod count_keys;
mod database;
mod draft;
mod errors;
mod filters;
mod forget;
mod groups;
mod hints;
mod lists;
mod migrate;
mod options;
mod owned_keys;
mod parts;
mod policies;
mod queues;
mod reading;
mod retention;
mod rows;
mod schema;
mod seen;
mod session;
mod shard;
mod store;
mod teller;
mod usage;
mod write;

pub(in crate::store) use self::errors::{Failure, database as database_error};
pub use self::hints::PostgresHints;
pub use self::options::PostgresOptions;
pub(in crate::store) use self::rows::{
    AccountRow, DeletedRow, EventRow, KeyRow, OF_EVENTS, PolicyRow, UserRow, insert_events,
    last_used_at,
};
pub(in crate::store) use self::schema::Sql;
pub use self::schema::{SchemaName, SchemaNameError};
pub(in crate::store) use self::shard::SHARDS;
pub use self::store::PostgresStore;
