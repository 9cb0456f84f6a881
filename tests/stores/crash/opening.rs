//! Opens the file after a power cut and compares the content.

use std::fs;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

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
    let found = match catch_unwind(AssertUnwindSafe(|| life.look(store.clone()))) {
        Err(_) => Found::Wrong("it opened, and not all of it could be read".to_owned()),
        Ok(seen) => life.number(&seen).map_or_else(
            || Found::Wrong("it opened with a state that never existed".to_owned()),
            Found::State,
        ),
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

/// Silences the database's panics, which the store turns into errors; their messages would hide all
/// other output.
fn silence_database_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let of_the_database = |place: &panic::Location<'_>| place.file().contains("/redb-");
            if !panic.location().is_some_and(of_the_database) {
                usual(panic);
            }
        }));
    });
}
