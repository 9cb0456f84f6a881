//! Opening: who else has the file open, how it is made, what is left beside it.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;

use futures_lite::future::block_on;
use keywright::store::{FileStore, StoreError, StoreErrorKind};

use crate::harness::World;
use crate::{Lived, open};

const CHILD: &str = "KEYWRIGHT_TEST_OPENS";

#[track_caller]
fn assert_says_that_it_is_open(error: &StoreError) {
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("open in another process"), "{error}");
}

#[test]
fn a_second_open_in_the_same_process_says_that_the_store_is_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let store = open(&path).expect("a new store");
    assert_says_that_it_is_open(&open(&path).expect_err("it is open"));
    block_on(store.close()).expect("the store closes");
    open(&path).expect("it is free again");
}

#[test]
fn a_second_open_in_another_process_says_that_the_store_is_open() {
    // The other process is this very test, told by a variable what to open.
    if let Some(path) = env::var_os(CHILD) {
        match open(Path::new(&path)) {
            Ok(_) => println!("child: opened"),
            Err(error) => println!("child: {:?}: {error}", error.kind()),
        }
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let other = || {
        let this = env::current_exe().expect("this program");
        let test = "opening::a_second_open_in_another_process_says_that_the_store_is_open";
        let output = Command::new(this)
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, &path)
            .output()
            .expect("the other process runs");
        let printed = String::from_utf8(output.stdout).expect("text");
        let said = printed.lines().find_map(|line| Some(line.split_once("child: ")?.1.to_owned()));
        said.unwrap_or_else(|| panic!("the other process said nothing: {printed}"))
    };
    let store = open(&path).expect("a new store");
    let said = other();
    assert!(said.starts_with("Unavailable: "), "{said}");
    assert!(said.contains("open in another process"), "{said}");
    block_on(store.close()).expect("the store closes");
    assert_eq!(other(), "opened");
}

#[cfg(unix)]
#[test]
fn the_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let lived = Lived::new();
    let mode = fs::metadata(lived.path()).expect("the store file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn nothing_is_left_beside_the_file() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    assert_eq!(names_in(lived.folder.path()), ["keys.db"], "while it is open");
    block_on(store.close()).expect("the store closes");
    assert_eq!(names_in(lived.folder.path()), ["keys.db"], "after the close");
}

#[test]
fn of_many_that_open_a_new_store_at_once_one_has_it_and_the_others_hear_why() {
    for round in 0..20 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys.db");
        let together = Barrier::new(6);
        let opened: Vec<Result<FileStore, StoreError>> = std::thread::scope(|scope| {
            let opening: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        open(&path)
                    })
                })
                .collect();
            opening.into_iter().map(|opening| opening.join().expect("no panic")).collect()
        });
        let (had, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
        assert!(had.len() <= 1, "round {round}: {} have it", had.len());
        for refused in refused.into_iter().filter_map(Result::err) {
            assert_says_that_it_is_open(&refused);
        }
        drop(had);
        assert_eq!(names_in(folder.path()), ["keys.db"], "round {round}");
        let world = World::new(open(&path).expect("whoever came first made a whole store"));
        world.generate("prod-main-app");
    }
}

#[test]
fn a_store_can_not_be_made_where_there_is_no_folder_or_nothing_can_be_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut places = vec![folder.path().join("absent").join("keys.db")];
    if cfg!(target_os = "linux") {
        // No file can be made here, not even by root.
        places.extend(["/proc/keys.db", "/sys/keys.db"].map(Into::into));
    }
    for place in places {
        let error = open(&place).expect_err("nothing can be made there");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}: {error}", place.display());
        assert!(error.to_string().contains("keys.db"), "it names the file: {error}");
    }
    assert_eq!(names_in(folder.path()), [""; 0], "nothing is left behind");
}

#[test]
fn a_path_without_a_file_name_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for place in [folder.path().join(".."), "".into(), "/".into()] {
        let error = open(&place).expect_err("that is no file");
        let kinds = [StoreErrorKind::Unsupported, StoreErrorKind::Unavailable];
        assert!(kinds.contains(&error.kind()), "{}: {error:?}", place.display());
    }
}

#[cfg(unix)]
#[test]
fn a_store_behind_a_symbolic_link_is_the_store() {
    let lived = Lived::new();
    let link = lived.folder.path().join("link.db");
    std::os::unix::fs::symlink("keys.db", &link).expect("a link");
    let mut world = lived.world;
    world.reopen(open(&link).expect("it opens"));
    assert!(world.state() == lived.state);
    assert_says_that_it_is_open(&open(&lived.folder.path().join("keys.db")).expect_err("open"));
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}
