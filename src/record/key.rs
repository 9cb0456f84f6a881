//! This module defines the key that may be shown, the record that a store keeps, and every legal
//! transition of both.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::record::admin_limits::AdminLimits;
use crate::record::operation::{Operation, Outcome, Transition};
use crate::record::status::KeyStatus;
use crate::value::digest::{Digest, PepperRing};
use crate::value::id::{AccountId, IdError, KeyId, TenantId, UserId};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::scope::ScopeSet;
use crate::value::serde_strict::next_version;
use crate::value::text::serde_as_text;
use crate::value::text_enum::text_enum;
use crate::value::time::Timestamp;
use crate::value::token::{Prefix, display_prefix};

/// The text of the owner [`Owner::Organization`].
const ORGANIZATION: &str = "organization";

/// The user, the service account or the organization that a key acts for.
///
/// In text: `user:alice`, `account:4fQ2xk9ZrT7bWm1c` or `organization`.
///
/// ```
/// use keywright::{Owner, UserId};
///
/// let alice: Owner = "user:alice".parse()?;
/// assert_eq!(alice, Owner::User(UserId::new("alice")?));
/// assert_eq!(alice.to_string(), "user:alice");
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// See [How to build an organization's keys page](crate::guide::organization_keys) in the guide.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Owner {
    /// A person, by the host's id.
    User(UserId),
    /// A service account.
    Account(AccountId),
    /// The tenant itself. Its keys outlive every person who generated them.
    Organization,
}

impl Owner {
    /// Returns the id of the service account, or `None` if the owner is another one.
    ///
    /// ```
    /// use keywright::Owner;
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let owner: Owner = "account:4fQ2xk9ZrT7bWm1c".parse()?;
    /// assert_eq!(owner.account(), Some("4fQ2xk9ZrT7bWm1c".parse()?));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(*id),
            Self::User(_) | Self::Organization => None,
        }
    }

    /// Returns the kind of the owner.
    ///
    /// ```
    /// use keywright::{Owner, OwnerKind};
    ///
    /// let owner: Owner = "user:alice".parse()?;
    /// assert_eq!(owner.kind(), OwnerKind::User);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub const fn kind(&self) -> OwnerKind {
        match self {
            Self::User(_) => OwnerKind::User,
            Self::Account(_) => OwnerKind::Account,
            Self::Organization => OwnerKind::Organization,
        }
    }

    /// Returns the id of the user or the account as text, or `organization`.
    ///
    /// ```
    /// use keywright::Owner;
    ///
    /// let owner: Owner = "user:alice".parse()?;
    /// assert_eq!(owner.id(), "alice");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Account(id) => id.as_str(),
            Self::Organization => ORGANIZATION,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::User(id) => format!("user:{id}"),
            Self::Account(id) => format!("account:{id}"),
            Self::Organization => ORGANIZATION.to_owned(),
        })
    }
}

text_enum! {
    /// The kind of an [`Owner`], with a text form such as `user`.
    ///
    /// The text of an owner begins with that of its kind.
    ///
    /// ```
    /// use keywright::OwnerKind;
    ///
    /// assert_eq!("account".parse::<OwnerKind>()?, OwnerKind::Account);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub enum OwnerKind {
        /// A person.
        User = "user";
        /// A service account.
        Account = "account";
        /// The tenant itself.
        Organization = "organization";
    }
    OwnerKindError: "a kind of owner";
}

/// The error for a text that is not an [`Owner`].
///
/// ```
/// use keywright::{Owner, OwnerError};
///
/// assert_eq!("alice".parse::<Owner>(), Err(OwnerError::Kind));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The text is not `organization` and starts with neither `user:` nor `account:`.
    #[error("owner must be organization or start with user: or account:, as in user:alice")]
    Kind,
    /// The text after `user:` or `account:` is not a valid id.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        match text.split_once(':') {
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            Some(("account", id)) => Ok(Self::Account(id.parse()?)),
            None if text == ORGANIZATION => Ok(Self::Organization),
            _ => Err(OwnerError::Kind),
        }
    }
}

