//! The future of [`KeyStore::resolve`](super::KeyStore::resolve), which every request awaits.
//!
//! It costs no allocation and no indirect call if the answer is ready.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::StoreError;
use crate::record::freshness::{Age, Found};
use crate::record::snapshot::Snapshot;

/// The answer of [`KeyStore::resolve`](super::KeyStore::resolve); `None` if there is no such key.
pub type Resolved = Result<Option<Found>, StoreError>;

/// A borrowed [`Found`]: the answer that [`KeyStore::peek`](super::KeyStore::peek) shows.
///
/// ```
/// use keywright::store::{Freshness, KeyStore};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?;
/// # let issued = keywright.authority().generate(&alice, new).await?;
/// let mut seen = None;
/// let has_looked = store.peek(&issued.key.id, Freshness::StoreDefault, &mut |found| {
///     seen = found.map(|found| found.snapshot.record().version());
/// });
/// assert!(has_looked);
/// assert_eq!(seen, Some(1));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FoundRef<'a> {
    /// The key with its owner and policy.
    pub snapshot: &'a Arc<Snapshot>,
    /// The age of the snapshot.
    pub age: Age,
}

impl FoundRef<'_> {
    /// Returns the answer with the copy of its snapshot that this thread takes, if there are copies.
    pub(crate) fn of_this_thread(self) -> Self {
        Self { snapshot: self.snapshot.of_this_thread(), ..self }
    }
}

impl From<FoundRef<'_>> for Found {
    fn from(found: FoundRef<'_>) -> Self {
        Self { snapshot: Arc::clone(found.snapshot), age: found.age }
    }
}

/// The function that [`KeyStore::peek`](super::KeyStore::peek) calls with its answer; `None` if there
/// is no such key.
pub type Look<'a> = dyn FnMut(Option<FoundRef<'_>>) + 'a;

/// The future of [`KeyStore::resolve`](super::KeyStore::resolve): a ready answer, or a boxed
/// future.
///
/// A ready answer costs no allocation and no indirect call.
///
/// ```
/// use keywright::store::Resolve;
///
/// # futures_lite::future::block_on(async {
/// let ready = Resolve::ready(Ok(None));
/// let boxed = Resolve::boxed(async {
///     // Ask the database here.
///     Ok(None)
/// });
/// assert!(ready.await?.is_none() && boxed.await?.is_none());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
pub struct Resolve<'a>(State<'a>);

enum State<'a> {
    Ready(Option<Resolved>),
    Boxed(Pin<Box<dyn Future<Output = Resolved> + Send + 'a>>),
}

impl<'a> Resolve<'a> {
    /// Creates a future that is ready with this answer.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::store::{Resolve, StoreError};
    /// let closed = Resolve::ready(Err(StoreError::unavailable("the store is closed")));
    /// assert!(closed.await.is_err());
    /// # });
    /// ```
    pub fn ready(found: Resolved) -> Self {
        Self(State::Ready(Some(found)))
    }

    /// Creates a future that waits for the answer of another future.
    ///
    /// It costs one allocation.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::store::{Resolve, Resolved};
    /// async fn ask_database() -> Resolved {
    ///     Ok(None)
    /// }
    /// assert!(Resolve::boxed(ask_database()).await?.is_none());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn boxed(future: impl Future<Output = Resolved> + Send + 'a) -> Self {
        Self(State::Boxed(Box::pin(future)))
    }

    /// Returns whether the answer is ready and an error.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn has_failed(&self) -> bool {
        matches!(self.0, State::Ready(Some(Err(_))))
    }
}

impl Future for Resolve<'_> {
    type Output = Resolved;

    /// Polls the answer.
    ///
    /// # Panics
    /// Panics if it is polled again after it returned `Ready`, as other futures do.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Resolved> {
        match &mut self.0 {
            State::Ready(found) => {
                Poll::Ready(found.take().expect("`Resolve` polled after completion"))
            }
            State::Boxed(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Resolve<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolve(..)")
    }
}
