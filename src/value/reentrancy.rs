//! Whether code of the host's that this crate has called is calling back.
//!
//! A random source, or a store, may call the crate that is calling it. Where the crate holds a lock meanwhile, the call
//! back would wait for itself for ever: it is refused instead. What has called is on the stack of the same thread, also
//! where it is a future, which runs inside the poll of the future that waits for it.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

std::thread_local! {
    /// The addresses of those whose foreign code is running on this thread.
    static ENTERED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// While it is held, foreign code is running on behalf of something on this thread.
pub(crate) struct Inside(usize);

impl Inside {
    /// Enters foreign code on behalf of `whose`. Returns `None` if foreign code is running on its
    /// behalf already: then that code has called back.
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

/// A future of foreign code, which runs on behalf of something whenever it is polled.
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
