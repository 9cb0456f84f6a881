//! A wrapper for stores that need tokio, for callers outside of a runtime.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{KeyStore, StoreError, async_trait};
use tokio::runtime::Runtime;

/// Returns the runtime that all stores share.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    &RUNTIME
}

/// Wraps a store so that its futures are always polled inside the runtime.
pub fn on_tokio(store: impl KeyStore) -> Arc<dyn KeyStore> {
    Arc::new(InterceptedStore::new(store, OnTokio))
}

#[derive(Debug)]
struct OnTokio;

/// A future that is polled and dropped inside the runtime.
struct Within<F>(Option<Pin<Box<F>>>);

fn within<F: Future>(future: F) -> Within<F> {
    Within(Some(Box::pin(future)))
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = runtime().enter();
        let future = self.0.as_mut().expect("it is there until it is dropped");
        pin!(future).poll(context)
    }
}

impl<F> Drop for Within<F> {
    fn drop(&mut self) {
        let _entered = runtime().enter();
        self.0 = None;
    }
}

#[async_trait]
impl Intercept for OnTokio {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        within(call.pass_on(store)).await
    }
}
