//! The entries in memory: the keys that the store has and, separately, some ids that it does not have.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use papaya::HashMap;

use super::lease::Fill;
use super::stamps::{Places, Stamps};
use crate::record::snapshot::Snapshot;
use crate::value::id::KeyId;

/// The maximum number of unknown ids. They have a limit of their own, so that invented ids cannot
/// displace keys.
const MOST_ABSENT: usize = 10_000;

/// The maximum number of used keys that stay when room is made for one key. It bounds the time for
/// which other fills wait.
const MOST_TURNS: usize = 64;

pub(super) struct Entries {
    found: HashMap<KeyId, Entry, RandomState>,
    absent: HashMap<KeyId, Fill, RandomState>,
    stamps: Arc<Stamps>,
    /// The kept keys in the order in which they may go, each with the number of its entry. A key that
    /// was removed stays until its turn.
    order: Mutex<Order>,
    capacity: usize,
}

struct Entry {
    snapshot: Arc<Snapshot>,
    places: Places,
    /// The fill that read the snapshot.
    fill: Fill,
    number: u64,
    /// Whether the entry was read since its last turn to go.
    is_used: AtomicBool,
}

#[derive(Default)]
struct Order {
    places: VecDeque<(KeyId, u64)>,
    /// The number of the next entry.
    next: u64,
}

impl Entries {
    pub(super) fn new(capacity: usize, stamps: Arc<Stamps>) -> Self {
        Self {
            found: HashMap::default(),
            absent: HashMap::default(),
            stamps,
            order: Mutex::default(),
            capacity,
        }
    }

    /// Shows `look` the snapshot of a key, or that there is no such key, and returns its result;
    /// `None` if nothing is known.
    ///
    /// It takes no lock. It writes only at the first use of an entry after its turn to go.
    pub(super) fn look<T>(
        &self,
        key: &KeyId,
        look: impl FnOnce(Option<&Arc<Snapshot>>) -> T,
    ) -> Option<T> {
        let found = self.found.pin();
        if let Some(entry) = found.get(key) {
            if !self.stamps.has_kept(entry.places, entry.fill.0) {
                return None;
            }
            if !entry.is_used.load(Ordering::Relaxed) {
                entry.is_used.store(true, Ordering::Relaxed);
            }
            return Some(look(Some(&entry.snapshot)));
        }
        let fill = *self.absent.pin().get(key)?;
        self.stamps.has_kept_rest(fill.0).then(|| look(None))
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Keeps the answer of a fill in place of an earlier one. Only one call may run at a time.
    pub(super) fn keep(&self, key: KeyId, fill: Fill, found: Option<(&Arc<Snapshot>, Places)>) {
        let Some((snapshot, places)) = found else {
            let absent = self.absent.pin();
            if absent.len() >= MOST_ABSENT {
                absent.clear();
            }
            absent.insert(key, fill);
            self.found.pin().remove(&key);
            return;
        };
        let entries = self.found.pin();
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.get(&key).map(|entry| entry.number);
        let number = known.unwrap_or_else(|| {
            self.make_room(&mut order.places);
            order.next += 1;
            let number = order.next;
            order.places.push_back((key, number));
            number
        });
        let is_used = AtomicBool::new(false);
        let snapshot = Arc::clone(snapshot);
        entries.insert(key, Entry { snapshot, places, fill, number, is_used });
        self.absent.pin().remove(&key);
    }

    /// Makes room for another key. The first key in the order goes, unless it was used since its last
    /// turn.
    ///
    /// Each call takes at least two places, so that the places of removed keys stay few.
    fn make_room(&self, places: &mut VecDeque<(KeyId, u64)>) {
        let entries = self.found.pin();
        for turn in 0_usize.. {
            let is_full = entries.len() >= self.capacity;
            if turn >= 2 && !is_full {
                return;
            }
            let Some((key, number)) = places.pop_front() else { return };
            let entry = entries.get(&key).filter(|entry| entry.number == number);
            let Some(entry) = entry else { continue };
            let stays = !is_full || turn < MOST_TURNS && entry.is_used.load(Ordering::Relaxed);
            if !stays {
                entries.remove(&key);
                continue;
            }
            if is_full {
                entry.is_used.store(false, Ordering::Relaxed);
            }
            places.push_back((key, number));
        }
    }

    pub(super) fn remove(&self, keys: &[KeyId]) {
        let (found, absent) = (self.found.pin(), self.absent.pin());
        for key in keys {
            found.remove(key);
            absent.remove(key);
        }
    }

    /// Removes all entries. An entry that is kept at the same time may stay or go.
    pub(super) fn clear(&self) {
        self.found.pin().clear();
        self.absent.pin().clear();
    }
}
