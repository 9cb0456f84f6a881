//! A storage backend that reads a file and keeps all writes in memory.
//!
//! It has two uses. After a failed write, the open store continues on it; see `tolerant`. And a commit
//! that the header hides is checked on it before it becomes current; see `reveal`. redb writes when it
//! opens such a file, and on this backend the file stays as it was.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// The size of a page of the overlay, in bytes. It is independent of redb's page size.
const PAGE: usize = 4_096;

/// A file with an overlay of the pages that were written.
pub(super) struct DryRun(Mutex<Overlay>);

/// A file below an overlay.
pub(super) trait Base: Send + Sync + 'static {
    fn len(&self) -> io::Result<u64>;

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
}

impl Base for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut file = self;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(out)
    }
}

impl Base for Arc<dyn StorageBackend> {
    fn len(&self) -> io::Result<u64> {
        self.as_ref().len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.as_ref().read(offset, out)
    }
}

struct Overlay {
    file: Box<dyn Base>,
    /// The number of bytes of the file that are still visible. A file that was truncated and
    /// extended again reads as zeros beyond them.
    shown: u64,
    len: u64,
    written: HashMap<u64, Box<[u8]>>,
}

impl DryRun {
    /// Creates an overlay without written pages.
    pub(super) fn on(file: impl Base) -> io::Result<Self> {
        let len = file.len()?;
        let file = Box::new(file);
        Ok(Self(Mutex::new(Overlay { file, shown: len, len, written: HashMap::new() })))
    }

    fn overlay(&self) -> io::Result<MutexGuard<'_, Overlay>> {
        self.0.lock().map_err(|_| Error::other("an earlier access to the file panicked"))
    }
}

impl Overlay {
    /// Returns the current content of a page.
    fn page(&self, number: u64) -> io::Result<Box<[u8]>> {
        if let Some(page) = self.written.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE].into_boxed_slice();
        let start = number * PAGE as u64;
        let shown = self.shown.saturating_sub(start).min(PAGE as u64);
        let shown = usize::try_from(shown).unwrap_or(PAGE);
        // A backend can refuse even an empty read behind its end.
        if shown > 0 {
            self.file.read(start, &mut page[..shown])?;
        }
        Ok(page)
    }

    /// Changes a page in the overlay.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut [u8])) -> io::Result<()> {
        let mut page = self.page(number)?;
        change(&mut page);
        self.written.insert(number, page);
        Ok(())
    }

    /// Calls `each` for every page of a range of the file, with the page's number, the range within
    /// the page, and the range within the data that is read or written.
    fn walk(
        &mut self,
        offset: u64,
        len: usize,
        mut each: impl FnMut(&mut Self, u64, Range<usize>, Range<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        if offset.checked_add(len as u64).is_none_or(|end| end > self.len) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while done < len {
            let at = offset + done as u64;
            let (number, within) = place(at);
            let count = (len - done).min(PAGE - within);
            each(self, number, within..within + count, done..done + count)?;
            done += count;
        }
        Ok(())
    }
}

/// Returns the page of an offset, and the offset within the page.
fn place(offset: u64) -> (u64, usize) {
    let within = offset % PAGE as u64;
    (offset / PAGE as u64, usize::try_from(within).unwrap_or_default())
}

impl fmt::Debug for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DryRun")
    }
}

impl StorageBackend for DryRun {
    fn len(&self) -> io::Result<u64> {
        Ok(self.overlay()?.len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.overlay()?.walk(offset, out.len(), |overlay, number, within, range| {
            out[range].copy_from_slice(&overlay.page(number)?[within]);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut overlay = self.overlay()?;
        if len < overlay.len {
            overlay.shown = overlay.shown.min(len);
            overlay.written.retain(|number, _| *number < len.div_ceil(PAGE as u64));
            let (last, tail) = place(len);
            if tail > 0 {
                overlay.change(last, |page| page[tail..].fill(0))?;
            }
        }
        overlay.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.overlay()?.walk(offset, data.len(), |overlay, number, within, range| {
            overlay.change(number, |page| page[within].copy_from_slice(&data[range]))
        })
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    #[test]
    fn extended_file_reads_as_zeros() {
        // This backend refuses every read behind its end, even an empty one.
        let file: Arc<dyn StorageBackend> = Arc::new(InMemoryBackend::new());
        file.set_len(100).expect("it grows");
        file.write(0, &[7; 100]).expect("it is written");
        let run = DryRun::on(Arc::clone(&file)).expect("an overlay");
        run.set_len(4 * PAGE as u64).expect("it grows");
        run.write(3 * PAGE as u64 + 1, &[8]).expect("it is written");
        let mut out = vec![1; 4 * PAGE];
        run.read(0, &mut out).expect("it is read");
        assert_eq!(out[..100], [7; 100]);
        assert_eq!(out[100..=3 * PAGE], [0; 3 * PAGE - 99]);
        assert_eq!(out[3 * PAGE + 1..3 * PAGE + 3], [8, 0]);
        assert_eq!(file.len().expect("the length"), 100);
    }
}
