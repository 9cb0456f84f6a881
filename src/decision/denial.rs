//! Denials: the reason is for operators, the class is for callers.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::value::id::KeyId;
use crate::value::scope::Scope;

/// The precise reason why a credential is not accepted: for operators, never for callers.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The credential is not a token: wrong grammar, length or checksum.
    #[error("the credential is malformed")]
    Malformed,
    /// No key has this id, prefix and secret. A secret that was forgotten is unrecognized too.
    #[error("no key has this id, prefix and secret")]
    Unrecognized,
    /// The secret was replaced by a rotation and its overlap has ended. A secret whose overlap was
    /// ended early, or that never had one, is forgotten and so
    /// [`Unrecognized`](Self::Unrecognized).
    #[error("the secret was replaced by a rotation and its overlap has ended")]
    Superseded,
    /// The key was revoked.
    #[error("the key is revoked")]
    Revoked,
    /// The key's expiry has passed.
    #[error("the key is expired")]
    Expired,
    /// The key is disabled.
    #[error("the key is disabled")]
    Disabled,
    /// The key's not-before has not passed.
    #[error("the key is not valid yet")]
    NotYetValid,
    /// The service account that owns the key is disabled.
    #[error("the service account of the key is disabled")]
    AccountDisabled,
    /// The tenant has API access turned off.
    #[error("API access of the tenant is off")]
    AccessOff,
    /// The tenant's plan does not include API access.
    #[error("the tenant's plan does not include API access")]
    UpgradeRequired,
    /// The request came from outside the key's networks, or from an unknown source.
    #[error("{}", match .0 {
        Some(source) => format!("the source {source} is outside the networks of the key"),
        None => "the key is bound to networks, and the source is not known".to_owned(),
    })]
    NetworkNotAllowed(Option<IpAddr>),
    /// The request needs write access and the account is read-only.
    #[error("the service account of the key is read-only")]
    ReadOnly,
    /// The request needs a scope that the key lacks.
    #[error("the key lacks the scope {0}")]
    MissingScope(Scope),
    /// The key has spent its rate.
    #[error("the rate of the key is spent; retry after {0:?}")]
    RateLimited(Duration),
}

impl Reason {
    /// Returns the reason in one word, for logs and counters: `revoked`, `missing_scope`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unrecognized => "unrecognized",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::NotYetValid => "not_yet_valid",
            Self::AccountDisabled => "account_disabled",
            Self::AccessOff => "access_off",
            Self::UpgradeRequired => "upgrade_required",
            Self::NetworkNotAllowed(_) => "network_not_allowed",
            Self::ReadOnly => "read_only",
            Self::MissingScope(_) => "missing_scope",
            Self::RateLimited(_) => "rate_limited",
        }
    }
}

/// As its [`code`](Reason::code).
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The class of a denial: as much as a caller may learn.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DenialClass {
    /// The credential is not accepted: 401.
    Invalid,
    /// The credential is accepted and does not allow the request: 403.
    Forbidden,
    /// The key has spent its rate: 429, with [`Denial::retry_after`].
    RateLimited,
}

/// A credential is not accepted. `Display` says what a caller may learn, [`Denial::reason`] why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    reason: Reason,
    key_id: Option<KeyId>,
}

impl Denial {
    pub(crate) fn malformed() -> Self {
        Self { reason: Reason::Malformed, key_id: None }
    }

    pub(crate) fn of(key_id: KeyId, reason: Reason) -> Self {
        Self { reason, key_id: Some(key_id) }
    }

    /// Returns the precise reason. It is for operators: show a caller the [`Denial::class`] or the
    /// denial itself.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Returns the id in the credential, whether or not there is such a key; `None` if the
    /// credential was malformed.
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id
    }

    /// Returns how long to wait before the next try, if the rate was spent.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.reason {
            Reason::RateLimited(wait) => Some(wait),
            _ => None,
        }
    }

    /// Returns the class: as much as a caller may learn.
    pub fn class(&self) -> DenialClass {
        match self.reason {
            Reason::ReadOnly | Reason::MissingScope(_) => DenialClass::Forbidden,
            Reason::RateLimited(_) => DenialClass::RateLimited,
            _ => DenialClass::Invalid,
        }
    }
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.class() {
            DenialClass::Invalid => "the API key is not accepted",
            DenialClass::Forbidden => "the API key does not allow this",
            DenialClass::RateLimited => "the API key is used too often",
        })
    }
}

impl std::error::Error for Denial {}
