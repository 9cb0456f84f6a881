//! The log of refused calls, which keeps them from filling the store.
//!
//! The first refused calls of each actor and minute have an event each. The others are counted, and
//! one event records the count after the minute. No lock is held while the store works.

mod budget;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::event::Event;
use crate::store::{Batch, KeyStore, StoreError};
use crate::value::id::TenantId;
use crate::value::time::Timestamp;

use self::budget::{Budget, Caller, Decision, Due};

/// The most counts that one refused call writes in addition to its own event, so that it does not
/// wait for all of them.
const COUNTS_PER_CALL: usize = 4;

/// The refused calls of a process: records the first of each actor and minute, and counts the
/// others.
#[derive(Default)]
pub(crate) struct RefusalLog(Mutex<Budget>);

/// The reserved place of a refused call that is being recorded. It is given back unless the call is
/// recorded.
struct Place<'a> {
    log: &'a RefusalLog,
    caller: Caller,
    began: Timestamp,
    is_recorded: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_recorded {
            self.log.lock().give_back(&self.caller, self.began);
        }
    }
}

/// Counts that are being written. Counts that are not written are put back.
struct Taken<'a> {
    log: &'a RefusalLog,
    due: VecDeque<Due>,
    now: Timestamp,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.due.is_empty() {
            let mut budget = self.log.lock();
            self.due.iter().for_each(|due| budget.put_back(due, self.now));
        }
    }
}

impl RefusalLog {
    /// Records a refused call, with an event of its own or in the count of its minute.
    pub(crate) async fn record(
        &self,
        store: &dyn KeyStore,
        event: Event,
    ) -> Result<(), StoreError> {
        let (caller, now) = (Caller::of(&event), event.at);
        let decision = self.lock().refused(&caller, now);
        let Decision::Record(began) = decision else { return Ok(()) };
        let mut place = Place { log: self, caller, began, is_recorded: false };
        write(store, event).await?;
        place.is_recorded = true;
        // The call itself is recorded. Counts that cannot be written now are kept for later.
        self.write_counts(store, now, None, COUNTS_PER_CALL).await.or(Ok(()))
    }

    /// Writes the counts whose minute has ended, of one tenant or of all.
    pub(crate) async fn flush(
        &self,
        store: &dyn KeyStore,
        now: Timestamp,
        tenant: Option<&TenantId>,
    ) -> Result<(), StoreError> {
        self.write_counts(store, now, tenant, usize::MAX).await
    }

    async fn write_counts(
        &self,
        store: &dyn KeyStore,
        now: Timestamp,
        tenant: Option<&TenantId>,
        most: usize,
    ) -> Result<(), StoreError> {
        let due = self.lock().take(now, tenant, most).into();
        let mut taken = Taken { log: self, due, now };
        while let Some(due) = taken.due.front() {
            write(store, due.event(now)).await?;
            taken.due.pop_front();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Budget> {
        // A panic cannot leave a change of the state half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(store: &dyn KeyStore, event: Event) -> Result<(), StoreError> {
    let tenant = event.tenant.clone();
    store.commit(Batch { events: vec![event], ..Batch::of(tenant) }).await
}
