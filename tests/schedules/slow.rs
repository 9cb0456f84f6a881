//! A store on the other side of a network: others can come between a question, what it is about, and the
//! answer.

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

use crate::store::conformance::{Answer, Call, Intercept, InterceptedStore, Method};
use crate::store::{KeyStore, MemoryStore, StoreError, async_trait};

#[derive(Clone, Debug)]
pub(crate) struct Slow;

/// A store in memory that is slow to reach.
pub(crate) fn slow_store() -> InterceptedStore<MemoryStore, Slow> {
    InterceptedStore::new(MemoryStore::default(), Slow)
}

/// Now short, now long.
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
