//! The database in the store file: how it is initialized, opened and committed.
//!
//! Every commit is one redb transaction in two phases, synced before it is acknowledged. With one
//! phase, redb would silently replace a damaged commit with the one before it. Every commit also
//! saves redb's table of free pages ("quick repair"), so that opening takes the same time after a
//! crash and with any number of keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{
    Builder, Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageBackend, WriteTransaction,
};

use super::access::{Reading, read_state};
use super::checksum::{self, Sum};
use super::errors::{io_error, storage};
use super::generation::Guard;
use super::header;
use super::pages::{self, Pages};
use super::tables::{
    EVENTS, FORMAT, FORMAT_KEY, INDEX, META, MOVED_KEY, RowCounts, State, Summed, WITNESSES,
};
use super::tolerant::{Shared, Tolerant};
use super::write::{put_meta, put_state};
use crate::store::error::StoreError;
use crate::value::text::decimal;

/// The size of redb's cache: 64 MiB.
const CACHE_BYTES: usize = 64 << 20;

/// The open database, and the state record of the last commit.
#[derive(Debug)]
pub(super) struct Database {
    /// The data before the write transaction that is under way or failed. It is dropped before the
    /// database.
    before: Mutex<Option<Arc<ReadTransaction>>>,
    redb: redb::Database,
    backend: Arc<Tolerant>,
    last: Mutex<Last>,
    /// The place that keeps the generation, if there is one.
    guard: Option<Guard>,
}

/// The last commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Last {
    pub(super) state: State,
    pub(super) sum: Sum,
    /// The place to which the keys were moved.
    pub(super) moved_to: Option<String>,
}

impl Database {
    /// Creates the tables and the state record of an empty store.
    pub(super) fn initialize(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let sum = Sum::default();
        let state = State { sum: sum.to_hex(), ..State::default() };
        let database = Self::on(backend)?;
        let marked = pages::write_mark(&Shared(Arc::clone(&database.backend)));
        marked.map_err(|error| io_error("the store file can't be written", error))?;
        let transaction = database.begin()?;
        put_meta(&transaction, FORMAT_KEY, FORMAT.to_string().as_bytes())?;
        let tables = Summed::ALL.map(Summed::table).into_iter();
        for table in tables.chain([EVENTS, INDEX, WITNESSES]) {
            transaction.open_table(table).map_err(storage)?;
        }
        database.commit(transaction, state, sum)?;
        Ok(database)
    }

    /// Checks the format, and that each table has as many rows as the last commit counted.
    ///
    /// It takes the same time for any number of rows. A record is checked when it is read.
    pub(super) fn open(backend: impl StorageBackend) -> Result<Self, StoreError> {
        pages::check_mark(&backend, "the file")?;
        header::check(&backend)?;
        let database = Self::on(backend)?;
        check_format(&database.redb)?;
        let transaction = database.redb.begin_read().map_err(storage)?;
        let meta = transaction.open_table(META).map_err(storage)?;
        let (state, moved_to) = (read_state(&meta)?, read_moved_to(&meta)?);
        if count(&transaction)? != state.rows {
            return Err(rows_missing());
        }
        let sum = Sum::from_hex(&state.sum).ok_or_else(rows_missing)?;
        drop((meta, transaction));
        *database.last() = Last { state, sum, moved_to };
        Ok(database)
    }

    fn on(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let backend = Arc::new(Tolerant::new(backend));
        let pages = Pages::new(Shared(Arc::clone(&backend)));
        let redb = builder().create_with_backend(pages).map_err(storage)?;
        if let Some(error) = backend.failure() {
            return Err(error);
        }
        Ok(Self { before: Mutex::default(), redb, backend, last: Mutex::default(), guard: None })
    }

    pub(super) fn last(&self) -> MutexGuard<'_, Last> {
        // Each change is an assignment after a commit, so a panic cannot leave it half written.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before(&self) -> MutexGuard<'_, Option<Arc<ReadTransaction>>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of commits.
    pub(super) fn generation(&self) -> u64 {
        self.last().state.transaction
    }

    /// Records the generation in another place, now and after each commit.
    pub(super) fn guard(&mut self, guard: Guard) -> Result<(), StoreError> {
        guard.record(self.generation())?;
        self.guard = Some(guard);
        Ok(())
    }

