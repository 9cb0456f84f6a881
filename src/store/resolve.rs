//! The future of looking a key up, on the path of every request: it costs nothing where the answer is at
//! hand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::StoreError;
use crate::record::freshness::Found;

/// What [`KeyStore::resolve`](super::KeyStore::resolve) finds: `None` if there is no such key.
pub type Resolved = Result<Option<Found>, StoreError>;

/// The future of [`KeyStore::resolve`](super::KeyStore::resolve): an answer at hand, or a boxed future.
///
/// An answer at hand costs no allocation and no indirect call.
pub struct Resolve<'a>(State<'a>);

enum State<'a> {
    Ready(Option<Resolved>),
    Boxed(Pin<Box<dyn Future<Output = Resolved> + Send + 'a>>),
}

impl<'a> Resolve<'a> {
    /// An answer at hand.
    pub fn ready(found: Resolved) -> Self {
        Self(State::Ready(Some(found)))
    }

    /// An answer that takes time.
    pub fn boxed(future: impl Future<Output = Resolved> + Send + 'a) -> Self {
        Self(State::Boxed(Box::pin(future)))
    }
}

impl Future for Resolve<'_> {
    type Output = Resolved;

    /// # Panics
    /// If it is polled again after it was ready, as futures may.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Resolved> {
        match &mut self.0 {
            State::Ready(found) => Poll::Ready(found.take().expect("polled after it was ready")),
            State::Boxed(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Resolve<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolve(..)")
    }
}
