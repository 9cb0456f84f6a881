//! Lost usage batches, and lost answers to them, at random.

use std::sync::Arc;

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

use crate::store::conformance::{Answer, Call, Intercept};
use crate::store::{KeyStore, StoreError, async_trait};
use crate::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Debug, Default)]
pub(crate) struct Failing {
    mended: Arc<AtomicBool>,
}

impl Failing {
    /// Ends the failures.
    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }

    fn fails(&self) -> Result<(), StoreError> {
        if !self.mended.load(Ordering::SeqCst) && thread_rng().gen_range(0..3) == 0 {
            return Err(StoreError::unavailable("lost on the way"));
        }
        Ok(())
    }
}

#[async_trait]
impl Intercept for Failing {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        let Call::AddUsage(_) = call else { return call.pass_on(store).await };
        yield_now().await;
        self.fails()?;
        let answer = call.pass_on(store).await?;
        yield_now().await;
        self.fails()?;
        Ok(answer)
    }
}
