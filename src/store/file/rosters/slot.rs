//! The place of one tenant's roster, with the changes that it has not followed yet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::store::file::roster::Roster;
use crate::store::file::touches::Touch;

/// The most changes that a slot notes between two reads. Following them takes about as long as a
/// build.
const MOST_TOUCHED: usize = 262_144;

pub(super) struct Slot {
    /// The number of the last transaction that was announced before the slot was there.
    pub(super) since: u64,
    roster: RwLock<Option<Roster>>,
    touched: Mutex<Touched>,
    bytes: AtomicU64,
    last_read: AtomicU64,
}

/// The changes of later transactions.
#[derive(Default)]
struct Touched {
    /// In the order of the transactions.
    list: Vec<(u64, Touch)>,
    /// Whether the slot is no longer told of transactions.
    is_closed: bool,
}

impl Slot {
    pub(super) fn new(since: u64) -> Self {
        Self {
            since,
            roster: RwLock::default(),
            touched: Mutex::default(),
            bytes: AtomicU64::new(0),
            last_read: AtomicU64::new(0),
        }
    }

    /// Notes a change. Returns false if there are too many.
    pub(super) fn announce(&self, number: u64, touch: Touch) -> bool {
        let mut touched = self.touched();
        touched.list.push((number, touch));
        touched.list.len() <= MOST_TOUCHED
    }

    /// Returns whether the roster has followed all transactions up to this one, which has begun
    /// before the call.
    pub(super) fn is_current(&self, number: u64) -> bool {
        let touched = self.touched();
        !touched.is_closed && touched.list.first().is_none_or(|(first, _)| *first > number)
    }

    /// Removes the changes up to a transaction, and returns them.
    pub(super) fn take_until(&self, number: u64) -> Vec<Touch> {
        let list = &mut self.touched().list;
        let due = list.partition_point(|(announced, _)| *announced <= number);
        list.drain(..due).map(|(_, touch)| touch).collect()
    }

    /// Notes that the slot is no longer told of transactions.
    pub(super) fn close(&self) {
        *self.touched() = Touched { list: Vec::new(), is_closed: true };
    }

    pub(super) fn is_closed(&self) -> bool {
        self.touched().is_closed
    }

    /// Locks the roster for reads; `None` if a change of it panicked.
    pub(super) fn read(&self) -> Option<RwLockReadGuard<'_, Option<Roster>>> {
        self.roster.read().ok()
    }

    /// Locks the roster for changes. A roster whose change panicked is dropped.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Option<Roster>> {
        self.roster.write().unwrap_or_else(|poisoned| {
            let mut roster = poisoned.into_inner();
            *roster = None;
            self.roster.clear_poison();
            roster
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn last_read(&self) -> u64 {
        self.last_read.load(Ordering::Relaxed)
    }

    pub(super) fn set_read(&self, reads: u64) {
        self.last_read.store(reads, Ordering::Relaxed);
    }

    fn touched(&self) -> MutexGuard<'_, Touched> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
