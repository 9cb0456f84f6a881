//! Denials: a precise reason for operators, and a class for callers.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::value::id::KeyId;
use crate::value::scope::Scope;

/// The precise reason for a denial.
///
/// Show it to operators, and never to callers.
///
/// ```
/// use keywright::{Reason, VerifyError};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// authority.revoke(&alice, &issued.key.id).await?;
/// let Err(VerifyError::Denied(denial)) = verifier.verify(issued.token.expose()).await else {
///     panic!("the key is revoked");
/// };
/// assert_eq!(denial.reason(), &Reason::Revoked);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The credential is not a token: its grammar, length or checksum is wrong.
    #[error("the credential is malformed")]
    Malformed,
    /// No key has this id, prefix and secret. A key also has this reason if its tenant is not the
    /// one that the request names, or if its prefix is not accepted here. An old secret has this reason too once its digest is
    /// removed: if it had no overlap, if its overlap was ended early, or after a later rotation.
    #[error("no key has this id, prefix and secret")]
    Unrecognized,
    /// A rotation replaced the secret, and the overlap has ended.
    ///
    /// If the overlap was ended early, or there was none, the digest of the old secret is not kept
    /// and the reason is [`Unrecognized`](Self::Unrecognized).
    #[error("the secret was replaced by a rotation and its overlap has ended")]
    Superseded,
    /// The key was revoked.
    #[error("the key is revoked")]
    Revoked,
    /// The key has expired.
    #[error("the key is expired")]
    Expired,
    /// The key is disabled.
    #[error("the key is disabled")]
    Disabled,
    /// The key's `not_before` is in the future.
    #[error("the key is not valid yet")]
    NotYetValid,
    /// The service account that owns the key is disabled.
    #[error("the service account of the key is disabled")]
    AccountDisabled,
    /// The user who owns the key is suspended.
    #[error("the user who owns the key is suspended")]
    UserSuspended,
    /// The tenant has API access turned off.
    #[error("the tenant has API access turned off")]
    AccessOff,
    /// The tenant's plan does not include API access.
    #[error("the tenant's plan does not include API access")]
    UpgradeRequired,
    /// The request came from outside the key's networks, or its source is unknown (`None`).
    #[error("{}", match .0 {
        Some(source) => format!("the source {source} is outside the networks of the key"),
        None => "the key is bound to networks, and the source is not known".to_owned(),
    })]
    NetworkNotAllowed(Option<IpAddr>),
    /// The request needs write access and the service account of the key is read-only.
    #[error("the service account of the key is read-only")]
    ReadOnly,
    /// The key lacks this scope, which the request needs.
    #[error("the key lacks the scope {0}")]
    MissingScope(Scope),
    /// The key has used up its rate. The field holds the time until the next use is allowed.
    #[error("the rate of the key is spent; retry after {0:?}")]
    RateLimited(Duration),
}

impl Reason {
    /// The codes of all reasons, in the order of the variants.
    ///
    /// ```
    /// use keywright::Reason;
    ///
    /// assert!(Reason::CODES.contains(&Reason::Revoked.code()));
    /// ```
    pub const CODES: &[&'static str] = &[
        "malformed",
        "unrecognized",
        "superseded",
        "revoked",
        "expired",
        "disabled",
        "not_yet_valid",
        "account_disabled",
        "user_suspended",
        "access_off",
        "upgrade_required",
        "network_not_allowed",
        "read_only",
        "missing_scope",
        "rate_limited",
    ];

