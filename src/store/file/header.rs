//! The header of the file: its magic number, and the bit that selects one of two commit slots.
//!
//! redb never changes the sizes of pages and regions, and no checksum covers them. With other sizes
//! it would read other pages, so they are compared with those of a store.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;

use super::errors::{guarded, io_error, storage};
use super::pages::Pages;
use crate::store::error::StoreError;

/// The header of a redb file.
pub(super) struct Header([u8; Header::LEN]);

impl Header {
    const LEN: usize = 320;
    const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    /// The offset of the byte with the bit that selects the slot.
    pub(super) const FLAGS: usize = 9;
    const SLOT_1_IS_CURRENT: u8 = 1;
    const HAS_TWO_PHASES: u8 = 4;
    /// The offset of the sizes that redb never changes: of a page, of the header of a region and of
    /// a region.
    const SIZES: usize = 12;
    /// 4,096 bytes, no page and 2²⁰ pages, each with 4 bytes, the least significant one first.
    const SIZES_OF_STORE: [u8; 12] = [0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0];
    /// The offsets of the transaction ids in the two slots.
    const TRANSACTION_IDS: [usize; 2] = [64 + 104, 64 + 128 + 104];

    /// Reads the header of a file; `None` if the file is not a redb database.
    pub(super) fn read(file: &mut File) -> io::Result<Option<Self>> {
        let mut bytes = [0; Self::LEN];
        file.rewind()?;
        match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
            Ok(()) => Ok(bytes.starts_with(Self::MAGIC).then_some(Self(bytes))),
        }
    }

    /// Returns whether the current slot has the lower transaction id.
    ///
    /// Only a compaction commits in one phase. Then both slots have the same records, and redb
    /// itself chooses the newer one that is complete.
    pub(super) fn newer_is_hidden(&self) -> bool {
        if self.0[Self::FLAGS] & Self::HAS_TWO_PHASES == 0 {
            return false;
        }
        let [slot_0, slot_1] = Self::TRANSACTION_IDS.map(|at| {
            let id = self.0[at..].first_chunk::<8>();
            id.map_or(0, |id| u64::from_le_bytes(*id))
        });
        match self.0[Self::FLAGS] & Self::SLOT_1_IS_CURRENT {
            0 => slot_1 > slot_0,
            _ => slot_0 > slot_1,
        }
    }

    /// Returns the byte at [`FLAGS`](Self::FLAGS), with the other slot as the current one.
    pub(super) const fn flags_of_other(&self) -> u8 {
        self.0[Self::FLAGS] ^ Self::SLOT_1_IS_CURRENT
    }

    /// Returns whether the checksum of the current slot matches, in a file of this length.
    ///
    /// Only redb can compute the checksum. After two phases, it reads pages only if it matches.
    pub(super) fn current_slot_is_sound(&self, len: u64) -> bool {
        let header = self.0;
        let has_read_pages = Arc::new(AtomicBool::new(false));
        let backend = HeaderOnly { header, len, has_read_pages: Arc::clone(&has_read_pages) };
        let opened = guarded(|| {
            redb::Database::builder().create_with_backend(Pages::new(backend)).map_err(storage)
        });
        opened.is_ok() || has_read_pages.load(Ordering::Relaxed)
    }
}

/// Refuses a header with other sizes than those of a store.
pub(super) fn check(backend: &impl StorageBackend) -> Result<(), StoreError> {
    let mut sizes = [0; Header::SIZES_OF_STORE.len()];
    let read = backend.read(Header::SIZES as u64, &mut sizes);
    read.map_err(|error| io_error("the store file can't be read", error))?;
    if sizes == Header::SIZES_OF_STORE { Ok(()) } else { Err(damaged()) }
}

/// Returns the error for a damaged header.
pub(super) fn damaged() -> StoreError {
    StoreError::corrupt("the header of the store file is damaged: restore the file from a backup")
}

/// A file of which only the header can be read. Writes are ignored.
#[derive(Debug)]
struct HeaderOnly {
    header: [u8; Header::LEN],
    len: u64,
    has_read_pages: Arc<AtomicBool>,
}

impl StorageBackend for HeaderOnly {
    fn len(&self) -> io::Result<u64> {
        Ok(self.len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let begin = usize::try_from(offset).unwrap_or(usize::MAX);
        let read = begin.checked_add(out.len()).and_then(|end| self.header.get(begin..end));
        let Some(read) = read else {
            self.has_read_pages.store(true, Ordering::Relaxed);
            return Err(ErrorKind::UnexpectedEof.into());
        };
        out.copy_from_slice(read);
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}
