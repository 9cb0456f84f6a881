//! The store's state: commits in order, of which the last ones can be lost.

use std::time::Duration;

use keywright::{KeyId, TenantId};

use crate::store::{Changes, Epoch, Subject};
use common::Random;

pub(super) const KEYS: usize = 4;

/// The number of a commit. Numbers of lost commits are never reused.
pub(super) type Id = usize;

/// The records that a commit touches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Touched {
    Key(usize),
    /// A policy, and therefore every key.
    All,
}

impl Touched {
    pub(super) fn touches(self, key: usize) -> bool {
        match self {
            Self::Key(touched) => touched == key,
            Self::All => true,
        }
    }

    fn subject(self) -> Subject {
        match self {
            Self::Key(key) => Subject::Key(key_id(key)),
            Self::All => Subject::Policy(TenantId::default()),
        }
    }
}

/// The way in which a store numbers its commits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Numbering {
    /// Consecutive numbers: a loss shows only as fewer commits than before.
    Counted,
    /// Random parts: the store recognizes numbers that it did not assign.
    Drawn,
}

struct Commit {
    epoch: u64,
    touched: Touched,
    acknowledged: Option<Duration>,
    /// The position in the history, unless the commit is lost.
    place: usize,
    lost: Option<Loss>,
}

struct Loss {
    /// The number of the loss.
    number: usize,
    /// The number of present commits that came before the lost one.
    shared: usize,
}

/// All commits of the store.
pub(super) struct History {
    numbering: Numbering,
    commits: Vec<Commit>,
    /// The commits that are not lost, in order.
    line: Vec<Id>,
    losses: usize,
}

impl History {
    pub(super) fn new(numbering: Numbering) -> Self {
        Self { numbering, commits: Vec::new(), line: Vec::new(), losses: 0 }
    }

    pub(super) fn numbering(&self) -> Numbering {
        self.numbering
    }

    pub(super) fn losses(&self) -> usize {
        self.losses
    }

    pub(super) fn commit(&mut self, touched: Touched, random: &mut Random) -> Id {
        let place = self.line.len();
        let number = place as u64 + 1;
        let epoch = match self.numbering {
            Numbering::Counted => number,
            Numbering::Drawn => number << 20 | random.number() >> 44,
        };
        let id = self.commits.len();
        self.commits.push(Commit { epoch, touched, acknowledged: None, place, lost: None });
        self.line.push(id);
        id
    }

    pub(super) fn touched(&self, id: Id) -> Touched {
        self.commits[id].touched
    }

    pub(super) fn acknowledge(&mut self, id: Id, now: Duration) {
        self.commits[id].acknowledged = Some(now);
    }

    /// Replaces the server by one that lacks the last commits.
    pub(super) fn lose(&mut self, last: usize) {
        let left = self.line.len().saturating_sub(last);
        if left == self.line.len() {
            return;
        }
        self.losses += 1;
        for id in self.line.split_off(left) {
            self.commits[id].lost = Some(Loss { number: self.losses, shared: left });
        }
        for loss in self.commits.iter_mut().filter_map(|commit| commit.lost.as_mut()) {
            loss.shared = loss.shared.min(left);
        }
    }

    fn epoch(&self) -> u64 {
        self.line.last().map_or(0, |id| self.commits[*id].epoch)
    }

    /// Returns whether the epoch belongs to a present commit, or to the empty state before the
    /// first one.
    pub(super) fn knows(&self, epoch: Epoch) -> bool {
        let has_it = |id: &Id| self.commits[*id].epoch == epoch.0;
        epoch.0 == 0 || self.line.iter().any(has_it)
    }

    /// Returns the store's answer for the changes since an epoch.
    pub(super) fn changes(&self, since: Epoch) -> Changes {
        let newer = self.line.iter().filter(|id| self.commits[**id].epoch > since.0);
        let touched = newer.map(|id| self.touched(*id).subject()).collect();
        let tells = self.numbering == Numbering::Counted || self.knows(since);
        Changes { epoch: Epoch(self.epoch()), touched: tells.then_some(touched) }
    }

    /// Returns the last commit of a key.
    pub(super) fn state(&self, key: usize) -> Option<Id> {
        self.line.iter().rev().find(|id| self.touched(**id).touches(key)).copied()
    }

    /// Returns whether the state that was read includes all present commits of the key for which
    /// `matters` is true.
    pub(super) fn reflects(
        &self,
        key: usize,
        read: Option<Id>,
        matters: impl Fn(Id) -> bool,
    ) -> bool {
        let reach = read.map_or(0, |id| {
            let commit = &self.commits[id];
            commit.lost.as_ref().map_or(commit.place + 1, |loss| loss.shared)
        });
        !self.line[reach..].iter().any(|id| self.touched(*id).touches(key) && matters(*id))
    }

    pub(super) fn is_acknowledged_before(&self, id: Id, moment: Duration) -> bool {
        self.commits[id].acknowledged.is_some_and(|acknowledged| acknowledged < moment)
    }

    /// Returns the number of the loss in which the commit was lost.
    pub(super) fn lost_by(&self, id: Id) -> Option<usize> {
        self.commits[id].lost.as_ref().map(|loss| loss.number)
    }
}

pub(super) fn key_id(key: usize) -> KeyId {
    format!("{key:016}").parse().expect("an id")
}
