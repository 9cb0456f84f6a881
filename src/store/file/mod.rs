//! A durable store in one file, for a service of one process.

mod access;
mod cache;
mod check;
mod checksum;
mod core;
mod database;
mod dry_run;
mod errors;
#[cfg(feature = "postgres")]
mod export;
mod facts;
mod generation;
mod groups;
mod header;
mod held;
mod index;
mod listing;
mod lists;
mod memo;
mod open;
mod options;
mod pages;
#[cfg(unix)]
mod private;
mod queue;
mod ranged;
mod reveal;
mod roster;
mod rosters;
mod rows;
mod slot;
mod store;
mod tables;
mod tolerant;
mod touches;
mod writable;
mod write;

pub use self::generation::{GenerationFile, Generations};
pub use self::options::FileOptions;
pub use self::store::FileStore;