/// The public data of a key: neither the secret nor a digest of it.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let key = &issued.key;
/// assert_eq!(key.name.as_str(), "prod-main-app");
/// assert_eq!(key.owner, alice.as_owner());
/// assert_eq!(key.secret_number, 1);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Key {
    /// The key's id. It is public and identifies the key in listings, logs and calls.
    pub id: KeyId,
    /// The tenant that the key belongs to.
    pub tenant: TenantId,
    /// The user, the service account or the organization that the key acts for.
    pub owner: Owner,
    /// The name that people see.
    pub name: Name,
    /// The first part of the key's tokens.
    pub prefix: Prefix,
    /// The key's own scopes. If the set is empty, a service account's key has all scopes of the
    /// account's role, and any other key has the plan's default scopes.
    pub scopes: ScopeSet,
    /// The networks that the key may be used from. An empty list allows every source.
    pub networks: Networks,
    /// The key's own rate. `None` if the policy's default rate applies.
    ///
    /// A rate that an administrator set replaces the default rate. A rate that the owner set
    /// applies together with it: the lower number of uses and the slower regain of the two count.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub rate: Option<Rate>,
    /// Flags for the limits that an administrator set: scopes, networks and rate.
    pub admin_limits: AdminLimits,
    /// The business need of the key; `None` if it has no description.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub description: Option<Description>,
    /// The technical owner, who is told before a rotation; `None` if there is none.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub contact: Option<Contact>,
    /// Notes that the host keeps on the key.
    pub metadata: Metadata,
    /// The time at which the key was generated.
    pub created_at: Timestamp,
    /// The actor who generated the key.
    pub created_by: UserId,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The time from which the key is valid; `None` if it was valid at once.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub not_before: Option<Timestamp>,
    /// The time at which the key expires; `None` if it never does. This time never changes.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub expires_at: Option<Timestamp>,
    /// True if the key is disabled. [`Authority::disable`](crate::Authority::disable) sets the
    /// flag, and [`enable`](crate::Authority::enable) clears it.
    pub disabled: bool,
    /// The time at which the key was revoked; `None` if it was not.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub revoked_at: Option<Timestamp>,
    /// The time at which the secret was last replaced; `None` if it never was.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub rotated_at: Option<Timestamp>,
    /// The end of the overlap of the last rotation. Until then the previous secret works too.
    /// `None` if the key was never rotated, was rotated without an overlap, or its rotation was
    /// finished early.
    #[serde(deserialize_with = "crate::value::serde_strict::required")]
    pub overlap_ends_at: Option<Timestamp>,
    /// The number of the current secret: 1 when the key is generated, and one more with each
    /// rotation.
    pub secret_number: u32,
    /// The version: 1 when the key is generated, and one more with each change, up to 2⁶³ − 1. A
    /// key that has reached this limit can only be revoked or deleted.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

impl Key {
    /// Returns the status at `now`.
    ///
    /// The statuses are checked in this order: revoked, expired, disabled, scheduled, active. The
    /// first that applies is returned.
    ///
    /// ```
    /// use keywright::{Clock, KeyStatus, SystemClock};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// assert_eq!(issued.key.status(SystemClock.now()), KeyStatus::Active);
    /// let key = authority.revoke(&alice, &issued.key.id).await?.into_inner();
    /// assert_eq!(key.status(SystemClock.now()), KeyStatus::Revoked);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
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

