//! Keys: what may be shown of one, what a store keeps of it, and every legal transition.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::admin_limits::AdminLimits;
use crate::record::operation::{Operation, Outcome, Transition};
use crate::record::policy::Policy;
use crate::record::status::KeyStatus;
use crate::value::digest::{Digest, PepperRing};
use crate::value::id::{AccountId, IdError, KeyId, TenantId, UserId};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::rate::Rate;
use crate::value::scope::ScopeSet;
use crate::value::serde_strict::next_version;
use crate::value::text::serde_as_text;
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

/// The user or service account that a key acts for. As text: `user:alice`,
/// `account:4fQ2xk9ZrT7bWm1c`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Owner {
    /// A person, by the host's id.
    User(UserId),
    /// A service account.
    Account(AccountId),
}

impl Owner {
    /// Returns the service account, if the owner is one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::User(_) => None,
            Self::Account(id) => Some(*id),
        }
    }

    /// Returns the id of the user or the account as text.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Account(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::User(id) => format!("user:{id}"),
            Self::Account(id) => format!("account:{id}"),
        })
    }
}

/// A text that is not an [`Owner`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The text starts with neither `user:` nor `account:`.
    #[error("an owner is written as user:ID or account:ID")]
    Kind,
    /// The text behind it is not an id.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        match text.split_once(':') {
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            Some(("account", id)) => Ok(Self::Account(id.parse()?)),
            _ => Err(OwnerError::Kind),
        }
    }
}

/// A key, as it may be shown. It holds no secret and no digest of one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Key {
    /// Its id: the public handle.
    pub id: KeyId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The user or service account that it acts for.
    pub owner: Owner,
    /// Its name.
    pub name: Name,
    /// The first part of its tokens.
    pub prefix: Prefix,
    /// Its own scopes. A user's key without any may do nothing; an account's key without any has
    /// the scopes of the account's role.
    pub scopes: ScopeSet,
    /// The networks that it may be used from.
    pub networks: Networks,
    /// Its own rate. Without one the policy's default holds. If the owner set it, both hold: the key has the fewer uses of
    /// the two and regains them at the slower rate.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub rate: Option<Rate>,
    /// Which of its scopes, networks and rate an administrator set.
    pub admin_limits: AdminLimits,
    /// Notes of the host.
    pub metadata: Metadata,
    /// When it was generated.
    pub created_at: Timestamp,
    /// The actor who generated it.
    pub created_by: UserId,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it starts to be valid.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub not_before: Option<Timestamp>,
    /// When it expires. This never changes.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is disabled.
    pub disabled: bool,
    /// When it was revoked.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub revoked_at: Option<Timestamp>,
    /// When its secret was last replaced.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub rotated_at: Option<Timestamp>,
    /// When the overlap of its last rotation ends: until then the secret before this one works too.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub overlap_ends_at: Option<Timestamp>,
    /// The number of its secret: 1 when generated, one more with each rotation.
    pub secret_number: u32,
    /// 1 when generated, then one more with each change, up to 2⁶³ − 1. A key of that version can
    /// only be revoked or deleted.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

impl Key {
    /// Returns the status at `now`. The first that holds counts, in the order revoked, expired,
    /// disabled, scheduled, active.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|expires| expires.has_passed(now)) {
            KeyStatus::Expired
        } else if self.disabled {
            KeyStatus::Disabled
        } else if self.not_before.is_some_and(|begin| !begin.has_passed(now)) {
            KeyStatus::Scheduled
        } else {
            KeyStatus::Active
        }
    }

    /// Returns prefix and id, which identify the key where a token would be shown:
    /// `acme_live_4fQ2xk9ZrT7bWm1c`. It exposes nothing of the secret.
    pub fn display_prefix(&self) -> String {
        format!("{}_{}", self.prefix, self.id)
    }

    /// Returns since when the key is dead at `now`: revoked, or expired.
    pub fn dead_since(&self, now: Timestamp) -> Option<Timestamp> {
        let expired = self.expires_at.filter(|expires| expires.has_passed(now));
        match (self.revoked_at, expired) {
            (Some(revoked), Some(expired)) => Some(revoked.min(expired)),
            (revoked, expired) => revoked.or(expired),
        }
    }

    /// Returns whether the secret before this one still works at `now`.
    pub fn is_overlapping(&self, now: Timestamp) -> bool {
        self.overlap_ends_at.is_some_and(|end| !end.has_passed(now))
    }
}

/// An operation is not possible with the key in its status.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{operation} is not possible: the key is {status}")]
pub struct WrongStatus {
    /// The operation that was asked for.
    pub operation: Operation,
    /// The status of the key.
    pub status: KeyStatus,
}

/// A key cannot be rotated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RotateError {
    WrongStatus(WrongStatus),
    /// The overlap is longer than the policy allows.
    OverlapTooLong {
        max: Duration,
    },
}

impl From<WrongStatus> for RotateError {
    fn from(error: WrongStatus) -> Self {
        Self::WrongStatus(error)
    }
}

/// The record that a store keeps of a key: the key and the digests of its secrets.
///
/// Serializes for stores, digests included; [`Key`] is what to show.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    key: Key,
    digest: Digest,
    /// The digest of the secret before this one, during or after an overlap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    retiring: Option<Digest>,
}

