//! A store that shows every call to an interceptor, which decides what becomes of it.

use std::fmt;
use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Found;
use crate::record::policy::Policy;
use crate::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    StoreError, StoredKey, UsageBatch, async_trait,
};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// A store in front of another one that shows every call to an interceptor.
///
/// [`Faults`](super::Faults) is an interceptor for the usual outages. Write one of your own to see what
/// your service does in the case that it must survive: this one refuses the second commit and every one after it.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore, block_on};
/// use keywright::store::{Batch, KeyStore, MemoryStore, StoreError, async_trait};
///
/// #[derive(Debug, Default)]
/// struct OneCommit(AtomicUsize);
///
/// #[async_trait]
/// impl Intercept for OneCommit {
///     async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
///         if matches!(call, Call::Commit(_)) && self.0.fetch_add(1, Ordering::SeqCst) > 0 {
///             return Err(StoreError::unavailable("the disk is full"));
///         }
///         call.pass_on(store).await
///     }
/// }
///
/// let store = InterceptedStore::new(MemoryStore::new(), OneCommit::default());
/// assert!(block_on(store.commit(Batch::default())).is_ok());
/// assert!(block_on(store.commit(Batch::default())).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct InterceptedStore<S, I> {
    inner: S,
    interceptor: I,
}

/// Decides what becomes of each call of an [`InterceptedStore`].
#[async_trait]
pub trait Intercept: fmt::Debug + Send + Sync + 'static {
    /// Answers a call, usually by [passing it on](Call::pass_on) to the store behind.
    ///
    /// Before that it can fail, wait or count; afterwards it can look at the answer, hold it back,
    /// replace it or lose it.
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError>;
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

/// A call of a method of [`KeyStore`], with its arguments.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// [`KeyStore::resolve`].
    Resolve(&'a KeyId, Freshness),
    /// [`KeyStore::key`].
    Key(&'a TenantId, &'a KeyId),
    /// [`KeyStore::account`].
    Account(&'a TenantId, &'a AccountId),
    /// [`KeyStore::policy`].
    Policy(&'a TenantId),
    /// [`KeyStore::keys`].
    Keys(&'a TenantId, &'a KeyQuery, Timestamp),
    /// [`KeyStore::accounts`].
    Accounts(&'a TenantId, &'a AccountQuery),
    /// [`KeyStore::events`].
    Events(&'a TenantId, &'a EventQuery),
    /// [`KeyStore::commit`].
    Commit(&'a Batch),
    /// [`KeyStore::add_usage`].
    AddUsage(&'a UsageBatch),
    /// [`KeyStore::changes`].
    Changes(Epoch),
}

/// The answer to a [`Call`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of [`KeyStore::resolve`].
    Resolve(Option<Found>),
    /// Of [`KeyStore::key`].
    Key(Option<Box<StoredKey>>),
    /// Of [`KeyStore::account`].
    Account(Option<ServiceAccount>),
    /// Of [`KeyStore::policy`].
    Policy(Option<Box<Policy>>),
    /// Of [`KeyStore::keys`].
    Keys(Page<StoredKey>),
    /// Of [`KeyStore::accounts`].
    Accounts(Page<ServiceAccount>),
    /// Of [`KeyStore::events`].
    Events(Page<Event>),
    /// Of [`KeyStore::commit`].
    Commit(Epoch),
    /// Of [`KeyStore::add_usage`].
    AddUsage,
    /// Of [`KeyStore::changes`].
    Changes(Changes),
}

impl Method {
    /// Every method, in the order of the trait.
    pub const ALL: &[Self] = &[
        Self::Resolve,
        Self::Key,
        Self::Account,
        Self::Policy,
        Self::Keys,
        Self::Accounts,
        Self::Events,
        Self::Commit,
        Self::AddUsage,
        Self::Changes,
    ];

    /// The methods that write.
    pub const WRITES: &[Self] = &[Self::Commit, Self::AddUsage];
}

impl Call<'_> {
    /// Returns the method that was called.
    pub fn method(&self) -> Method {
        match self {
            Self::Resolve(..) => Method::Resolve,
            Self::Key(..) => Method::Key,
            Self::Account(..) => Method::Account,
            Self::Policy(..) => Method::Policy,
            Self::Keys(..) => Method::Keys,
            Self::Accounts(..) => Method::Accounts,
            Self::Events(..) => Method::Events,
            Self::Commit(..) => Method::Commit,
            Self::AddUsage(..) => Method::AddUsage,
            Self::Changes(..) => Method::Changes,
        }
    }

    /// Makes the same call of a store.
    ///
    /// # Errors
    /// The store's own.
    pub async fn pass_on(self, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        Ok(match self {
            Self::Resolve(key, freshness) => Answer::Resolve(store.resolve(key, freshness).await?),
            Self::Key(tenant, key) => Answer::Key(store.key(tenant, key).await?.map(Box::new)),
            Self::Account(tenant, account) => {
                Answer::Account(store.account(tenant, account).await?)
            }
            Self::Policy(tenant) => Answer::Policy(store.policy(tenant).await?.map(Box::new)),
            Self::Keys(tenant, query, at) => Answer::Keys(store.keys(tenant, query, at).await?),
            Self::Accounts(tenant, query) => Answer::Accounts(store.accounts(tenant, query).await?),
            Self::Events(tenant, query) => Answer::Events(store.events(tenant, query).await?),
            Self::Commit(batch) => Answer::Commit(store.commit(batch.clone()).await?),
            Self::AddUsage(batch) => {
                store.add_usage(batch).await?;
                Answer::AddUsage
            }
            Self::Changes(since) => Answer::Changes(store.changes(since).await?),
        })
    }
}

#[async_trait]
impl<I: Intercept + ?Sized> Intercept for Arc<I> {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        (**self).intercept(call, store).await
    }
}

