//! A store that fails at one call, to see what stands above a store when one does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::run::turn;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    StoreError, StoredKey, UsageBatch, async_trait,
};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not passed on, and said to have failed.
    Before,
    /// It is passed on, and said to have failed.
    After,
    /// It is passed on and answered, each after so many turns in which others can run.
    Delay(usize),
}

/// A method of [`KeyStore`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Method {
    /// [`KeyStore::resolve`].
    Resolve,
    /// [`KeyStore::key`].
    Key,
    /// [`KeyStore::account`].
    Account,
    /// [`KeyStore::policy`].
    Policy,
    /// [`KeyStore::keys`].
    Keys,
    /// [`KeyStore::accounts`].
    Accounts,
    /// [`KeyStore::events`].
    Events,
    /// [`KeyStore::commit`].
    Commit,
    /// [`KeyStore::add_usage`].
    AddUsage,
    /// [`KeyStore::changes`].
    Changes,
}

/// A store that passes every call on, but for the one that is to fail. Clones share everything.
///
/// It fails with [`Unavailable`](crate::store::StoreErrorKind::Unavailable), after which nobody can
/// know whether a write has happened.
///
/// ```
/// use keywright::store::conformance::{Fault, FaultStore, Method, block_on};
/// use keywright::store::{KeyStore, MemoryStore};
/// use keywright::TenantId;
///
/// let store = FaultStore::over(MemoryStore::new());
/// store.fail_at(2, Some(Method::Policy), Fault::Before);
/// let tenant = TenantId::default();
/// assert!(block_on(store.policy(&tenant)).is_ok());
/// assert!(block_on(store.policy(&tenant)).is_err());
/// assert!(block_on(store.policy(&tenant)).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct FaultStore<S> {
    inner: S,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    /// Of any method, since the fault was planned.
    calls: usize,
    planned: Option<Planned>,
}

#[derive(Debug)]
struct Planned {
    /// How many calls of the method there are to come, with the one that fails.
    to_come: usize,
    method: Option<Method>,
    fault: Fault,
}

impl<S: KeyStore> FaultStore<S> {
    /// A store that does not fail yet.
    pub fn over(inner: S) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// The store below, which never fails.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The `nth` call from now on, counted from 1, goes wrong: of one method, or of any.
    ///
    /// Only the last plan holds. It is carried out once.
    pub fn fail_at(&self, nth: usize, method: Option<Method>, fault: Fault) {
        *self.plan() = Plan { calls: 0, planned: Some(Planned { to_come: nth, method, fault }) };
    }

    /// Nothing goes wrong any more. Whether there was a fault that was still to come.
    pub fn mend(&self) -> bool {
        self.plan().planned.take().is_some()
    }

    /// How many calls there were since the last plan, or since the beginning.
    pub fn calls(&self) -> usize {
        self.plan().calls
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with the call that begins here.
    fn begin(&self, method: Method) -> Option<Fault> {
        let mut plan = self.plan();
        plan.calls += 1;
        let planned = plan.planned.as_mut()?;
        if planned.method.is_some_and(|only| only != method) {
            return None;
        }
        planned.to_come = planned.to_come.saturating_sub(1);
        if planned.to_come > 0 {
            return None;
        }
        plan.planned.take().map(|planned| planned.fault)
    }

    async fn call<T>(
        &self,
        method: Method,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.begin(method) {
            None => call.await,
            Some(Fault::Before) => Err(failure(method)),
            Some(Fault::After) => {
                call.await?;
                Err(failure(method))
            }
            Some(Fault::Delay(turns)) => {
                for _ in 0..turns {
                    turn().await;
                }
                let answer = call.await;
                for _ in 0..turns {
                    turn().await;
                }
                answer
            }
        }
    }
}

fn failure(method: Method) -> StoreError {
    StoreError::unavailable(format!("{method:?} was told to fail"))
}

#[async_trait]
impl<S: KeyStore> KeyStore for FaultStore<S> {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let key = *key;
        Resolve::boxed(
            self.call(Method::Resolve, async move { self.inner.resolve(&key, freshness).await }),
        )
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.call(Method::Key, self.inner.key(tenant, key)).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.call(Method::Account, self.inner.account(tenant, account)).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.call(Method::Policy, self.inner.policy(tenant)).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.call(Method::Keys, self.inner.keys(tenant, query, at)).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.call(Method::Accounts, self.inner.accounts(tenant, query)).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.call(Method::Events, self.inner.events(tenant, query)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.call(Method::Commit, self.inner.commit(batch)).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.call(Method::AddUsage, self.inner.add_usage(batch)).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.call(Method::Changes, self.inner.changes(since)).await
    }
}
