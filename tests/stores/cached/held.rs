//! A server whose answers the test counts and holds back. It can go down, and it can lose its last
//! commits. Clones share its state.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_lite::future::yield_now;
use keywright::KeyId;
use keywright::store::conformance::{self, Answer, Intercept, InterceptedStore};
use keywright::store::{Batch, KeyStore, MemoryStore, StoreError, async_trait};

use common::block_on;

/// A kind of call, which is counted and whose answer can be held back.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Call {
    Resolve(KeyId),
    Commit,
    Changes,
}

/// Holds an answer back while it exists. The answer reflects the state at the time of the call.
#[must_use = "without a binding the answer is not held back"]
pub(crate) struct Hold {
    store: Held,
    call: Call,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.store.0.held).remove(&self.call);
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    server: Mutex<MemoryStore>,
    batches: Mutex<Vec<Batch>>,
    is_down: AtomicBool,
    is_corrupt: AtomicBool,
    held: Mutex<HashSet<Call>>,
    asked: Mutex<HashMap<Call, usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    /// Returns a store that sends every call to the server.
    pub(crate) fn store(&self) -> InterceptedStore<MemoryStore, Self> {
        // The interceptor holds the server, because a test can replace it.
        InterceptedStore::new(MemoryStore::new(), self.clone())
    }

    /// Returns the number of these calls so far.
    pub(crate) fn asked(&self, call: Call) -> usize {
        lock(&self.0.asked).get(&call).copied().unwrap_or_default()
    }

    /// Returns the number of lookups so far, for all keys.
    pub(crate) fn resolved(&self) -> usize {
        let asked = lock(&self.0.asked);
        asked.iter().filter(|(call, _)| matches!(call, Call::Resolve(_))).map(|(_, n)| n).sum()
    }

    pub(crate) fn hold(&self, call: Call) -> Hold {
        assert!(lock(&self.0.held).insert(call), "no other reference is left");
        Hold { store: self.clone(), call }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn set_corrupt(&self, is_corrupt: bool) {
        self.0.is_corrupt.store(is_corrupt, Ordering::SeqCst);
    }

    /// Replaces the server by one that lacks the last commits.
    pub(crate) fn lose(&self, last: usize) {
        let server = MemoryStore::new();
        let mut batches = lock(&self.0.batches).clone();
        batches.truncate(batches.len() - last);
        for batch in &batches {
            block_on(server.commit(batch.clone())).expect("it was possible before");
        }
        *lock(&self.0.batches) = batches;
        *lock(&self.0.server) = server;
    }

    fn is_held(&self, call: Call) -> bool {
        lock(&self.0.held).contains(&call)
    }

    fn server(&self) -> MemoryStore {
        lock(&self.0.server).clone()
    }

    fn up(&self) -> Result<MemoryStore, StoreError> {
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the server is gone"));
        }
        if self.0.is_corrupt.load(Ordering::SeqCst) {
            return Err(StoreError::corrupt("a record does not match its checksum"));
        }
        Ok(self.server())
    }
}

#[async_trait]
impl Intercept for Held {
    async fn intercept(
        &self,
        call: conformance::Call<'_>,
        _: &dyn KeyStore,
    ) -> Result<Answer, StoreError> {
        let counted = match call {
            conformance::Call::Resolve(key, _) => Call::Resolve(*key),
            conformance::Call::Commit(_) => Call::Commit,
            conformance::Call::Changes(_) => Call::Changes,
            _ => return call.pass_on(&self.up()?).await,
        };
        *lock(&self.0.asked).entry(counted).or_default() += 1;
        let answer = call.pass_on(&self.up()?).await;
        if let (conformance::Call::Commit(batch), Ok(_)) = (call, &answer) {
            lock(&self.0.batches).push(batch.clone());
        }
        while self.is_held(counted) {
            yield_now().await;
        }
        self.up()?;
        answer
    }
}
