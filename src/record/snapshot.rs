//! This module joins a key with its owner and its policy, all read at one moment, for a decision.

use std::hint::black_box;
use std::sync::{Arc, OnceLock};

use crate::record::account::ServiceAccount;
use crate::record::alerts::Alerts;
use crate::record::head::Head;
use crate::record::key::KeyRecord;
use crate::record::owner_record::OwnerRecord;
use crate::record::plan::Plan;
use crate::record::policy::TenantPolicy;
use crate::record::tally::Tally;
use crate::value::scope::Access;
use crate::value::seat::{self, SEATS};

/// A key's record with its owner and its tenant's policy, all read at one moment.
///
/// Stores return a snapshot in an [`Arc`], and snapshots share their owners and policies. A
/// snapshot also carries the counter of the key's uses, so that counting needs no lookup.
///
/// ```
/// use keywright::store::{Freshness, KeyStore};
///
/// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Policy, Role, RoleName, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// # let account = authority.create_account(&ada, new).await?.account;
/// if let Some(found) = store.resolve(&issued.key.id, Freshness::StoreDefault).await? {
///     assert_eq!(*found.record().key(), *issued.key);
///     assert!(found.account().is_none());
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[repr(C)]
pub struct Snapshot {
    // Most verifications read the reference count, and the fields up to the digest, with which the
    // record begins: three or four cache lines that lie side by side.
    tally: Tally,
    /// The copies of a snapshot with many uses; `None` in a copy. Each thread then takes another one,
    /// with its own reference count and its own tally.
    copies: OnceLock<Option<Box<[Arc<Snapshot>; SEATS]>>>,
    head: Head,
    record: KeyRecord,
    owner: Option<OwnerRecord>,
    policy: Option<Arc<TenantPolicy>>,
}

/// The error for a snapshot of a key with the record of another owner.
///
/// The store's data is damaged: [`StoreErrorKind::Corrupt`](crate::store::StoreErrorKind::Corrupt).
///
/// ```
/// use keywright::store::{KeyStore, OwnerRecord, Snapshot};
///
/// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Policy, Role, RoleName, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
/// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// # let account = authority.create_account(&ada, new).await?.account;
/// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
///     // Alice owns the key, so no service account belongs to it.
///     let stranger = Some(OwnerRecord::Account(std::sync::Arc::new(account)));
///     assert!(Snapshot::new(stored.record, stranger, None).is_err());
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the store returned key {0} without the record of its owner, or with a wrong one")]
pub struct SnapshotError(String);

