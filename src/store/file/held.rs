//! Tables of redb that are not dropped while the thread panics.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::thread;

/// A value that is leaked if it would be dropped while the thread panics.
///
/// redb's tables and transactions lock a mutex on drop, and panic if a panic poisoned it. A second
/// panic aborts the process of the host.
pub(super) struct Held<T>(Option<T>);

impl<T> Held<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it was not taken")
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it was not taken")
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            mem::forget(self.0.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::*;

    #[test]
    fn value_is_leaked_only_by_a_panic() {
        let value = Arc::new(());
        drop(Held::new(Arc::clone(&value)));
        assert_eq!(Arc::strong_count(&value), 1);
        let held = Held::new(Arc::clone(&value));
        let done = catch_unwind(AssertUnwindSafe(|| {
            let _held = held;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(done.is_err());
        assert_eq!(Arc::strong_count(&value), 2);
    }
}
