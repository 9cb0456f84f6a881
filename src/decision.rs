//! When is a key refused, and in which order? Here, and nowhere else.
//!
//! [`decide`] is pure: a credential, what was found for it, a request and the time go in; a grant
//! or the first reason against it comes out. It reads no clock and asks no store.
//!
//! | step | what fails | reason |
//! |---|---|---|
//! | 1 | grammar, length, checksum | [`Malformed`](Reason::Malformed) |
//! | 2 | id unknown, prefix differs, secret wrong: equal work, one answer | [`Unrecognised`](Reason::Unrecognised) |
//! | 3 | the retiring secret after its deadline | [`Superseded`](Reason::Superseded) |
//! | 4 | the key's status | [`Revoked`](Reason::Revoked), [`Expired`](Reason::Expired), [`Disabled`](Reason::Disabled), [`NotYetValid`](Reason::NotYetValid) |
//! | 5 | the owner, if it is a service account | [`AccountDisabled`](Reason::AccountDisabled) |
//! | 6 | the tenant | [`AccessOff`](Reason::AccessOff), [`UpgradeRequired`](Reason::UpgradeRequired) |
//! | 7 | the source network | [`NetworkNotAllowed`](Reason::NetworkNotAllowed) |
//! | 8 | access and scopes of the request | [`ReadOnly`](Reason::ReadOnly), [`MissingScope`](Reason::MissingScope) |
//! | 9 | the rate | [`RateLimited`](Reason::RateLimited) |
//!
//! Steps 1 to 3 come before anything is said of the key, so a caller without its secret learns
//! nothing of it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};
use subtle::Choice;

use crate::account::ServiceAccount;
use crate::digest::{Digest, DigestError, PepperRing};
use crate::id::{KeyId, TenantId};
use crate::key::{Key, KeyStatus, Owner};
use crate::policy::Policy;
use crate::rate::Rate;
use crate::request::Request;
use crate::scope::{Access, Scope, ScopeSet};
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::token::Presented;

/// Why a credential is not accepted, precisely: for operators, never for callers.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is no token: wrong grammar, length or checksum.
    #[error("the credential is malformed")]
    Malformed,
    /// No key has this id, or it has another prefix or another secret.
    #[error("no key has this id, prefix and secret")]
    Unrecognised,
    /// It is the secret before the last rotation, and the overlap has ended.
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
    /// The key's not-before is still to come.
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
    /// The request came from outside the key's networks, or from nobody knows where.
    #[error("the source is outside the networks of the key")]
    NetworkNotAllowed,
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
    /// The reason in one word, for logs and counters: `revoked`, `missing_scope`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unrecognised => "unrecognised",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::NotYetValid => "not_yet_valid",
            Self::AccountDisabled => "account_disabled",
            Self::AccessOff => "access_off",
            Self::UpgradeRequired => "upgrade_required",
            Self::NetworkNotAllowed => "network_not_allowed",
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

/// What a caller may learn of a denial.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DenialClass {
    /// The credential is not accepted. There is no more to be said.
    Invalid,
    /// It is accepted, and not for this.
    Forbidden,
    /// It is accepted, and not now.
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

    /// Why, precisely. For operators: show a caller [`Denial::class`] or the denial itself.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The id in the credential, whether or not there is such a key. `None` if it was malformed.
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id
    }

    /// After which time to try again, if it was the rate.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.reason {
            Reason::RateLimited(wait) => Some(wait),
            _ => None,
        }
    }

    /// What a caller may learn.
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

/// Which of a key's secrets was presented.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SecretUsed {
    /// The key's secret.
    Current,
    /// The one before it, in the overlap of a rotation: its holder has yet to move.
    Retiring,
}

/// Proof that a credential was accepted. It can only come from a verification.
///
/// It stands for one key, and tells what the key may do. It cannot be made, deserialised or turned
/// into an [`Actor`](crate::Actor): a key never manages keys.
///
/// ```compile_fail
/// fn forge(key: keywright::Key) -> keywright::Grant { keywright::Grant { key } }
/// ```
/// ```compile_fail
/// fn forge() -> keywright::Grant { serde_json::from_str("{}").unwrap() }
/// ```
/// ```compile_fail
/// fn manage(grant: keywright::Grant) -> keywright::Actor { grant.into() }
/// ```
#[derive(Clone)]
pub struct Grant {
    snapshot: Arc<Snapshot>,
    /// The host's default policy, where the tenant has none stored.
    default_policy: Option<Arc<Policy>>,
    secret_used: SecretUsed,
    at: Timestamp,
}

