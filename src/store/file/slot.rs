//! The place where the answer of a job arrives, and the future that waits for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::store::error::StoreError;

/// Creates a slot, and the future that waits for its answer.
pub(super) fn slot<T>() -> (Slot<T>, Waiting<T>) {
    let shared = Arc::new(Mutex::new(Place { answer: None, waker: None, is_abandoned: false }));
    (Slot(Some(Arc::clone(&shared))), Waiting(shared))
}

/// The place of an answer. A slot that is dropped without an answer answers with an error, so that
/// no caller waits forever.
#[derive(Debug)]
pub(super) struct Slot<T>(Option<Arc<Mutex<Place<T>>>>);

/// The future that waits for an answer.
#[derive(Debug)]
pub(super) struct Waiting<T>(Arc<Mutex<Place<T>>>);

#[derive(Debug)]
pub(super) struct Place<T> {
    answer: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
    /// Whether the caller dropped its future.
    is_abandoned: bool,
}

impl<T> Slot<T> {
    /// Returns whether the caller no longer waits. A job that has not begun is then skipped.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.as_ref().is_some_and(|place| lock(place).is_abandoned)
    }

    pub(super) fn answer(mut self, answer: Result<T, StoreError>) {
        self.put(answer);
    }

    fn put(&mut self, answer: Result<T, StoreError>) {
        let Some(place) = self.0.take() else { return };
        let waker = {
            let mut place = lock(&place);
            place.answer = Some(answer);
            place.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.put(Err(StoreError::corrupt("an earlier write panicked: open the store again")));
    }
}

impl<T> Future for Waiting<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut place = lock(&self.0);
        if let Some(answer) = place.answer.take() {
            return Poll::Ready(answer);
        }
        place.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        lock(&self.0).is_abandoned = true;
    }
}

fn lock<T>(place: &Mutex<Place<T>>) -> MutexGuard<'_, Place<T>> {
    // Each change of a place is one assignment, so a panic cannot leave it half written.
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
