//! A database that is looked at without being touched: what is written stays in memory.
//!
//! A database that was not closed cleanly must be repaired before it can be read, and the repair
//! writes. Here it writes beside the file, so that a file which turns out to be another program's, or
//! of a newer format, is left as it was.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use redb::StorageBackend;

/// In bytes; any size will do.
const PAGE: usize = 4_096;

/// A file, and what was written over it.
pub(super) struct DryRun(Mutex<Overlay>);

struct Overlay {
    file: File,
    /// What of the file still shows: a file that was cut and grown again shows zeros.
    shown: u64,
    len: u64,
    written: HashMap<u64, Box<[u8]>>,
}

impl DryRun {
    pub(super) fn on(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self(Mutex::new(Overlay { file, shown: len, len, written: HashMap::new() })))
    }

    fn overlay(&self) -> io::Result<MutexGuard<'_, Overlay>> {
        self.0.lock().map_err(|_| Error::other("an earlier access panicked"))
    }
}

impl Overlay {
    /// A page as it shows now.
    fn look(&mut self, number: u64) -> io::Result<Box<[u8]>> {
        if let Some(page) = self.written.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE].into_boxed_slice();
        let start = number * PAGE as u64;
        let shown = self.shown.saturating_sub(start).min(PAGE as u64);
        let shown = usize::try_from(shown).unwrap_or(PAGE);
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut page[..shown])?;
        Ok(page)
    }

    /// Changes a page, and keeps it.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut [u8])) -> io::Result<()> {
        let mut page = self.look(number)?;
        change(&mut page);
        self.written.insert(number, page);
        Ok(())
    }

    /// Calls `each` with the pages of a stretch: the number, the range in the page, and the range in
    /// what is read or written.
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
            let stretch = (len - done).min(PAGE - within);
            each(self, number, within..within + stretch, done..done + stretch)?;
            done += stretch;
        }
        Ok(())
    }
}

/// The page of an offset, and the place within it.
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
            out[range].copy_from_slice(&overlay.look(number)?[within]);
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
