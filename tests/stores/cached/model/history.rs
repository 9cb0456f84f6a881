//! The store's state: the commits of two shards, each in order, of which the last ones can be lost.

use std::time::Duration;

use keywright::{KeyId, Owner, TenantId, UserId};

use crate::store::{Changes, Marker, Subject};
use common::Random;

/// Two keys for each of three tenants, each key of another user.
pub(super) const KEYS: usize = 6;

/// The first and the third tenant share a shard.
const SHARDS: usize = 2;

/// The number of a commit. Numbers of lost commits are never reused.
pub(super) type Id = usize;

/// The records that a commit touches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Touched {
    Key(usize),
    /// The record of the user that owns a key.
    OwnerOf(usize),
    /// The policy of a key's tenant, and therefore every key of the tenant.
    PolicyOf(usize),
}

impl Touched {
    pub(super) fn draw(random: &mut Random) -> Self {
        let key = random.below(KEYS);
        match random.below(10) {
            0 => Self::PolicyOf(key),
            1 => Self::OwnerOf(key),
            _ => Self::Key(key),
        }
    }

    pub(super) fn touches(self, key: usize) -> bool {
        match self {
            Self::Key(touched) | Self::OwnerOf(touched) => touched == key,
            Self::PolicyOf(other) => other / 2 == key / 2,
        }
    }

    pub(super) fn subject(self) -> Subject {
        match self {
            Self::Key(key) => Subject::Key(key_id(key)),
            Self::OwnerOf(key) => Subject::User(tenant_of(key), user_of(key)),
            Self::PolicyOf(key) => Subject::Policy(tenant_of(key)),
        }
    }

    fn shard(self) -> usize {
        match self {
            Self::Key(key) | Self::OwnerOf(key) | Self::PolicyOf(key) => shard_of(key),
        }
    }
}

/// The way in which a store numbers the commits of a shard.
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
    /// The position in the log that a standby receives. Only the commits of one shard have the order
    /// in which they became visible.
    logged: usize,
    /// The position in the shard, unless the commit is lost.
    place: usize,
    lost: Option<Loss>,
}

struct Loss {
    /// The number of the loss.
    number: usize,
    /// The number of present commits of the shard that came before the lost one.
    shared: usize,
}

/// All commits of the store.
pub(super) struct History {
    numbering: Numbering,
    commits: Vec<Commit>,
    /// The commits of each shard that are not lost, in order.
    shards: [Vec<Id>; SHARDS],
    losses: usize,
}

impl History {
    pub(super) fn new(numbering: Numbering) -> Self {
        Self { numbering, commits: Vec::new(), shards: Default::default(), losses: 0 }
    }

    pub(super) fn numbering(&self) -> Numbering {
        self.numbering
    }

    pub(super) fn losses(&self) -> usize {
        self.losses
    }

    pub(super) fn commit(&mut self, touched: Touched, random: &mut Random) -> Id {
        let id = self.commits.len();
        let shard = &mut self.shards[touched.shard()];
        let place = shard.len();
        let number = place as u64 + 1;
        let epoch = match self.numbering {
            Numbering::Counted => number,
            Numbering::Drawn => number << 20 | random.number() >> 44,
        };
        // Commits of two shards overlap, so the log may have them in another order.
        let after = shard.last().map_or(0, |last| self.commits[*last].logged + 1);
        let logged = (10 * id + random.below(30)).max(after);
        shard.push(id);
        let lost = None;
        self.commits.push(Commit { epoch, touched, acknowledged: None, logged, place, lost });
        id
    }

    pub(super) fn touched(&self, id: Id) -> Touched {
        self.commits[id].touched
    }

    pub(super) fn acknowledge(&mut self, id: Id, now: Duration) {
        self.commits[id].acknowledged = Some(now);
    }

