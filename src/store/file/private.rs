//! Checks that other users cannot access or replace the store file, by Unix file modes.

use std::fs::{self, FileType, Metadata};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use super::errors::io_error;
use crate::store::error::StoreError;

/// The permission bits of group and others.
const OTHERS: u32 = 0o077;
/// The write permission bits of group and others.
const OTHERS_WRITE: u32 = 0o022;
/// The sticky bit: only the owner of a file in such a folder can remove or rename the file.
const STICKY: u32 = 0o1000;
/// The most symbolic links to follow, which is also the limit of Linux.
const MOST_LINKS: usize = 40;

/// Returns what a file is if it is neither a regular file nor a folder.
pub(super) fn stranger(kind: FileType) -> Option<&'static str> {
    if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("a device")
    } else {
        None
    }
}

/// Refuses a file that other users can access or replace.
pub(super) fn check_file(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    let mode = found.permissions().mode();
    if mode & OTHERS != 0 {
        let path = path.display();
        let mode = mode & 0o7777;
        return Err(StoreError::unsupported(format!(
            "{path} has mode {mode:04o}, so other users can access it: run `chmod 600 {path}`, or allow \
             it with FileOptions::danger_allow_shared_files"
        )));
    }
    // Each symbolic link can be replaced in its folder, and so can the file.
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        check_folder(&place)?;
        match fs::read_link(&place) {
            Ok(target) => place = folder_of(&place).join(target),
            Err(_) => break,
        }
    }
    Ok(())
}

/// Refuses a path in whose folder other users can replace the file.
pub(super) fn check_folder(place: &Path) -> Result<(), StoreError> {
    let unreadable = |error| io_error(&format!("{} can't be opened", place.display()), error);
    let folder = folder_of(place).canonicalize().map_err(unreadable)?;
    let mode = fs::metadata(&folder).map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & OTHERS_WRITE == 0 || mode & STICKY != 0 {
        return Ok(());
    }
    let folder = folder.display();
    Err(StoreError::unsupported(format!(
        "{folder} has mode {mode:04o}, so other users can replace the store in it: run \
         `chmod go-w {folder}`, or allow it with FileOptions::danger_allow_shared_files"
    )))
}

/// Returns the folder of a path.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