    /// Records the place to which the keys were moved, or forgets it. Returns when this is durable.
    /// After an error, the database must not be used.
    pub(super) fn set_moved_to(&self, place: Option<&str>) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        if let Some(place) = place {
            put_meta(&transaction, MOVED_KEY, place.as_bytes())?;
        } else {
            let mut meta = transaction.open_table(META).map_err(storage)?;
            meta.remove(MOVED_KEY).map_err(storage)?;
        }
        let Last { mut state, sum, .. } = self.last().clone();
        state.transaction += 1;
        self.commit(transaction, state, sum)?;
        self.last().moved_to = place.map(str::to_owned);
        Ok(())
    }

    /// Starts a read of the current data. Later writes do not wait for it and are not visible in
    /// it. After a failed write, it reads the data before that write.
    pub(super) fn begin_read(&self) -> Result<Arc<ReadTransaction>, StoreError> {
        if self.backend.has_failed()
            && let Some(before) = self.before().clone()
        {
            return Ok(before);
        }
        self.redb.begin_read().map(Arc::new).map_err(storage)
    }

    /// Checks all pages and records of a file that nothing else uses.
    pub(super) fn check(mut self) -> Result<(), StoreError> {
        *self.before() = None;
        if !self.redb.check_integrity().map_err(storage)? {
            return Err(StoreError::corrupt(
                "redb had to repair pages of the store file: restore the file from a backup",
            ));
        }
        Reading::of(self.begin_read()?).check()
    }

    /// Moves the data to the front of the file, and gives the rest of the file back to the system.
    /// There must be no reader.
    pub(super) fn compact(&mut self) -> Result<(), StoreError> {
        *self.before() = None;
        while self.redb.compact().map_err(storage)? {}
        // The last commit of a compaction does not save the table of free pages.
        self.advance(None)
    }

    /// Commits without a change. The generation is then greater than before and than `past`.
    pub(super) fn advance(&self, past: Option<u64>) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        let Last { mut state, sum, .. } = self.last().clone();
        let past = past.map_or(state.transaction, |past| past.max(state.transaction));
        state.transaction = past
            .checked_add(1)
            .ok_or_else(|| StoreError::corrupt("the store has reached the highest generation"))?;
        self.commit(transaction, state, sum)
    }

    pub(super) fn begin(&self) -> Result<WriteTransaction, StoreError> {
        if let Some(error) = self.backend.failure() {
            return Err(error);
        }
        *self.before() = Some(self.redb.begin_read().map(Arc::new).map_err(storage)?);
        let mut transaction = self.redb.begin_write().map_err(storage)?;
        transaction.set_durability(Durability::Immediate).map_err(storage)?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// Commits a transaction with this state record, and returns when it is durable. After an
    /// error, the database must not be written.
    pub(super) fn commit(
        &self,
        transaction: WriteTransaction,
        state: State,
        sum: Sum,
    ) -> Result<(), StoreError> {
        put_state(&transaction, &state)?;
        let committed = transaction.commit().map_err(storage);
        // redb does not know of a failed write, because it would then refuse reads too.
        if let Some(error) = self.backend.failure() {
            return Err(error);
        }
        committed?;
        *self.before() = None;
        let generation = state.transaction;
        {
            let mut last = self.last();
            last.state = state;
            last.sum = sum;
        }
        self.guard.as_ref().map_or(Ok(()), |guard| guard.record(generation))
    }
}

/// Returns the number of rows of each table.
fn count(transaction: &ReadTransaction) -> Result<RowCounts, StoreError> {
    let rows = |table| {
        let rows = transaction.open_table(table).map_err(storage)?;
        rows.len().map_err(storage)
    };
    let mut records = [0; 8];
    for table in Summed::ALL {
        records[table as usize] = rows(table.table())?;
    }
    Ok(RowCounts {
        records,
        events: rows(EVENTS)?,
        index: rows(INDEX)?,
        witnesses: rows(WITNESSES)?,
    })
}

/// Returns the error for rows that are missing or older than the last commit.
pub(super) fn rows_missing() -> StoreError {
    StoreError::corrupt(
        "records are missing or older than the last commit: restore the file from a backup",
    )
}

/// Returns redb's builder with the options of this crate.
pub(super) fn builder() -> Builder {
    let mut builder = redb::Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Refuses a file of another program or of another format, before anything in it is changed.
pub(super) fn check_format(database: &impl ReadableDatabase) -> Result<(), StoreError> {
    let foreign = || {
        StoreError::unsupported(
            "the file is a redb database of another program, not a keywright store",
        )
    };
    let transaction = database.begin_read().map_err(storage)?;
    let meta = match transaction.open_table(META) {
        Err(redb::TableError::Storage(error)) => return Err(storage(error)),
        Err(_) => return Err(foreign()),
        Ok(meta) => meta,
    };
    let stored = meta.get(FORMAT_KEY).map_err(storage)?.ok_or_else(foreign)?;
    let (_, value) = checksum::check("meta", FORMAT_KEY, stored.value())?;
    let format = std::str::from_utf8(value).ok().and_then(decimal::<u32>);
    match format {
        Some(FORMAT) => Ok(()),
        Some(newer) => Err(StoreError::unsupported(format!(
            "the store has format {newer}, and this version of keywright reads format {FORMAT}: \
             open it with the version that wrote it, or a newer one"
        ))),
        None => Err(StoreError::corrupt(
            "the format number of the store is damaged: restore the file from a backup",
        )),
    }
}

fn read_moved_to(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<Option<String>, StoreError> {
    let Some(stored) = meta.get(MOVED_KEY).map_err(storage)? else { return Ok(None) };
    let (_, value) = checksum::check("meta", MOVED_KEY, stored.value())?;
    Ok(Some(String::from_utf8_lossy(value).into_owned()))
}
