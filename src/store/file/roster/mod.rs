//! The roster of one tenant's keys in memory, for the queries that no index narrows.
//!
//! The index of the file answers a page without filters, and one whose filter leaves few keys. A
//! search, or a filter that leaves one key in a thousand, would read the records of all keys. A
//! roster holds the facts that filters and orders look at, in about 150 bytes per key, and scans
//! them in a few milliseconds per million keys. The records of the page are then read from the
//! file.

mod filter;
mod interned;
mod matches;
mod rows;
mod texts;
mod top;

pub(super) use self::matches::Matches;
use self::rows::Rows;
use self::top::Top;
use crate::record::key::Owner;
use crate::store::file::facts::Facts;
use crate::store::query::{KeyPosition, KeyQuery, KeySort};
use crate::value::id::KeyId;
use crate::value::time::Timestamp;

/// The facts of a tenant's keys.
#[derive(Default)]
pub(super) struct Roster(Rows);

impl Roster {
    /// Adds a key, or replaces its facts. `shown` returns an owner with the name that listings show.
    pub(super) fn put<E>(
        &mut self,
        key: &Facts<'_>,
        used: i64,
        shown: impl FnOnce(&str) -> Result<(Owner, Option<String>), E>,
    ) -> Result<(), E> {
        self.0.put(key, used, shown)
    }

    /// Sets the last use of a key, in microseconds.
    pub(super) fn set_used(&mut self, id: &KeyId, used: i64) {
        self.0.set_used(id, used);
    }

    pub(super) fn remove(&mut self, id: &KeyId) {
        self.0.remove(id);
    }

    /// Sets the name that listings show for an owner.
    pub(super) fn set_shown(&mut self, owner: &Owner, name: Option<String>) {
        self.0.set_shown(owner, name);
    }

    /// Sorts the facts if many are new or outdated.
    pub(super) fn tidy(&mut self) {
        if self.0.is_worn() {
            self.0.sort();
        }
    }

    /// Sorts the facts after a build.
    pub(super) fn complete(&mut self) {
        self.0.sort();
    }

    /// Returns the size in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Returns the keys that pass the filters of a query.
    pub(super) fn matches(&self, query: &KeyQuery, at: Timestamp) -> Matches {
        self.0.matches(query, at)
    }

    /// Returns whether a key is among the matching ones.
    pub(super) fn has(&self, matches: &Matches, id: &KeyId) -> bool {
        self.0.find(id).is_some_and(|row| matches.contains(row))
    }

    /// Returns the number of keys after which a walk through the order of a query in the index should
    /// have filled a page, or has taken longer than a look at all matching keys would.
    pub(super) fn steps(&self, query: &KeyQuery, matches: &Matches) -> u64 {
        let (all, matching) = (self.0.len() as u64, matches.count().max(1));
        // The matching keys can be at the end of the order.
        let steps = 4 * query.page_size() as u64 * all / matching;
        // Measured: a step takes about a microsecond, and a match 10 ns, or 100 ns for its name.
        let matches_per_step = if query.order().0 == KeySort::Name { 10 } else { 100 };
        steps.min(matching / matches_per_step)
    }

    /// Returns the numbers of live keys and of all keys of owners.
    pub(super) fn numbers(&self, owners: &[Owner], at: Timestamp) -> Vec<(u64, u64)> {
        self.0.numbers(owners, at.unix_micros())
    }

    /// Returns the matching keys of a page and the one behind it, in the order of the query.
    pub(super) fn select(&self, query: &KeyQuery, matches: &Matches) -> Vec<KeyId> {
        let rows = &self.0;
        let begin = query.begin();
        let time = |position: &KeyPosition| (position.number(), *position.id());
        let by_time = |column: &[i64]| {
            select(query, matches, begin.map(time), |row| (column[row], rows.ids[row]))
        };
        match query.order().0 {
            KeySort::Created => by_time(&rows.created),
            KeySort::Updated => by_time(&rows.updated),
            KeySort::Expires => by_time(&rows.expires),
            KeySort::LastUsed => by_time(&rows.used),
            KeySort::Name => {
                let name = begin.map(|begin| (begin.text().unwrap_or_default(), *begin.id()));
                select(query, matches, name, |row| (rows.name(row), rows.ids[row]))
            }
        }
    }
}

fn select<V: Copy + Ord>(
    query: &KeyQuery,
    matches: &Matches,
    begin: Option<(V, KeyId)>,
    place: impl Fn(usize) -> (V, KeyId),
) -> Vec<KeyId> {
    let mut top = Top::new(query.page_size() + 1, query.order().1, begin);
    matches.rows().for_each(|row| top.offer(place(row)));
    top.into_sorted().map(|(_, id)| id).collect()
}
