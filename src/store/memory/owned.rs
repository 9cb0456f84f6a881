//! The keys of one owner, in the order of creation, with an index of the keys that can be live.

use std::collections::BTreeSet;

use crate::record::key::Key;
use crate::value::id::KeyId;
use crate::value::time::Timestamp;

#[derive(Default)]
pub(super) struct Owned {
    /// The keys in the order of creation.
    keys: BTreeSet<(Timestamp, KeyId)>,
    /// The keys that are not revoked, by their expiry in microseconds; [`NEVER`] if they have no
    /// expiry.
    unrevoked: BTreeSet<(i64, KeyId)>,
}

/// The expiry of a key that never expires: later than every time.
const NEVER: i64 = i64::MAX;

impl Owned {
    pub(super) fn insert(&mut self, key: &Key) {
        self.keys.insert((key.created_at, key.id));
        if key.revoked_at.is_none() {
            self.unrevoked.insert(place(key));
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.keys.remove(&(key.created_at, key.id));
        self.unrevoked.remove(&place(key));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns all keys, dead keys included, oldest first.
    pub(super) fn keys(&self) -> impl DoubleEndedIterator<Item = &KeyId> {
        self.keys.iter().map(|(_, id)| id)
    }

    /// Returns the number of all keys, dead keys included.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the keys that are live at a time. It skips dead keys by the index, because an owner
    /// can have any number of them.
    pub(super) fn live_keys(&self, at: Timestamp) -> impl Iterator<Item = &KeyId> {
        // At its expiry, a key is no longer live.
        let first = (at.unix_micros() + 1, KeyId::FIRST);
        self.unrevoked.range(first..).map(|(_, id)| id)
    }
}

fn place(key: &Key) -> (i64, KeyId) {
    (key.expires_at.map_or(NEVER, Timestamp::unix_micros), key.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::admin_limits::AdminLimits;
    use crate::record::key::Owner;
    use crate::value::metadata::Metadata;
    use crate::value::name::Name;
    use crate::value::network::Networks;
    use crate::value::random::Random;
    use crate::value::scope::ScopeSet;
    use crate::value::token::Prefix;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).expect("a time")
    }

    fn key(expires: Option<Timestamp>, revoked: bool) -> Key {
        let alice: crate::value::id::UserId = "alice".parse().expect("a user");
        Key {
            id: KeyId::generate(&Random::system()).expect("random numbers"),
            tenant: "globex".parse().expect("a tenant"),
            owner: Owner::User(alice.clone()),
            name: Name::new("a key").expect("a name"),
            prefix: Prefix::default(),
            scopes: ScopeSet::empty(),
            networks: Networks::anywhere(),
            rate: None,
            admin_limits: AdminLimits::default(),
            description: None,
            contact: None,
            metadata: Metadata::default(),
            created_at: time(0),
            created_by: alice,
            updated_at: time(0),
            not_before: None,
            expires_at: expires,
            disabled: false,
            revoked_at: revoked.then(|| time(1)),
            rotated_at: None,
            overlap_ends_at: None,
            secret_number: 1,
            version: 1,
        }
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
        assert_eq!(owned.keys().count(), 1_003);
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