    /// Returns the prefix and the id, such as `acme_live_4fQ2xk9ZrT7bWm1c`.
    ///
    /// Show this text in listings in place of the token. It identifies the key and reveals nothing
    /// of the secret.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let shown = issued.key.display_prefix();
    /// assert!(issued.token.expose().starts_with(&shown));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn display_prefix(&self) -> String {
        display_prefix(&self.prefix, self.id)
    }

    /// Returns the time since which the key has been dead (revoked or expired) at `now`; `None` if
    /// it is not dead.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// assert_eq!(issued.key.dead_since(SystemClock.now()), None);
    /// let key = authority.revoke(&alice, &issued.key.id).await?.into_inner();
    /// assert_eq!(key.dead_since(SystemClock.now()), key.revoked_at);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn dead_since(&self, now: Timestamp) -> Option<Timestamp> {
        let expired = self.expires_at.filter(|expires| expires.has_passed(now));
        match (self.revoked_at, expired) {
            (Some(revoked), Some(expired)) => Some(revoked.min(expired)),
            (revoked, expired) => revoked.or(expired),
        }
    }

    /// Returns whether the overlap of a rotation is in progress at `now`.
    ///
    /// The status of the key is not considered: neither secret of a revoked or disabled key works.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{Clock, SystemClock};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let overlap = Duration::from_secs(3_600);
    /// let rotated = authority.rotate(&alice, &issued.key.id, overlap).await?;
    /// assert!(rotated.key.is_overlapping(SystemClock.now()));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn is_overlapping(&self, now: Timestamp) -> bool {
        self.overlap_ends_at.is_some_and(|end| !end.has_passed(now))
    }
}

/// The error for an operation that the key's status does not allow.
///
/// ```
/// use keywright::KeyError;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// authority.revoke(&alice, &issued.key.id).await?;
/// let refused = authority.enable(&alice, &issued.key.id).await;
/// assert!(matches!(refused, Err(KeyError::WrongStatus(_))));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the key is {status}, which does not allow {operation}")]
pub struct WrongStatus {
    /// The operation that the caller asked for.
    pub operation: Operation,
    /// The status of the key.
    pub status: KeyStatus,
}

/// The error for a key that cannot be rotated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RotateError {
    WrongStatus(WrongStatus),
    /// The overlap is longer than the policy allows.
    OverlapTooLong {
        overlap: Duration,
        max: Duration,
    },
    /// The key is disabled, and the old secret would work again after it is enabled.
    OverlapWhileDisabled {
        overlap: Duration,
    },
}

impl From<WrongStatus> for RotateError {
    fn from(error: WrongStatus) -> Self {
        Self::WrongStatus(error)
    }
}

/// The record that a store keeps of a key: the key and the digests of its secrets.
///
/// The record serializes with its digests, so that a store can write it. Never send it to a client;
/// send its [`Key`].
///
/// ```
/// use keywright::store::KeyStore;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let stored = store.key(alice.tenant(), &issued.key.id).await?;
/// assert!(stored.is_some_and(|stored| *stored.record.key() == *issued.key));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[repr(C)]
pub struct KeyRecord {
    // First, because a snapshot has what a verification reads before it.
    digest: Digest,
    /// The digest of the previous secret, during or after an overlap.
    #[serde(default)]
    // Few keys have one, and it is as large as the current one.
    retiring: Option<Box<Digest>>,
    key: Key,
}

impl Serialize for KeyRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { digest, retiring, key } = self;
        let fields = 2 + usize::from(retiring.is_some());
        let mut record = serializer.serialize_struct("KeyRecord", fields)?;
        record.serialize_field("key", key)?;
        record.serialize_field("digest", digest)?;
        match retiring {
            Some(retiring) => record.serialize_field("retiring", retiring)?,
            None => record.skip_field("retiring")?,
        }
        record.end()
    }
}

impl KeyRecord {
    pub(crate) fn new(key: Key, digest: Digest) -> Self {
        Self { key, digest, retiring: None }
    }

