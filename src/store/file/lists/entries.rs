//! Ranges of the index.

use crate::record::key::Key;
use crate::record::usage::Usage;
use crate::store::error::StoreError;
use crate::store::file::access::{Access, Reading};
use crate::store::file::errors::storage;
use crate::store::file::index::{self, Order, end_of, named, timed};
use crate::store::file::ranged::Ranged;
use crate::store::file::tables::malformed;
use crate::store::query::{KeyPosition, KeyQuery, KeySort};
use crate::value::id::{KeyId, TenantId};

/// A range of the index: from the first key up to and without the last one.
#[derive(Clone, Debug)]
pub(in crate::store::file) struct Span {
    order: Order,
    /// The bytes with which all entries begin.
    prefix: Vec<u8>,
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Span {
    /// Returns the range of all entries of an order with a prefix.
    pub(in crate::store::file) fn of_prefix(order: Order, prefix: Vec<u8>) -> Self {
        Self { order, from: prefix.clone(), to: end_of(&prefix), prefix }
    }

    /// Returns the range of a tenant's entries in an order.
    pub(in crate::store::file) fn of_tenant(order: Order, tenant: &TenantId) -> Self {
        Self::of_prefix(order, order.prefix(tenant))
    }

    /// Begins the range at a time.
    pub(in crate::store::file) fn since(self, micros: i64) -> Self {
        Self { from: timed(self.prefix.clone(), micros, b""), ..self }
    }

    /// Ends the range before a time.
    pub(super) fn before(self, micros: i64) -> Self {
        Self { to: timed(self.prefix.clone(), micros, b""), ..self }
    }

    /// Begins the range behind an entry.
    pub(super) fn behind(self, entry: &[u8]) -> Self {
        // The smallest key behind it.
        Self { from: [entry, &[0]].concat(), ..self }
    }

    /// Returns the bytes with which all entries begin.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Returns the range of the keys that come behind the cursor of a query, in its order.
    pub(in crate::store::file) fn of_query(tenant: &TenantId, query: &KeyQuery) -> Self {
        let (sort, descending) = query.order();
        let all = match (sort, &query.owner) {
            (KeySort::Created, Some(owner)) => {
                Self::of_prefix(Order::Owner, Order::Owner.owner_prefix(tenant, owner))
            }
            _ => Self::of_tenant(order_of(sort), tenant),
        };
        match query.begin().map(|begin| bound(&all, begin)) {
            None => all,
            Some(begin) if descending => Self { to: begin, ..all },
            Some(begin) => all.behind(&begin),
        }
    }

    /// Reads the entries of the range.
    pub(in crate::store::file) fn entries(
        &self,
        reading: &Reading,
        descending: bool,
    ) -> Result<Entries, StoreError> {
        // A cursor can be one of another tenant or a forged one, so it can be outside of the range.
        let range = if self.from < self.to { Some(self.rows(reading)?) } else { None };
        Ok(Entries { range, descending })
    }

    /// Reads the entries of the range with their values. The range must not be empty.
    pub(in crate::store::file) fn rows(&self, reading: &Reading) -> Result<Rows, StoreError> {
        let (from, to) = (self.from.as_slice(), self.to.as_slice());
        let rows = reading.index()?.range(from..to).map_err(storage)?;
        Ok(Ranged::over("index", rows, from, Some(to)))
    }

    /// Returns the number of entries, or a greater one than `most` if there are more.
    pub(super) fn count(&self, reading: &Reading, most: u64) -> Result<u64, StoreError> {
        let mut count = 0;
        if self.from < self.to {
            for row in self.rows(reading)? {
                row?;
                count += 1;
                if count > most {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Checks that an entry of the range is one of the key that it leads to.
    pub(super) fn check(&self, entry: &[u8], key: &Key, usage: &Usage) -> Result<(), StoreError> {
        let expected = match self.order {
            Order::Used => vec![index::entry_of_use(&key.tenant, &key.id, Some(usage))],
            _ => index::entries_of_key(key),
        };
        if expected.iter().any(|expected| expected == entry) {
            Ok(())
        } else {
            Err(outdated(entry))
        }
    }
}

/// Returns the place of a position in a range.
fn bound(all: &Span, position: &KeyPosition) -> Vec<u8> {
    let (prefix, id) = (all.prefix.clone(), position.id().as_bytes());
    match position.text() {
        None => timed(prefix, position.number(), id),
        Some(name) => match name.split_once('\0') {
            None => named(prefix, name, id),
            // No key has this name. It sorts behind all keys with the name before the zero byte.
            Some((name, _)) => named(prefix, name, &[u8::MAX]),
        },
    }
}

fn order_of(sort: KeySort) -> Order {
    match sort {
        KeySort::Created => Order::Created,
        KeySort::Updated => Order::Updated,
        KeySort::Name => Order::Name,
        KeySort::Expires => Order::Expires,
        KeySort::LastUsed => Order::Used,
    }
}

/// Rows of the index.
pub(in crate::store::file) type Rows = Ranged<'static>;

/// Entries of the index, in either direction.
pub(in crate::store::file) struct Entries {
    range: Option<Rows>,
    descending: bool,
}

impl Iterator for Entries {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.range.as_mut()?;
        let entry = if self.descending { range.next_back() } else { range.next() }?;
        Some(entry.map(|(entry, _)| entry.value().to_vec()))
    }
}

/// Returns the key id at the end of an entry.
pub(in crate::store::file) fn id_of(entry: &[u8]) -> Result<KeyId, StoreError> {
    index::split_id(entry).map(|(_, id)| id).ok_or_else(|| malformed("index", entry))
}

/// Returns the error for an entry that does not fit its record.
pub(super) fn outdated(entry: &[u8]) -> StoreError {
    malformed("index", entry)
}
