//! Audit events: who did what to which key, when, and how it ended.

mod details;
mod refusal;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::record::actor::Actor;
use crate::record::key::Key;
use crate::record::operation::{Operation, OperationError};
use crate::value::id::{AccountId, IdError, KeyId, TenantId, UserId};
use crate::value::text::serde_as_text;
use crate::value::time::Timestamp;

pub use self::details::{DetailField, DetailValue, EventDetails};
pub use self::refusal::{RefusalCode, RefusalCodeError};

/// An audit event. It is written in the same atomic step as the change that it records.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Event {
    /// Its number among the tenant's events, from 1 in the order of commits. The store sets it; 0
    /// until then.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub sequence: u64,
    /// The tenant in which it happened.
    pub tenant: TenantId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: EventActor,
    /// What was done.
    pub kind: EventKind,
    /// The key that it was done to.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub key: Option<KeyId>,
    /// The service account that it was done to, or that owns the key.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub account: Option<AccountId>,
    /// How it ended.
    pub outcome: EventOutcome,
    /// Further details, in named fields; never a secret.
    pub details: EventDetails,
}

impl Event {
    pub(crate) fn new(tenant: TenantId, at: Timestamp, actor: EventActor, kind: EventKind) -> Self {
        let outcome = EventOutcome::Done;
        Self {
            sequence: 0,
            tenant,
            at,
            actor,
            kind,
            key: None,
            account: None,
            outcome,
            details: EventDetails::NONE,
        }
    }

    /// Returns the event of an actor's operation, of no key or account yet.
    pub(crate) fn by(actor: &Actor, operation: Operation, at: Timestamp) -> Self {
        let who = EventActor::User(actor.id().clone());
        Self::new(actor.tenant().clone(), at, who, operation.into())
    }

    /// Sets the key, and the account that owns it.
    pub(crate) fn of(self, key: &Key) -> Self {
        Self { key: Some(key.id), account: key.owner.account(), ..self }
    }

    /// Returns the event that a key's uses passed another multiple of the policy's threshold.
    ///
    /// A store writes it in the step that adds the uses, when [`UsageDelta::is_alert_due`] says so.
    ///
    /// [`UsageDelta::is_alert_due`]: crate::store::UsageDelta::is_alert_due
    pub fn extensive_use(key: &Key, uses: u64, at: Timestamp) -> Self {
        let details = EventDetails::NONE.value(DetailField::Uses, uses);
        let event = Self::new(key.tenant.clone(), at, EventActor::System, EventKind::ExtensiveUse);
        Self { details, ..event.of(key) }
    }
}

/// Who did something: an actor, a key's possessor, or the crate by itself.
///
/// As text: `user:alice`, `possessor`, `system`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventActor {
    /// An actor, by the host's id.
    User(UserId),
    /// A caller who presented the key's token.
    Possessor,
    /// The crate itself: a threshold or a count of refusals.
    System,
}

impl fmt::Display for EventActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => f.pad(&format!("user:{id}")),
            Self::Possessor => f.pad("possessor"),
            Self::System => f.pad("system"),
        }
    }
}

impl FromStr for EventActor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "possessor" => Ok(Self::Possessor),
            "system" => Ok(Self::System),
            _ => {
                let expected = "expected user:ID, possessor or system";
                let id = text.strip_prefix("user:");
                let id = id.ok_or_else(|| IdError::new("actor of an event", expected, text))?;
                Ok(Self::User(id.parse()?))
            }
        }
    }
}

/// The kind of an event. As text: the operation (`key.rotate`), `key.extensive_use`, or
/// `actor.refusals`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A management operation.
    Operation(Operation),
    /// A key's uses passed another multiple of the policy's threshold.
    ExtensiveUse,
    /// More calls of an actor were refused than are recorded each by itself.
    /// [`Authority`](crate::Authority#audit) describes the bound. With [`EventActor::System`] the
    /// event counts actors that were too many to keep apart.
    Refusals,
}

const EXTENSIVE_USE: &str = "key.extensive_use";
const REFUSALS: &str = "actor.refusals";

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(operation) => operation.fmt(f),
            Self::ExtensiveUse => f.pad(EXTENSIVE_USE),
            Self::Refusals => f.pad(REFUSALS),
        }
    }
}

impl FromStr for EventKind {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        match text {
            EXTENSIVE_USE => Ok(Self::ExtensiveUse),
            REFUSALS => Ok(Self::Refusals),
            _ => text.parse().map(Self::Operation),
        }
    }
}

impl From<Operation> for EventKind {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

/// How an operation ended. As text: `done`, `unchanged`, or `refused: ` and the code.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventOutcome {
    /// It was done.
    Done,
    /// Nothing was to be changed.
    Unchanged,
    /// It was refused, for this reason, and nothing was changed.
    Refused(RefusalCode),
}

impl fmt::Display for EventOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Unchanged => f.write_str("unchanged"),
            Self::Refused(code) => write!(f, "refused: {code}"),
        }
    }
}

/// A text that is not an [`EventOutcome`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EventOutcomeError {
    /// The text is neither `done` nor `unchanged`, and does not start with `refused: `.
    #[error("an outcome is written as done, unchanged or refused: CODE")]
    Form,
    /// The text behind `refused: ` is not a code.
    #[error(transparent)]
    Code(#[from] RefusalCodeError),
}

impl FromStr for EventOutcome {
    type Err = EventOutcomeError;

    fn from_str(text: &str) -> Result<Self, EventOutcomeError> {
        match text {
            "done" => Ok(Self::Done),
            "unchanged" => Ok(Self::Unchanged),
            _ => match text.strip_prefix("refused: ") {
                Some(code) => Ok(Self::Refused(code.parse()?)),
                None => Err(EventOutcomeError::Form),
            },
        }
    }
}

serde_as_text!(EventActor, EventKind, EventOutcome);
