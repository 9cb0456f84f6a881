//! Checksums of pages, which are compared whenever redb reads a page from the file.
//!
//! redb has a checksum of each page, but compares it only when it repairs a file. So one flipped bit
//! could hide an event from a list, lead a range to the rows of another tenant, or make redb panic.
//! This backend lies between redb and the file. It keeps a checksum of each page that redb writes,
//! and never passes a damaged page to redb.
//!
//! The file begins with redb's header page, which also has the mark of a store. Then come groups: a
//! page with checksums, and the pages that they are for. The checksums of a commit are written
//! together, behind its pages and before its header. That is safe because redb never overwrites a
//! page of a commit that it can return to, except for the header, which has its own checksums and is
//! not covered here.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Bound, Range};
use std::sync::{Mutex, PoisonError, RwLock};

use redb::{BackendError, StorageBackend};

use super::errors::io_error;
use super::groups::{PAGE, PAGE_LEN, Run, SUM, runs, seen, stored};
use super::tables::FORMAT;
use crate::store::error::StoreError;
use crate::value::text::decimal;

/// The place of the mark in the header page, behind redb's header and in another sector.
const MARK_AT: u64 = 1_024;
/// The length of the mark, in bytes.
const MARK_LEN: usize = 32;
/// The beginning of the mark. The number of the format follows, and a line break.
const MARK: &str = "keywright store, format ";

/// A backend with the checksums of its pages.
#[derive(Debug)]
pub(super) struct Pages<B> {
    backend: B,
    /// The checksums of written pages that are not yet in the file, by their places in it.
    unwritten: RwLock<Sums>,
    /// Locked while checksums are written.
    writing: Mutex<()>,
}

type Sums = BTreeMap<u64, [u8; SUM]>;

/// Writes the mark of a store into the header page.
pub(super) fn write_mark(backend: &impl StorageBackend) -> io::Result<()> {
    let mut mark = [0; MARK_LEN];
    let text = format!("{MARK}{FORMAT}\n");
    mark[..text.len()].copy_from_slice(text.as_bytes());
    backend.write(MARK_AT, &mark)
}

/// Refuses a file without the mark of a store, or with that of another format.
pub(super) fn check_mark(backend: &impl StorageBackend, name: &str) -> Result<(), StoreError> {
    let unreadable = |error| io_error("the store file can't be read", error);
    let foreign = || StoreError::unsupported(format!("{name} is not a keywright store"));
    if backend.len().map_err(unreadable)? < PAGE {
        return Err(foreign());
    }
    let mut mark = [0; MARK_LEN];
    backend.read(MARK_AT, &mut mark).map_err(unreadable)?;
    let text = mark.strip_prefix(MARK.as_bytes()).ok_or_else(foreign)?;
    let (number, rest) =
        text.split_at(text.iter().position(|byte| *byte == b'\n').ok_or_else(foreign)?);
    if rest[1..].iter().any(|byte| *byte != 0) {
        return Err(foreign());
    }
    let format = std::str::from_utf8(number).ok().and_then(decimal::<u32>);
    match format.ok_or_else(foreign)? {
        FORMAT => Ok(()),
        other => Err(StoreError::unsupported(format!(
            "the store has format {other}, and this version of keywright reads format {FORMAT}: \
             open it with the version that wrote it, or a newer one"
        ))),
    }
}

/// Fills the place of a damaged page with a page that redb refuses.
///
/// A read error would make redb refuse all later reads, and a page of zeros would make it panic. So
/// it gets a branch with two children whose order is impossible. redb reports each access to a child
/// as damage. The one key of the branch is valid in every tree of redb, because its first byte is a
/// known kind in the tree of free pages.
fn refuse(page: &mut [u8]) {
    const BRANCH: u8 = 2;
    const CHILDREN: Range<usize> = 8 + 2 * 16..8 + 2 * 16 + 2 * 8;
    /// The end of the key if keys have different lengths, and the begin of the key if not.
    const KEY_END: [u8; 4] = 260_u32.to_le_bytes();
    page.fill(0);
    page[0] = BRANCH;
    page[2] = 1;
    page[CHILDREN].fill(0xFF);
    page[CHILDREN.end..CHILDREN.end + KEY_END.len()].copy_from_slice(&KEY_END);
}

impl<B: StorageBackend> Pages<B> {
    pub(super) fn new(backend: B) -> Self {
        Self { backend, unwritten: RwLock::default(), writing: Mutex::default() }
    }

