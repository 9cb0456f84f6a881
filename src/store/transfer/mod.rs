//! Transferring keys from memory or a file into PostgreSQL, while they are in use.
//!
//! A transfer repeats one kind of pass. A pass compares both sides in the order of their ids, and
//! changes the rows of the target that differ from the source. The first pass copies everything.
//! After an interruption, the next pass copies the rest. While the source is in use, each pass
//! copies its changes. The last pass shows that nothing differs.

mod export;
mod pass;
mod source;
mod steps;
mod tables;
mod target;

pub use self::pass::TransferProgress;
pub use self::source::TransferSource;
pub use self::steps::{Transfer, TransferError};
