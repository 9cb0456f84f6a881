//! Futures that are polled once.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_lite::future::block_on;

/// Returns the output of a future that is ready at once.
///
/// # Panics
/// Panics if the future has to wait.
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the store answers from memory"),
    }
}

/// Awaits a future, and returns whether its first poll was ready.
pub fn is_ready<F: Future>(future: F) -> (bool, F::Output) {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => (true, output),
        Poll::Pending => (false, block_on(future)),
    }
}