    /// Returns the stored checksums of pages.
    fn stored_sums(&self, run: &Run) -> io::Result<Vec<u8>> {
        let begin = run.place_of_sums();
        let mut sums = vec![0; run.range.len() / PAGE_LEN * SUM];
        // A checksum leaves the memory only when it is in the file, so the memory is read first.
        let unwritten: Vec<_> = {
            let unwritten = self.unwritten.read().unwrap_or_else(PoisonError::into_inner);
            let found = unwritten.range(begin..begin + sums.len() as u64);
            found.map(|(place, sum)| (*place, *sum)).collect()
        };
        self.backend.read(begin, &mut sums)?;
        put(&mut sums, begin, unwritten);
        Ok(sums)
    }

    /// Writes the checksums of all written pages, those of a group with one call.
    fn write_sums(&self) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = self.unwritten.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut rest: Vec<_> = sums.iter().map(|(place, sum)| (*place, *sum)).collect();
        while let Some((first, _)) = rest.first().copied() {
            let in_page = rest.partition_point(|(place, _)| place / PAGE == first / PAGE);
            let end = rest[in_page - 1].0 + SUM as u64;
            let mut bytes = vec![0; usize::try_from(end - first).unwrap_or_default()];
            if bytes.len() > in_page * SUM {
                // Those between them stay as they are.
                self.backend.read(first, &mut bytes)?;
            }
            put(&mut bytes, first, rest.drain(..in_page));
            self.backend.write(first, &bytes)?;
        }
        let mut unwritten = self.unwritten.write().unwrap_or_else(PoisonError::into_inner);
        unwritten.retain(|place, sum| sums.get(place) != Some(sum));
        Ok(())
    }
}

/// Puts checksums into the bytes of a file from `begin` on.
fn put(bytes: &mut [u8], begin: u64, sums: impl IntoIterator<Item = (u64, [u8; SUM])>) {
    for (place, sum) in sums {
        let at = usize::try_from(place - begin).unwrap_or(usize::MAX);
        bytes[at..at + SUM].copy_from_slice(&sum);
    }
}

