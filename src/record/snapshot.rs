//! This module joins a key with its account and its policy, all read at one moment, for a decision.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::record::tally::{Tally, TenantAlerts};

/// A key's record with its service account and its tenant's policy, all read at one moment.
///
/// Stores return a snapshot in an [`Arc`], and snapshots share their accounts and policies. A
/// snapshot also carries the counter of the key's uses, so that counting needs no lookup.
///
/// ```
/// use keywright::store::{Freshness, KeyStore};
///
/// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Policy, RoleName, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read invoices:write".parse()?);
/// # policy.roles.insert(RoleName::new("billing")?, "invoices:read".parse()?);
/// # policy.roles.insert(RoleName::new("reports")?, "invoices:read".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// # let account = authority.create_account(&ada, new).await?;
/// if let Some(found) = store.resolve(&issued.key.id, Freshness::Usual).await? {
///     assert_eq!(*found.record().key(), issued.key);
///     assert!(found.account().is_none());
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Snapshot {
    record: KeyRecord,
    account: Option<Arc<ServiceAccount>>,
    policy: Option<Arc<Policy>>,
    tally: Arc<Tally>,
}

/// The error for a snapshot of a key with a service account that is not its owner.
///
/// The store's data is damaged: [`StoreErrorKind::Corrupt`](crate::store::StoreErrorKind::Corrupt).
///
/// ```
/// use keywright::store::{KeyStore, Snapshot};
///
/// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Policy, RoleName, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read invoices:write".parse()?);
/// # policy.roles.insert(RoleName::new("billing")?, "invoices:read".parse()?);
/// # policy.roles.insert(RoleName::new("reports")?, "invoices:read".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
/// # let account = authority.create_account(&ada, new).await?;
/// if let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? {
///     // Alice owns the key, so no service account belongs to it.
///     let stranger = Some(std::sync::Arc::new(account));
///     assert!(Snapshot::new(stored.record, stranger, None).is_err());
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the store returned key {0} without its service account, or with a wrong one")]
pub struct SnapshotError(String);

impl Snapshot {
    /// Creates a snapshot.
    ///
    /// `policy` is the tenant's stored policy, if it has one.
    ///
    /// ```
    /// use keywright::store::{KeyStore, Snapshot};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
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
    /// [`SnapshotError`] if the key belongs to a service account and `account` is not that account
    /// in the same tenant, or if the key belongs to a user and `account` is present. A key whose
    /// account is missing would otherwise escape the account's limits.
    pub fn new(
        record: KeyRecord,
        account: Option<Arc<ServiceAccount>>,
        policy: Option<Arc<Policy>>,
    ) -> Result<Self, SnapshotError> {
        let key = record.key();
        let fits = match (&key.owner, &account) {
            (Owner::User(_), None) => true,
            (Owner::Account(id), Some(account)) => {
                account.id == *id && account.tenant == key.tenant
            }
            _ => false,
        };
        if !fits {
            return Err(SnapshotError(key.id.to_string()));
        }
        let alerts = policy
            .as_ref()
            .map_or(TenantAlerts::OfDefault, |policy| TenantAlerts::Stored(policy.as_ref().into()));
        let tally = Arc::new(Tally::new(key.id, key.secret_number, alerts));
        Ok(Self { record, account, policy, tally })
    }

    /// Returns the key's record.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let found = store.resolve(&issued.key.id, Freshness::Usual).await?;
    /// assert!(found.is_some_and(|found| *found.record().key() == issued.key));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns the service account that owns the key, or `None` if a user owns it.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, Name, NewAccount, NewKey, Policy, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// # policy.roles.insert(RoleName::new("billing")?, "invoices:read".parse()?);
    /// # policy.roles.insert(RoleName::new("reports")?, "invoices:read".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let new = NewAccount::new(Name::new("billing-worker")?, RoleName::new("billing")?);
    /// # let account = authority.create_account(&ada, new).await?;
    /// let found = store.resolve(&issued.key.id, Freshness::Usual).await?;
    /// assert!(found.is_some_and(|found| found.account().is_none()));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn account(&self) -> Option<&Arc<ServiceAccount>> {
        self.account.as_ref()
    }

    /// Returns the tenant's stored policy, or `None` if the host's default policy applies.
    ///
    /// ```
    /// use keywright::store::{Freshness, KeyStore};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// // The tenant has not set a policy of its own.
    /// let found = store.resolve(&issued.key.id, Freshness::Usual).await?;
    /// assert!(found.is_some_and(|found| found.policy().is_none()));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }
}
