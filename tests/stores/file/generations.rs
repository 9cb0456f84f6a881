//! An older copy of the store file is refused if the generation is kept in another place.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_lite::future::block_on;
use keywright::store::{
    FileOptions, FileStore, GenerationFile, Generations, StoreError, StoreErrorKind,
};
use tempfile::TempDir;

use crate::write_private;
use common::{TestResult, World};

/// A store file, and a folder on another disk.
struct Place {
    folder: TempDir,
    other: TempDir,
}

impl Place {
    fn new() -> TestResult<Self> {
        Ok(Self { folder: tempfile::tempdir()?, other: tempfile::tempdir()? })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.db")
    }

    fn generation(&self) -> GenerationFile {
        GenerationFile::new(self.other.path().join("keys.generation"))
    }

    fn options(&self) -> FileOptions {
        FileOptions::new().generations(self.generation())
    }

    fn open(&self, options: FileOptions) -> Result<FileStore, StoreError> {
        block_on(options.open(self.path()))
    }
}

/// A place in memory, which can fail.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    all: Vec<u64>,
    fails: bool,
}

impl Generations for Memory {
    fn newest(&self) -> io::Result<Option<u64>> {
        Ok(self.0.lock().expect("no panic").all.last().copied())
    }

    fn record(&self, generation: u64) -> io::Result<()> {
        let mut recorded = self.0.lock().expect("no panic");
        if recorded.fails {
            return Err(io::Error::other("the other disk is gone"));
        }
        recorded.all.push(generation);
        Ok(())
    }
}

#[test]
fn t_f19_older_copy_is_refused() -> TestResult {
    let place = Place::new()?;
    let store = place.open(place.options())?;
    let mut world = World::new(store.clone());
    let leaked = world.issue("prod-main-app");
    block_on(store.close())?;
    let backup = fs::read(place.path())?;
    let store = place.open(place.options())?;
    world.reopen(store.clone());
    block_on(world.authority.revoke(&world.admin, &leaked.key.id))?;
    block_on(store.close())?;
    let newest = place.generation().newest()?.ok_or("nothing was recorded")?;

    write_private(&place.path(), &backup);
    let refused = place.open(place.options()).expect_err("an older copy");
    assert_eq!(refused.kind(), StoreErrorKind::Unsupported);
    let text = refused.to_string();
    assert!(text.contains(&format!("and {newest} was recorded")), "{text}");

    // Accepted once, it continues above every generation before, so the file from before is older now.
    let newer = fs::read(place.path())?;
    let store = place.open(place.options().danger_accept_older_copy())?;
    assert!(place.generation().newest()? > Some(newest));
    world.reopen(store.clone());
    assert_eq!(world.says(leaked.token.expose()), "current", "as the error says");
    block_on(store.close())?;
    block_on(place.open(place.options())?.close())?;
    write_private(&place.path(), &newer);
    assert!(place.open(place.options()).is_err());
    Ok(())
}

#[test]
fn t_f19_store_without_record_is_refused() -> TestResult {
    let place = Place::new()?;
    let store = place.open(FileOptions::new())?;
    World::new(store.clone()).issue("prod-main-app");
    block_on(store.close())?;
    let refused = place.open(place.options()).expect_err("nothing was recorded");
    assert_eq!(refused.kind(), StoreErrorKind::Unsupported);
    assert!(refused.to_string().contains("no generation of"), "{refused}");
    block_on(place.open(place.options().danger_accept_older_copy())?.close())?;
    block_on(place.open(place.options())?.close())?;
    Ok(())
}

#[test]
fn t_f19_every_commit_is_recorded_before_its_answer() -> TestResult {
    let (place, memory) = (Place::new()?, Memory::default());
    let newest = || memory.newest().expect("memory").expect("a generation");
    let store = place.open(FileOptions::new().generations(memory.clone()))?;
    let world = World::new(store.clone());
    let mut last = newest();
    let mut is_recorded = |call: &str| {
        assert!(newest() > last, "{call}");
        last = newest();
    };
    let key = world.issue("prod-main-app");
    is_recorded("generate");
    assert_eq!(world.says(key.token.expose()), "current");
    block_on(world.verifier.flush())?;
    is_recorded("flush");
    block_on(world.authority.revoke(&world.admin, &key.key.id))?;
    is_recorded("revoke");
    block_on(store.compact())?;
    is_recorded("compact");
    block_on(store.close())?;
    assert!(memory.0.lock().expect("no panic").all.is_sorted(), "they grow");
    Ok(())
}

#[test]
fn t_f19_unrecorded_change_is_an_error() -> TestResult {
    let (place, memory) = (Place::new()?, Memory::default());
    let options = FileOptions::new().generations(memory.clone());
    let store = place.open(options.clone())?;
    let mut world = World::new(store.clone());
    let key = world.issue("prod-main-app");
    memory.0.lock().expect("no panic").fails = true;
    for _ in 0..2 {
        let failed = block_on(world.authority.revoke(&world.admin, &key.key.id));
        assert!(failed.is_err(), "the second one because the store takes no more changes");
    }
    block_on(store.close())?;
    assert!(place.open(options.clone()).is_err(), "the place still fails");
    memory.0.lock().expect("no panic").fails = false;
    let store = place.open(options)?;
    world.reopen(store.clone());
    assert_eq!(world.says(key.token.expose()), "revoked", "the change was in the file");
    block_on(store.close())?;
    Ok(())
}

/// A power cut can leave any part of the line that was being written. The one before it stays.
#[test]
fn t_f19_torn_record_leaves_the_one_before() -> TestResult {
    let place = Place::new()?;
    let (file, path) = (place.generation(), place.other.path().join("keys.generation"));
    for generation in 1..=2 {
        file.record(generation)?;
    }
    let two = fs::read(&path)?;
    file.record(3)?;
    let three = fs::read(&path)?;
    for torn in 0..=three.len() {
        let mut bytes = three[..torn].to_vec();
        bytes.extend_from_slice(two.get(torn..).unwrap_or_default());
        fs::write(&path, &bytes)?;
        let newest = file.newest()?;
        assert!([Some(2), Some(3)].contains(&newest), "{newest:?} after {torn} bytes");
    }
    fs::write(&path, "another file")?;
    assert_eq!(file.newest().map_err(|error| error.kind()), Err(io::ErrorKind::InvalidData));
    Ok(())
}
