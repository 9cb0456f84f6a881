//! The future of [`KeyStore::resolve`](super::KeyStore::resolve), which every request awaits.
//!
//! It costs no allocation and no indirect call if the answer is ready.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::StoreError;
use crate::record::freshness::Found;

/// The answer of [`KeyStore::resolve`](super::KeyStore::resolve); `None` if there is no such key.
pub type Resolved = Result<Option<Found>, StoreError>;

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
