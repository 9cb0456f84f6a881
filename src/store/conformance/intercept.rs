//! A store that passes every call to an interceptor, which decides its answer.

use std::fmt;
use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Found;
use crate::record::key::Owner;
use crate::record::policy::TenantPolicy;
use crate::record::user::User;
use crate::store::{
    AccountQuery, Batch, Changes, EventQuery, Freshness, KeyQuery, KeyStore, Look, Marker,
    OwnedKeys, Page, Resolve, StoreError, StoredKey, TenantEntry, TenantQuery, UsageBatch,
    async_trait,
};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// A store in front of another one that passes every call to an interceptor.
///
/// Use it to test how your service behaves when its store fails. [`Faults`](super::Faults) is an
/// interceptor for the usual outages. Write your own for other cases: this one accepts one commit and
/// refuses all further ones.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use keywright::TenantId;
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
/// let batch = Batch::of(TenantId::default());
/// assert!(block_on(store.commit(batch.clone())).is_ok());
/// assert!(block_on(store.commit(batch)).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct InterceptedStore<S, I> {
    inner: S,
    interceptor: I,
}

/// An interceptor, which decides the answer to each call of an [`InterceptedStore`].
///
/// ```
/// use keywright::store::conformance::{Answer, Call, Intercept};
/// use keywright::store::{KeyStore, StoreError, async_trait};
///
/// /// Writes every call to the log.
/// #[derive(Debug)]
/// struct Log;
///
/// #[async_trait]
/// impl Intercept for Log {
///     async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
///         eprintln!("{:?}", call.method());
///         call.pass_on(store).await
///     }
/// }
/// ```
#[async_trait]
pub trait Intercept: fmt::Debug + Send + Sync + 'static {
    /// Answers a call, usually by [passing it on](Call::pass_on) to `store`.
    ///
    /// Before that, an interceptor can fail, wait or count the call. Afterwards it can inspect the
    /// answer, delay it, replace it, or return an error instead.
    ///
    /// # Errors
    /// The error that the caller of the [`InterceptedStore`] gets.
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError>;
}

/// A method of [`KeyStore`].
///
/// ```
/// use keywright::store::conformance::Method;
///
/// assert!(Method::WRITES.iter().all(|method| Method::ALL.contains(method)));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Method {
    /// The method [`KeyStore::resolve`].
    Resolve,
    /// The method [`KeyStore::key`].
    Key,
    /// The method [`KeyStore::account`].
    Account,
    /// The method [`KeyStore::user`].
    User,
    /// The method [`KeyStore::policies`].
    Policies,
    /// The method [`KeyStore::keys`].
    Keys,
    /// The method [`KeyStore::owned_keys`].
    OwnedKeys,
    /// The method [`KeyStore::count_keys`].
    CountKeys,
    /// The method [`KeyStore::accounts`].
    Accounts,
    /// The method [`KeyStore::events`].
    Events,
    /// The method [`KeyStore::keys_of_all_tenants`].
    KeysOfAllTenants,
    /// The method [`KeyStore::tenants`].
    Tenants,
    /// The method [`KeyStore::commit`].
    Commit,
    /// The method [`KeyStore::add_usage`].
    AddUsage,
    /// The method [`KeyStore::changes`].
    Changes,
}

