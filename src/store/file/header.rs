//! The header of the file: its magic number, and the bit that selects one of two commit slots.
//!
//! redb keeps the last two commits in two slots. One bit selects the current slot, and no checksum
//! covers this bit (redb's `docs/design.md`, "Database super-header", format 3). If the bit
//! flipped, the commit before the last one would be current again, and a key that the last commit
//! revoked would work again.
//!
//! So if the current slot is the older one, the newer commit is checked in a dry run, without a
//! change of the file. The check covers the checksum of every record; events are covered by redb's
//! checksums.
//!
//! * If the newer commit is complete, it becomes the current one. Either a flipped bit hid it, or
//!   the process ended before the commit was acknowledged, in which case it may be kept or not.
//! * If the newer commit is incomplete, the process ended while writing it. The older commit stays
//!   current.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use redb::StorageBackend;

use super::database::{Database, builder};
use super::dry_run::DryRun;
use super::errors::{guarded, io_error, storage};
use crate::store::error::StoreError;

/// The header of a redb file.
pub(super) struct Header([u8; Header::LEN]);

impl Header {
    const LEN: usize = 320;
    const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    /// The offset of the byte with the bit that selects the slot.
    const FLAGS: usize = 9;
    const SLOT_1_IS_CURRENT: u8 = 1;
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

    /// Returns whether the current slot is the older one.
    fn newer_is_hidden(&self) -> bool {
        let [slot_0, slot_1] = Self::TRANSACTION_IDS.map(|at| {
            let id = self.0[at..].first_chunk::<8>();
            id.map_or(0, |id| u64::from_le_bytes(*id))
        });
        match self.0[Self::FLAGS] & Self::SLOT_1_IS_CURRENT {
            0 => slot_1 > slot_0,
            _ => slot_0 > slot_1,
        }
    }
}

/// Makes the newer commit current if it is hidden and complete.
pub(super) fn reveal_newest(file: &mut File) -> Result<(), StoreError> {
    let unusable = |error| io_error("the store file can't be read or written", error);
    let hidden = |file: &mut File| {
        let header = Header::read(file).map_err(unusable)?;
        Ok::<_, StoreError>(header.filter(Header::newer_is_hidden))
    };
    if hidden(file)?.is_none() {
        return Ok(());
    }
    // No other process may open the file between the check and the change.
    file.try_lock().map_err(|_| storage(redb::DatabaseError::DatabaseAlreadyOpen))?;
    if let Some(header) = hidden(file)? {
        let flags = [header.0[Header::FLAGS] ^ Header::SLOT_1_IS_CURRENT];
        let copy = DryRun::on(file.try_clone().map_err(unusable)?).map_err(unusable)?;
        copy.write(Header::FLAGS as u64, &flags).map_err(unusable)?;
        let whole =
            guarded(|| Database::load(builder().create_with_backend(copy).map_err(storage)?));
        if whole.is_ok() {
            // After a kill, the commit may be only in the system's cache. It must reach the disk
            // before the bit does: a power cut between the two would leave no valid slot.
            file.sync_all().map_err(unusable)?;
            file.seek(SeekFrom::Start(Header::FLAGS as u64)).map_err(unusable)?;
            file.write_all(&flags).map_err(unusable)?;
            file.sync_all().map_err(unusable)?;
        }
    }
    file.unlock().map_err(unusable)
}
