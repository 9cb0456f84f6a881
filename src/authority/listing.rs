//! Showing keys: one, or a page of them, each with its usage and the possible operations.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::decision::{Reason, standing};
use crate::record::actor::Actor;
use crate::record::key::Key;
use crate::record::operation::{Operation, Transition};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::rates_in_force::RatesInForce;
use crate::record::scopes_in_force::ScopesInForce;
use crate::record::status::KeyStatus;
use crate::record::usage::Usage;
use crate::store::{KeyQuery, MAX_LIMIT, Page, StoreError, StoredKey};
use crate::value::id::KeyId;
use crate::value::name::Name;
use crate::value::rate::Rate;
use crate::value::scope::{Access, ScopeSet};
use crate::value::time::Timestamp;

use super::Authority;
use super::attempt::{begin, reading};
use super::ending;
use super::errors::{KeyError, ListError};

/// A key as a listing shows it: with its status, its usage and the operations that are possible
/// now.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let entry = authority.key(&alice, &issued.key.id).await?;
/// println!("{} ({}) was used {} times", entry.key.name, entry.status, entry.uses);
/// if let Some(reason) = &entry.refused_because {
///     println!("every request is refused: {reason}");
/// }
/// # assert!(entry.refused_because.is_none());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [How to build a user's API access page](crate::guide::user_keys) in the guide.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct KeyEntry {
    /// The key.
    pub key: Arc<Key>,
    /// The display prefix of the key, such as `acme_live_4fQ2xk9ZrT7bWm1c`; see
    /// [`Key::display_prefix`]. It contains nothing of the secret.
    pub prefix: String,
    /// The name of the owner, as pages show it: the service account's name, or the display name that
    /// the host gave the user. `None` if the owner has none.
    pub owner_name: Option<Name>,
    /// The scopes that the key effectively has: its own or those that it follows, cut to the role,
    /// the plan and the access.
    pub scopes: ScopeSet,
    /// The access of the key's owner.
    pub access: Access,
    /// The rate that applies to the key; `None` if it has no limit.
    pub rate: Option<Rate>,
    /// The status of the key now.
    pub status: KeyStatus,
    /// The number of uses that are stored. Uses since the last flush are not included.
    pub uses: u64,
    /// The time of the last stored use; `None` if there is none.
    pub last_used_at: Option<Timestamp>,
    /// The number of refused uses that are stored: requests with the key's id that were denied.
    pub refused: u64,
    /// The time of the last stored refused use; `None` if there is none.
    pub last_refused_at: Option<Timestamp>,
    /// The overlap of the last rotation; `None` if no overlap is in progress, or the key is expired
    /// or revoked.
    pub overlap: Option<Overlap>,
    /// The reason why every check refuses the key now; `None` if there is no such reason. A check
    /// can still refuse a request, for example for its source or scope. A setup also refuses keys
    /// whose prefix it does not [accept](crate::Builder::accept_prefixes); this field ignores that.
    pub refused_because: Option<Reason>,
    /// The operations that would change the key now and that the actor has permission for. A page
    /// can show a button for each.
    pub actions: Vec<Operation>,
}

/// The overlap of a rotation, in which the old and the new secret of a key both work.
///
/// Its times of use show which secret clients still use.
///
/// ```
/// use std::time::Duration;
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let rotated = authority.rotate(&alice, &issued.key.id, Duration::from_hours(24)).await?;
/// verifier.verify(rotated.token.expose()).await?;
/// verifier.flush().await?;
///
/// let entry = authority.key(&alice, &issued.key.id).await?;
/// if entry.overlap.is_some_and(|overlap| overlap.safe_to_finish) {
///     authority.finish_rotation(&alice, &issued.key.id).await?;
/// }
/// # assert!(verifier.verify(issued.token.expose()).await.is_err());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// See [Rotation](crate::guide::rotation) in the guide.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overlap {
    /// The end of the overlap. From then on the old secret is refused.
    pub overlap_ends_at: Timestamp,
    /// The last use of the old secret, up to the last flush; `None` if there is none.
    pub old_last_used_at: Option<Timestamp>,
    /// The last use of the new secret, up to the last flush; `None` if there is none.
    pub new_last_used_at: Option<Timestamp>,
    /// True if the old secret appears to be unused, so that the overlap can be ended.
    ///
    /// The new secret has been used, and the old one has been unused either since the rotation or
    /// for the last hour ([`Overlap::SAFE_AFTER`]). Uses before the rotation do not count, so this can be
    /// true soon after it. A client that runs less often can still hold the old secret.
    pub safe_to_finish: bool,
}

