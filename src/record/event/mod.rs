//! Audit events record the author, the operation, the key or account, the time and the outcome.

mod details;
mod refusal;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::record::actor::Actor;
use crate::record::key::Key;
use crate::record::operation::{Operation, OperationError};
use crate::record::usage::{AlertDue, UseKind};
use crate::value::id::{AccountId, IdError, KeyId, TenantId, UserId};
use crate::value::text::serde_as_text;
use crate::value::time::Timestamp;

pub use self::details::{DetailField, DetailValue, EventDetails};
pub use self::refusal::{RefusalCode, RefusalCodeError};

/// The record of a management operation in the audit trail, or of another event such as extensive
/// use.
///
/// It is written in the same atomic step as the change that it records.
///
/// ```
/// use keywright::{EventOutcome, Operation, store::EventQuery};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let page = authority.events(&ada, &EventQuery::new()).await?;
/// let event = &page.items[0];
/// assert_eq!(event.kind, Operation::KeyGenerate.into());
/// assert_eq!(event.actor.to_string(), "user:alice");
/// assert_eq!(event.outcome, EventOutcome::Done);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Day by day](crate::guide::operating) in the guide.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Event {
    /// The number of the event in its tenant, from 1 in the order of commits. The store sets the
    /// number; until then it is 0.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub sequence: u64,
    /// The tenant in which the event happened.
    pub tenant: TenantId,
    /// The time of the call. For an event without a call, the time at which the event was created.
    pub at: Timestamp,
    /// The actor that caused the event.
    pub actor: EventActor,
    /// The operation, or another kind of event.
    pub kind: EventKind,
    /// The key that the event is about; `None` if it is not about one key.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub key: Option<KeyId>,
    /// The service account that the event is about, or that owns the key; `None` if there is none.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub account: Option<AccountId>,
    /// The service account that owned the key before a transfer; `None` if there is none.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub previous_account: Option<AccountId>,
    /// The address that the actor's request came from; `None` if the host gave none.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub source_address: Option<IpAddr>,
    /// The outcome of the operation.
    pub outcome: EventOutcome,
    /// Further details in named fields, never a secret.
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
            previous_account: None,
            source_address: None,
            outcome,
            details: EventDetails::NONE,
        }
    }

    /// Returns the event of an actor's operation, without a key or an account.
    pub(crate) fn by(actor: &Actor, operation: Operation, at: Timestamp) -> Self {
        let id = actor.id().clone();
        let who = if actor.is_operator() { EventActor::Operator(id) } else { EventActor::User(id) };
        let event = Self::new(actor.tenant().clone(), at, who, operation.into());
        Self { source_address: actor.source(), ..event }
    }

    /// Sets the key, and the service account that owns it.
    pub(crate) fn of(self, key: &Key) -> Self {
        Self { key: Some(key.id), account: key.owner.account(), ..self }
    }

    /// Creates the event for an alert that is due: [`EventKind::ExtensiveUse`] for accepted uses, and
    /// [`EventKind::SuspiciousUse`] for refused ones.
    ///
    /// A store writes this event in the step that adds the uses, if [`Usage::add`] returns an alert.
    /// The details hold the uses in the period so far, the limit, the period in seconds, and its
    /// start.
    ///
    /// [`Usage::add`]: crate::store::Usage::add
    ///
    /// ```
    /// use keywright::store::{AlertDue, UseKind};
    /// use keywright::{Clock, DetailField, Event, EventKind, SystemClock, UseAlert};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let (now, alert): (_, UseAlert) = (SystemClock.now(), "20/300s".parse()?);
    /// let window_starts_at = alert.window_start(now);
    /// let due = AlertDue { kind: UseKind::Refused, alert, window_starts_at, uses: 21 };
    /// let event = Event::of_alert(&issued.key, &due, now);
    /// assert_eq!(event.kind, EventKind::SuspiciousUse);
    /// assert_eq!(event.details.get_number(DetailField::Uses), Some(21));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn of_alert(key: &Key, due: &AlertDue, at: Timestamp) -> Self {
        let kind = match due.kind {
            UseKind::Accepted { .. } => EventKind::ExtensiveUse,
            UseKind::Refused => EventKind::SuspiciousUse,
        };
        let details = EventDetails::NONE
            .value(DetailField::Uses, due.uses)
            .value(DetailField::Limit, due.alert.uses())
            .value(DetailField::PeriodSeconds, due.alert.period().as_secs())
            .text(DetailField::WindowStart, due.window_starts_at);
        let event = Self::new(key.tenant.clone(), at, EventActor::System, kind);
        Self { details, ..event.of(key) }
    }
}

/// The cause of an event: an actor, the host's operator, the holder of a key's token, or the crate
/// itself.
///
/// In text: `user:alice`, `operator:carol`, `possessor` or `system`.
///
/// ```
/// use keywright::{EventActor, UserId};
///
/// let alice: EventActor = "user:alice".parse()?;
/// assert_eq!(alice, EventActor::User(UserId::new("alice")?));
/// assert_eq!(EventActor::Possessor.to_string(), "possessor");
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventActor {
    /// An actor, by the host's id.
    User(UserId),
    /// An [`Operator`](crate::Operator) of the host, by its id.
    Operator(UserId),
    /// A caller who presented the key's token.
    Possessor,
    /// The crate itself, which reports a passed threshold or a count of refusals.
    System,
}

