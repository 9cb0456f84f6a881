//! Functions that run futures without an async runtime.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs a future to completion on the current thread, which sleeps while the future waits.
///
/// Use it for a store that needs no async runtime.
///
/// ```
/// use keywright::TenantId;
/// use keywright::store::conformance::block_on;
/// use keywright::store::{KeyStore, MemoryStore};
///
/// let policies = block_on(MemoryStore::new().policies(&[TenantId::default()]))?;
/// assert_eq!(policies, [None]);
/// # Ok::<(), keywright::store::StoreError>(())
/// ```
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls futures in turns until all have ended, and returns their results.
pub(super) async fn side_by_side<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut all_ended = true;
        for (future, ended) in &mut running {
            if ended.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *ended = Some(value),
                    Poll::Pending => all_ended = false,
                }
            }
        }
        if all_ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, ended)| ended).collect()
}

/// Polls a future at most `times` times, then drops it. Returns its result if it has ended by then.
pub(super) async fn polled<T>(future: impl Future<Output = T>, times: usize) -> Option<T> {
    let mut future: Pin<Box<_>> = Box::pin(future);
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Yields once, so that other futures can run.
pub(super) async fn turn() {
    let mut has_waited = false;
    poll_fn(|context| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