    /// Returns the reason as one word for logs and counters, such as `revoked` or `missing_scope`.
    ///
    /// ```
    /// use keywright::Reason;
    ///
    /// assert_eq!(Reason::NotYetValid.code(), "not_yet_valid");
    /// ```
    pub const fn code(&self) -> &'static str {
        Self::CODES[self.number()]
    }

    /// Returns the place of the reason in [`CODES`](Self::CODES).
    pub(crate) const fn number(&self) -> usize {
        match self {
            Self::Malformed => 0,
            Self::Unrecognized => 1,
            Self::Superseded => 2,
            Self::Revoked => 3,
            Self::Expired => 4,
            Self::Disabled => 5,
            Self::NotYetValid => 6,
            Self::AccountDisabled => 7,
            Self::UserSuspended => 8,
            Self::AccessOff => 9,
            Self::UpgradeRequired => 10,
            Self::NetworkNotAllowed(_) => 11,
            Self::ReadOnly => 12,
            Self::MissingScope(_) => 13,
            Self::RateLimited(_) => 14,
        }
    }
}

/// Serializes the reason as its [`code`](Reason::code).
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The class of a denial: invalid, forbidden or rate limited.
///
/// A caller may learn nothing more about the reason.
///
/// ```
/// use keywright::DenialClass;
///
/// fn status(class: DenialClass) -> u16 {
///     match class {
///         DenialClass::Invalid => 401,
///         DenialClass::Forbidden => 403,
///         DenialClass::RateLimited => 429,
///     }
/// }
/// # assert_eq!(status(DenialClass::Forbidden), 403);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DenialClass {
    /// The credential is not accepted. A web service answers with 401.
    Invalid,
    /// The credential is accepted, but the key does not allow the request. A web service answers
    /// with 403.
    Forbidden,
    /// The key has used up its rate. A web service answers with 429 and [`Denial::retry_after`].
    RateLimited,
}

/// The refusal of a request: its credential is not accepted, or its key does not allow the request.
///
/// Its `Display` text is safe to show to the caller. [`Denial::reason`] gives the precise reason,
/// for operators.
///
/// ```
/// use keywright::{DenialClass, VerifyError};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// let Err(VerifyError::Denied(denial)) = verifier.verify("not a token").await else {
///     panic!("the text is not a token");
/// };
/// assert_eq!(denial.class(), DenialClass::Invalid);
/// assert_eq!(denial.to_string(), "the API key is not accepted"); // for the caller
/// assert_eq!(denial.reason().to_string(), "the credential is malformed"); // for the operator
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
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

    /// Returns the precise reason, which is for operators.
    ///
    /// Show a caller only the [`class`](Self::class) or the denial itself.
    ///
    /// ```
    /// use keywright::{Denial, Reason};
    ///
    /// fn log(denial: &Denial) {
    ///     eprintln!("key {:?}: {}", denial.key_id(), denial.reason());
    /// }
    /// ```
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Returns the key id of the credential, or `None` if the credential was malformed.
    ///
    /// The id comes from the caller, so a key with this id may not exist.
    ///
    /// ```
    /// use keywright::VerifyError;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// authority.revoke(&alice, &issued.key.id).await?;
    /// let Err(VerifyError::Denied(denial)) = verifier.verify(issued.token.expose()).await else {
    ///     panic!("the key is revoked");
    /// };
    /// assert_eq!(denial.key_id(), Some(issued.key.id));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id
    }

    /// Returns the time to wait before the next attempt, or `None` if the rate was not the reason.
    ///
    /// ```
    /// use keywright::VerifyError;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let new = NewKey::named("prod-slow-app")?.rate("1/60s".parse()?);
    /// let slow = authority.generate(&alice, new).await?;
    /// verifier.verify(slow.token.expose()).await?;
    /// let Err(VerifyError::Denied(denial)) = verifier.verify(slow.token.expose()).await else {
    ///     panic!("the rate is used up");
    /// };
    /// assert!(denial.retry_after().is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        match self.reason {
            Reason::RateLimited(wait) => Some(wait),
            _ => None,
        }
    }

    /// Returns the class of the denial, which a caller may learn.
    ///
    /// ```
    /// use keywright::{Denial, DenialClass};
    ///
    /// fn is_worth_retrying(denial: &Denial) -> bool {
    ///     denial.class() == DenialClass::RateLimited
    /// }
    /// ```
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
