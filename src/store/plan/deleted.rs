//! Ids that were deleted: what is remembered of them, and until when.

use std::fmt;
use std::str::FromStr;

use crate::store::batch::Subject;
use crate::value::id::{AccountId, IdError, KeyId, TenantId};

/// The id of a key or a service account that was deleted. As text: `key:ID`, `account:ID`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DeletedId {
    /// A service account.
    Account(AccountId),
    /// A key.
    Key(KeyId),
}

/// A deleted id, and until when it is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// The id.
    pub id: DeletedId,
    /// The tenant of the key or account.
    pub tenant: TenantId,
    /// The number of the tenant's newest event at the end of the batch that deleted it, at least 1. The
    /// id may be used again once this event is forgotten.
    pub event: u64,
}

impl From<DeletedId> for Subject {
    fn from(id: DeletedId) -> Self {
        match id {
            DeletedId::Account(id) => Self::Account(id),
            DeletedId::Key(id) => Self::Key(id),
        }
    }
}

impl fmt::Display for DeletedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Subject::from(*self).fmt(f)
    }
}

impl FromStr for DeletedId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.parse()? {
            Subject::Account(id) => Ok(Self::Account(id)),
            Subject::Key(id) => Ok(Self::Key(id)),
            Subject::Policy(_) | Subject::Events(_) => {
                Err(IdError::new("deleted id", "expected key:ID or account:ID", text))
            }
        }
    }
}