impl Overlap {
    /// The time without use after which [`safe_to_finish`](Self::safe_to_finish) considers the old
    /// secret unused: one hour.
    ///
    /// Most scheduled jobs run more often. If a client runs once a day, wait for a day before you
    /// finish the rotation.
    pub const SAFE_AFTER: Duration = Duration::from_hours(1);

    fn of(key: &Key, usage: &Usage, now: Timestamp) -> Option<Self> {
        let live = key.status(now).is_live();
        let overlap_ends_at = key.overlap_ends_at.filter(|end| live && !end.has_passed(now))?;
        let old_last_used_at = usage.last_use_of(key.secret_number.saturating_sub(1));
        let new_last_used_at = usage.last_use_of(key.secret_number);
        let quiet = old_last_used_at.is_none_or(|last| {
            key.rotated_at.is_some_and(|rotated| last < rotated)
                || now.since(last) >= Self::SAFE_AFTER
        });
        let safe_to_finish = new_last_used_at.is_some() && quiet;
        Some(Self { overlap_ends_at, old_last_used_at, new_last_used_at, safe_to_finish })
    }
}

impl Authority {
    /// Returns a key with its usage and the operations that the actor can perform on it.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// verifier.verify(issued.token.expose()).await?;
    /// verifier.flush().await?; // writes the counted use
    /// assert_eq!(authority.key(&alice, &issued.key.id).await?.uses, 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError`]: `NotFound`, also for a key that the actor cannot see, or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn key(&self, actor: &Actor, key: &KeyId) -> Result<KeyEntry, KeyError> {
        let work = begin(actor, Operation::KeyShow);
        work.is_about(Some(key), None);
        let read = async {
            let now = self.now();
            let stored = self.setup.store.key(actor.tenant(), key).await?;
            let seen = stored.filter(|s| actor.may(Operation::KeyShow, &s.record.key().owner));
            let stored = seen.ok_or(KeyError::NotFound(*key))?;
            let mut entries = self.entries(actor, vec![stored], now).await?;
            entries.pop().ok_or(KeyError::NotFound(*key))
        };
        work.run(read, ending::of_read).await
    }

    /// Lists keys, one page at a time, each with its usage and the operations that the actor can
    /// perform on it.
    ///
    /// An actor who can see only their own keys gets only those. A page has 50 keys unless the
    /// query sets another limit. [`all_keys`](Self::all_keys) reads all pages.
    ///
    /// ```
    /// use keywright::KeyStatus;
    /// use keywright::store::KeyQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let query = KeyQuery::new().status(KeyStatus::Active).search("prod");
    /// let page = authority.keys(&alice, &query).await?;
    /// assert_eq!(page.items[0].key.name.as_str(), "prod-main-app");
    /// assert!(page.next.is_none()); // the query of the next page, if there is one
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`ListError::PermissionDenied`] if the actor cannot see any key, or can see only their own
    ///   and the query selects those of another owner.
    /// * [`ListError::Limit`] if the limit of the query is out of bounds.
    /// * [`ListError::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn keys(&self, actor: &Actor, query: &KeyQuery) -> Result<Page<KeyEntry>, ListError> {
        let read = async {
            let now = self.now();
            check_limit(query.limit)?;
            let query = visible_to(actor, query)?;
            let page = self.setup.store.keys(actor.tenant(), &query, now).await?;
            Ok(Page { items: self.entries(actor, page.items, now).await?, next: page.next })
        };
        reading(actor, Operation::KeyShow, read).await
    }

    /// Returns the number of keys on all pages of a query, for a page that shows "50 of 1,204 keys".
    ///
    /// It counts the keys that [`keys`](Self::keys) lists for this actor. The cursor, the order and
    /// the limit of the query have no effect.
    ///
    /// ```
    /// use keywright::KeyStatus;
    /// use keywright::store::KeyQuery;
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # authority.generate(&alice, NewKey::named("prod-reports")?).await?;
    /// let query = KeyQuery::new().status(KeyStatus::Active).limit(1);
    /// let page = authority.keys(&alice, &query).await?;
    /// let total = authority.count_keys(&alice, &query).await?;
    /// assert_eq!((page.items.len(), total), (1, 2));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// The store counts in one call. A store without an index for a filter looks at every key of the
    /// tenant, so ask for the number with the first page and not with each.
    ///
    /// # Errors
    /// * [`ListError::PermissionDenied`] if the actor cannot see any key, or can see only their own
    ///   and the query selects those of another owner.
    /// * [`ListError::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn count_keys(&self, actor: &Actor, query: &KeyQuery) -> Result<u64, ListError> {
        let read = async {
            let query = visible_to(actor, query)?;
            Ok(self.setup.store.count_keys(actor.tenant(), &query, self.now()).await?)
        };
        reading(actor, Operation::KeyShow, read).await
    }

    pub(super) async fn entries(
        &self,
        actor: &Actor,
        found: Vec<StoredKey>,
        now: Timestamp,
    ) -> Result<Vec<KeyEntry>, StoreError> {
        let policy = self.stored_policy(actor.tenant()).await?;
        Ok(found.iter().map(|stored| entry(actor, stored, policy.in_force(), now)).collect())
    }
}

