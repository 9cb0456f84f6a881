//! Rows of a range, each checked to be in the range and in order.
//!
//! An older copy of a page, whose newer one the disk has lost, can lead a range to rows outside of it,
//! such as those of another tenant.

use redb::{AccessGuard, Range, ReadableTable};

use super::checksum;
use super::errors::storage;
use crate::store::error::StoreError;

type Bytes = &'static [u8];

/// A key and its value.
pub(super) type Row<'a> = (AccessGuard<'a, Bytes>, AccessGuard<'a, Bytes>);

/// The rows of the range `from..to` of a table.
pub(super) struct Ranged<'a> {
    table: &'static str,
    rows: Range<'a, Bytes, Bytes>,
    /// The smallest key that may come next.
    from: Vec<u8>,
    /// The end of the keys that may come next, without it; `None` if the range has no end.
    to: Option<Vec<u8>>,
}

impl<'a> Ranged<'a> {
    /// Returns the rows from one key on, and up to and without another one if it is given.
    pub(super) fn of(
        table: &'static str,
        rows: &'a impl ReadableTable<Bytes, Bytes>,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Result<Self, StoreError> {
        let found = match to {
            Some(to) => rows.range(from..to),
            None => rows.range(from..),
        };
        Ok(Self::over(table, found.map_err(storage)?, from, to))
    }

    /// Checks the rows of a range.
    pub(super) fn over(
        table: &'static str,
        rows: Range<'a, Bytes, Bytes>,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Self {
        Self { table, rows, from: from.to_vec(), to: to.map(<[u8]>::to_vec) }
    }

    /// Checks that a key is in the rest of the range.
    fn check(&self, key: &[u8]) -> Result<(), StoreError> {
        let is_before_end = self.to.as_deref().is_none_or(|to| key < to);
        if is_before_end && key >= self.from.as_slice() {
            return Ok(());
        }
        Err(checksum::contradicted(self.table, key))
    }
}

impl<'a> Iterator for Ranged<'a> {
    type Item = Result<Row<'a>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.rows.next()?.map_err(storage).and_then(|row| {
            self.check(row.0.value())?;
            self.from.clear();
            self.from.extend_from_slice(row.0.value());
            // The smallest key behind it.
            self.from.push(0);
            Ok(row)
        }))
    }
}

impl DoubleEndedIterator for Ranged<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        Some(self.rows.next_back()?.map_err(storage).and_then(|row| {
            self.check(row.0.value())?;
            let to = self.to.get_or_insert_default();
            to.clear();
            to.extend_from_slice(row.0.value());
            Ok(row)
        }))
    }
}
