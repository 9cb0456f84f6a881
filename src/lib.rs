#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod account;
mod actor;
mod authority;
mod base62;
mod counting;
mod decision;
mod digest;
mod error;
mod event;
mod freshness;
pub mod guide;
#[cfg(any(feature = "actix", feature = "tower"))]
pub mod http;
mod id;
mod key;
mod limiter;
mod limits;
mod metadata;
mod name;
mod network;
mod new_key;
mod operation;
mod policy;
mod quote;
mod random;
mod rate;
mod reentry;
mod refusals;
mod request;
mod rules;
mod scope;
mod secret;
mod setup;
mod snapshot;
mod status;
pub mod store;
mod stored;
mod text;
mod time;
mod token;
mod usage;
mod verifier;

pub use crate::account::{AccountEdit, NewAccount, ServiceAccount};
pub use crate::actor::{Actor, NotAllowed, Permissions};
pub use crate::authority::{
    AccountError, Authority, GenerateError, Handover, Issued, KeyEntry, KeyError, ListError,
    SetPolicyError, Swept,
};
pub use crate::decision::{Denial, DenialClass, Grant, Reason, SecretUsed};
pub use crate::digest::{PepperError, PepperRing};
pub use crate::error::{Error, ValueError};
pub use crate::event::{
    DetailField, DetailValue, Event, EventActor, EventDetails, EventKind, EventOutcome,
    EventOutcomeError, RefusalCode, RefusalCodeError,
};
pub use crate::id::{AccountId, IdError, KeyId, TenantId, UserId};
pub use crate::key::{Key, KeyEdit, NotPossible, Owner, OwnerError};
pub use crate::limits::{AdminLimits, KeyLimit};
pub use crate::metadata::{Metadata, MetadataError};
pub use crate::name::{Name, NameError, NamePattern};
pub use crate::network::{Network, NetworkError, Networks};
pub use crate::new_key::{NewKey, NewKeyError};
pub use crate::operation::{Operation, OperationError, Outcome, Possibility};
pub use crate::policy::{Policy, PolicyError, RoleName, RoleNameError};
pub use crate::random::{Drawn, RandomError};
pub use crate::rate::{Rate, RateError};
pub use crate::request::Request;
pub use crate::scope::{Access, Scope, ScopeError, ScopeSet};
pub use crate::secret::Secret;
pub use crate::setup::{Setup, SetupError};
pub use crate::status::KeyStatus;
pub use crate::time::{Clock, ManualClock, SystemClock, TimeError, Timestamp};
pub use crate::token::{Credential, Prefix, PrefixError, Token};
pub use crate::verifier::{Verifier, VerifyError};
