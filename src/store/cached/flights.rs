//! One question to the store for each key, however many wait for the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lease::Fill;
use crate::id::KeyId;
use crate::snapshot::Snapshot;
use crate::store::{StoreError, StoreErrorKind};

#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<KeyId, Arc<Flight>>>);

/// A question that is on its way. Whoever holds the answer's lock and finds none asks.
pub(super) struct Flight {
    /// What was known when it was first asked. Who knows more does not join.
    fill: Fill,
    /// When it was first asked.
    pub(super) began: Duration,
    pub(super) answer: async_lock::Mutex<Option<Answer>>,
}

/// What the store said, for each of those who wait.
#[derive(Clone)]
pub(super) enum Answer {
    Found(Option<Arc<Snapshot>>),
    Failed(StoreErrorKind, String),
}

impl Answer {
    pub(super) fn of(result: &Result<Option<Arc<Snapshot>>, StoreError>) -> Self {
        match result {
            Ok(found) => Self::Found(found.clone()),
            Err(error) => Self::Failed(error.kind(), error.to_string()),
        }
    }

    pub(super) fn into_result(self) -> Result<Option<Arc<Snapshot>>, StoreError> {
        match self {
            Self::Found(found) => Ok(found),
            Self::Failed(kind, message) => Err(StoreError::new(kind, message)),
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
    pub(super) fn join(&self, key: KeyId, fill: Fill, now: Duration) -> Seat<'_> {
        let mut flights = self.lock();
        let flight = flights.get(&key).filter(|flight| flight.fill == fill).map(Arc::clone);
        let flight = flight.unwrap_or_else(|| {
            let answer = async_lock::Mutex::new(None);
            let flight = Arc::new(Flight { fill, began: now, answer });
            flights.insert(key, Arc::clone(&flight));
            flight
        });
        Seat { flights: self, key, flight }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    /// Nobody joins any more.
    pub(super) fn close(&self) {
        self.close_if(|_| true);
    }

    fn close_if(&self, is_over: impl FnOnce(&Arc<Flight>) -> bool) {
        let mut flights = self.flights.lock();
        let ours = flights.get(&self.key).filter(|flight| Arc::ptr_eq(flight, &self.flight));
        if ours.is_some_and(is_over) {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        // The map's and ours.
        self.close_if(|flight| Arc::strong_count(flight) <= 2);
    }
}