impl Grant {
    /// The key.
    pub fn key(&self) -> &Key {
        self.snapshot.record().key()
    }

    /// The key's id.
    pub fn key_id(&self) -> &KeyId {
        &self.key().id
    }

    /// The key's tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.key().tenant
    }

    /// Whom the key acts for.
    pub fn owner(&self) -> &Owner {
        &self.key().owner
    }

    /// The service account that owns the key, if one does.
    pub fn account(&self) -> Option<&ServiceAccount> {
        self.snapshot.account().map(Arc::as_ref)
    }

    /// Which of the key's secrets was presented.
    pub fn secret_used(&self) -> SecretUsed {
        self.secret_used
    }

    /// When it was decided.
    pub fn decided_at(&self) -> Timestamp {
        self.at
    }

    /// Whether the key may change anything, or only look.
    pub fn access(&self) -> Access {
        access(&self.snapshot)
    }

    /// Whether the key has this scope.
    pub fn allows(&self, scope: &Scope) -> bool {
        self.policy().is_some_and(|policy| has_scope(&self.snapshot, policy, scope))
    }

    /// All scopes that the key has. Asking [`Grant::allows`] costs less.
    pub fn scopes(&self) -> ScopeSet {
        let cut = self.policy().map(|policy| scopes(&self.snapshot, policy));
        match cut {
            Some((Some(own), ceiling)) => own.intersection(ceiling),
            Some((None, ceiling)) => ceiling.clone(),
            None => ScopeSet::empty(),
        }
    }

    /// Asks for a scope after the fact, where it depends on what the request turns out to touch.
    ///
    /// # Errors
    /// [`Denial`] with [`Reason::MissingScope`].
    pub fn require(&self, scope: &Scope) -> Result<(), Denial> {
        if self.allows(scope) {
            return Ok(());
        }
        Err(Denial::of(*self.key_id(), Reason::MissingScope(scope.clone())))
    }

    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The number of the secret that was presented.
    pub(crate) fn secret_number(&self) -> u32 {
        match self.secret_used {
            SecretUsed::Current => self.key().secret_number,
            SecretUsed::Retiring => self.key().secret_number.saturating_sub(1),
        }
    }

    /// The stored digest of the secret that was presented.
    pub(crate) fn digest_used(&self) -> &Digest {
        let record = self.snapshot.record();
        record.digest_of(self.secret_number()).unwrap_or(record.digest())
    }

    fn policy(&self) -> Option<&Policy> {
        self.snapshot.policy().or(self.default_policy.as_ref()).map(Arc::as_ref)
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("key", self.key_id())
            .field("tenant", self.tenant())
            .field("owner", self.owner())
            .field("secret_used", &self.secret_used)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What a decision rests on beside the credential and the request.
pub(crate) struct Circumstances<'a, R> {
    pub(crate) peppers: &'a PepperRing,
    pub(crate) default_policy: &'a Arc<Policy>,
    pub(crate) now: Timestamp,
    /// Takes one use of a key's rate, or says after which time one is to be had.
    pub(crate) rate: R,
}

/// A credential is not accepted, or it can't be said whether it is.
#[derive(Debug)]
pub(crate) enum Refusal {
    Denied(Denial),
    /// The digest can't be compared here: an operator's mistake, not the caller's.
    Undecidable(DigestError),
}

/// Decides about a credential that is well-formed (step 1), given what the store has for its id.
pub(crate) fn decide<R>(
    presented: &Presented<'_>,
    found: Option<Arc<Snapshot>>,
    request: &Request<'_>,
    circumstances: Circumstances<'_, R>,
) -> Result<Grant, Refusal>
where
    R: FnOnce(&KeyId, Rate) -> Result<(), Duration>,
{
    let Circumstances { peppers, default_policy, now, rate } = circumstances;
    let deny = |reason| Refusal::Denied(Denial::of(presented.key_id, reason));

    let (snapshot, secret_used) = recognise(presented, found, peppers, now)?;
    let key = snapshot.record().key();
    let policy = snapshot.policy().unwrap_or(default_policy);
    if let Some(reason) = standing(key, snapshot.account().map(Arc::as_ref), policy, now) {
        return Err(deny(reason));
    }
    if !key.networks.allow(request.source) {
        return Err(deny(Reason::NetworkNotAllowed));
    }
    if !access(&snapshot).covers(request.access) {
        return Err(deny(Reason::ReadOnly));
    }
    let missing = request.scopes.iter().find(|scope| !has_scope(&snapshot, policy, scope));
    if let Some(scope) = missing {
        return Err(deny(Reason::MissingScope(scope.clone())));
    }
    if let Some(limit) = key.rate.or(policy.default_rate) {
        rate(&key.id, limit).map_err(|wait| deny(Reason::RateLimited(wait)))?;
    }
    let default_policy = snapshot.policy().is_none().then(|| default_policy.clone());
    Ok(Grant { snapshot, default_policy, secret_used, at: now })
}

