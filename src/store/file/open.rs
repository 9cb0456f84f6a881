//! Finding, creating and locking the store file.
//!
//! A new store is put together under a temporary name and linked to its own name when it is whole
//! and synced, so at no moment is there half a store under that name. What exists is looked at
//! read-only before it is opened for writing: a file of another program is never changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError};

use super::dry_run::DryRun;
use super::errors::{io_error, storage};
use super::header::{Header, reveal_newest};
use super::journal::{Journal, builder, check_format};
use crate::store::StoreError;
use crate::store::image::Contents;

/// Opens the store at `path`, or makes one there.
pub(super) fn open(path: &Path) -> Result<(Journal, Contents), StoreError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(StoreError::unsupported(format!(
            "{} is a folder, not a store file",
            path.display()
        ))),
        Ok(_) => open_existing(path),
        Err(error) if error.kind() == ErrorKind::NotFound => match create(path) {
            // Another process was faster: its store is as good as ours.
            Err(CreateError::Exists) => open_existing(path),
            Err(CreateError::Failed(error)) => Err(error),
            Ok(journal) => Ok((journal, Contents::default())),
        },
        Err(error) => Err(io_error(&format!("{} can't be opened", path.display()), error)),
    }
}

#[cfg(feature = "danger-backend")]
/// Opens the store on a backend of the caller's, or makes one there if it is empty.
pub(super) fn open_backend(
    backend: impl redb::StorageBackend,
) -> Result<(Journal, Contents), StoreError> {
    let length = backend.len().map_err(|error| io_error("the backend can't be read", error))?;
    let database = builder().create_with_backend(backend).map_err(storage)?;
    if length == 0 {
        return Ok((Journal::initialise(database)?, Contents::default()));
    }
    Journal::load(database)
}

fn open_existing(path: &Path) -> Result<(Journal, Contents), StoreError> {
    let unreadable = |error| io_error(&format!("{} can't be opened", path.display()), error);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).open(path).map_err(unreadable)?;
    Header::read(&mut file).map_err(unreadable)?.ok_or_else(|| {
        StoreError::unsupported(format!("{} is not a keywright store", path.display()))
    })?;
    // Whether it is open elsewhere, and what it is, before anything of it is touched.
    match builder().open_read_only(path) {
        Ok(database) => check_format(&database)?,
        // Not closed cleanly: it must be repaired to be read. The first time beside the file.
        Err(DatabaseError::RepairAborted) => {
            let copy = DryRun::on(file.try_clone().map_err(unreadable)?).map_err(unreadable)?;
            check_format(&builder().create_with_backend(copy).map_err(storage)?)?;
        }
        Err(error) => return Err(storage(error)),
    }
    reveal_newest(&mut file)?;
    let loaded = Journal::load(database_in(file)?)?;
    // Whoever made the file may have ended before its entry in the folder was durable.
    sync_folder(&path.canonicalize().map_err(unreadable)?).map_err(unreadable)?;
    Ok(loaded)
}

/// The database in a file, which it locks.
fn database_in(file: File) -> Result<Database, StoreError> {
    let backend = FileBackend::new(file).map_err(storage)?;
    builder().create_with_backend(backend).map_err(storage)
}

enum CreateError {
    Exists,
    Failed(StoreError),
}

fn create(path: &Path) -> Result<Journal, CreateError> {
    let failed = |error| {
        CreateError::Failed(io_error(&format!("{} can't be created", path.display()), error))
    };
    let temporary = Temporary::beside(path).map_err(failed)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&temporary.0).map_err(failed)?;
    let database = database_in(file).map_err(CreateError::Failed)?;
    let journal = Journal::initialise(database).map_err(CreateError::Failed)?;
    match fs::hard_link(&temporary.0, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(CreateError::Exists),
        linked => linked.map_err(failed)?,
    }
    drop(temporary);
    sync_folder(path).map_err(failed)?;
    Ok(journal)
}

/// A name beside the store's own; the file under it is removed on drop.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".new-{:016x}", u64::from_ne_bytes(random)));
        Ok(Self(path.with_file_name(temporary)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left behind after a failure is a file of no use and no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// A directory entry is durable when its folder is synced (POSIX leaves it to `fsync`).
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