/// A call of a method of [`KeyStore`], with its arguments.
///
/// ```
/// use keywright::TenantId;
/// use keywright::store::MemoryStore;
/// use keywright::store::conformance::{Answer, Call, Method, block_on};
///
/// let tenants = [TenantId::default()];
/// let call = Call::Policies(&tenants);
/// assert_eq!(call.method(), Method::Policies);
/// let answer = block_on(call.pass_on(&MemoryStore::new()))?;
/// assert!(matches!(answer, Answer::Policies(found) if found == [None]));
/// # Ok::<(), keywright::store::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// A call of [`KeyStore::resolve`].
    Resolve(&'a KeyId, Freshness),
    /// A call of [`KeyStore::key`].
    Key(&'a TenantId, &'a KeyId),
    /// A call of [`KeyStore::account`].
    Account(&'a TenantId, &'a AccountId),
    /// A call of [`KeyStore::user`].
    User(&'a TenantId, &'a UserId),
    /// A call of [`KeyStore::policies`].
    Policies(&'a [TenantId]),
    /// A call of [`KeyStore::keys`].
    Keys(&'a TenantId, &'a KeyQuery, Timestamp),
    /// A call of [`KeyStore::owned_keys`].
    OwnedKeys(&'a TenantId, &'a [Owner], u16, Timestamp),
    /// A call of [`KeyStore::count_keys`].
    CountKeys(&'a TenantId, &'a KeyQuery, Timestamp),
    /// A call of [`KeyStore::accounts`].
    Accounts(&'a TenantId, &'a AccountQuery),
    /// A call of [`KeyStore::events`].
    Events(&'a TenantId, &'a EventQuery),
    /// A call of [`KeyStore::keys_of_all_tenants`].
    KeysOfAllTenants(&'a KeyQuery, Timestamp),
    /// A call of [`KeyStore::tenants`].
    Tenants(&'a TenantQuery, Timestamp),
    /// A call of [`KeyStore::commit`].
    Commit(&'a Batch),
    /// A call of [`KeyStore::add_usage`].
    AddUsage(&'a UsageBatch),
    /// A call of [`KeyStore::changes`].
    Changes(&'a Marker),
}

/// The answer to a [`Call`].
///
/// An interceptor can answer a call itself, with the variant of the same name:
///
/// ```
/// use keywright::TenantId;
/// use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore, block_on};
/// use keywright::store::{KeyStore, MemoryStore, StoreError, async_trait};
///
/// /// Hides every policy.
/// #[derive(Debug)]
/// struct WithoutPolicies;
///
/// #[async_trait]
/// impl Intercept for WithoutPolicies {
///     async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
///         match call {
///             Call::Policies(tenants) => Ok(Answer::Policies(vec![None; tenants.len()])),
///             other => other.pass_on(store).await,
///         }
///     }
/// }
///
/// let store = InterceptedStore::new(MemoryStore::new(), WithoutPolicies);
/// assert_eq!(block_on(store.policies(&[TenantId::default()]))?, [None]);
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub enum Answer {
    /// The answer of [`KeyStore::resolve`].
    Resolve(Option<Found>),
    /// The answer of [`KeyStore::key`].
    Key(Option<Box<StoredKey>>),
    /// The answer of [`KeyStore::account`].
    Account(Option<ServiceAccount>),
    /// The answer of [`KeyStore::user`].
    User(Option<Box<User>>),
    /// The answer of [`KeyStore::policies`].
    Policies(Vec<Option<Arc<TenantPolicy>>>),
    /// The answer of [`KeyStore::keys`].
    Keys(Page<StoredKey>),
    /// The answer of [`KeyStore::owned_keys`].
    OwnedKeys(Vec<OwnedKeys>),
    /// The answer of [`KeyStore::count_keys`].
    CountKeys(u64),
    /// The answer of [`KeyStore::accounts`].
    Accounts(Page<ServiceAccount>),
    /// The answer of [`KeyStore::events`].
    Events(Page<Event>),
    /// The answer of [`KeyStore::keys_of_all_tenants`].
    KeysOfAllTenants(Page<StoredKey>),
    /// The answer of [`KeyStore::tenants`].
    Tenants(Page<TenantEntry>),
    /// The answer of [`KeyStore::commit`].
    Commit,
    /// The answer of [`KeyStore::add_usage`].
    AddUsage,
    /// The answer of [`KeyStore::changes`].
    Changes(Changes),
}

impl Method {
    /// Every method, in the order of the trait.
    pub const ALL: &[Self] = &[
        Self::Resolve,
        Self::Key,
        Self::Account,
        Self::User,
        Self::Policies,
        Self::Keys,
        Self::OwnedKeys,
        Self::CountKeys,
        Self::Accounts,
        Self::Events,
        Self::KeysOfAllTenants,
        Self::Tenants,
        Self::Commit,
        Self::AddUsage,
        Self::Changes,
    ];

    /// The methods that write.
    pub const WRITES: &[Self] = &[Self::Commit, Self::AddUsage];
}

impl Call<'_> {
    /// Returns the method that was called.
    ///
    /// ```
    /// # use keywright::store::{Marker, conformance::{Call, Method}};
    /// assert_eq!(Call::Changes(&Marker::default()).method(), Method::Changes);
    /// ```
    pub fn method(&self) -> Method {
        match self {
            Self::Resolve(..) => Method::Resolve,
            Self::Key(..) => Method::Key,
            Self::Account(..) => Method::Account,
            Self::User(..) => Method::User,
            Self::Policies(..) => Method::Policies,
            Self::Keys(..) => Method::Keys,
            Self::OwnedKeys(..) => Method::OwnedKeys,
            Self::CountKeys(..) => Method::CountKeys,
            Self::Accounts(..) => Method::Accounts,
            Self::Events(..) => Method::Events,
            Self::KeysOfAllTenants(..) => Method::KeysOfAllTenants,
            Self::Tenants(..) => Method::Tenants,
            Self::Commit(..) => Method::Commit,
            Self::AddUsage(..) => Method::AddUsage,
            Self::Changes(..) => Method::Changes,
        }
    }

    /// Calls the same method of `store` with the same arguments.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::{Batch, MemoryStore, conformance::{Answer, Call, block_on}};
    /// let (store, batch) = (MemoryStore::new(), Batch::of(TenantId::default()));
    /// let answer = block_on(Call::Commit(&batch).pass_on(&store))?;
    /// assert!(matches!(answer, Answer::Commit));
    /// # Ok::<(), keywright::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// The error of `store`.
    pub async fn pass_on(self, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        Ok(match self {
            Self::Resolve(key, freshness) => Answer::Resolve(store.resolve(key, freshness).await?),
            Self::Key(tenant, key) => Answer::Key(store.key(tenant, key).await?.map(Box::new)),
            Self::Account(tenant, account) => {
                Answer::Account(store.account(tenant, account).await?)
            }
            Self::User(tenant, user) => Answer::User(store.user(tenant, user).await?.map(Box::new)),
            Self::Policies(tenants) => Answer::Policies(store.policies(tenants).await?),
            Self::Keys(tenant, query, at) => Answer::Keys(store.keys(tenant, query, at).await?),
            Self::OwnedKeys(tenant, owners, most, at) => {
                Answer::OwnedKeys(store.owned_keys(tenant, owners, most, at).await?)
            }
            Self::CountKeys(tenant, query, at) => {
                Answer::CountKeys(store.count_keys(tenant, query, at).await?)
            }
            Self::Accounts(tenant, query) => Answer::Accounts(store.accounts(tenant, query).await?),
            Self::Events(tenant, query) => Answer::Events(store.events(tenant, query).await?),
            Self::KeysOfAllTenants(query, at) => {
                Answer::KeysOfAllTenants(store.keys_of_all_tenants(query, at).await?)
            }
            Self::Tenants(query, at) => Answer::Tenants(store.tenants(query, at).await?),
            Self::Commit(batch) => {
                store.commit(batch.clone()).await?;
                Answer::Commit
            }
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
    /// Creates a store in front of `inner`.
    ///
    /// ```
    /// use keywright::store::MemoryStore;
    /// use keywright::store::conformance::{Faults, InterceptedStore};
    ///
    /// let store = InterceptedStore::new(MemoryStore::new(), Faults::new());
    /// # drop(store);
    /// ```
    pub fn new(inner: S, interceptor: I) -> Self {
        Self { inner, interceptor }
    }

    /// Returns the inner store, whose calls are not intercepted.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
    /// # use keywright::store::{KeyStore, MemoryStore};
    /// # let store = InterceptedStore::new(MemoryStore::new(), Faults::new());
    /// store.interceptor().fail(Method::ALL, Fault::Before);
    /// assert!(block_on(store.policies(&[TenantId::default()])).is_err());
    /// assert!(block_on(store.inner().policies(&[TenantId::default()])).is_ok());
    /// ```
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Returns the interceptor.
    ///
    /// ```
    /// # use keywright::store::conformance::{Faults, InterceptedStore};
    /// # use keywright::store::MemoryStore;
    /// # let store = InterceptedStore::new(MemoryStore::new(), Faults::new());
    /// assert_eq!(store.interceptor().calls(), 0);
    /// ```
    pub fn interceptor(&self) -> &I {
        &self.interceptor
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer, StoreError> {
        self.interceptor.intercept(call, &self.inner).await
    }
}

/// Unwraps the answer to a call, whose variant must be that of the method.
macro_rules! expect {
    ($answer:expr, $variant:pat => $found:expr) => {
        match $answer.await? {
            $variant => Ok($found),
            other => panic!("the interceptor returned the answer of another method: {other:?}"),
        }
    };
}

/// # Panics
/// A method panics if the interceptor returns the [`Answer`] of another method.
#[async_trait]
impl<S: KeyStore, I: Intercept> KeyStore for InterceptedStore<S, I> {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        let key = *key;
        Resolve::boxed(async move {
            expect!(self.answer(Call::Resolve(&key, freshness)), Answer::Resolve(found) => found)
        })
    }

    fn peek(&self, _: &KeyId, _: Freshness, _: &mut Look<'_>) -> bool {
        // The caller then calls `resolve`, which is intercepted.
        false
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

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        expect!(self.answer(Call::User(tenant, user)), Answer::User(found) => found.map(|user| *user))
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        expect!(self.answer(Call::Policies(tenants)), Answer::Policies(found) => found)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        expect!(self.answer(Call::Keys(tenant, query, at)), Answer::Keys(page) => page)
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let call = Call::OwnedKeys(tenant, owners, most, at);
        expect!(self.answer(call), Answer::OwnedKeys(found) => found)
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        expect!(self.answer(Call::CountKeys(tenant, query, at)), Answer::CountKeys(keys) => keys)
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

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let call = Call::KeysOfAllTenants(query, at);
        expect!(self.answer(call), Answer::KeysOfAllTenants(page) => page)
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        expect!(self.answer(Call::Tenants(query, at)), Answer::Tenants(page) => page)
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        expect!(self.answer(Call::Commit(&batch)), Answer::Commit => ())
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        expect!(self.answer(Call::AddUsage(batch)), Answer::AddUsage => ())
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        expect!(self.answer(Call::Changes(since)), Answer::Changes(changes) => changes)
    }
}