/// Steps 2 and 3: whose secret is it? An unknown id costs the work of a wrong secret.
pub(crate) fn recognise(
    presented: &Presented<'_>,
    found: Option<Arc<Snapshot>>,
    peppers: &PepperRing,
    now: Timestamp,
) -> Result<(Arc<Snapshot>, SecretUsed), Refusal> {
    let deny = |reason| Refusal::Denied(Denial::of(presented.key_id, reason));
    let computed = peppers.digest(&presented.key_id, presented.secret);
    let dummy = computed.unmatched();

    let record = found.as_ref().map(|snapshot| snapshot.record());
    let current = record.map_or(&dummy, |record| record.digest());
    let retiring = record.and_then(|record| record.retiring_digest()).unwrap_or(&dummy);
    let compare = |stored| {
        peppers
            .matches(stored, &computed, &presented.key_id, presented.secret)
            .map_err(Refusal::Undecidable)
    };
    let (current, retiring) = (compare(current)?, compare(retiring)?);
    let bound = record.is_some_and(|record| presented.is_bound_to(&record.key().prefix));
    let bound = Choice::from(u8::from(bound));

    match found {
        Some(snapshot) if bool::from(current & bound) => Ok((snapshot, SecretUsed::Current)),
        Some(snapshot) if bool::from(retiring & bound) => {
            if snapshot.record().key().is_overlapping(now) {
                Ok((snapshot, SecretUsed::Retiring))
            } else {
                Err(deny(Reason::Superseded))
            }
        }
        _ => Err(deny(Reason::Unrecognised)),
    }
}

/// Steps 4 to 6: what stands against the key whatever it is wanted for.
pub(crate) fn standing(
    key: &Key,
    account: Option<&ServiceAccount>,
    policy: &Policy,
    now: Timestamp,
) -> Option<Reason> {
    match key.status(now) {
        KeyStatus::Revoked => Some(Reason::Revoked),
        KeyStatus::Expired => Some(Reason::Expired),
        KeyStatus::Disabled => Some(Reason::Disabled),
        KeyStatus::Scheduled => Some(Reason::NotYetValid),
        KeyStatus::Active if account.is_some_and(|account| !account.enabled) => {
            Some(Reason::AccountDisabled)
        }
        KeyStatus::Active if !policy.api_enabled => Some(Reason::AccessOff),
        KeyStatus::Active if !policy.api_in_plan => Some(Reason::UpgradeRequired),
        KeyStatus::Active => None,
    }
}

/// A user's key may look and change; an account's key what the account may.
fn access(snapshot: &Snapshot) -> Access {
    snapshot.account().map_or(Access::ReadWrite, |account| account.access)
}

/// The key's own scopes, if they restrict it, and the ceiling that cuts them down.
fn scopes<'a>(snapshot: &'a Snapshot, policy: &'a Policy) -> (Option<&'a ScopeSet>, &'a ScopeSet) {
    const NOTHING: &ScopeSet = &ScopeSet::empty();
    let own = &snapshot.record().key().scopes;
    match snapshot.account() {
        Some(account) => {
            let role = policy.roles.get(&account.role).unwrap_or(NOTHING);
            ((!own.is_empty()).then_some(own), role)
        }
        None => (Some(own), &policy.scope_ceiling),
    }
}

fn has_scope(snapshot: &Snapshot, policy: &Policy, scope: &Scope) -> bool {
    let (own, ceiling) = scopes(snapshot, policy);
    ceiling.contains(scope) && own.is_none_or(|own| own.contains(scope))
}
