//! Single flight: one question to the store for each key, however many callers wait for the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lease::Fill;
use crate::record::snapshot::Snapshot;
use crate::store::{Age, Found, Resolved, StoreError, StoreErrorKind};
use crate::value::id::KeyId;

/// The questions that are on their way, by key.
#[derive(Default)]
pub(super) struct SingleFlight(Mutex<HashMap<KeyId, Entry>>);

/// A question that further callers may wait for, and how many do.
struct Entry {
    question: Arc<Question>,
    waiters: usize,
}

/// A question that is on its way. A waiter that takes the answer's lock and finds no usable answer asks.
pub(super) struct Question {
    /// What was known when it was first asked. A caller that knows more asks again.
    fill: Fill,
    pub(super) answer: async_lock::Mutex<Option<Answer>>,
}

/// The store's answer, for all waiters.
pub(super) struct Answer {
    /// When it was asked for.
    asked: Duration,
    result: Result<Option<Arc<Snapshot>>, (StoreErrorKind, String)>,
}

impl Answer {
    pub(super) fn of(asked: Duration, result: &Result<Option<Arc<Snapshot>>, StoreError>) -> Self {
        let result = match result {
            Ok(found) => Ok(found.clone()),
            Err(error) => Err((error.kind(), error.to_string())),
        };
        Self { asked, result }
    }

    /// Returns the answer for a caller that called at `called`, if it is not too old. All waiters share
    /// a failure: each of them would wait as long.
    pub(super) fn for_caller(
        &self,
        called: Duration,
        now: Duration,
        bound: Duration,
    ) -> Option<Resolved> {
        // An answer that was asked for after the call is as good as the caller's own.
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

/// One caller that waits for an answer. The last one that leaves removes the entry.
pub(super) struct Waiter<'a> {
    flight: &'a SingleFlight,
    key: KeyId,
    pub(super) question: Arc<Question>,
}

impl SingleFlight {
    pub(super) fn join(&self, key: KeyId, fill: Fill) -> Waiter<'_> {
        let mut entries = self.lock();
        let asked_now = || Entry {
            question: Arc::new(Question { fill, answer: async_lock::Mutex::new(None) }),
            waiters: 0,
        };
        let entry = entries.entry(key).or_insert_with(asked_now);
        if entry.question.fill != fill {
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
    /// Removes the entry: later callers ask anew.
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
