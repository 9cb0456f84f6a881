//! The keys of one owner, in the order of creation, and the keys that can be live.

use super::sorted::Sorted;
use crate::record::key::Key;
use crate::value::id::KeyId;
use crate::value::time::{NEVER, Timestamp};

/// The keys of one owner.
///
/// Most owners have few keys. They are in one small piece of memory, and are looked at one by one.
pub(super) enum Owned {
    /// The keys in the order of creation.
    Few(Vec<Item>),
    Many(Box<Many>),
}

/// The most keys that are looked at one by one.
const FEW: usize = 64;

pub(super) struct Item {
    created_at: Timestamp,
    id: KeyId,
    /// The expiry in microseconds: [`NEVER`] if there is none, and [`REVOKED`] if the key is revoked.
    ends: i64,
}

#[derive(Default)]
pub(super) struct Many {
    /// The keys in the order of creation.
    keys: Sorted<(Timestamp, KeyId)>,
    /// The keys that are not revoked, by their expiry in microseconds; [`NEVER`] if they have no
    /// expiry.
    unrevoked: Sorted<(i64, KeyId)>,
}

/// The end of a revoked key: before every time.
const REVOKED: i64 = i64::MIN;

impl Default for Owned {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Owned {
    pub(super) fn insert(&mut self, key: &Key) {
        if let Self::Few(items) = self
            && items.len() == FEW
        {
            *self = Self::Many(Box::new(Many::of(items)));
        }
        let item = Item::of(key);
        match self {
            Self::Many(many) => many.insert(&item),
            Self::Few(items) => {
                let Err(place) = items.binary_search_by_key(&item.place(), Item::place) else {
                    return;
                };
                if items.len() == items.capacity() {
                    items.reserve_exact((items.len() / 4).max(1));
                }
                items.insert(place, item);
            }
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        match self {
            Self::Many(many) => many.remove(&Item::of(key)),
            Self::Few(items) => {
                if let Ok(place) =
                    items.binary_search_by_key(&(key.created_at, key.id), Item::place)
                {
                    items.remove(place);
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all keys, dead keys included, oldest first.
    pub(super) fn keys(&self) -> impl DoubleEndedIterator<Item = &KeyId> {
        let (few, many) = self.parts();
        let many = many.into_iter().flat_map(|many| many.keys.iter());
        few.iter().map(|item| &item.id).chain(many.map(|(_, id)| id))
    }

    /// Returns the number of all keys, dead keys included.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(items) => items.len(),
            Self::Many(many) => many.keys.len(),
        }
    }

    /// Returns the keys that are live at a time. It skips the dead ones of many keys by the index,
    /// because an owner can have any number of them.
    pub(super) fn live_keys(&self, at: Timestamp) -> impl Iterator<Item = &KeyId> {
        let (few, many) = self.parts();
        let few = few.iter().filter(move |item| item.ends > at.unix_micros());
        let many = many.into_iter().flat_map(move |many| many.unrevoked.from(first_live(at)));
        few.map(|item| &item.id).chain(many.map(|(_, id)| id))
    }

    /// Returns the number of keys that are live at a time.
    pub(super) fn count_live(&self, at: Timestamp) -> usize {
        match self {
            Self::Few(_) => self.live_keys(at).count(),
            Self::Many(many) => many.unrevoked.count_from(first_live(at)),
        }
    }

    fn parts(&self) -> (&[Item], Option<&Many>) {
        match self {
            Self::Few(items) => (items, None),
            Self::Many(many) => (&[], Some(many)),
        }
    }
}

impl Item {
    fn of(key: &Key) -> Self {
        let ends = if key.revoked_at.is_some() { REVOKED } else { end(key) };
        Self { created_at: key.created_at, id: key.id, ends }
    }

    fn place(&self) -> (Timestamp, KeyId) {
        (self.created_at, self.id)
    }
}

impl Many {
    fn of(items: &[Item]) -> Self {
        let mut many = Self::default();
        for item in items {
            many.insert(item);
        }
        many
    }

    fn insert(&mut self, item: &Item) {
        self.keys.insert(item.place());
        if item.ends != REVOKED {
            self.unrevoked.insert((item.ends, item.id));
        }
    }

    fn remove(&mut self, item: &Item) {
        self.keys.remove(&item.place());
        self.unrevoked.remove(&(item.ends, item.id));
    }
}

/// The number of keys that can be live, by their expiry.
#[derive(Default)]
pub(super) struct Live {
    /// The number of keys that are not revoked and never expire.
    endless: u64,
    /// The expiry in microseconds of each other key that is not revoked.
    ending: Sorted<i64>,
}

impl Live {
    pub(super) fn insert(&mut self, key: &Key) {
        if key.revoked_at.is_some() {
            return;
        }
        match key.expires_at {
            Some(_) => self.ending.insert_again(end(key)),
            None => self.endless += 1,
        }
    }

    /// Removes a key that was inserted in the same state.
    pub(super) fn remove(&mut self, key: &Key) {
        if key.revoked_at.is_some() {
            return;
        }
        match key.expires_at {
            Some(_) => self.ending.remove(&end(key)),
            None => self.endless = self.endless.saturating_sub(1),
        }
    }

    /// Returns the number of keys that are live at a time.
    pub(super) fn count(&self, at: Timestamp) -> u64 {
        self.endless + self.ending.count_from(first_end(at)) as u64
    }
}

/// Returns the expiry of a key in microseconds.
fn end(key: &Key) -> i64 {
    key.expires_at.map_or(NEVER, Timestamp::unix_micros)
}

/// Returns the first place by expiry at which a key is live.
fn first_live(at: Timestamp) -> (i64, KeyId) {
    (first_end(at), KeyId::FIRST)
}

/// Returns the first expiry of a key that is live. At its expiry, it no longer is.
fn first_end(at: Timestamp) -> i64 {
    at.unix_micros() + 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::sample;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).expect("a time")
    }

    fn key(expires: Option<Timestamp>, revoked: bool) -> Key {
        let revoked_at = revoked.then(|| time(1));
        Key { expires_at: expires, revoked_at, ..sample::key() }
    }

    #[test]
    fn dead_keys_are_skipped_unread() {
        let mut owned = Owned::default();
        let dead = (0..1_000).map(|n| key((n % 2 == 0).then(|| time(n)), n % 2 == 1));
        let live = [None, Some(time(1_001)), Some(Timestamp::MAX)].map(|end| key(end, false));
        for key in dead.chain(live.clone()) {
            owned.insert(&key);
        }
        // `live_keys` does not filter, so this also shows that it visits no dead key.
        let found: BTreeSet<_> = owned.live_keys(time(1_000)).copied().collect();
        assert_eq!(found, live.iter().map(|key| key.id).collect());
        assert_eq!((owned.keys().count(), owned.count_live(time(1_000))), (1_003, 3));
    }

    #[test]
    fn few_and_many_keys_answer_alike() {
        let mut owned = Owned::default();
        let mut live = Live::default();
        let mut keys: Vec<Key> = Vec::new();
        for n in 0..200 {
            let mut key = key((n % 3 > 0).then(|| time(n)), n % 5 == 0);
            key.created_at = time(n / 2 * 7 % 31);
            owned.insert(&key);
            live.insert(&key);
            keys.push(key);
            if n % 4 == 3 {
                let gone = keys.swap_remove(usize::try_from(n / 4).expect("a few"));
                owned.remove(&gone);
                live.remove(&gone);
            }
            keys.sort_by_key(|key| (key.created_at, key.id));
            assert!(owned.keys().eq(keys.iter().map(|key| &key.id)));
            for at in [time(0), time(n / 2), time(n)] {
                let alive = keys.iter().filter(|key| key.status(at).is_live()).map(|key| key.id);
                let alive: BTreeSet<_> = alive.collect();
                assert_eq!(owned.live_keys(at).copied().collect::<BTreeSet<_>>(), alive);
                assert_eq!(owned.count_live(at), alive.len());
                assert_eq!(live.count(at), alive.len() as u64);
            }
        }
    }

    #[test]
    fn key_is_live_until_its_expiry() {
        let mut owned = Owned::default();
        let ending = key(Some(time(5)), false);
        owned.insert(&ending);
        let before = Timestamp::from_unix_micros(4_999_999).expect("a time");
        for (at, live) in [(Timestamp::MIN, 1), (before, 1), (time(5), 0), (Timestamp::MAX, 0)] {
            assert_eq!(owned.live_keys(at).count(), live, "at {at}");
            assert_eq!(ending.status(at).is_live(), live == 1, "at {at}");
        }
        owned.remove(&ending);
        assert_eq!((owned.live_keys(time(0)).count(), owned.is_empty()), (0, true));
    }
}