impl<S: KeyStore, I: Intercept> InterceptedStore<S, I> {
    /// Returns a store in front of `inner`.
    pub fn new(inner: S, interceptor: I) -> Self {
        Self { inner, interceptor }
    }

    /// Returns the store behind, whose calls nothing intercepts.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Returns the interceptor.
    pub fn interceptor(&self) -> &I {
        &self.interceptor
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer, StoreError> {
        self.interceptor.intercept(call, &self.inner).await
    }
}

/// Takes the answer that belongs to a call.
macro_rules! expect {
    ($answer:expr, $variant:pat => $found:expr) => {
        match $answer.await? {
            $variant => Ok($found),
            other => panic!("the interceptor answered another call: {other:?}"),
        }
    };
}

/// # Panics
/// If the interceptor answers with the [`Answer`] to another method.
#[async_trait]
impl<S: KeyStore, I: Intercept> KeyStore for InterceptedStore<S, I> {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let key = *key;
        Resolve::boxed(async move {
            expect!(self.answer(Call::Resolve(&key, freshness)), Answer::Resolve(found) => found)
        })
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        expect!(self.answer(Call::Key(tenant, key)), Answer::Key(found) => found.map(|key| *key))
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        expect!(self.answer(Call::Account(tenant, account)), Answer::Account(found) => found)
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        expect!(self.answer(Call::Policy(tenant)), Answer::Policy(found) => found.map(|policy| *policy))
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        expect!(self.answer(Call::Keys(tenant, query, at)), Answer::Keys(page) => page)
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        expect!(self.answer(Call::Accounts(tenant, query)), Answer::Accounts(page) => page)
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        expect!(self.answer(Call::Events(tenant, query)), Answer::Events(page) => page)
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        expect!(self.answer(Call::Commit(&batch)), Answer::Commit(epoch) => epoch)
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        expect!(self.answer(Call::AddUsage(batch)), Answer::AddUsage => ())
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        expect!(self.answer(Call::Changes(since)), Answer::Changes(changes) => changes)
    }
}
