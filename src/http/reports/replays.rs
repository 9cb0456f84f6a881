//! The ids of the reports that were answered, until their timestamps are stale.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::value::time::Timestamp;

/// The maximum number of remembered ids. Beyond it no id is remembered, and a replayed report changes
/// nothing instead of being refused.
const MAX_IDS: usize = 10_000;

/// The ids of answered reports, each with the time from which its report is stale.
#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<HashMap<String, Timestamp>>);

impl Replays {
    /// Returns whether a report with this id was answered.
    pub(super) fn has(&self, id: &str, now: Timestamp) -> bool {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.get(id).is_some_and(|stale_at| !stale_at.has_passed(now))
    }

    /// Remembers the id of an answered report.
    pub(super) fn remember(&self, id: String, stale_at: Timestamp, now: Timestamp) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() >= MAX_IDS {
            ids.retain(|_, stale_at| !stale_at.has_passed(now));
        }
        if ids.len() < MAX_IDS {
            ids.insert(id, stale_at);
        }
    }
}
