//! Transferring keys from memory or a file into PostgreSQL, while they are in use.
//!
//! A transfer repeats one kind of pass. A pass compares both sides in the order of their ids, and
//! changes the rows of the target that differ from the source. The first pass compares all rows, so
//! after an interruption it copies the rest. While the source is in use, a journal notes the rows that
//! change, and each further pass compares only those. The last pass shows that nothing differs.
//!
//! [`Transfer::finish`] moves a store that is not in use. [`MovingStore::finish`] moves one that is.

mod export;
mod finish;
mod last_step;
mod move_options;
mod moving_store;
mod pass;
mod source;
mod steps;
mod tables;
mod target;

pub(in crate::store) use self::export::{Export, ExportedKey, ExportedKeys, name_of};
pub use self::move_options::{MoveError, MoveOptions};
pub use self::moving_store::MovingStore;
pub use self::pass::TransferProgress;
pub use self::source::TransferSource;
pub use self::steps::{Transfer, TransferError};