impl<B: StorageBackend> StorageBackend for Pages<B> {
    fn len(&self) -> io::Result<u64> {
        self.backend.len().map(seen)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset < PAGE {
            return self.backend.read(offset, out);
        }
        let mut is_damaged = false;
        for run in runs(offset, out.len())? {
            let stored = self.stored_sums(&run)?;
            self.backend.read(run.place(), &mut out[run.range.clone()])?;
            is_damaged |= !run.sums(out).map(|(_, sum)| sum).eq(stored.chunks(SUM));
        }
        if is_damaged {
            refuse(out);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.write_sums()?;
        self.backend.set_len(stored(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write_sums()?;
        self.backend.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset < PAGE {
            // The header makes pages current, also for a process that ends before the sync.
            self.write_sums()?;
            return self.backend.write(offset, data);
        }
        for run in runs(offset, data.len())? {
            self.backend.write(run.place(), &data[run.range.clone()])?;
            let mut unwritten = self.unwritten.write().unwrap_or_else(PoisonError::into_inner);
            unwritten.extend(run.sums(data));
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.backend.try_lock_range(from, to)
    }

    fn try_lock_shared_range(
        &self,
        from: Bound<u64>,
        to: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.backend.try_lock_shared_range(from, to)
    }

    fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.backend.lock_range(from, to)
    }

    fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.backend.lock_shared_range(from, to)
    }

    fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.backend.unlock_range(from, to)
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.backend.query_lock_range(from, to)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redb::backends::InMemoryBackend;
    use redb::{Database, ReadableDatabase, StorageError, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> =
        TableDefinition::new("rows");

    #[test]
    fn pages_are_read_as_written() {
        let pages = Pages::new(InMemoryBackend::new());
        pages.set_len(2_100 * PAGE).expect("it grows");
        let data: Vec<u8> =
            (0..1_100 * PAGE_LEN).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        pages.write(1_000 * PAGE, &data).expect("it is written");
        let mut out = vec![0; data.len()];
        pages.read(1_000 * PAGE, &mut out).expect("it is read");
        assert!(out == data);
        let mut middle = vec![0; PAGE_LEN];
        pages.read(1_025 * PAGE, &mut middle).expect("it is read");
        assert!(middle == data[25 * PAGE_LEN..26 * PAGE_LEN]);
    }

    /// A backend that outlives the database, and counts the writes.
    #[derive(Clone, Debug, Default)]
    struct Kept {
        file: Arc<InMemoryBackend>,
        writes: Arc<AtomicUsize>,
    }

    impl StorageBackend for Kept {
        fn len(&self) -> io::Result<u64> {
            self.file.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.file.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.file.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            Ok(())
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.writes.fetch_add(1, Ordering::Relaxed);
            self.file.write(offset, data)
        }
    }

    #[test]
    fn checksums_of_a_group_are_one_write() {
        let kept = Kept::default();
        let pages = Pages::new(kept.clone());
        let writes = || kept.writes.swap(0, Ordering::Relaxed);
        let page = |number: u64| [number.to_le_bytes()[0]; PAGE_LEN];
        let is_as_written = |number: u64| {
            let mut out = [0; PAGE_LEN];
            pages.read(number * PAGE, &mut out).expect("it is read");
            out == page(number)
        };
        pages.set_len(2_000 * PAGE).expect("it grows");
        for number in 1..=8 {
            pages.write(number * PAGE, &page(number)).expect("it is written");
        }
        assert!((1..=8).all(is_as_written), "before the checksums are in the file");
        pages.sync_data().expect("it is synced");
        assert_eq!(writes(), 9);
        // Two groups, and a checksum between two others that stays.
        for number in [3, 5, 1_024, 1_025] {
            pages.write(number * PAGE, &page(number)).expect("it is written");
        }
        assert_eq!(writes(), 4);
        pages.write(0, &[1]).expect("the header is written");
        assert_eq!(writes(), 3, "the checksums are written before the header");
        pages.sync_data().expect("it is synced");
        assert_eq!(writes(), 0);
        let all = (1..=8).chain([1_024, 1_025]);
        assert!(all.clone().all(is_as_written) && !is_as_written(9));
        let reopened = Pages::new(kept.clone());
        for number in all {
            let mut out = [0; PAGE_LEN];
            reopened.read(number * PAGE, &mut out).expect("it is read");
            assert!(out == page(number), "page {number}");
        }
    }

    #[test]
    fn page_in_place_of_another_is_detected() {
        let pages = Pages::new(InMemoryBackend::new());
        pages.set_len(4 * PAGE).expect("it grows");
        pages.write(PAGE, &[7; PAGE_LEN]).expect("it is written");
        pages.sync_data().expect("the checksum is written");
        let mut both = [0; 4_100];
        pages.backend.read(PAGE, &mut both[..SUM]).expect("the checksum");
        pages.backend.write(PAGE + SUM as u64, &both[..SUM]).expect("it is moved");
        pages.backend.write(3 * PAGE, &[7; PAGE_LEN]).expect("it is moved");
        let mut out = vec![0; PAGE_LEN];
        pages.read(PAGE, &mut out).expect("it is read");
        assert_eq!(out, [7; PAGE_LEN]);
        pages.read(2 * PAGE, &mut out).expect("it is read");
        assert_ne!(out, [7; PAGE_LEN]);
    }

    const ROWS: u32 = 2_000;

    fn write(database: &Database, value: u8) -> Result<(), redb::Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(TABLE)?;
            for row in 0..ROWS {
                table.insert(&row.to_be_bytes()[..], &[value; 40][..])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Returns the number of rows that are as written, and of those that are damaged.
    fn count(database: &Database) -> Result<(u32, u32), redb::Error> {
        let transaction = database.begin_read()?;
        let table = transaction.open_table(TABLE)?;
        let (mut whole, mut damaged) = (0, 0);
        for row in 0..ROWS {
            match table.get(&row.to_be_bytes()[..]) {
                Ok(value) => {
                    assert_eq!(value.expect("the row").value(), [7; 40]);
                    whole += 1;
                }
                Err(StorageError::Corrupted(_)) => damaged += 1,
                Err(error) => panic!("{error}"),
            }
        }
        Ok((whole, damaged))
    }

    #[test]
    fn damaged_page_stops_nothing_else() {
        let kept = Kept::default();
        let open = || Database::builder().create_with_backend(Pages::new(kept.clone()));
        write(&open().expect("a database"), 7).expect("the rows are written");
        let len = kept.len().expect("the length");
        let (mut partly, mut refused) = (0, 0);
        for page in 2..len / PAGE {
            let at = page * PAGE + page * 37 % PAGE;
            let mut byte = [0];
            kept.read(at, &mut byte).expect("it is read");
            kept.write(at, &[byte[0] ^ 1 << (page % 8)]).expect("it is flipped");
            match open() {
                Err(redb::DatabaseError::Storage(StorageError::Corrupted(_))) => refused += 1,
                Err(error) => panic!("page {page}: {error}"),
                Ok(database) => match count(&database) {
                    Err(redb::Error::Corrupted(_)) => refused += 1,
                    Err(error) => panic!("page {page}: {error}"),
                    Ok((whole, damaged)) => {
                        assert_eq!(whole + damaged, ROWS, "page {page}");
                        partly += u32::from(whole > 0 && damaged > 0);
                    }
                },
            }
            kept.write(at, &byte).expect("it is mended");
        }
        assert!(partly > 10 && refused > 0, "{partly} and {refused}");
        assert_eq!(count(&open().expect("a database")).expect("the rows"), (ROWS, 0));
    }
}
