//! Moving keys from one store to another, while they are in use: from memory or a file into PostgreSQL.
//!
//! One step is repeated: both sides are gone through in the order of their ids, and what differs is
//! made as the source has it. It copies everything at first, takes up where it was killed, follows
//! the source while it is used, and shows in the end that nothing differs.

mod export;
mod pass;
mod source;
mod steps;
mod tables;
mod target;

pub use self::pass::TransferProgress;
pub use self::source::TransferSource;
pub use self::steps::{Transfer, TransferError};
