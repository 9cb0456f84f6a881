//! The file store: it is reopened, shared, damaged, replaced by foreign files, and run on failing
//! disks. Every acknowledged change is there, or an error reports that it cannot be read.

mod closing;
mod cost;
mod damage;
mod disk;
mod faults;
mod foreign_files;
mod format;
mod format_index;
mod format_lists;
mod format_reader;
mod generations;
mod golden;
mod growth;
mod in_memory;
mod lists;
mod members;
mod opening;
mod reopening;
#[cfg(unix)]
mod sharing;
#[cfg(target_os = "linux")]
mod short_writes;

use std::fs;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use futures_lite::future::block_on;
use keywright::AccessRequest;
use keywright::store::{FileStore, StoreError, StoreErrorKind};
use serde_json::Value;
use tempfile::TempDir;

use common::World;
use common::store_lifecycle::{DEAD, live};

/// A closed store after a lifecycle, with its last visible state.
struct Lived {
    folder: TempDir,
    world: World,
    state: Value,
}

impl Lived {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = open(&folder.path().join("keys.db")).expect("a new store");
        let mut world = World::bare(store.clone());
        live(&mut world);
        let state = world.state();
        block_on(store.close()).expect("the store closes");
        Self { folder, world, state }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("keys.db")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).expect("the store file")
    }

    /// Opens `bytes` as a store. The store must be unchanged, or the damage must be detected at the
    /// latest by a check of the whole file; any other result is returned as an error. A dead token is
    /// never accepted.
    fn open_damaged(&mut self, bytes: &[u8]) -> Result<Opened, String> {
        let path = self.folder.path().join("damaged.db");
        write_private(&path, bytes);
        let Some(store) = open_or_refuse(&path)? else { return Ok(Opened::Refused) };
        self.world.reopen(store.clone());
        let token = |name: &str| self.world.token(name).token.expose();
        let alive = DEAD.iter().find(|name| is_accepted(&self.world, token(name)));
        let seen = catch_unwind(AssertUnwindSafe(|| self.world.state()));
        let checked = block_on(store.check());
        // A panic of the database on damaged pages can also strike when it is closed.
        let closed = block_on(store.close());
        if let Some(error) = checked.as_ref().err().or(closed.as_ref().err())
            && !is_typed(error)
        {
            return Err(format!("the error has another kind: {error:?}"));
        }
        match seen {
            _ if alive.is_some() => Err(format!("the token {alive:?} is accepted")),
            Ok(seen) if seen == self.state => Ok(Opened::AsItWas),
            _ if checked.is_err() => Ok(Opened::Refused),
            Ok(seen) => Err(format!("it opened as\n{}", difference(&self.state, &seen))),
            Err(_) => Err("it passes the check, and not all of it could be read".to_owned()),
        }
    }
}

/// The answers of a verify that accepts a token.
const ACCEPTED: [&str; 2] = ["current", "retiring"];

/// Returns whether a token is accepted. A damaged store may also be unable to decide.
fn is_accepted(world: &World, token: &str) -> bool {
    let source = "203.0.113.7".parse().expect("an address");
    block_on(world.verifier.verify_request(&AccessRequest::token(token).source(source))).is_ok()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Opened {
    AsItWas,
    Refused,
}

/// Writes a store file with the permissions that the crate gives it: no access for other users.
fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("the file is written");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("the mode is set");
}

fn open(path: &Path) -> Result<FileStore, StoreError> {
    block_on(FileStore::open(path))
}

/// Opens a file that can be damaged. Returns the store, nothing for an allowed refusal, or a
/// description of a wrong result.
fn open_or_refuse(path: &Path) -> Result<Option<FileStore>, String> {
    silence_database_panics();
    match catch_unwind(|| open(path)) {
        Err(_) => Err("the open panicked".to_owned()),
        Ok(Err(error)) if is_typed(&error) => Ok(None),
        Ok(Err(error)) => Err(format!("the error has another kind: {error:?}")),
        Ok(Ok(store)) => Ok(Some(store)),
    }
}

/// Silences the database's panics on some damage, which the store turns into errors; their messages
/// would hide all other output.
///
/// It also silences the panics of a world whose store cannot be read.
fn silence_database_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_expected = |place: &panic::Location<'_>| {
                place.file().contains("/redb-") || place.file().contains("tests/common/")
            };
            if !panic.location().is_some_and(is_expected) {
                usual(panic);
            }
        }));
    });
}

/// Returns whether the error has one of the three kinds that an open can return.
fn is_typed(error: &StoreError) -> bool {
    let kinds = [StoreErrorKind::Corrupt, StoreErrorKind::Unsupported, StoreErrorKind::Unavailable];
    kinds.contains(&error.kind())
}

/// Describes the first differences between two values.
fn difference(expected: &Value, seen: &Value) -> String {
    fn walk(at: &str, a: &Value, b: &Value, found: &mut Vec<String>) {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
                for (key, value) in a {
                    walk(&format!("{at}/{key}"), value, &b[key], found);
                }
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (place, (a, b)) in a.iter().zip(b).enumerate() {
                    walk(&format!("{at}/{place}"), a, b, found);
                }
            }
            _ if a == b => {}
            _ => found.push(format!("{at}: expected {a}\n  seen {b}")),
        }
    }
    let mut found = Vec::new();
    walk("", expected, seen, &mut found);
    found.truncate(5);
    found.join("\n")
}
