//! The operations of an operator, on all tenants.
//!
//! A change is made in the tenant of its key by an actor of that tenant, so the rules and the events
//! are those of any other change.

use std::collections::{BTreeMap, BTreeSet};

use crate::observe::{Activity, Work};
use crate::record::key::{Key, Owner};
use crate::record::operation::{Operation, Outcome};
use crate::record::operator::Operator;
use crate::store::{
    Freshness, KeyQuery, MAX_LIMIT, Page, StoreError, StoredKey, TenantEntry, TenantQuery,
};
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

use super::Authority;
use super::ending;
use super::errors::{KeyError, ListError};
use super::listing::{KeyEntry, check_limit, entry};
use super::upkeep::SweepReport;

/// The result for one key of [`Authority::revoke_in_any_tenant`].
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Operator, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
/// # let leaked = authority.generate(&alice, NewKey::named("prod-main-app")?).await?.key.id;
/// # let carol = Operator::new(UserId::new("carol")?);
/// for report in authority.revoke_in_any_tenant(&carol, &[leaked]).await {
///     match (report.tenant, report.result) {
///         (Some(tenant), Ok(_)) => println!("{} of {tenant} is revoked", report.key),
///         (_, Err(error)) => eprintln!("{} could not be revoked: {error}", report.key),
///         (None, Ok(_)) => unreachable!("a revoked key has a tenant"),
///     }
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct RevokeReport {
    /// The id from the call.
    pub key: KeyId,
    /// The tenant of the key; `None` if no tenant has the key, or if the store failed.
    pub tenant: Option<TenantId>,
    /// The key after the change, or the reason why it was not revoked.
    pub result: Result<Outcome<Key>, KeyError>,
}

