//! The shards whose oldest changes are to be deleted.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::shard::Commit;

/// The number of commits of a shard after which its oldest changes are deleted.
const FORGET_EVERY: i64 = 256;

/// The shards whose oldest changes are to be deleted.
#[derive(Debug, Default)]
pub(super) struct Retention(Mutex<BTreeSet<i16>>);

impl Retention {
    /// Notes a commit.
    pub(super) fn note(&self, commit: Commit) {
        if commit.epoch % FORGET_EVERY == 0 {
            self.due().insert(commit.shard);
        }
    }

    pub(super) fn due(&self) -> MutexGuard<'_, BTreeSet<i16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
