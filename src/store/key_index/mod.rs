//! An index of many keys, which answers every query of a list without reading every record.
//!
//! It has no keys itself: a store gives it each key that is added, changed, used or removed, and it
//! returns the ids of a page. It has two parts. The columns have the facts of each key by which
//! queries filter and sort. Orders and the text for searches are made by the first list that needs
//! them, slice by slice: between two slices the store can change keys. From then on they are kept up
//! to date.
//!
//! A page first walks the order of the query and tests each key. If the filters select few keys, it
//! soon changes its way: it reads each column in one go, then the text, and walks the order over the
//! bits of what was found. So the cost of a page has a bound of a few nanoseconds for each key.

mod arena;
mod bits;
mod columns;
mod filter;
mod order;
mod search;
mod slots;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use foldhash::fast::RandomState;

use self::arena::Arena;
use self::bits::{Bits, slot};
use self::columns::{Columns, push};
use self::filter::Filter;
use self::order::{Facts, Order, Sorting};
use self::search::{Needle, Search, write_text};
use crate::record::key::{KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::usage::Usage;
use crate::store::error::StoreError;
use crate::store::query::{KeyQuery, KeySort};
use crate::value::id::{KeyId, TenantId};
use crate::value::name::Name;
use crate::value::time::Timestamp;

/// The number of keys from which an index pays. A query of fewer keys looks at each of them.
pub(in crate::store) const WORTH_INDEX: usize = 1_024;
/// The number of keys that a page tests one by one before it reads whole columns.
const TESTED: usize = 2_048;
/// The number of keys that a list takes into an index before it lets changes of keys pass.
pub(in crate::store) const SLICE: usize = 4_096;
/// An index is built anew when one of so many slots is of a removed or replaced key.
const WORN: usize = 4;

/// The keys as the store holds them.
pub(in crate::store) trait Source {
    /// Calls `look` with a key, its usage and the record of its owner. Returns `None` if there is no
    /// such key.
    fn look<T>(
        &self,
        key: &KeyId,
        look: impl FnOnce(&KeyRecord, &Usage, Option<&OwnerRecord>) -> T,
    ) -> Result<Option<T>, StoreError>;
}

/// An index of the keys of one tenant, or of all tenants.
#[derive(Default)]
pub(in crate::store) struct KeyIndex {
    columns: Columns,
    /// The tenant of the first key.
    tenant: Option<TenantId>,
    spans_tenants: bool,
    /// The names of owners as pages show them, in lower case.
    shown: HashMap<(u32, TenantId), Box<str>, RandomState>,
    made: RwLock<Made>,
}

/// The parts that the first list in need of them makes.
#[derive(Default)]
struct Made {
    orders: [Option<Order>; 5],
    /// The name of each slot, for the order by name. The first list adds them in slices.
    names: Option<Vec<Option<Name>>>,
    /// The text of each slot. The first search adds them in slices.
    arena: Option<Arena>,
}

impl KeyIndex {
    /// Creates an index with room for a number of keys.
    pub(in crate::store) fn with_room(keys: usize) -> Self {
        Self { columns: Columns::with_room(keys), ..Self::default() }
    }

    /// Adds a key, or replaces its previous version.
    pub(in crate::store) fn insert(
        &mut self,
        record: &KeyRecord,
        usage: &Usage,
        owner: Option<&OwnerRecord>,
    ) {
        let slot = self.columns.push(record, usage);
        let key = record.key();
        self.spans_tenants |= *self.tenant.get_or_insert_with(|| key.tenant.clone()) != key.tenant;
        self.set_owner_name(&key.tenant, &key.owner, owner.and_then(OwnerRecord::shown_name));
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        made.orders.iter_mut().flatten().for_each(|order| order.note_new(slot));
        // If slots before this one are still missing, a list comes to this one too.
        let is_next = |len| len == slot as usize;
        if let Some(names) = made.names.as_mut().filter(|names| is_next(names.len())) {
            push(names, Some(key.name.clone()));
        }
        if let Some(arena) = made.arena.as_mut().filter(|arena| is_next(arena.len())) {
            let mut text = String::new();
            write_text(key, &mut text);
            arena.push(&text);
        }
    }

    /// Removes a key.
    pub(in crate::store) fn remove(&mut self, id: &KeyId) {
        self.columns.remove(id);
    }

    /// Sets the usage of a key.
    pub(in crate::store) fn set_usage(&mut self, id: &KeyId, usage: &Usage) {
        let Some(slot) = self.columns.set_used(id, usage) else { return };
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        let order = &mut made.orders[place(KeySort::LastUsed)];
        if let Some(of_uses) = order {
            of_uses.note_moved(slot);
            if of_uses.is_outdated(&self.columns) {
                *order = None;
            }
        }
    }

    /// Sets the name of an owner as pages show it.
    pub(in crate::store) fn set_owner_name(
        &mut self,
        tenant: &TenantId,
        owner: &Owner,
        name: Option<&Name>,
    ) {
        let Some(number) = self.columns.numbers.owners.get(owner) else { return };
        match name {
            Some(name) => {
                let name = name.as_str().to_lowercase().into();
                self.shown.insert((*number, tenant.clone()), name);
            }
            None if self.shown.is_empty() => {}
            None => drop(self.shown.remove(&(*number, tenant.clone()))),
        }
    }

    /// Returns whether it is better to build the index anew, because many keys were removed or
    /// replaced.
    pub(in crate::store) fn is_worn(&mut self) -> bool {
        let dead = self.columns.dead();
        self.made.get_mut().is_err() || dead > WORTH_INDEX && dead > self.columns.len() / WORN
    }

    /// Returns the first keys that a query selects after its cursor, in its order: those of its
    /// page, and one more if there is a next page.
    ///
    /// Returns `None` if the index has made a slice of what the query needs and there are more. Call
    /// it again, and let changes of keys pass in between.
    pub(in crate::store) fn first(
        &self,
        query: &KeyQuery,
        at: Timestamp,
        source: &impl Source,
    ) -> Result<Option<Vec<KeyId>>, StoreError> {
        let (sort, descending) = query.order();
        let Some(filter) = Filter::new(query, at, &self.columns) else {
            return Ok(Some(Vec::new()));
        };
        let Some(made) = self.made(Some(sort), searched(query).is_some(), source)? else {
            return Ok(None);
        };
        let search = self.search(query, &made);
        let (Some(order), Some(sorting)) = (&made.orders[place(sort)], self.sorting(&made, sort))
        else {
            return Err(unmade());
        };
        let is_sure = filter.is_exact && self.is_exact(search.as_ref());
        let one_more = query.page_size() + 1;
        let mut found = Vec::with_capacity(one_more);
        let mut add = |slot: u32| {
            let id = self.columns.ids[slot as usize];
            if is_sure || is_selected(query, at, source, &id)? {
                found.push(id);
            }
            Ok::<_, StoreError>(found.len() == one_more)
        };
        let mut walk = order.walk(sorting, descending, query.begin());
        for slot in walk.by_ref().take(TESTED) {
            let is_found = || search.as_ref().is_none_or(|search| search.finds(slot));
            if filter.passes(slot) && is_found() && add(slot)? {
                return Ok(Some(found));
            }
        }
        let Some(next) = walk.next() else { return Ok(Some(found)) };
        let mut selected = filter.select();
        if let Some(search) = &search {
            search.narrow(&mut selected);
        }
        for slot in std::iter::once(next).chain(walk) {
            if selected.has(slot) && add(slot)? {
                break;
            }
        }
        Ok(Some(found))
    }

    /// Counts the keys that pass the filters of a query, or returns `None` as [`first`](Self::first)
    /// does.
    pub(in crate::store) fn count(
        &self,
        query: &KeyQuery,
        at: Timestamp,
        source: &impl Source,
    ) -> Result<Option<u64>, StoreError> {
        let Some(filter) = Filter::new(query, at, &self.columns) else { return Ok(Some(0)) };
        let Some(made) = self.made(None, searched(query).is_some(), source)? else {
            return Ok(None);
        };
        let search = self.search(query, &made);
        let mut selected = filter.select();
        if let Some(search) = &search {
            search.narrow(&mut selected);
        }
        if filter.is_exact && self.is_exact(search.as_ref()) {
            return Ok(Some(selected.count()));
        }
        let mut count = 0;
        for slot in selected.iter() {
            let id = &self.columns.ids[slot as usize];
            count += u64::from(is_selected(query, at, source, id)?);
        }
        Ok(Some(count))
    }

    fn search<'a>(&'a self, query: &KeyQuery, made: &'a Made) -> Option<Search<'a>> {
        let (text, arena) = (searched(query)?, made.arena.as_ref()?);
        let numbers = &self.columns.numbers;
        let prefixes = numbers.prefixes.iter().map(|(prefix, n)| (prefix.as_str(), *n));
        let mut owners = None;
        for ((number, _), name) in &self.shown {
            if name.contains(text) {
                let owners = owners.get_or_insert_with(|| Bits::none(numbers.owners.len()));
                owners.insert(*number);
            }
        }
        let needles = Needle::forms(text, prefixes);
        Some(Search { columns: &self.columns, arena, needles, owners })
    }

    /// Returns whether a search finds only keys that match. An owner in two tenants has one number,
    /// and can have two names.
    fn is_exact(&self, search: Option<&Search<'_>>) -> bool {
        !self.spans_tenants || search.is_none_or(|search| search.owners.is_none())
    }

    fn sorting<'a>(&'a self, made: &'a Made, sort: KeySort) -> Option<Sorting<'a>> {
        let facts = match self.columns.times(sort) {
            Some(times) => Facts::Times(times),
            None => Facts::Names(made.names.as_ref()?),
        };
        Some(Sorting { facts, ids: &self.columns.ids })
    }

    /// Returns the parts that a list needs. If some are missing, it first makes a slice of them, and
    /// returns `None` if there are more.
    fn made(
        &self,
        sort: Option<KeySort>,
        is_search: bool,
        source: &impl Source,
    ) -> Result<Option<RwLockReadGuard<'_, Made>>, StoreError> {
        let made = self.made.read().map_err(|_| unmade())?;
        if self.is_made(&made, sort, is_search) {
            return Ok(Some(made));
        }
        drop(made);
        let mut unfinished = self.made.write().map_err(|_| unmade())?;
        self.make_slice(&mut unfinished, sort, is_search, source)?;
        drop(unfinished);
        let made = self.made.read().map_err(|_| unmade())?;
        Ok(self.is_made(&made, sort, is_search).then_some(made))
    }

    fn is_made(&self, made: &Made, sort: Option<KeySort>, is_search: bool) -> bool {
        let order = |sort| made.orders[place(sort)].as_ref();
        sort.is_none_or(|sort| order(sort).is_some_and(Order::is_settled))
            && (!is_search || self.is_complete(made.arena.as_ref().map(Arena::len)))
    }

    fn is_complete(&self, len: Option<usize>) -> bool {
        len == Some(self.columns.len())
    }

    fn make_slice(
        &self,
        made: &mut Made,
        sort: Option<KeySort>,
        is_search: bool,
        source: &impl Source,
    ) -> Result<(), StoreError> {
        let keys = self.columns.len();
        if sort == Some(KeySort::Name) && !self.is_complete(made.names.as_ref().map(Vec::len)) {
            let names = made.names.get_or_insert_with(|| Vec::with_capacity(keys));
            for id in self.next_slice(names.len()) {
                let name = |id| source.look(id, |record, _, _| record.key().name.clone());
                names.push(id.map_or(Ok(None), name)?);
            }
            return Ok(());
        }
        if is_search && !self.is_complete(made.arena.as_ref().map(Arena::len)) {
            let arena = made.arena.get_or_insert_with(|| Arena::with_room(keys));
            let mut text = String::new();
            for id in self.next_slice(arena.len()) {
                text.clear();
                if let Some(id) = id {
                    source.look(id, |record, _, _| write_text(record.key(), &mut text))?;
                }
                arena.push(&text);
            }
            return Ok(());
        }
        let Some(sort) = sort else { return Ok(()) };
        let order = made.orders[place(sort)].take();
        let mut order = order.unwrap_or_else(|| Order::new(&self.columns));
        let sorting = self.sorting(made, sort).ok_or_else(unmade)?;
        order.settle(&self.columns, sorting, SLICE);
        made.orders[place(sort)] = Some(order);
        Ok(())
    }

    /// Returns the ids of some slots from the slot `from` on, with `None` for a key that was removed or
    /// replaced.
    fn next_slice(&self, from: usize) -> impl Iterator<Item = Option<&KeyId>> {
        let ids = self.columns.ids.iter().enumerate().skip(from).take(SLICE);
        ids.map(|(place, id)| self.columns.is_alive(slot(place)).then_some(id))
    }
}

/// Returns the text that a query searches for, if it selects only some keys.
fn searched(query: &KeyQuery) -> Option<&str> {
    query.search.as_deref().filter(|text| !text.is_empty())
}

fn is_selected(
    query: &KeyQuery,
    at: Timestamp,
    source: &impl Source,
    id: &KeyId,
) -> Result<bool, StoreError> {
    let selected = source.look(id, |record, usage, owner| query.matches(record, usage, owner, at));
    Ok(selected?.unwrap_or(false))
}

fn place(sort: KeySort) -> usize {
    match sort {
        KeySort::Created => 0,
        KeySort::Updated => 1,
        KeySort::Name => 2,
        KeySort::Expires => 3,
        KeySort::LastUsed => 4,
    }
}

/// Returns the error after a panic in an earlier list.
fn unmade() -> StoreError {
    StoreError::corrupt("an earlier list of keys panicked: open the store again")
}