    /// Returns the public data of the key, without digests.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
    ///     assert_eq!(*stored.record.key(), *issued.key);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the key's id.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
    ///     assert_eq!(*stored.record.id(), issued.key.id);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn id(&self) -> &KeyId {
        &self.key.id
    }

    /// Returns the record's version: 1 when the key is generated, and one more with each change.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
    ///     assert_eq!(stored.record.version(), 1);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn version(&self) -> u64 {
        self.key.version
    }

    /// Returns the digest of the current secret.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
    ///     assert_eq!(stored.record.digest().pepper(), None);
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the digest of the previous secret; `None` if there is none, if it had no overlap, or
    /// if its overlap was ended early.
    ///
    /// ```
    /// use keywright::store::KeyStore;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
    ///     // The key was never rotated.
    ///     assert!(stored.record.retiring_digest().is_none());
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn retiring_digest(&self) -> Option<&Digest> {
        self.retiring.as_deref()
    }

    /// Returns the digest of the secret with this number, if it is one of the two that the record
    /// holds.
    pub(crate) fn digest_of(&self, number: u32) -> Option<&Digest> {
        if number == self.key.secret_number {
            Some(&self.digest)
        } else if number.checked_add(1) == Some(self.key.secret_number) {
            self.retiring.as_deref()
        } else {
            None
        }
    }

    /// Returns the record as revoked at `now`.
    ///
    /// A record that is already revoked is returned unchanged.
    ///
    /// [`plan::batch`](crate::store::plan::batch) applies this method for
    /// [`Change::RevokeKey`](crate::store::Change::RevokeKey) to the version that the store holds.
    ///
    /// ```
    /// use keywright::{Clock, SystemClock, store::KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let now = SystemClock.now();
    /// let stored = store.key(alice.tenant(), &issued.key.id).await?;
    /// assert!(stored.is_some_and(|stored| stored.record.revoked(now).key().revoked_at == Some(now)));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn revoked(&self, now: Timestamp) -> Self {
        if self.key.revoked_at.is_some() {
            return self.clone();
        }
        self.changed(now, |next| next.key.revoked_at = Some(now))
    }

    /// Lets `share` replace texts of the key by equal ones that other keys have.
    pub(super) fn with_texts(mut self, share: impl FnOnce(&mut Key)) -> Self {
        share(&mut self.key);
        self
    }

    /// Returns whether the record holds a digest of this secret. `digest` is the secret's digest
    /// under the current pepper.
    pub(crate) fn has_secret(
        &self,
        secret: &[u8; 32],
        digest: &Digest,
        peppers: &PepperRing,
    ) -> bool {
        [Some(&self.digest), self.retiring.as_deref()].into_iter().flatten().any(|stored| {
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

    /// Replaces the current digest with `digest`. The previous secret works until the earlier of
    /// the key's expiry and `now + overlap`; without an overlap its digest is dropped at once. The
    /// digest of any older secret is dropped in any case.
    pub(crate) fn rotate(
        &self,
        digest: Digest,
        overlap: Duration,
        max_overlap: Duration,
        now: Timestamp,
    ) -> Result<Self, RotateError> {
        self.possible(Operation::KeyRotate, now)?;
        // A key is often disabled because its secret leaked. An overlap would let that secret in
        // again as soon as the key is enabled.
        if self.key.disabled && !overlap.is_zero() {
            return Err(RotateError::OverlapWhileDisabled { overlap });
        }
        if overlap > max_overlap {
            return Err(RotateError::OverlapTooLong { overlap, max: max_overlap });
        }
        let end = now.saturating_add(overlap);
        let end = self.key.expires_at.map_or(end, |expires| expires.min(end));
        Ok(self.changed(now, |next| {
            next.digest = digest;
            next.retiring = (!overlap.is_zero()).then(|| Box::new(self.digest));
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

    /// Checks whether the key can be revoked at `now`, and whether it already is.
    pub(crate) fn revocable(&self, now: Timestamp) -> Result<Transition, WrongStatus> {
        self.possible(Operation::KeyRevoke, now)
    }

    /// Returns the record with a digest of the same secret under another pepper, or `None` if it
    /// holds no secret of this number. `updated_at` stays, since no actor changed the key.
    pub(crate) fn with_digest(&self, number: u32, digest: Digest) -> Option<Self> {
        self.digest_of(number)?;
        let mut next = self.clone();
        if number == self.key.secret_number {
            next.digest = digest;
        } else {
            next.retiring = Some(Box::new(digest));
        }
        next.key.version = next_version(next.key.version);
        Some(next)
    }

    /// Checks that an operation is possible at `now`, and returns whether it changes the key.
    pub(super) fn possible(
        &self,
        operation: Operation,
        now: Timestamp,
    ) -> Result<Transition, WrongStatus> {
        let status = self.key.status(now);
        match operation.on(status) {
            Transition::Refused => Err(WrongStatus { operation, status }),
            possible => Ok(possible),
        }
    }

    /// Replaces the key as it may be shown, and sets `updated_at` and `version`. An equal key
    /// leaves the record unchanged.
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
