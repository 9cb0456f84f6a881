//! Detection of reentrancy: foreign code that calls back into the crate that is calling it.
//!
//! A random source or a store of the host could call this crate again. If the crate holds a lock at
//! that moment, the inner call would deadlock, so it is refused. The outer call is always on the
//! stack of the same thread. This holds for futures too: an inner future is polled inside the poll
//! of the outer one.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

std::thread_local! {
    /// The addresses of the values on whose behalf foreign code is running on this thread.
    static ENTERED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A guard that marks foreign code as running on behalf of a value on this thread.
pub(crate) struct Inside(usize);

impl Inside {
    /// Enters foreign code on behalf of `whose`.
    ///
    /// Returns `None` if foreign code is already running on its behalf: that code has called back.
    pub(crate) fn enter<T>(whose: &T) -> Option<Self> {
        let address = std::ptr::from_ref(whose).addr();
        ENTERED.with(|entered| {
            let mut entered = entered.borrow_mut();
            if entered.contains(&address) {
                return None;
            }
            entered.push(address);
            Some(Self(address))
        })
    }

    /// Returns whether foreign code is running on behalf of `whose`.
    pub(crate) fn is<T>(whose: &T) -> bool {
        let address = std::ptr::from_ref(whose).addr();
        ENTERED.with(|entered| entered.borrow().contains(&address))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        ENTERED.with(|entered| entered.borrow_mut().retain(|address| *address != self.0));
    }
}

/// A future of foreign code that runs on behalf of a value whenever it is polled.
pub(crate) struct Within<'a, T, F: ?Sized> {
    pub(crate) whose: &'a T,
    pub(crate) future: Pin<Box<F>>,
}

impl<T, F: Future + ?Sized> Future for Within<'_, T, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _inside = Inside::enter(self.whose);
        self.future.as_mut().poll(context)
    }
}