impl fmt::Display for EventActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => f.pad(&format!("user:{id}")),
            Self::Operator(id) => f.pad(&format!("operator:{id}")),
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
                if let Some(id) = text.strip_prefix("operator:") {
                    return Ok(Self::Operator(id.parse()?));
                }
                let expected = "expected user:ID, operator:ID, possessor or system";
                let id = text.strip_prefix("user:");
                let id = id.ok_or_else(|| IdError::new("event actor", expected, text))?;
                Ok(Self::User(id.parse()?))
            }
        }
    }
}

/// The kind of an event: a management operation, an alert about a key, counted refusals, or a leak
/// report.
///
/// As text it is `key.extensive_use`, `key.suspicious_use`, `actor.refusals`, `key.leak_reported`, or
/// the text of the operation, such as `key.rotate`.
///
/// ```
/// use keywright::{EventKind, Operation};
///
/// let kind: EventKind = "key.rotate".parse()?;
/// assert_eq!(kind, EventKind::Operation(Operation::KeyRotate));
/// assert_eq!(EventKind::ExtensiveUse.to_string(), "key.extensive_use");
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A management operation.
    Operation(Operation),
    /// A key has more accepted uses in a period than
    /// [`Settings::extensive_use`](crate::Settings::extensive_use) allows without an event.
    ExtensiveUse,
    /// A key has more refused uses in a period than
    /// [`Settings::suspicious_use`](crate::Settings::suspicious_use) allows without an event.
    SuspiciousUse,
    /// A number of refused calls of one actor, beyond those that are recorded individually.
    /// [`Authority`](crate::Authority#audit) describes the bound. With [`EventActor::System`] the
    /// event counts the calls of several actors, because the process already counted those of
    /// 10,000 other actors separately.
    Refusals,
    /// A token of a key was [reported as leaked](crate::Verifier::report_leak). With
    /// [`EventOutcome::Done`] the report revoked the key, and an event of
    /// [`Operation::KeyRevoke`] follows. With [`EventOutcome::Unchanged`] the key still works.
    LeakReported,
}

impl EventKind {
    /// The kinds that are no operation.
    const OTHERS: [Self; 4] =
        [Self::ExtensiveUse, Self::SuspiciousUse, Self::Refusals, Self::LeakReported];

    /// Returns every kind: the operations in the order of [`Operation::ALL`], then the others.
    ///
    /// ```
    /// use keywright::EventKind;
    ///
    /// assert!(EventKind::all().any(|kind| kind.to_string() == "key.leak_reported"));
    /// ```
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Operation::ALL.iter().copied().map(Self::Operation).chain(Self::OTHERS)
    }

    /// Returns the kind as text.
    ///
    /// ```
    /// use keywright::{EventKind, Operation};
    ///
    /// assert_eq!(EventKind::Operation(Operation::KeyRotate).as_str(), "key.rotate");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.as_str(),
            Self::ExtensiveUse => EXTENSIVE_USE,
            Self::SuspiciousUse => SUSPICIOUS_USE,
            Self::Refusals => REFUSALS,
            Self::LeakReported => LEAK_REPORTED,
        }
    }
}

const EXTENSIVE_USE: &str = "key.extensive_use";
const SUSPICIOUS_USE: &str = "key.suspicious_use";
const REFUSALS: &str = "actor.refusals";
const LEAK_REPORTED: &str = "key.leak_reported";

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        match text {
            EXTENSIVE_USE => Ok(Self::ExtensiveUse),
            SUSPICIOUS_USE => Ok(Self::SuspiciousUse),
            REFUSALS => Ok(Self::Refusals),
            LEAK_REPORTED => Ok(Self::LeakReported),
            _ => text.parse().map(Self::Operation),
        }
    }
}

impl From<Operation> for EventKind {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

/// The outcome of an operation in an event: done, unchanged, or refused with a code.
///
/// As text it is `done`, `unchanged`, or `refused: ` with the code.
///
/// ```
/// use keywright::{EventOutcome, RefusalCode};
///
/// let outcome: EventOutcome = "refused: too_many_keys".parse()?;
/// assert_eq!(outcome, EventOutcome::Refused(RefusalCode::TooManyKeys));
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventOutcome {
    /// The operation was carried out.
    Done,
    /// The operation succeeded and changed nothing.
    Unchanged,
    /// The operation was refused for this reason, and nothing was changed.
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

/// The error for a text that is not an [`EventOutcome`].
///
/// ```
/// use keywright::{EventOutcome, EventOutcomeError};
///
/// assert_eq!("failed".parse::<EventOutcome>(), Err(EventOutcomeError::Form));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EventOutcomeError {
    /// The text is neither `done` nor `unchanged`, and does not start with `refused: `.
    #[error("outcome must be done, unchanged or refused: CODE")]
    Form,
    /// The text after `refused: ` is not a code.
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
