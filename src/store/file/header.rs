//! The first bytes of the file: whose it is, and which of its two commit slots holds.
//!
//! redb keeps the last two commits in two slots; one bit, which no checksum covers, says which of them
//! holds (redb's `docs/design.md`, "Database super-header", format 3). Were it to flip, the commit
//! before the last would be back, and with it a key that the last one revoked.
//!
//! So where the slot that holds is the older one, the newer one is looked at, beside the file. If it is
//! whole, down to the checksum of every record but events, which redb's checksums cover, it is made the one
//! that holds: it was hidden by a flip, or it is a commit that was cut off when nothing but its
//! acknowledgement was missing, which may be there or not. If it is not whole, it was cut off
//! earlier, and the older one holds by right.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use redb::StorageBackend;

use super::database::{Database, builder};
use super::dry_run::DryRun;
use super::errors::{guarded, io_error, storage};
use crate::store::error::StoreError;

pub(super) struct Header([u8; Header::LEN]);

impl Header {
    const LEN: usize = 320;
    const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    /// The offset of the byte with the bit.
    const FLAGS: usize = 9;
    const SLOT_1_HOLDS: u8 = 1;
    /// The offsets of the last transaction's id in the two slots.
    const TRANSACTION_IDS: [usize; 2] = [64 + 104, 64 + 128 + 104];

    /// `None` if it is no database file.
    pub(super) fn read(file: &mut File) -> io::Result<Option<Self>> {
        let mut bytes = [0; Self::LEN];
        file.rewind()?;
        match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
            Ok(()) => Ok(bytes.starts_with(Self::MAGIC).then_some(Self(bytes))),
        }
    }

    fn newer_is_hidden(&self) -> bool {
        let [slot_0, slot_1] = Self::TRANSACTION_IDS.map(|at| {
            let id = self.0[at..].first_chunk::<8>();
            id.map_or(0, |id| u64::from_le_bytes(*id))
        });
        match self.0[Self::FLAGS] & Self::SLOT_1_HOLDS {
            0 => slot_1 > slot_0,
            _ => slot_0 > slot_1,
        }
    }
}

/// Makes the newer commit hold, if it is hidden and whole.
pub(super) fn reveal_newest(file: &mut File) -> Result<(), StoreError> {
    let unusable = |error| io_error("the store file can't be read or written", error);
    let hidden = |file: &mut File| {
        let header = Header::read(file).map_err(unusable)?;
        Ok::<_, StoreError>(header.filter(Header::newer_is_hidden))
    };
    if hidden(file)?.is_none() {
        return Ok(());
    }
    // Nobody may open the file between the look and the change.
    file.try_lock().map_err(|_| storage(redb::DatabaseError::DatabaseAlreadyOpen))?;
    if let Some(header) = hidden(file)? {
        let flags = [header.0[Header::FLAGS] ^ Header::SLOT_1_HOLDS];
        let copy = DryRun::on(file.try_clone().map_err(unusable)?).map_err(unusable)?;
        copy.write(Header::FLAGS as u64, &flags).map_err(unusable)?;
        let whole =
            guarded(|| Database::load(builder().create_with_backend(copy).map_err(storage)?));
        if whole.is_ok() {
            // After a kill the commit may be in the system's cache alone. It must be on the disk
            // before the bit is: with a cut between them, neither slot would hold.
            file.sync_all().map_err(unusable)?;
            file.seek(SeekFrom::Start(Header::FLAGS as u64)).map_err(unusable)?;
            file.write_all(&flags).map_err(unusable)?;
            file.sync_all().map_err(unusable)?;
        }
    }
    file.unlock().map_err(unusable)
}