impl Snapshot {
    /// Creates a snapshot.
    ///
    /// `owner` is the stored record of the key's owner, and `policy` the tenant's stored policy, if
    /// they exist.
    ///
    /// ```
    /// use keywright::store::{KeyStore, Snapshot};
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
    ///     assert!(Snapshot::new(stored.record, None, None).is_ok());
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SnapshotError`] if `owner` is the record of another owner, or if the key belongs to a
    /// service account and `owner` is `None`. A key whose account is missing would otherwise escape
    /// the account's limits.
    pub fn new(
        record: KeyRecord,
        owner: Option<OwnerRecord>,
        policy: Option<Arc<TenantPolicy>>,
    ) -> Result<Self, SnapshotError> {
        let key = record.key();
        if !OwnerRecord::fits(owner.as_ref(), key) {
            return Err(SnapshotError(key.id.to_string()));
        }
        let head = Head::of(&record, owner.as_ref(), policy.as_deref());
        let tally = Tally::new(key.secret_number, Alerts::of_tenant(policy.as_deref()));
        Ok(Self { tally, copies: OnceLock::new(), head, record, owner, policy })
    }

    /// Returns the key's record.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await?;
    /// assert!(found.is_some_and(|found| *found.record().key() == *issued.key));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns the service account that owns the key, or `None` if another owner does.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?.account;
    /// let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await?;
    /// assert!(found.is_some_and(|found| found.account().is_none()));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn account(&self) -> Option<&ServiceAccount> {
        self.owner.as_ref().and_then(OwnerRecord::account)
    }

    /// Returns the stored record of the key's owner, or `None` if the owner has none.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// // The host gave no display name for Alice.
    /// let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await?;
    /// assert!(found.is_some_and(|found| found.owner().is_none()));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn owner(&self) -> Option<&OwnerRecord> {
        self.owner.as_ref()
    }

    /// Returns the tenant's stored policy, or `None` if the host's default policy applies.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// // The tenant has not set a policy of its own.
    /// let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await?;
    /// assert!(found.is_some_and(|found| found.policy().is_none()));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn policy(&self) -> Option<&TenantPolicy> {
        self.policy.as_deref()
    }

    /// Returns the stored plan of the tenant; `None` if the host's default plan holds.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.policy().and_then(|policy| policy.plan.as_ref())
    }

    /// Returns the access of the key's owner.
    pub(crate) fn access(&self) -> Access {
        self.account().map_or(Access::ReadWrite, |account| account.access)
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns another tally for uses of the key, with no uses.
    pub(crate) fn fresh_tally(&self) -> Tally {
        Tally::new(self.record.key().secret_number, Alerts::of_tenant(self.policy()))
    }

    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Returns the part that decides most requests alone.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Reads the lines that most verifications need, which are rarely in the CPU's cache: the caller
    /// hashes a secret before it needs them, and they arrive meanwhile, all at once.
    #[inline]
    pub(crate) fn touch(self: &Arc<Self>) {
        // Each is less than a line behind the one before.
        let (head, digest) = (&self.head, self.record.digest());
        black_box((Arc::strong_count(self), self.tally.is_listed(), head.obstacles));
        black_box((head.scopes.is_empty(), digest.pepper()));
    }

    /// Returns the snapshot that this thread takes: one of the copies, if there are any.
    pub(crate) fn of_this_thread(self: &Arc<Self>) -> &Arc<Self> {
        match self.copies.get() {
            Some(Some(copies)) => &copies[seat::of_this_thread()],
            Some(None) | None => self,
        }
    }

    /// Adds the copies, which threads take from now on.
    #[cold]
    pub(crate) fn add_seats(&self) {
        if self.copies.get().is_none() {
            // Two threads rarely copy at once. One of them is then too late, and its copies go.
            let copies = std::array::from_fn(|_| Arc::new(self.copied()));
            let _ = self.copies.set(Some(Box::new(copies)));
        }
    }

    fn copied(&self) -> Self {
        Self {
            tally: self.fresh_tally(),
            copies: OnceLock::from(None),
            head: self.head.clone(),
            record: self.record.clone(),
            owner: self.owner.clone(),
            policy: self.policy.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;
    use crate::value::digest::PepperRing;

    /// A store keeps one for each key.
    #[test]
    fn snapshot_is_small() {
        let of_record = size_of::<KeyRecord>();
        let of_tally = size_of::<Tally>();
        assert!(of_record <= 264, "a record has {of_record} bytes");
        assert!(of_tally <= 56, "a tally has {of_tally} bytes");
        let of_head = size_of::<Head>();
        assert!(of_head <= 40, "a head has {of_head} bytes");
        assert!(size_of::<Snapshot>() <= of_record + of_tally + of_head + 40);
    }

    #[test]
    fn verification_reads_the_first_lines() {
        let key = sample::key();
        let digest = PepperRing::none().digest(&key.id, &[b'a'; 32]);
        let snapshot = Snapshot::new(KeyRecord::new(key, digest), None, None).expect("it fits");
        let begin = std::ptr::from_ref(&snapshot).addr();
        let end = std::ptr::from_ref(snapshot.record().digest()).addr() + size_of_val(&digest);
        // An `Arc` has two counters of a word before it.
        assert!(end - begin + 16 <= 168, "{}", end - begin);
    }
}