impl Authority {
    /// Lists tenants, one page at a time, each with the numbers of its keys, accounts and events.
    ///
    /// Every tenant with an event is listed, in the order of the ids.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// use keywright::Operator;
    /// use keywright::store::TenantQuery;
    ///
    /// let carol = Operator::new(UserId::new("carol")?);
    /// let page = authority.tenants(&carol, &TenantQuery::new().starting_with("glo")).await?;
    /// for entry in &page.items {
    ///     println!("{}: {} live keys of {}", entry.tenant, entry.live_keys, entry.keys);
    /// }
    /// # assert_eq!(page.items.len(), 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: `Limit` if the limit of the query is out of bounds, or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn tenants(
        &self,
        _operator: &Operator,
        query: &TenantQuery,
    ) -> Result<Page<TenantEntry>, ListError> {
        let work = Work::begin(Activity::TenantsShow, None);
        let read = async {
            check_limit(query.limit)?;
            Ok(self.setup.store.tenants(query, self.now()).await?)
        };
        work.run(read, ending::of_read).await
    }

    /// Lists the keys of all tenants in one order, one page at a time.
    ///
    /// The query has the same filters and orders as in [`keys`](Self::keys). An entry names its
    /// tenant in [`Key::tenant`]. The store is called twice for a page: once for its keys, and once
    /// for the policies of their tenants.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use keywright::{Actor, Keywright, NewKey, Operator, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
    /// # let new = NewKey::named("prod-main-app")?.expires_in_days(10);
    /// # authority.generate(&alice, new).await?;
    /// use keywright::store::{KeyQuery, KeySort};
    ///
    /// let carol = Operator::new(UserId::new("carol")?);
    /// let soon = KeyQuery::new()
    ///     .expiring_within(Duration::from_secs(14 * 86_400))
    ///     .sort(KeySort::Expires);
    /// for entry in authority.keys_of_all_tenants(&carol, &soon).await?.items {
    ///     println!("{} of {} expires soon", entry.key.name, entry.key.tenant);
    /// #   assert_eq!(entry.key.tenant.as_str(), "globex");
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: `Limit` if the limit of the query is out of bounds, or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn keys_of_all_tenants(
        &self,
        operator: &Operator,
        query: &KeyQuery,
    ) -> Result<Page<KeyEntry>, ListError> {
        let work = Work::begin(Activity::Operation(Operation::KeyShow), None);
        let read = async {
            let now = self.now();
            check_limit(query.limit)?;
            let page = self.setup.store.keys_of_all_tenants(query, now).await?;
            let items = self.entries_of_tenants(operator, page.items, now).await?;
            Ok(Page { items, next: page.next })
        };
        work.run(read, ending::of_read).await
    }

    /// Returns the entries of keys of any tenants, in the same order.
    async fn entries_of_tenants(
        &self,
        operator: &Operator,
        found: Vec<StoredKey>,
        now: Timestamp,
    ) -> Result<Vec<KeyEntry>, StoreError> {
        let tenants = found.iter().map(|stored| stored.record.key().tenant.clone());
        let tenants: Vec<TenantId> = tenants.collect::<BTreeSet<_>>().into_iter().collect();
        let policies = self.stored_policies(&tenants).await?;
        let actors = tenants.iter().map(|tenant| operator.in_tenant(tenant.clone()));
        let seen: BTreeMap<_, _> = tenants.iter().zip(actors.zip(policies)).collect();
        let of = |stored: &StoredKey| {
            let (actor, policy) = seen.get(&stored.record.key().tenant)?;
            Some(entry(actor, stored, policy.in_force(), now))
        };
        Ok(found.iter().filter_map(of).collect())
    }

    /// Returns a key of any tenant, with its usage and the operations that are possible on it.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Operator, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// // A log line has a key id, and the tenant is unknown.
    /// let carol = Operator::new(UserId::new("carol")?);
    /// let entry = authority.find_key(&carol, &issued.key.id).await?;
    /// assert_eq!(entry.key.tenant.as_str(), "globex");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError`]: `NotFound` if no tenant has the key, or `Store`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn find_key(&self, operator: &Operator, key: &KeyId) -> Result<KeyEntry, KeyError> {
        let tenant = self.tenant_of(key).await?.ok_or(KeyError::NotFound(*key))?;
        self.key(&operator.in_tenant(tenant), key).await
    }

    async fn tenant_of(&self, key: &KeyId) -> Result<Option<TenantId>, StoreError> {
        let found = self.setup.store.resolve(key, Freshness::CURRENT).await?;
        Ok(found.map(|found| found.record().key().tenant.clone()))
    }

    /// Revokes many keys of any tenants, each independently of the others.
    ///
    /// The result has a report for each key, in the order of `keys`. The event of a revoke is
    /// written in the tenant of the key and names the operator. An id that no tenant has leaves no
    /// event.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Operator, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let carol = Operator::new(UserId::new("carol")?);
    /// let reports = authority.revoke_in_any_tenant(&carol, &[issued.key.id]).await;
    /// assert_eq!(reports[0].tenant.as_ref(), Some(alice.tenant()));
    /// assert!(reports[0].result.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// If the future is dropped, the keys at the beginning of `keys` may be revoked and the others
    /// are unchanged.
    pub async fn revoke_in_any_tenant(
        &self,
        operator: &Operator,
        keys: &[KeyId],
    ) -> Vec<RevokeReport> {
        let mut reports = Vec::with_capacity(keys.len());
        for key in keys {
            let (tenant, result) = match self.tenant_of(key).await {
                Ok(Some(tenant)) => {
                    let revoked = self.revoke(&operator.in_tenant(tenant.clone()), key).await;
                    (Some(tenant), revoked)
                }
                Ok(None) => (None, Err(KeyError::NotFound(*key))),
                Err(error) => (None, Err(error.into())),
            };
            reports.push(RevokeReport { key: *key, tenant, result });
        }
        reports
    }

    /// Revokes all live keys of an owner in every tenant, and returns the result of each tenant.
    ///
    /// Use it when a person has left who worked in several tenants. In each tenant, the keys are
    /// revoked in one atomic step. If that fails in one tenant, the others are not affected.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Operator, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # for tenant in ["acme", "globex"] {
    /// #     let alice = alice.clone().in_tenant(tenant.parse()?);
    /// #     authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # }
    /// let carol = Operator::new(UserId::new("carol")?);
    /// let left = alice.as_owner();
    /// for (tenant, revoked) in authority.revoke_owned_in_all_tenants(&carol, &left).await? {
    ///     println!("{tenant}: {} keys revoked", revoked?.len());
    /// }
    /// # assert!(authority.revoke_owned_in_all_tenants(&carol, &left).await?.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// The tenants are read once, at the beginning. First block the login of the person, so that no
    /// key is generated meanwhile in another tenant.
    ///
    /// # Errors
    /// [`ListError::Store`] if the owner's keys cannot be listed. No key was revoked.
    ///
    /// # Cancel safety
    /// If the future is dropped, the keys of some tenants may be revoked and those of the others are
    /// unchanged.
    pub async fn revoke_owned_in_all_tenants(
        &self,
        operator: &Operator,
        owner: &Owner,
    ) -> Result<Vec<(TenantId, Result<Vec<Key>, KeyError>)>, ListError> {
        let mut tenants = BTreeSet::new();
        let live = KeyQuery::new().live();
        let mut next = Some(live.owner(owner.clone()).limit(MAX_LIMIT));
        while let Some(query) = next {
            let page = self.setup.store.keys_of_all_tenants(&query, self.now()).await?;
            tenants.extend(page.items.iter().map(|stored| stored.record.key().tenant.clone()));
            next = page.next;
        }
        let mut results = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let revoked = self.revoke_owned(&operator.in_tenant(tenant.clone()), owner).await;
            results.push((tenant, revoked));
        }
        Ok(results)
    }

    /// Removes the old dead keys and old events of every tenant, and returns the result of each
    /// tenant.
    ///
    /// Each tenant has a [`sweep`](Self::sweep) of its own, with the retention of its own policy. If
    /// the sweep of one tenant fails, the others are swept all the same. Call it regularly, for
    /// example once a day.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Operator, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let nightly = Operator::new(UserId::new("nightly-sweep")?);
    /// for (tenant, swept) in authority.sweep_all_tenants(&nightly).await? {
    ///     match swept {
    ///         Ok(swept) => println!("{tenant}: {} keys removed", swept.keys.len()),
    ///         Err(error) => eprintln!("{tenant}: {error}"),
    ///     }
    /// }
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError::Store`] if the tenants cannot be listed. Nothing was removed.
    ///
    /// # Cancel safety
    /// If the future is dropped, some tenants are swept. The next sweep continues.
    pub async fn sweep_all_tenants(
        &self,
        operator: &Operator,
    ) -> Result<Vec<(TenantId, Result<SweepReport, ListError>)>, ListError> {
        let mut tenants = Vec::new();
        let mut next = Some(TenantQuery::new().limit(MAX_LIMIT));
        while let Some(query) = next {
            let page = self.tenants(operator, &query).await?;
            tenants.extend(page.items.into_iter().map(|entry| entry.tenant));
            next = page.next;
        }
        let mut results = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let swept = self.sweep(&operator.in_tenant(tenant.clone())).await;
            results.push((tenant, swept));
        }
        Ok(results)
    }
}
