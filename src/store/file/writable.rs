//! The tables of a write transaction.
//!
//! A commit changes a few of them, and opening one costs about as much as writing a row.

use std::cell::OnceCell;

use redb::WriteTransaction;

use super::errors::storage;
use super::tables::{EVENTS, INDEX, Summed, Table, WITNESSES};
use crate::store::error::StoreError;

pub(super) type Rows<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

/// The tables of a write transaction, each opened when it is first used.
pub(super) struct Writable<'t> {
    transaction: &'t WriteTransaction,
    records: [OnceCell<Rows<'t>>; 8],
    others: [OnceCell<Rows<'t>>; 3],
}

/// A table without records of its own.
#[derive(Clone, Copy)]
pub(super) enum Other {
    Events,
    Index,
    Witnesses,
}

impl Other {
    const fn table(self) -> Table {
        match self {
            Self::Events => EVENTS,
            Self::Index => INDEX,
            Self::Witnesses => WITNESSES,
        }
    }
}

impl<'t> Writable<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Self {
        Self {
            transaction,
            records: <[OnceCell<Rows<'t>>; 8]>::default(),
            others: <[OnceCell<Rows<'t>>; 3]>::default(),
        }
    }

    pub(super) fn records(&self, table: Summed) -> Result<&Rows<'t>, StoreError> {
        open(self.transaction, &self.records[table as usize], table.table())
    }

    pub(super) fn records_mut(&mut self, table: Summed) -> Result<&mut Rows<'t>, StoreError> {
        open_mut(self.transaction, &mut self.records[table as usize], table.table())
    }

    pub(super) fn other(&self, other: Other) -> Result<&Rows<'t>, StoreError> {
        open(self.transaction, &self.others[other as usize], other.table())
    }

    pub(super) fn other_mut(&mut self, other: Other) -> Result<&mut Rows<'t>, StoreError> {
        open_mut(self.transaction, &mut self.others[other as usize], other.table())
    }
}

fn open<'a, 't>(
    transaction: &'t WriteTransaction,
    place: &'a OnceCell<Rows<'t>>,
    table: Table,
) -> Result<&'a Rows<'t>, StoreError> {
    if let Some(opened) = place.get() {
        return Ok(opened);
    }
    let opened = transaction.open_table(table).map_err(storage)?;
    Ok(place.get_or_init(|| opened))
}

fn open_mut<'a, 't>(
    transaction: &'t WriteTransaction,
    place: &'a mut OnceCell<Rows<'t>>,
    table: Table,
) -> Result<&'a mut Rows<'t>, StoreError> {
    open(transaction, place, table)?;
    Ok(place.get_mut().expect("it was just opened"))
}
