//! This module joins a key with its owner and its policy, all read at one moment, for a decision.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::key::KeyRecord;
use crate::record::owner_record::OwnerRecord;
use crate::record::plan::Plan;
use crate::record::policy::TenantPolicy;
use crate::record::tally::{Alerts, Tally};
use crate::value::scope::Access;

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
///     assert_eq!(*found.record().key(), issued.key);
///     assert!(found.account().is_none());
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Snapshot {
    record: KeyRecord,
    owner: Option<OwnerRecord>,
    policy: Option<Arc<TenantPolicy>>,
    tally: Arc<Tally>,
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
        let alerts = Alerts::of_tenant(policy.as_deref());
        let tally = Arc::new(Tally::new(key.id, key.secret_number, alerts));
        Ok(Self { record, owner, policy, tally })
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
    /// assert!(found.is_some_and(|found| *found.record().key() == issued.key));
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

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }
}