    /// Replaces the server by one that lacks the last commits of the log.
    pub(super) fn lose(&mut self, newest: usize) {
        let mut log: Vec<Id> = self.shards.iter().flatten().copied().collect();
        log.sort_by_key(|id| self.commits[*id].logged);
        let lost = log.split_off(log.len().saturating_sub(newest));
        if lost.is_empty() {
            return;
        }
        self.losses += 1;
        for shard in &mut self.shards {
            let left = shard.iter().take_while(|id| !lost.contains(id)).count();
            let end = shard.split_off(left);
            assert!(end.iter().all(|id| lost.contains(id)), "the log has the order of the shard");
            let Some(first) = end.first() else { continue };
            let of_shard = self.commits[*first].touched.shard();
            for id in end {
                self.commits[id].lost = Some(Loss { number: self.losses, shared: left });
            }
            let commits = self.commits.iter_mut();
            let commits = commits.filter(|commit| commit.touched.shard() == of_shard);
            for loss in commits.filter_map(|commit| commit.lost.as_mut()) {
                loss.shared = loss.shared.min(left);
            }
        }
    }

    fn last(&self, shard: usize) -> u64 {
        self.shards[shard].last().map_or(0, |id| self.commits[*id].epoch)
    }

    fn knows_in(&self, shard: usize, epoch: u64) -> bool {
        let has_it = |id: &Id| self.commits[*id].epoch == epoch;
        epoch == 0 || self.shards[shard].iter().any(has_it)
    }

    /// Returns whether the marker is that of present commits, or of the empty state before the first
    /// one, in each shard.
    pub(super) fn knows(&self, marker: &Marker) -> bool {
        (0..SHARDS).all(|shard| self.knows_in(shard, epoch_in(marker, shard)))
    }

    /// Returns the store's answer for the changes since a marker.
    pub(super) fn changes(&self, since: &Marker) -> Changes {
        self.changes_with_checks(since, SHARDS)
    }

    /// Returns the answer of a store that looks for losses in the first shards only.
    pub(super) fn changes_with_checks(&self, since: &Marker, checked: usize) -> Changes {
        let mut changes = Changes { at: self.marker(), touched: Some(Vec::new()), has_lost: false };
        for (shard, ids) in self.shards.iter().enumerate() {
            let (known, last) = (epoch_in(since, shard), self.last(shard));
            let tells = self.numbering == Numbering::Counted || self.knows_in(shard, known);
            if shard < checked {
                changes.has_lost |= last < known || last == known && !tells;
                changes.touched = changes.touched.filter(|_| tells);
            }
            let newer = ids.iter().filter(|id| self.commits[**id].epoch > known);
            if let Some(touched) = &mut changes.touched {
                touched.extend(newer.map(|id| self.touched(*id).subject()));
            }
        }
        changes
    }

    fn marker(&self) -> Marker {
        let epochs = (0..SHARDS).map(|shard| self.last(shard).to_be_bytes());
        Marker::new(epochs.collect::<Vec<_>>().concat())
    }

    /// Returns the last commit of a key.
    pub(super) fn state(&self, key: usize) -> Option<Id> {
        let shard = &self.shards[shard_of(key)];
        shard.iter().rev().find(|id| self.touched(**id).touches(key)).copied()
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
        let later = &self.shards[shard_of(key)][reach..];
        !later.iter().any(|id| self.touched(*id).touches(key) && matters(*id))
    }

    pub(super) fn is_acknowledged_before(&self, id: Id, moment: Duration) -> bool {
        self.commits[id].acknowledged.is_some_and(|acknowledged| acknowledged < moment)
    }

    /// Returns the number of the loss in which the commit was lost.
    pub(super) fn lost_by(&self, id: Id) -> Option<usize> {
        self.commits[id].lost.as_ref().map(|loss| loss.number)
    }
}

fn epoch_in(marker: &Marker, shard: usize) -> u64 {
    let epochs = marker.as_bytes().as_chunks().0;
    epochs.get(shard).copied().map_or(0, u64::from_be_bytes)
}

fn shard_of(key: usize) -> usize {
    key / 2 % SHARDS
}

pub(super) fn key_id(key: usize) -> KeyId {
    format!("{key:016}").parse().expect("an id")
}

pub(super) fn tenant_of(key: usize) -> TenantId {
    format!("tenant-{}", key / 2).parse().expect("an id")
}

fn user_of(key: usize) -> UserId {
    format!("user-{key}").parse().expect("an id")
}

pub(super) fn owner_of(key: usize) -> Owner {
    Owner::User(user_of(key))
}
