#![doc = include_str!("../README.md")]
//! # Where to start in this documentation
//!
//! In this documentation, the *host* is the application that uses this crate, and an *operator* is
//! a person who runs it.
//!
//! | to | begin with |
//! |---|---|
//! | have a first key in ten minutes | [`guide::first_key`] |
//! | learn the terms: tenant, actor, owner, key, secret | [`guide::concepts`] |
//! | build the service's keys | [`Keywright::builder`] |
//! | create, list, rotate and revoke keys | [`Authority`] |
//! | check a key | [`Verifier`], which returns a [`Grant`] |
//! | set the rules of a tenant | [`Policy`] |
//! | protect routes | [`guide::web`] |
//! | mount a page for your users' keys | [`guide::page`] |
//! | build a page for keys of an organization, a user or service accounts | [`guide::organization_keys`], [`guide::user_keys`], [`guide::service_accounts`] |
//! | build a page for key ids and secrets, or a tenant's console | [`guide::key_id_and_secret`], [`guide::tenant_console`] |
//! | choose where keys are stored, or write a store | [`store`] |
//! | find and hide tokens in text | [`scan`] |
//! | operate the service | [`guide::background`], [`guide::operating`] |
//! | handle an incident | [`guide::incidents`] |
//! | review the security | [`guide::threat_model`] |
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// The guide links to items of all features, and its links are checked with all features.
#![cfg_attr(
    not(all(
        feature = "actix",
        feature = "conformance",
        feature = "file",
        feature = "management",
        feature = "page",
        feature = "postgres"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

mod authority;
#[cfg(feature = "tokio")]
mod background;
mod decision;
mod error;
pub mod guide;
#[cfg(any(feature = "actix", feature = "tower"))]
pub mod http;
mod keywright;
mod observe;
mod record;
pub mod scan;
mod setup;
pub mod store;
mod value;
mod verifier;

pub use crate::authority::{
    Abilities, AccountEntry, AccountError, Authority, GenerateError, Issued, KeyChoices, KeyEntry,
    KeyError, KeyNumbers, ListError, Listing, NewOwnerError, Obstacle, Overlap, RevokeReport,
    SetPolicyError, SweepReport, UserError,
};
#[cfg(feature = "tokio")]
pub use crate::background::{RunOptions, Running, StartError};
pub use crate::decision::request::AccessRequest;
pub use crate::decision::{Denial, DenialClass, Grant, Reason, SecretUsed};
pub use crate::error::{Error, ValueError};
pub use crate::keywright::{BuildError, Builder, Keywright};
pub use crate::record::account::{AccountEdit, NewAccount, ServiceAccount};
pub use crate::record::actor::{Actor, PermissionDenied, Permissions};
pub use crate::record::admin_limits::{AdminLimits, KeyLimit};
pub use crate::record::edit::KeyEdit;
pub use crate::record::event::{
    DetailField, DetailValue, Event, EventActor, EventDetails, EventKind, EventOutcome,
    EventOutcomeError, RefusalCode, RefusalCodeError,
};
pub use crate::record::key::{Key, Owner, OwnerError, OwnerKind, OwnerKindError, WrongStatus};
pub use crate::record::new_key::NewKey;
pub use crate::record::operation::{Operation, OperationError, Outcome, Transition};
pub use crate::record::operator::Operator;
pub use crate::record::plan::{Plan, ScopeDefinition};
pub use crate::record::policy::Policy;
pub use crate::record::policy_error::PolicyError;
pub use crate::record::policy_field::PolicyField;
pub use crate::record::policy_in_force::{EffectivePolicy, InForce, Source};
pub use crate::record::quantity::Quantity;
pub use crate::record::requirement::{Requirement, Requirements};
pub use crate::record::role::{Role, RoleName, RoleNameError};
pub use crate::record::rotation::Rotation;
pub use crate::record::rules::{ExpiryField, RuleError};
pub use crate::record::settings::{Settings, SettingsEdit};
pub use crate::record::status::KeyStatus;
pub use crate::record::user::User;
pub use crate::record::violation::Violation;
pub use crate::value::digest::{PepperError, PepperRing};
pub use crate::value::id::{AccountId, IdError, KeyId, TenantId, UserId};
pub use crate::value::metadata::{Metadata, MetadataError};
pub use crate::value::name::{Name, NameError, NamePattern};
pub use crate::value::network::{Network, NetworkError, Networks};
pub use crate::value::note::{Contact, Description, NoteError, NoteField};
pub use crate::value::random::{Drawn, RandomError};
pub use crate::value::rate::{Rate, RateError};
pub use crate::value::scope::{Access, Scope, ScopeError, ScopeSet};
pub use crate::value::ticket::Ticket;
pub use crate::value::time::{Clock, ManualClock, SystemClock, TimeError, Timestamp};
pub use crate::value::token::{Credential, Prefix, PrefixError, Token};
pub use crate::value::use_alert::{UseAlert, UseAlertError};
pub use crate::verifier::{Verifier, VerifyError};
