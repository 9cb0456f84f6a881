//! One question to the store for each key, however many wait for the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lease::Fill;
use crate::record::snapshot::Snapshot;
use crate::store::{Age, Found, Resolved, StoreError, StoreErrorKind};
use crate::value::id::KeyId;

#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<KeyId, Boarding>>);

/// A flight that one may join, and how many have.
struct Boarding {
    flight: Arc<Flight>,
    seats: usize,
}

/// A question that is on its way. Whoever holds the answer's lock and finds none that will do asks.
pub(super) struct Flight {
    /// What was known when it was first asked. Who knows more does not join.
    fill: Fill,
    pub(super) answer: async_lock::Mutex<Option<Answer>>,
}

/// What the store said, for each of those who wait.
pub(super) struct Answer {
    /// When it was asked.
    asked: Duration,
    said: Result<Option<Arc<Snapshot>>, (StoreErrorKind, String)>,
}

impl Answer {
    pub(super) fn of(asked: Duration, result: &Result<Option<Arc<Snapshot>>, StoreError>) -> Self {
        let said = match result {
            Ok(found) => Ok(found.clone()),
            Err(error) => Err((error.kind(), error.to_string())),
        };
        Self { asked, said }
    }

    /// For one who called at that moment. A failure is one for all: each of them would wait as long.
    pub(super) fn tell(
        &self,
        called: Duration,
        now: Duration,
        bound: Duration,
    ) -> Option<Resolved> {
        // What was asked since the call is as good as asked for it.
        let is_own = self.asked > called;
        let age = if is_own { Duration::ZERO } else { now.saturating_sub(self.asked) };
        match &self.said {
            Err((kind, message)) => Some(Err(StoreError::new(*kind, message.as_str()))),
            Ok(found) if age <= bound => {
                let age = Age::at_most(age);
                Some(Ok(found.clone().map(|snapshot| Found { snapshot, age })))
            }
            Ok(_) => None,
        }
    }
}

/// A place among those who wait. The last who leaves takes the flight away.
pub(super) struct Seat<'a> {
    flights: &'a Flights,
    key: KeyId,
    pub(super) flight: Arc<Flight>,
}

impl Flights {
    pub(super) fn join(&self, key: KeyId, fill: Fill) -> Seat<'_> {
        let mut flights = self.lock();
        let boarding = || Boarding {
            flight: Arc::new(Flight { fill, answer: async_lock::Mutex::new(None) }),
            seats: 0,
        };
        let open = flights.entry(key).or_insert_with(boarding);
        if open.flight.fill != fill {
            *open = boarding();
        }
        open.seats += 1;
        Seat { flights: self, key, flight: Arc::clone(&open.flight) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, Boarding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    /// Nobody joins any more.
    pub(super) fn close(&self) {
        self.close_if(|_| true);
    }

    fn close_if(&self, is_over: impl FnOnce(&mut Boarding) -> bool) {
        let mut flights = self.flights.lock();
        let open = flights.get_mut(&self.key);
        let ours = open.filter(|open| Arc::ptr_eq(&open.flight, &self.flight));
        if ours.is_some_and(is_over) {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.close_if(|ours| {
            ours.seats -= 1;
            ours.seats == 0
        });
    }
}
