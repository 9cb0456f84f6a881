//! The failures of an operation, as the page answers them.

use std::error::Error;
use std::sync::Arc;

use super::form::Fault;
use super::messages;
use super::texts::{Message, Text};
use super::units;
use super::view::facts;
use crate::authority::{
    AccountError, GenerateError, KeyError, ListError, Obstacle, SetPolicyError, UserError,
};
use crate::record::key::Owner;
use crate::value::id::{AccountId, KeyId};
use crate::value::random::RandomError;
use crate::value::redact::redact;

/// A failure of an operation.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such record, or the actor cannot see it.
    NotFound,
    /// The actor has no permission.
    Forbidden,
    /// The actor has no permission. The text explains who has it.
    NotAdministrator(Text),
    /// A rule or a state refuses the operation. A form shows it beside its field.
    Refused(Fault),
    /// The record has changed since the form was opened.
    Stale,
    /// The obstacles to a new key.
    Obstacles(Vec<Obstacle>),
    /// The ticket of the form was used for this key.
    TicketUsed(KeyId),
    /// The ticket of the form was used for this service account.
    AccountMade(AccountId),
    /// Nothing was changed, and trying again can help.
    Busy(Arc<dyn Error + Send + Sync>),
    /// The store failed, so that a change may have been made.
    Unavailable(Arc<dyn Error + Send + Sync>),
    /// The store failed while it stored a new key with this name and owner, so that there may be a
    /// key whose token was never shown.
    LostAnswer(Arc<dyn Error + Send + Sync>, String, Owner),
    /// The key has changed since the form of its rotation was opened.
    RotatedSince(KeyId),
    /// The user must go to another address, for a `GET` alone.
    GoTo(String),
}

impl Failure {
    fn busy(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Busy(Arc::new(error))
    }

    fn unavailable(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(error))
    }

    /// Returns the failure of a store while it stored a new key.
    pub(super) fn lost_answer(error: GenerateError, name: &str, owner: Owner) -> Self {
        Self::LostAnswer(Arc::new(error), name.to_owned(), owner)
    }

    fn refused(field: &'static str, message: impl Into<Message>) -> Self {
        Self::Refused(Fault::new(field, message))
    }

    /// Returns the fault that a form shows, or the failure that needs a page of its own.
    pub(super) fn into_fault(self) -> Result<Fault, Self> {
        match self {
            Self::Refused(fault) => Ok(fault),
            other => Err(other),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl From<RandomError> for Failure {
    fn from(error: RandomError) -> Self {
        Self::busy(error)
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        match error {
            GenerateError::Missing(missing) => {
                Self::Obstacles(missing.iter().map(Obstacle::Missing).collect())
            }
            GenerateError::UserSuspended(user) => {
                Self::Obstacles(vec![Obstacle::UserSuspended(user)])
            }
            GenerateError::TicketUsed { key } => Self::TicketUsed(key),
            GenerateError::AccountNotFound(_) => Self::NotFound,
            GenerateError::AccountDisabled(account) => {
                Self::Obstacles(vec![Obstacle::AccountDisabled(account)])
            }
            GenerateError::TooManyKeys { limit } => {
                Self::Obstacles(vec![Obstacle::TooManyKeys { limit }])
            }
            GenerateError::Rule(error) => Self::Refused(messages::of_rule(&error)),
            GenerateError::Random(_) | GenerateError::Contended(_) => Self::busy(error),
            GenerateError::Store(_) => Self::unavailable(error),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::PermissionDenied(_) => Self::Forbidden,
            KeyError::NotFound(_) => Self::NotFound,
            KeyError::WrongStatus(error) => Self::refused(
                "",
                Text::WRONG_STATUS.saying("status", facts::status_text(error.status)),
            ),
            KeyError::OverlapTooLong { max, .. } => {
                Self::refused("overlap", Text::OVERLAP_TOO_LONG.saying("max", units::words(max)))
            }
            KeyError::OverlapWhileDisabled { .. } => {
                Self::refused("overlap", Text::OVERLAP_WHILE_DISABLED)
            }
            KeyError::Rule(error) => Self::Refused(messages::of_rule(&error)),
            KeyError::NewOwner(error) => Self::Refused(messages::of_new_owner(&error)),
            KeyError::Stale { .. } => Self::Stale,
            KeyError::Random(_) | KeyError::Contended(_) => Self::busy(error),
            KeyError::Store(_) => Self::unavailable(error),
        }
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::PermissionDenied(_) => Self::Forbidden,
            AccountError::NotFound(_) => Self::NotFound,
            AccountError::TicketUsed { account } => Self::AccountMade(account),
            AccountError::UnknownRole(role) => {
                Self::refused("role", Text::UNKNOWN_ROLE.with("role", redact(role.as_str())))
            }
            AccountError::Stale { .. } => Self::Stale,
            AccountError::Random(_) | AccountError::Contended(_) => Self::busy(error),
            AccountError::Store(_) => Self::unavailable(error),
        }
    }
}

impl From<SetPolicyError> for Failure {
    fn from(error: SetPolicyError) -> Self {
        match error {
            SetPolicyError::PermissionDenied(_) => Self::Forbidden,
            SetPolicyError::Policy(error) => Self::Refused(messages::of_policy(&error)),
            SetPolicyError::Stale { .. } => Self::Stale,
            SetPolicyError::Store(_) => Self::unavailable(error),
        }
    }
}

impl From<UserError> for Failure {
    fn from(error: UserError) -> Self {
        match error {
            UserError::PermissionDenied(_) => Self::Forbidden,
            UserError::Contended(_) => Self::busy(error),
            UserError::Store(_) => Self::unavailable(error),
        }
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::PermissionDenied(_) => Self::Forbidden,
            // The page sets the limit itself.
            ListError::Limit(_) | ListError::Store(_) => Self::unavailable(error),
        }
    }
}