/// Returns the query with which an actor lists keys: only the actor's own, if the actor can see no
/// others.
fn visible_to(actor: &Actor, query: &KeyQuery) -> Result<KeyQuery, ListError> {
    let mut query = query.clone();
    if !actor.may_for_any(Operation::KeyShow) {
        let owner = query.owner.unwrap_or_else(|| actor.as_owner());
        actor.must(Operation::KeyShow, &owner)?;
        query.owner = Some(owner);
    }
    Ok(query)
}

/// Returns the entry of a key for an actor.
pub(super) fn entry(
    actor: &Actor,
    stored: &StoredKey,
    policy: PolicyInForce<'_>,
    now: Timestamp,
) -> KeyEntry {
    let key = stored.record.key();
    let status = key.status(now);
    let possible = |operation: &Operation| {
        operation.is_of_a_key()
            && operation.on(status) == Transition::Allowed
            && (*operation != Operation::KeyFinishRotation || key.is_overlapping(now))
            && actor.may(*operation, &key.owner)
    };
    let shown = shown(key, &stored.usage, stored.owner.as_ref(), policy, now);
    KeyEntry { actions: Operation::ALL.iter().copied().filter(possible).collect(), ..shown }
}

/// Returns the entry of a key that was deleted: no actor can perform an operation on it.
#[cfg(feature = "management")]
pub(super) fn entry_of_deleted(key: &Key, policy: PolicyInForce<'_>, now: Timestamp) -> KeyEntry {
    shown(key, &Usage::default(), None, policy, now)
}

fn shown(
    key: &Key,
    usage: &Usage,
    owner: Option<&OwnerRecord>,
    policy: PolicyInForce<'_>,
    now: Timestamp,
) -> KeyEntry {
    KeyEntry {
        prefix: key.display_prefix(),
        owner_name: owner.and_then(OwnerRecord::shown_name).cloned(),
        scopes: ScopesInForce::of(key, owner.and_then(OwnerRecord::account), policy.plan).to_set(),
        access: owner.and_then(OwnerRecord::account).map_or(Access::ReadWrite, |a| a.access),
        rate: RatesInForce::of(key, policy, now).map(|rates| rates.key),
        status: key.status(now),
        uses: usage.uses(),
        last_used_at: usage.last_used_at(),
        refused: usage.refused(),
        last_refused_at: usage.last_refused_at(),
        overlap: Overlap::of(key, usage, now),
        refused_because: standing(key, owner, policy, now),
        actions: Vec::new(),
        key: Arc::new(key.clone()),
    }
}

pub(super) fn check_limit(limit: Option<u16>) -> Result<(), ListError> {
    match limit {
        Some(limit) if !(1..=MAX_LIMIT).contains(&limit) => Err(ListError::Limit(limit)),
        _ => Ok(()),
    }
}
