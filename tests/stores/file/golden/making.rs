//! Writes golden files: with `KEYWRIGHT_GOLDEN=v3` those of format 3, which are then kept. Without
//! the variable, a test writes them to a temporary folder.

use std::env;
use std::fs;
use std::path::Path;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{Clock, PepperRing};
use serde_json::{Value, json};

use super::{Golden, peppers, seen};
use common::store_lifecycle::live;
use common::{DAY, World};

#[test]
fn new_golden_files_are_written() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = match env::var("KEYWRIGHT_GOLDEN") {
        Ok(format) => {
            let folder = common::root().join("tests/data/golden").join(format);
            // Kept files are never replaced.
            fs::create_dir(&folder).expect("a new folder");
            folder
        }
        Err(_) => temporary.path().to_owned(),
    };
    make_all(&folder);
    let made = Golden::in_folder(&folder);
    assert_eq!(made.len(), 3);
    for golden in made {
        let length = fs::metadata(&golden.database).expect("the file").len();
        println!("{golden}: {length} bytes");
        assert!(length < 200_000, "{golden} has {length} bytes");
        golden.on_a_copy(|copy| {
            let (store, world) = golden.world(copy);
            golden.assert_seen(&world);
            block_on(store.close()).expect("the store closes");
        });
    }
}

fn make_all(folder: &Path) {
    let empty = folder.join("empty.db");
    let store = block_on(FileStore::open(&empty)).expect("a new store");
    let world = World::bare(store.clone());
    write_state(&empty, &world);
    block_on(store.close()).expect("the store closes");
    compact(&empty);

    let lived = folder.join("lived.db");
    let store = block_on(FileStore::open(&lived)).expect("a new store");
    let mut world = World::bare(store.clone());
    live(&mut world);
    // The keys have digests without a pepper, with an old one and with the newest.
    let old = PepperRing::none().with(1, [7; 32]).expect("a pepper");
    world.rebuild(|builder| builder.peppers(old));
    let issued = world.issue("prod-peppered");
    world.issued.push(("with the old pepper", issued));
    world.rebuild(|builder| builder.peppers(peppers()));
    let issued = world.issue("prod-peppered-anew");
    world.issued.push(("with the new pepper", issued));
    write_state(&lived, &world);
    block_on(store.close()).expect("the store closes");
    compact(&lived);

    // The file of a process that is killed right after its last change.
    let open = folder.join("open.db");
    let store = block_on(FileStore::open(&open)).expect("a new store");
    let world = World::new(store.clone());
    let key = world.issue("prod-main-app");
    let mut issued = vec![("rotated", key), ("last", world.issue("prod-leaked"))];
    let rotated = issued[0].1.key.id;
    let anew =
        block_on(world.authority.rotate(&world.admin, &rotated, DAY)).expect("it is rotated");
    issued.push(("anew", anew));
    block_on(store.close()).expect("the store closes");
    compact(&open);
    let store = block_on(FileStore::open(&open)).expect("it opens");
    let mut world = World::bare(store.clone());
    world.issued = issued;
    let key = world.id("last");
    block_on(world.authority.revoke(&world.admin, &key)).expect("it is revoked");
    let crashed = folder.join("crashed.db");
    write_state(&crashed, &world);
    fs::copy(&open, &crashed).expect("a copy");
    block_on(store.close()).expect("the store closes");
    fs::remove_file(&open).expect("it is removed");
}

/// Writes the visible state of the file beside it.
fn write_state(file: &Path, world: &World) {
    let token = |(name, issued): &(&'static str, keywright::Issued)| {
        ((*name).to_owned(), Value::from(issued.token.expose()))
    };
    let tokens: serde_json::Map<_, _> = world.issued.iter().map(token).collect();
    let pairs: Vec<_> =
        tokens.iter().map(|(n, t)| (n.as_str(), t.as_str().expect("text"))).collect();
    let told = json!({
        "at": world.clock.now().to_string(),
        "tokens": tokens,
        "seen": seen(world, &pairs),
    });
    let text = serde_json::to_string_pretty(&told).expect("JSON");
    fs::write(file.with_extension("json"), text + "\n").expect("the file is written");
}

/// Removes the unused space of the file.
fn compact(file: &Path) {
    let mut database = common::sealed::database(file);
    while database.compact().expect("it is compacted") {}
}
