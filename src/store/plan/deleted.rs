//! Deleted ids, and how long a store remembers them.

use std::fmt;
use std::str::FromStr;

use crate::store::batch::Subject;
use crate::value::id::{AccountId, IdError, KeyId, TenantId};

/// The id of a deleted key or service account.
///
/// As text: `key:ID` or `account:ID`.
///
/// ```
/// use keywright::store::plan::DeletedId;
///
/// let id: DeletedId = "key:4fQ2xk9ZrT7bWm1c".parse()?;
/// assert_eq!(id, DeletedId::Key("4fQ2xk9ZrT7bWm1c".parse()?));
/// # Ok::<(), keywright::IdError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DeletedId {
    /// A service account.
    Account(AccountId),
    /// A key.
    Key(KeyId),
}

/// A deleted id, and the event with which a store may forget it.
///
/// ```
/// use keywright::store::plan::{DeletedId, Tombstone};
///
/// let id: DeletedId = "key:4fQ2xk9ZrT7bWm1c".parse()?;
/// let tombstone = Tombstone { id, tenant: "globex".parse()?, event: 7 };
/// // Inserts of this key are refused until event 7 of the tenant is forgotten.
/// # Ok::<(), keywright::IdError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// The id.
    pub id: DeletedId,
    /// The tenant of the key or account.
    pub tenant: TenantId,
    /// The number, at least 1, of the tenant's newest event at the end of the batch that deleted
    /// the id. The id may be used again after this event is forgotten.
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
            Subject::User(..) | Subject::Policy(_) | Subject::Events(_) => {
                Err(IdError::new("deleted id", "expected key:ID or account:ID", text))
            }
        }
    }
}
