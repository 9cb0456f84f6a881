//! A durable store in one file, for a service of one process.

mod checksum;
mod database;
mod dry_run;
mod errors;
mod events;
mod header;
mod open;
mod options;
#[cfg(unix)]
mod private;
mod reader;
mod store;
mod tables;

pub use self::options::FileOptions;
pub use self::store::FileStore;