impl KeyRecord {
    pub(crate) fn new(key: Key, digest: Digest) -> Self {
        Self { key, digest, retiring: None }
    }

    /// Returns the key, as it may be shown.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the key's id.
    pub fn id(&self) -> &KeyId {
        &self.key.id
    }

    /// Returns the record's version: 1 when generated, then one more with each change.
    pub fn version(&self) -> u64 {
        self.key.version
    }

    /// Returns the digest of the key's secret.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the digest of the secret before this one.
    pub fn retiring_digest(&self) -> Option<&Digest> {
        self.retiring.as_ref()
    }

    /// Returns the digest of the secret of this number, if it is one of the two that are kept.
    pub(crate) fn digest_of(&self, number: u32) -> Option<&Digest> {
        if number == self.key.secret_number {
            Some(&self.digest)
        } else if number.checked_add(1) == Some(self.key.secret_number) {
            self.retiring.as_ref()
        } else {
            None
        }
    }

    /// Returns the record as revoked at `now`. A record that is revoked already stays as it is.
    ///
    /// [`Change::RevokeKey`](crate::store::Change::RevokeKey) does this to the version that a store
    /// holds.
    pub fn revoked(&self, now: Timestamp) -> Self {
        if self.key.revoked_at.is_some() {
            return self.clone();
        }
        self.changed(now, |next| next.key.revoked_at = Some(now))
    }

    /// Returns whether the record has a digest of this secret. `digest` is the secret's under the
    /// current pepper.
    pub(crate) fn has_secret(
        &self,
        secret: &[u8; 32],
        digest: &Digest,
        peppers: &PepperRing,
    ) -> bool {
        [Some(&self.digest), self.retiring.as_ref()].into_iter().flatten().any(|stored| {
            peppers.matches(stored, digest, &self.key.id, secret).is_ok_and(bool::from)
        })
    }

    pub(crate) fn set_disabled(
        &self,
        disabled: bool,
        now: Timestamp,
    ) -> Result<Outcome<Self>, WrongStatus> {
        let operation = if disabled { Operation::KeyDisable } else { Operation::KeyEnable };
        match self.possible(operation, now)? {
            Transition::Unchanged => Ok(Outcome::Unchanged(self.clone())),
            _ => Ok(Outcome::Done(self.changed(now, |next| next.key.disabled = disabled))),
        }
    }

    /// Installs `digest`. The secret before it works until the earlier of the key's expiry and
    /// `now + overlap`; without an overlap it is forgotten at once. The secret that was retiring before
    /// is forgotten in any case.
    pub(crate) fn rotate(
        &self,
        digest: Digest,
        overlap: Duration,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, RotateError> {
        self.possible(Operation::KeyRotate, now)?;
        if overlap > policy.max_overlap {
            return Err(RotateError::OverlapTooLong { max: policy.max_overlap });
        }
        let end = now.saturating_add(overlap);
        let end = self.key.expires_at.map_or(end, |expires| expires.min(end));
        Ok(self.changed(now, |next| {
            next.digest = digest;
            next.retiring = (!overlap.is_zero()).then_some(self.digest);
            next.key.overlap_ends_at = (!overlap.is_zero()).then_some(end);
            next.key.rotated_at = Some(now);
            next.key.secret_number = self.key.secret_number.saturating_add(1);
        }))
    }

    pub(crate) fn finish_rotation(&self, now: Timestamp) -> Result<Outcome<Self>, WrongStatus> {
        self.possible(Operation::KeyFinishRotation, now)?;
        if !self.key.is_overlapping(now) {
            return Ok(Outcome::Unchanged(self.clone()));
        }
        Ok(Outcome::Done(self.changed(now, |next| {
            next.retiring = None;
            next.key.overlap_ends_at = None;
        })))
    }

    /// Checks whether the key can be revoked at `now`, and whether it has been.
    pub(crate) fn revocable(&self, now: Timestamp) -> Result<Transition, WrongStatus> {
        self.possible(Operation::KeyRevoke, now)
    }

    /// Returns the record with a digest of the same secret under another pepper. Nobody changed the
    /// key, so `updated_at` stays.
    pub(crate) fn with_digest(&self, number: u32, digest: Digest) -> Option<Self> {
        self.digest_of(number)?;
        let mut next = self.clone();
        if number == self.key.secret_number {
            next.digest = digest;
        } else {
            next.retiring = Some(digest);
        }
        next.key.version = next_version(next.key.version);
        Some(next)
    }

    /// Says whether an operation changes the key at `now`.
    pub(super) fn possible(
        &self,
        operation: Operation,
        now: Timestamp,
    ) -> Result<Transition, WrongStatus> {
        let status = self.key.status(now);
        match operation.on(status) {
            Transition::No => Err(WrongStatus { operation, status }),
            possible => Ok(possible),
        }
    }

    /// Replaces what may be shown of the key, unless it is so already. `updated_at` and `version` are
    /// set here.
    pub(super) fn changed_to(&self, key: Key, now: Timestamp) -> Outcome<Self> {
        if key == self.key {
            return Outcome::Unchanged(self.clone());
        }
        Outcome::Done(self.changed(now, |next| next.key = key))
    }

    fn changed(&self, now: Timestamp, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next.key.updated_at = now;
        next.key.version = next_version(next.key.version);
        next
    }
}

serde_as_text!(Owner);
