//! Single flight: all callers that need one key at the same time share one request to the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lease::Fill;
use crate::record::snapshot::Snapshot;
use crate::store::{Age, Found, Resolved, StoreError, StoreErrorKind};
use crate::value::id::KeyId;

/// The requests to the store that have no answer yet, by key.
#[derive(Default)]
pub(super) struct SingleFlight(Mutex<HashMap<KeyId, Entry>>);

/// A request that more callers can join, with the number of its waiters.
struct Entry {
    question: Arc<Question>,
    waiters: usize,
}

/// A request for one key. A waiter that takes the lock and finds no usable answer asks the store.
pub(super) struct Question {
    /// The fill of the first request.
    fill: Fill,
    pub(super) answer: async_lock::Mutex<Option<Answer>>,
}

/// The store's answer, for all waiters.
pub(super) struct Answer {
    /// Whether a change became known while the answer was read is decided by this fill.
    pub(super) fill: Fill,
    /// The moment of the request.
    asked: Duration,
    result: Result<Option<Arc<Snapshot>>, (StoreErrorKind, String)>,
}

impl Answer {
    pub(super) fn of(
        fill: Fill,
        asked: Duration,
        result: &Result<Option<Arc<Snapshot>>, StoreError>,
    ) -> Self {
        let result = match result {
            Ok(found) => Ok(found.clone()),
            Err(error) => Err((error.kind(), error.to_string())),
        };
        Self { fill, asked, result }
    }

    /// Returns the snapshot, if the store has the key.
    pub(super) fn found(&self) -> Option<&Arc<Snapshot>> {
        self.result.as_ref().ok()?.as_ref()
    }

    /// Returns the answer for a caller that called at `called`, if it is not too old. All waiters share
    /// a failure, since a request of their own would take as long.
    pub(super) fn for_caller(
        &self,
        called: Duration,
        now: Duration,
        bound: Duration,
    ) -> Option<Resolved> {
        // If the request was sent after the call, its answer is as new as one to the caller's own
        // request.
        let is_own = self.asked > called;
        let age = if is_own { Duration::ZERO } else { now.saturating_sub(self.asked) };
        match &self.result {
            Err((kind, message)) => Some(Err(StoreError::new(*kind, message.as_str()))),
            Ok(found) if age <= bound => {
                let age = Age::at_most(age);
                Some(Ok(found.clone().map(|snapshot| Found { snapshot, age })))
            }
            Ok(_) => None,
        }
    }
}

/// A caller that waits for an answer. The last waiter removes the entry when it is dropped.
pub(super) struct Waiter<'a> {
    flight: &'a SingleFlight,
    key: KeyId,
    pub(super) question: Arc<Question>,
}

impl SingleFlight {
    /// Joins the request for a key, unless there is none or it is outdated by a change of the key.
    pub(super) fn join(
        &self,
        key: KeyId,
        fill: Fill,
        is_outdated: impl FnOnce(Fill) -> bool,
    ) -> Waiter<'_> {
        let mut entries = self.lock();
        let asked_now = || Entry {
            question: Arc::new(Question { fill, answer: async_lock::Mutex::new(None) }),
            waiters: 0,
        };
        let entry = entries.entry(key).or_insert_with(asked_now);
        if is_outdated(entry.question.fill) {
            *entry = asked_now();
        }
        entry.waiters += 1;
        Waiter { flight: self, key, question: Arc::clone(&entry.question) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// Removes the entry, so that later callers send a new request.
    pub(super) fn close(&self) {
        self.close_if(|_| true);
    }

    fn close_if(&self, is_over: impl FnOnce(&mut Entry) -> bool) {
        let mut entries = self.flight.lock();
        let entry = entries.get_mut(&self.key);
        let own = entry.filter(|entry| Arc::ptr_eq(&entry.question, &self.question));
        if own.is_some_and(is_over) {
            entries.remove(&self.key);
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.close_if(|own| {
            own.waiters -= 1;
            own.waiters == 0
        });
    }
}
