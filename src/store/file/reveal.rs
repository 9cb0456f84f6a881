//! The newest commit of a file, in case the header hides it.
//!
//! redb keeps the last two commits in two slots. One bit selects the current slot, and no checksum
//! covers this bit (redb's `docs/design.md`, "Database super-header", format 3). If the bit
//! flipped, the commit before the last one would be current again, and a key that the last commit
//! revoked would work again.
//!
//! So the transaction ids in the two slots are compared. If the current slot has the lower id:
//!
//! * If the checksum of the current slot does not match, its id may be wrong, and the file is
//!   refused. The commit had two phases, so a crash never damages its slot.
//! * If not, the newer commit is checked in a dry run, without a change of the file. If it is
//!   complete, it becomes the current one. Either a flipped bit hid it, or the process ended before
//!   the commit was acknowledged, in which case it may be kept or not.
//! * If the newer commit is incomplete, the process ended while writing it. The older commit stays
//!   current.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use redb::StorageBackend;

use super::database::Database;
use super::dry_run::DryRun;
use super::errors::{guarded, io_error, storage};
use super::header::{self, Header};
use crate::store::error::StoreError;

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
        if !header.current_slot_is_sound(file.metadata().map_err(unusable)?.len()) {
            return Err(header::damaged());
        }
        let flags = [header.flags_of_other()];
        let copy = DryRun::on(file.try_clone().map_err(unusable)?).map_err(unusable)?;
        copy.write(Header::FLAGS as u64, &flags).map_err(unusable)?;
        let whole = guarded(|| Database::open(copy)?.check());
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
