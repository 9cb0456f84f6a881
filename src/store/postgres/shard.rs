//! The shards of tenants, and the commits of a shard.
//!
//! A commit belongs to the shard of its tenant. The commits of a shard happen one after another, and each
//! has a row in the table `changes`. The primary key of that table lets only one commit insert the row
//! after the last one.

use crate::store::batch::Batch;
use crate::store::changes::Marker;
use crate::value::id::TenantId;

/// The number of shards. It belongs to the format of the tables.
pub(in crate::store) const SHARDS: i16 = 64;

/// The mark of a commit of which only the epoch is known. No commit has it, as no mark is negative.
const NO_MARK: i32 = -1;

/// The number of bytes of a commit in a marker.
const ENCODED: usize = 12;

/// The number of bytes of a place, at the end of a marker.
const ENCODED_PLACE: usize = 16;

/// Returns the shard of a tenant. All versions and machines must agree on it, so the hash is a CRC-32.
pub(super) fn shard_of(tenant: &TenantId) -> i16 {
    let hash = crc32fast::hash(tenant.as_str().as_bytes());
    i16::try_from(hash % u32::from(SHARDS.unsigned_abs())).unwrap_or_default()
}

/// A commit, or the beginning of a shard, which has the epoch 0.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Commit {
    pub(super) shard: i16,
    /// The number of the commit in its shard.
    pub(super) epoch: i64,
    /// A random number. A server that has lost commits and made others with the same epochs has other
    /// marks, so a cache notices the loss.
    pub(super) mark: i32,
}

impl Commit {
    /// Returns whether only the epoch is known, because the commit is that of the default marker.
    pub(super) fn is_unmarked(self) -> bool {
        self.mark == NO_MARK
    }
}

/// The number of commits that a cache has checked of those that a store has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The store, as a random number.
    pub(super) store: u64,
    /// The number of the last commit, in the order in which the store has seen them.
    pub(super) number: u64,
}

/// The batches of a group that belong to one shard.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) shard: i16,
    pub(super) batches: Vec<Batch>,
}

/// Returns the last commit of each shard that a marker includes, and what its cache has checked; `None` if
/// it is the marker of another store.
pub(super) fn known_of(marker: &Marker) -> Option<(Vec<Commit>, Place)> {
    let bytes = marker.as_bytes();
    if bytes.is_empty() {
        let begin = |shard| Commit { shard, epoch: 0, mark: NO_MARK };
        return Some(((0..SHARDS).map(begin).collect(), Place::default()));
    }
    let (commits, place) = bytes.split_last_chunk::<ENCODED_PLACE>()?;
    let (chunks, []) = commits.as_chunks::<ENCODED>() else { return None };
    if chunks.len() != usize::from(SHARDS.unsigned_abs()) {
        return None;
    }
    let decode = |(shard, [a, b, c, d, e, f, g, h, mark @ ..]): (i16, &[u8; ENCODED])| Commit {
        shard,
        epoch: i64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        mark: i32::from_be_bytes(*mark),
    };
    let place = u128::from_be_bytes(*place);
    let [store, number] = [place >> 64, place & u128::from(u64::MAX)];
    let [store, number] = [store, number].map(|half| u64::try_from(half).unwrap_or_default());
    Some(((0..SHARDS).zip(chunks).map(decode).collect(), Place { store, number }))
}

/// Returns the marker that includes the commits of each shard up to one, in the order of the shards.
pub(super) fn marker_of(commits: &[Commit], place: Place) -> Marker {
    let bytes = commits
        .iter()
        .flat_map(|commit| commit.epoch.to_be_bytes().into_iter().chain(commit.mark.to_be_bytes()));
    let place = place.store.to_be_bytes().into_iter().chain(place.number.to_be_bytes());
    Marker::new(bytes.chain(place).collect::<Vec<u8>>())
}
