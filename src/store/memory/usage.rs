//! The usage of the keys that were ever used.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::record::usage::{PackedUsage, Usage};
use crate::value::id::KeyId;

/// The number of parts. A part that grows is copied, and the tables are locked meanwhile, so the
/// parts are small.
const PARTS: usize = 64;

/// The usage of keys, in parts by ranges of ids. A flush comes in the order of the ids, so it reads and
/// writes one part after the other. A key without usage takes no memory.
pub(in crate::store) struct UsageTable([HashMap<KeyId, PackedUsage, RandomState>; PARTS]);

impl Default for UsageTable {
    fn default() -> Self {
        Self(std::array::from_fn(|_| HashMap::default()))
    }
}

impl UsageTable {
    /// Returns the usage of a key. A key that was never used has the default.
    pub(super) fn get(&self, key: &KeyId) -> Usage {
        self.stored(key).unwrap_or_default()
    }

    /// Returns the usage of a key that was used.
    pub(super) fn stored(&self, key: &KeyId) -> Option<Usage> {
        self.0[key.stripe(PARTS)].get(key).map(PackedUsage::unpack)
    }

    pub(super) fn insert(&mut self, key: KeyId, usage: &Usage) {
        self.0[key.stripe(PARTS)].insert(key, PackedUsage::of(usage));
    }

    pub(super) fn remove(&mut self, key: &KeyId) {
        self.0[key.stripe(PARTS)].remove(key);
    }
}
