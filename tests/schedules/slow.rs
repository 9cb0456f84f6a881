//! A store behind a network: other threads can run before a call, inside it, and before its answer.

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

use crate::store::conformance::{Answer, Call, Intercept, InterceptedStore, Method};
use crate::store::{KeyStore, MemoryStore, StoreError, async_trait};

#[derive(Clone, Debug)]
pub(crate) struct Slow;

/// Returns a store in memory behind a slow network.
pub(crate) fn slow_store() -> InterceptedStore<MemoryStore, Slow> {
    InterceptedStore::new(MemoryStore::default(), Slow)
}

/// Yields a random number of times.
async fn way() {
    for _ in 0..thread_rng().gen_range(0..6) {
        yield_now().await;
    }
}

#[async_trait]
impl Intercept for Slow {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        if !matches!(call.method(), Method::Resolve | Method::Commit | Method::Changes) {
            return call.pass_on(store).await;
        }
        way().await;
        let answer = call.pass_on(store).await;
        way().await;
        answer
    }
}
