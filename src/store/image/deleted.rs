//! Ids that were deleted: what is remembered of them, and until when.

use std::fmt;
use std::str::FromStr;

use crate::value::id::{AccountId, KeyId, TenantId};

/// An id that was deleted. As text: `key:ID`, `account:ID`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(in crate::store) enum DeletedId {
    Account(AccountId),
    Key(KeyId),
}

/// A deleted id with what decides when it is forgotten.
#[derive(Clone, Debug)]
pub(in crate::store) struct Tombstone {
    pub(in crate::store) id: DeletedId,
    pub(in crate::store) tenant: TenantId,
    /// The number of the tenant's newest event at the end of the batch that deleted it, at least 1.
    pub(in crate::store) event: u64,
}

impl fmt::Display for DeletedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
        }
    }
}

impl FromStr for DeletedId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':').ok_or(())? {
            ("account", id) => id.parse().map(Self::Account).map_err(drop),
            ("key", id) => id.parse().map(Self::Key).map_err(drop),
            _ => Err(()),
        }
    }
}
