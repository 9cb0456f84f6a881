//! The commits that this store has seen in answers, and that may be newer than the marker of a cache.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::shard::{Commit, Place};
use crate::store::error::StoreError;

/// The most commits to remember. A cache that has not checked an older one is told to forget everything.
const MAX: usize = 4_096;

/// The commits that were seen, in the order in which they were.
///
/// A cache fills itself with the answers of the store. An answer may show a commit that the cache's marker
/// does not include yet. If the server then loses that commit, the marker alone does not prove the loss.
/// One later commit does not prove it either, as it may belong to another history. So each is checked.
///
/// Several caches may ask one store. The marker of each says which of these commits it has checked.
#[derive(Debug)]
pub(super) struct Seen {
    /// A random number, which tells the markers of this store from those of others.
    store: u64,
    commits: Mutex<Commits>,
}

#[derive(Debug, Default)]
struct Commits {
    /// The commits, by a number that counts up.
    seen: BTreeMap<u64, Commit>,
    /// The numbers of the commits that need no other one if they are seen again.
    numbers: HashMap<Commit, u64>,
    last: u64,
    /// The number of the newest commit that is no longer remembered.
    forgotten: u64,
}

/// The commits that a cache has to check.
#[derive(Debug)]
pub(super) struct Unchecked {
    pub(super) commits: Vec<Commit>,
    /// The place of the cache after that.
    pub(super) place: Place,
    /// Whether there were more than are remembered.
    pub(super) is_incomplete: bool,
}

impl Seen {
    pub(super) fn new() -> Result<Self, StoreError> {
        let store = getrandom::u64().map_err(|error| {
            StoreError::unavailable("the system gave no random number").with_source(error)
        })?;
        Ok(Self { store, commits: Mutex::default() })
    }

    /// Notes a commit that an answer shows.
    pub(super) fn note(&self, commit: Commit) {
        self.lock().note(commit);
    }

    /// Notes a commit that this store has written after `last`. A table that has it also has `last`, which
    /// then needs no check.
    pub(super) fn note_own(&self, last: Commit, commit: Commit) {
        let mut commits = self.lock();
        if let Some(number) = commits.numbers.remove(&last) {
            commits.seen.remove(&number);
        }
        commits.note(commit);
    }

    /// Returns the commits that a cache with this place has not checked.
    pub(super) fn since(&self, place: Place) -> Unchecked {
        let commits = self.lock();
        let checked = if place.store == self.store { place.number } else { 0 };
        Unchecked {
            commits: commits.seen.range(checked + 1..).map(|(_, commit)| *commit).collect(),
            place: Place { store: self.store, number: commits.last },
            is_incomplete: commits.forgotten > checked,
        }
    }

    /// Notes that the database does not have a commit. If an answer shows it again, it is checked again.
    pub(super) fn note_lost(&self, commit: &Commit) {
        self.lock().numbers.remove(commit);
    }

    fn lock(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Commits {
    fn note(&mut self, commit: Commit) {
        if self.numbers.contains_key(&commit) {
            return;
        }
        self.last += 1;
        self.seen.insert(self.last, commit);
        self.numbers.insert(commit, self.last);
        if self.seen.len() > MAX
            && let Some((number, oldest)) = self.seen.pop_first()
        {
            self.forgotten = number;
            if self.numbers.get(&oldest) == Some(&number) {
                self.numbers.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(epoch: i64) -> Commit {
        Commit { shard: 1, epoch, mark: 7 }
    }

    #[test]
    fn own_commits_need_one_check() {
        let seen = Seen::new().expect("a random number");
        for epoch in 0..10_000 {
            seen.note_own(commit(epoch), commit(epoch + 1));
        }
        let unchecked = seen.since(Place::default());
        assert_eq!(unchecked.commits, [commit(10_000)]);
        assert!(!unchecked.is_incomplete);
        assert!(seen.since(unchecked.place).commits.is_empty());
    }

    #[test]
    fn lost_commit_is_checked_again() {
        let seen = Seen::new().expect("a random number");
        seen.note(commit(1));
        let checked = seen.since(Place::default()).place;
        seen.note(commit(1));
        assert!(seen.since(checked).commits.is_empty());
        seen.note_lost(&commit(1));
        seen.note(commit(1));
        assert_eq!(seen.since(checked).commits, [commit(1)]);
        assert_eq!(seen.since(Place::default()).commits, [commit(1), commit(1)]);
    }

    #[test]
    fn too_many_commits_are_incomplete() {
        let seen = Seen::new().expect("a random number");
        seen.note(commit(0));
        let first = seen.since(Place::default()).place;
        seen.note(commit(1));
        let second = seen.since(first).place;
        for epoch in 2..2 + i64::try_from(MAX).expect("it fits") {
            seen.note(commit(epoch));
        }
        assert!(seen.since(first).is_incomplete);
        let unchecked = seen.since(second);
        assert!(!unchecked.is_incomplete);
        assert_eq!(unchecked.commits.len(), MAX);
    }
}
