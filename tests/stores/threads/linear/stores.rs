//! A store wrapper that adds the troubles of a network, or a fault that the checker must detect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;

use futures_lite::future::yield_now;
use keywright::KeyId;
use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{Batch, Found, KeyStore, StoreError, async_trait};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The troubles between the callers and the store.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent switches")]
pub(crate) struct Troubles {
    /// Each step yields, so that other callers run between.
    pub(crate) turns: bool,
    /// Writes or their answers are lost, and the caller gets an error.
    pub(crate) losses: bool,
    /// Calls are dropped.
    pub(crate) drops: bool,
    /// Fault: a snapshot can be an earlier one.
    pub(crate) stale: bool,
    /// Fault: a write can be acknowledged and never applied.
    pub(crate) forgets: bool,
    /// Fault: a write can be acknowledged and applied later.
    pub(crate) late: bool,
    /// Fault: a write can be applied and reported as a conflict.
    pub(crate) denies: bool,
}

impl Troubles {
    pub(crate) const NONE: Self = Self {
        turns: false,
        losses: false,
        drops: false,
        stale: false,
        forgets: false,
        late: false,
        denies: false,
    };
    pub(crate) const TURNS: Self = Self { turns: true, ..Self::NONE };
    pub(crate) const ALL: Self = Self { losses: true, drops: true, ..Self::NONE };
}

/// A network with troubles that the seed decides.
#[derive(Clone, Debug)]
pub(crate) struct Troubled {
    troubles: Troubles,
    fate: Arc<Mutex<Fate>>,
}

#[derive(Debug)]
struct Fate {
    random: StdRng,
    found: HashMap<KeyId, Found>,
    /// A batch that was acknowledged and not yet applied.
    pending: Option<Batch>,
}

impl Troubled {
    /// Wraps a store with these troubles.
    pub(crate) fn over(
        store: Arc<dyn KeyStore>,
        troubles: Troubles,
        seed: u64,
    ) -> InterceptedStore<Arc<dyn KeyStore>, Self> {
        let random = StdRng::seed_from_u64(seed);
        let fate = Fate { random, found: HashMap::new(), pending: None };
        InterceptedStore::new(store, Self { troubles, fate: Arc::new(Mutex::new(fate)) })
    }

    /// Returns true once in `once_in` calls on average, if the trouble is on.
    fn strikes(&self, trouble: bool, once_in: u32) -> bool {
        trouble && self.with_fate(|fate| fate.random.random_ratio(1, once_in))
    }

    fn with_fate<T>(&self, act: impl FnOnce(&mut Fate) -> T) -> T {
        act(&mut self.fate.lock().expect("no caller panics"))
    }

    /// Lets other callers run.
    async fn pause(&self) {
        if self.strikes(self.troubles.turns, 2) || self.strikes(self.troubles.drops, 4) {
            yield_now().await;
        } else if self.strikes(!self.troubles.turns, 4) {
            thread::yield_now();
        }
    }

    async fn catch_up(&self, store: &dyn KeyStore) {
        let pending = self.with_fate(|fate| fate.pending.take());
        if let Some(batch) = pending {
            // The batch was acknowledged, so a failure stays unreported.
            drop(store.commit(batch).await);
        }
    }

    async fn resolve(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        let answer = call.pass_on(store).await?;
        let (Call::Resolve(key, _), Answer::Resolve(found)) = (call, &answer) else {
            unreachable!("a key is resolved");
        };
        let stale = self.strikes(self.troubles.stale, 3);
        let before = self.with_fate(|fate| match found {
            Some(found) => fate.found.insert(*key, found.clone()),
            None => fate.found.remove(key),
        });
        Ok(if stale && before.is_some() { Answer::Resolve(before) } else { answer })
    }

    async fn commit(&self, batch: &Batch, store: &dyn KeyStore) -> Result<(), StoreError> {
        let lost = |way| Err(StoreError::unavailable(format!("lost on the way {way}")));
        if self.strikes(self.troubles.losses, 20) {
            return lost("there");
        }
        let changes = !batch.changes.is_empty();
        if self.strikes(self.troubles.forgets && changes, 8) {
            return Ok(());
        }
        self.catch_up(store).await;
        if self.strikes(self.troubles.late && changes, 4) {
            self.with_fate(|fate| fate.pending = Some(batch.clone()));
            return Ok(());
        }
        store.commit(batch.clone()).await?;
        if self.strikes(self.troubles.losses, 20) {
            return lost("back");
        }
        if self.strikes(self.troubles.denies && changes, 4) {
            return Err(StoreError::conflict("the commit is reported as a conflict"));
        }
        Ok(())
    }
}

#[async_trait]
impl Intercept for Troubled {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        self.pause().await;
        if self.strikes(self.troubles.late, 4) {
            self.catch_up(store).await;
        }
        let answer = match call {
            Call::Resolve(..) => self.resolve(call, store).await,
            Call::Commit(batch) => self.commit(batch, store).await.map(|()| Answer::Commit),
            _ => call.pass_on(store).await,
        };
        self.pause().await;
        answer
    }
}
