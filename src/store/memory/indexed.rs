//! An index that lists build slice by slice, while keys change between two slices.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::record::key::{Key, KeyRecord};
use crate::record::owner_record::OwnerRecord;
use crate::record::usage::Usage;
use crate::store::key_index::KeyIndex;
use crate::value::id::{KeyId, TenantId};
use crate::value::time::Timestamp;

/// An index of the keys of one tenant or of all, from the first list that needs it on.
#[derive(Default)]
pub(super) struct Indexed {
    whole: OnceLock<Box<KeyIndex>>,
    begun: Mutex<Option<Begun>>,
}

/// An index that has only some of its keys.
pub(super) struct Begun {
    pub(super) index: Box<KeyIndex>,
    /// The tenants whose keys are missing, at least in part.
    pub(super) rest: BTreeSet<TenantId>,
    /// The place in the first of them from which keys are missing.
    pub(super) from: Place,
}

/// The place of a key in the order of creation.
type Place = (Timestamp, KeyId);

/// The place of the first key of a tenant.
pub(super) const START: Place = (Timestamp::MIN, KeyId::FIRST);

impl Begun {
    /// Begins an index of the keys of some tenants.
    pub(super) fn new(keys: usize, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        let rest = tenants.into_iter().collect();
        Self { index: Box::new(KeyIndex::with_room(keys)), rest, from: START }
    }

    /// Returns whether the slices so far have gone past the place of a key.
    fn is_past(&self, key: &Key) -> bool {
        if self.rest.first() == Some(&key.tenant) {
            return (key.created_at, key.id) < self.from;
        }
        !self.rest.contains(&key.tenant)
    }
}

impl Indexed {
    /// Returns the index, if it has all keys.
    pub(super) fn whole(&self) -> Option<&KeyIndex> {
        self.whole.get().map(AsRef::as_ref)
    }

    /// Calls `add_slice` with the index that was begun. Returns the index if it then has all keys. The
    /// caller excludes changes of keys meanwhile.
    pub(super) fn build(
        &self,
        first: impl FnOnce() -> Begun,
        add_slice: impl FnOnce(&mut Begun),
    ) -> Option<&KeyIndex> {
        // A panic leaves at most an index without some keys of the slice. The same slice comes again.
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        // Another list may have added the last slice meanwhile.
        if self.whole.get().is_none() {
            let building = begun.get_or_insert_with(first);
            add_slice(building);
            if building.rest.is_empty()
                && let Some(Begun { index, .. }) = begun.take()
            {
                return Some(self.whole.get_or_init(|| index));
            }
        }
        self.whole()
    }

    /// Returns the index, which may have only some of its keys.
    pub(super) fn get_mut(&mut self) -> Option<&mut KeyIndex> {
        let begun = self.begun.get_mut().unwrap_or_else(PoisonError::into_inner);
        let begun = begun.as_mut().map(|begun| &mut begun.index);
        self.whole.get_mut().or(begun).map(AsMut::as_mut)
    }

    /// Adds a key, or replaces its previous version. A later slice adds it, if it has not come there.
    pub(super) fn insert(
        &mut self,
        record: &KeyRecord,
        usage: &Usage,
        owner: Option<&OwnerRecord>,
    ) {
        let begun = self.begun.get_mut().unwrap_or_else(PoisonError::into_inner);
        if begun.as_ref().is_none_or(|begun| begun.is_past(record.key()))
            && let Some(index) = self.get_mut()
        {
            index.insert(record, usage, owner);
        }
    }

    /// Takes the index out, if it is worn.
    pub(super) fn take_worn(&mut self) -> Option<KeyIndex> {
        self.whole
            .get_mut()
            .is_some_and(|index| index.is_worn())
            .then(|| self.whole.take().map(|index| *index))?
    }

    /// Takes the index out.
    pub(super) fn take(&mut self) -> Option<KeyIndex> {
        let begun = self.begun.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        self.whole.take().or(begun.map(|begun| begun.index)).map(|index| *index)
    }
}
