//! Finding, creating and locking the store file.
//!
//! A new store is created under a temporary name and linked to its final name when it is complete
//! and synced. So there is never an incomplete store under the final name. An existing file is read
//! before it is opened for writing, so a file of another program is never changed.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;

use super::database::Database;
use super::dry_run::DryRun;
use super::errors::{io_error, storage};
use super::header::Header;
use super::options::{FileOptions, IfMoved};
use super::pages::check_mark;
#[cfg(unix)]
use super::private;
use super::reveal::reveal_newest;
use crate::store::error::StoreError;
use crate::value::text::hex;

/// Opens the store at `path`, or creates it if there is no file.
pub(super) fn open(path: &Path, options: &FileOptions) -> Result<Database, StoreError> {
    let mut database = open_or_create(path, options.allow_shared)?;
    if let Some(guard) = &options.guard {
        if options.accept_older_copy {
            database.advance(guard.newest()?)?;
        } else {
            guard.check(path, database.generation())?;
        }
        database.guard(guard.clone())?;
    }
    let moved_to = database.last().moved_to.clone();
    if let Some(place) = &moved_to {
        match options.if_moved {
            IfMoved::Refuse => {
                return Err(StoreError::unsupported(moved(&path.display().to_string(), place)));
            }
            IfMoved::Read => {}
            IfMoved::Forget => database.set_moved_to(None)?,
        }
    }
    Ok(database)
}

/// Returns the message for a file whose keys were moved to another store.
pub(super) fn moved(file: &str, place: &str) -> String {
    format!(
        "the keys of {file} were moved to {place}: use that store; if its tables say that the move \
         has not finished, repeat the move"
    )
}

/// Opens the store at `path`, or creates it if there is no file. Unless `allow_shared` is set, it
/// refuses a file that other users can access or replace.
fn open_or_create(path: &Path, allow_shared: bool) -> Result<Database, StoreError> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Ok(target) = fs::read_link(path) {
                return Err(dangling(path, &target));
            }
            #[cfg(unix)]
            if !allow_shared {
                private::check_folder(path)?;
            }
            return match create(path) {
                // Another process created the store in the meantime.
                Err(CreateError::Exists) => open_existing(path, allow_shared),
                Err(CreateError::Failed(error)) => Err(error),
                Ok(database) => Ok(database),
            };
        }
        Err(error) => return Err(io_error(&format!("{} can't be opened", path.display()), error)),
    };
    // Checked before opening, because opening a device can have effects, and opening a pipe waits
    // for its other end.
    check_is_file(path, &found)?;
    open_existing(path, allow_shared)
}

/// Returns the error for a symbolic link without a target.
fn dangling(path: &Path, target: &Path) -> StoreError {
    let (path, target) = (path.display(), target.display());
    StoreError::unavailable(format!(
        "{path} is a symbolic link to {target}, which does not exist: point the link to a store, or \
         remove it"
    ))
}

/// Refuses folders, devices, pipes and sockets.
fn check_is_file(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    let stranger = found.is_dir().then_some("a folder");
    #[cfg(unix)]
    let stranger = stranger.or_else(|| private::stranger(found.file_type()));
    match stranger {
        None => Ok(()),
        Some(what) => {
            let message = format!("{} is {what}, not a store file", path.display());
            Err(StoreError::unsupported(message))
        }
    }
}

/// Opens the store on the caller's backend, or creates it if the backend is empty.
#[cfg(feature = "test-backend")]
pub(super) fn open_backend(backend: impl redb::StorageBackend) -> Result<Database, StoreError> {
    let length = backend.len().map_err(|error| io_error("the backend can't be read", error))?;
    if length == 0 { Database::initialize(backend) } else { Database::open(backend) }
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "only Unix has file modes"))]
fn open_existing(path: &Path, allow_shared: bool) -> Result<Database, StoreError> {
    let unreadable = |error| io_error(&format!("{} can't be opened", path.display()), error);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).open(path).map_err(unreadable)?;
    // The metadata of the opened file, because another file may have the name by now.
    let found = file.metadata().map_err(unreadable)?;
    check_is_file(path, &found)?;
    Header::read(&mut file).map_err(unreadable)?.ok_or_else(|| {
        StoreError::unsupported(format!("{} is not a keywright store", path.display()))
    })?;
    #[cfg(unix)]
    if !allow_shared {
        private::check_file(path, &found)?;
    }
    // Checked before redb opens the file, because redb repairs a file that was not closed cleanly.
    let reader = DryRun::on(file.try_clone().map_err(unreadable)?).map_err(unreadable)?;
    check_mark(&reader, &path.display().to_string())?;
    reveal_newest(&mut file)?;
    let database = Database::open(FileBackend::new(file).map_err(storage)?)?;
    // The process that created the file may have ended before its directory entry was durable.
    sync_folder(&path.canonicalize().map_err(unreadable)?).map_err(unreadable)?;
    Ok(database)
}

enum CreateError {
    Exists,
    Failed(StoreError),
}

/// Creates a store under a temporary name, and links it to `path` when it is complete.
fn create(path: &Path) -> Result<Database, CreateError> {
    let failed = |error| {
        CreateError::Failed(io_error(&format!("{} can't be created", path.display()), error))
    };
    let temporary = Temporary::beside(path).map_err(failed)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&temporary.0).map_err(failed)?;
    // The backend locks the file.
    let backend = FileBackend::new(file).map_err(|error| CreateError::Failed(storage(error)))?;
    let database = Database::initialize(backend).map_err(CreateError::Failed)?;
    match fs::hard_link(&temporary.0, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(CreateError::Exists),
        linked => linked.map_err(failed)?,
    }
    drop(temporary);
    sync_folder(path).map_err(failed)?;
    Ok(database)
}

/// A temporary file in the folder of the store, which is removed on drop.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".new-{}", hex::encode(&random)));
        Ok(Self(path.with_file_name(temporary)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // If the removal fails, an unused file is left, which does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// Syncs the folder of a file, which makes the directory entry durable (POSIX `fsync`).
#[cfg_attr(not(unix), expect(unused_variables, reason = "other systems cannot sync a folder"))]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(private::folder_of(path))?.sync_all()?;
    Ok(())
}
