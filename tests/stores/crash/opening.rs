//! Opens the file after a power cut and compares the content.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use futures_lite::future::block_on;
use keywright::store::{FileStore, StoreError, StoreErrorKind};

use crate::disk::Disk;
use crate::lifecycle::Life;

/// The result of an open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// The store after this many changes of its lifecycle.
    State(usize),
    /// An error of a kind that an open can return.
    Refused(String),
    /// Any other result.
    Wrong(String),
}

/// Opens these bytes, reads the whole store, and closes it.
pub(crate) fn open(life: &Life, bytes: Vec<u8>) -> Found {
    Opened::on(life, Disk::holding(bytes)).0
}

/// Opens these bytes through a file. Only this open repairs the header.
pub(crate) fn open_file(life: &Life, path: &Path, bytes: &[u8]) -> Found {
    write_private(path, bytes);
    let (found, store) = look(life, || block_on(FileStore::open(path)));
    close(store);
    found
}

/// Opens these bytes and changes the store. Returns the results of the changes, and whether a dead
/// token is accepted after them or after the next open.
pub(crate) fn change(life: &Life, bytes: Vec<u8>) -> (Vec<Result<(), String>>, bool) {
    silence_database_panics();
    let disk = Disk::holding(bytes);
    let (mut done, mut is_revived) = (Vec::new(), false);
    for _ in 0..2 {
        let Ok(store) = block_on(FileStore::danger_open_backend(disk.clone())) else { break };
        if done.is_empty() {
            done = life.change(&store);
        }
        is_revived |= life.is_revived_in(&store);
        close(Some(store));
    }
    (done, is_revived)
}

/// Writes a store file with the permissions that the crate gives it: no access for other users.
fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("the file is written");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("the mode is set");
}

/// A recorded open.
pub(crate) struct Opened {
    pub(crate) disk: Disk,
    /// The number of steps until the open returned, if it did.
    pub(crate) after: usize,
    /// The bytes of the disk between open and close.
    pub(crate) while_open: Vec<u8>,
}

impl Opened {
    pub(crate) fn on(life: &Life, disk: Disk) -> (Found, Self) {
        let (found, store) = look(life, || block_on(FileStore::danger_open_backend(disk.clone())));
        let (after, while_open) = (disk.count(), disk.bytes());
        close(store);
        (found, Self { disk, after, while_open })
    }
}

fn look(
    life: &Life,
    open: impl FnOnce() -> Result<FileStore, StoreError>,
) -> (Found, Option<FileStore>) {
    silence_database_panics();
    let store = match catch_unwind(AssertUnwindSafe(open)) {
        Err(_) => return (Found::Wrong("the open panicked".to_owned()), None),
        Ok(Err(error)) if is_typed(&error) => return (Found::Refused(described(&error)), None),
        Ok(Err(error)) => return (Found::Wrong(described(&error)), None),
        Ok(Ok(store)) => store,
    };
    // A panic here is one of the world, which expects a store that can be read.
    let seen = catch_unwind(AssertUnwindSafe(|| life.look(store.clone()))).ok();
    let found = match seen.as_ref().and_then(|seen| life.number(seen)) {
        Some(number) => Found::State(number),
        // Damage is detected when a record is read, and at the latest by a check of the whole file.
        None => match block_on(store.check()) {
            _ if life.is_revived_in(&store) => Found::Wrong("a dead token is accepted".to_owned()),
            Err(error) if is_typed(&error) => Found::Refused(described(&error)),
            Err(error) => Found::Wrong(described(&error)),
            Ok(()) if seen.is_none() => {
                Found::Wrong("it passes the check, and not all of it could be read".to_owned())
            }
            Ok(()) => Found::Wrong("it opened with a state that never existed".to_owned()),
        },
    };
    (found, Some(store))
}

/// A damaged store can fail to close, which is a separate error without consequences.
fn close(store: Option<FileStore>) {
    let Some(store) = store else { return };
    if let Err(error) = block_on(store.close()) {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error:?}");
    }
}

fn described(error: &StoreError) -> String {
    format!("{:?}: {error}", error.kind())
}

fn is_typed(error: &StoreError) -> bool {
    let kinds = [StoreErrorKind::Corrupt, StoreErrorKind::Unsupported, StoreErrorKind::Unavailable];
    kinds.contains(&error.kind())
}

/// Silences the database's panics, which the store turns into errors, and those of a world whose store
/// cannot be read; their messages would hide all other output.
fn silence_database_panics() {
    common::silence_panics_in(&["/redb-", "tests/common/", "crash/lifecycle.rs"]);
}
