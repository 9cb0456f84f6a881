//! Opening a file: concurrent opens, creation, and leftover files.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
#[cfg(unix)]
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{FileStore, StoreError, StoreErrorKind};

use crate::{Lived, open};
use common::World;

pub(crate) const CHILD: &str = "KEYWRIGHT_TEST_OPENS";

#[track_caller]
fn assert_says_that_it_is_open(error: &StoreError) {
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("open in another process"), "{error}");
}

#[test]
fn t_f17_second_open_in_process_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let store = open(&path).expect("a new store");
    assert_says_that_it_is_open(&open(&path).expect_err("it is open"));
    block_on(store.close()).expect("the store closes");
    open(&path).expect("it is free again");
}

#[test]
fn t_f17_second_open_elsewhere_is_refused() {
    // The other process is this test executable, with the path in a variable.
    if let Some(path) = env::var_os(CHILD) {
        return open_and_say(Path::new(&path));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let test = "opening::t_f17_second_open_elsewhere_is_refused";
    let other = || said_by(&mut other(test, &path, "exec"));
    let store = open(&path).expect("a new store");
    let said = other();
    assert!(said.starts_with("Unavailable: "), "{said}");
    assert!(said.contains("open in another process"), "{said}");
    block_on(store.close()).expect("the store closes");
    assert_eq!(other(), "opened");
}

pub(crate) fn open_and_say(path: &Path) {
    match open(path) {
        Ok(_) => println!("child: opened"),
        Err(error) => println!("child: {:?}: {error}", error.kind()),
    }
}

/// Builds another process that runs a test of this program through the given shell command.
pub(crate) fn other(test: &str, path: &Path, by: &str) -> Command {
    let this = env::current_exe().expect("this program");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{by} \"$0\" \"$1\" --exact --nocapture")]);
    command.arg(this).arg(test).env(CHILD, path);
    command
}

pub(crate) fn said_by(other: &mut Command) -> String {
    let output = other.output().expect("the other process runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = printed.lines().find_map(|line| Some(line.split_once("child: ")?.1.to_owned()));
    said.unwrap_or_else(|| format!("nothing, it ended with {}: {printed}", output.status))
}

#[cfg(unix)]
#[test]
fn t_f08_unsynced_folder_is_not_acknowledged() {
    if let Some(path) = env::var_os(CHILD) {
        return open_and_say(Path::new(&path));
    }
    let test = "opening::t_f08_unsynced_folder_is_not_acknowledged";
    let mut seen = Vec::new();
    // The limit is too low to open the folder after the store, then one higher.
    for files in 3..16 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys.db");
        let said = said_by(&mut other(test, &path, &format!("ulimit -n {files}; exec")));
        seen.push((said, names_in(folder.path()) == ["keys.db"]));
        let store = open(&path).expect("with enough of them it opens");
        World::new(store).issue("prod-main-app");
        if seen.last().is_some_and(|(said, _)| said == "opened") {
            break;
        }
    }
    let [.., (before, is_made), (last, _)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(last, "opened", "{seen:?}");
    assert!(before.starts_with("Unavailable: ") && before.contains("can't be created"), "{seen:?}");
    assert!(is_made, "the failure came after the link: {seen:?}");
}

#[cfg(unix)]
#[test]
fn t_f07_kill_during_creation_leaves_whole_stores() {
    const STORES: usize = 1_000;
    if let Some(path) = env::var_os(CHILD) {
        for number in 0..STORES {
            let folder = Path::new(&path).join(number.to_string());
            fs::create_dir(&folder).expect("a folder");
            open(&folder.join("keys.db")).expect("a new store");
        }
        return;
    }
    let test = "opening::t_f07_kill_during_creation_leaves_whole_stores";
    let (mut unnamed, mut whole) = (0, 0);
    for round in 0..25_u64 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut making = other(test, folder.path(), "exec").spawn().expect("it starts");
        while !folder.path().join("2").exists() {
            std::thread::yield_now();
        }
        // The kill hits any moment of the creation.
        std::thread::sleep(Duration::from_micros(round * 397));
        making.kill().expect("it can be killed");
        making.wait().expect("it ends");
        for made in names_in(folder.path()) {
            let made = folder.path().join(made);
            let path = made.join("keys.db");
            let left = names_in(&made);
            let is_there = path.exists();
            (unnamed, whole) = (unnamed + u32::from(!is_there), whole + u32::from(is_there));
            // The store is complete if its file exists, and is created anew otherwise, beside the
            // leftovers of the kill.
            let store = open(&path).unwrap_or_else(|error| panic!("beside {left:?}: {error:?}"));
            World::new(store.clone()).issue("prod-main-app");
            block_on(store.close()).expect("the store closes");
            let mut now = names_in(&made);
            now.retain(|name| !left.contains(name));
            assert!(now.is_empty() || now == ["keys.db"], "{now:?} beside {left:?}");
        }
    }
    println!("{whole} stores were whole, {unnamed} had no name yet");
    assert!(whole > 25 && unnamed > 0);
}

#[test]
fn t_f07_leftover_temporary_file_does_no_harm() {
    let lived = Lived::new();
    let whole = lived.bytes();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, left) =
        (folder.path().join("keys.db"), folder.path().join(".keys.db.new-0123456789abcdef"));
    for length in [0, 1, 320, whole.len() / 2, whole.len()] {
        fs::write(&left, &whole[..length]).expect("the file is written");
        let store = open(&path).expect("a new store");
        let world = World::bare(store.clone());
        assert_eq!(common::store_lifecycle::count(&world, &world.admin), 0, "it is taken for one");
        block_on(store.close()).expect("the store closes");
        assert!(fs::read(&left).expect("the file") == whole[..length], "it has changed");
        fs::remove_file(&path).expect("the file is removed");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_file() {
    use std::os::unix::fs::PermissionsExt;
    let lived = Lived::new();
    let mode = fs::metadata(lived.path()).expect("the store file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn t_f07_no_temporary_file_remains() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    assert_eq!(names_in(lived.folder.path()), ["keys.db"], "while it is open");
    block_on(store.close()).expect("the store closes");
    assert_eq!(names_in(lived.folder.path()), ["keys.db"], "after the close");
}

#[test]
fn t_f17_one_of_many_concurrent_opens_wins() {
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
        let world = World::new(open(&path).expect("the first process created a complete store"));
        world.issue("prod-main-app");
    }
}

#[test]
fn missing_or_readonly_folder_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut places = vec![folder.path().join("absent").join("keys.db")];
    if cfg!(target_os = "linux") {
        // No user can create a file here, not even root.
        places.extend(["/proc/keys.db", "/sys/keys.db"].map(Into::into));
    }
    for place in places {
        let error = open(&place).expect_err("no file can be created there");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}: {error}", place.display());
        assert!(error.to_string().contains("keys.db"), "it names the file: {error}");
    }
    assert_eq!(names_in(folder.path()), [""; 0], "no leftovers");
}

#[test]
fn path_without_name_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for place in [folder.path().join(".."), "".into(), "/".into()] {
        let error = open(&place).expect_err("that is no file");
        let kinds = [StoreErrorKind::Unsupported, StoreErrorKind::Unavailable];
        assert!(kinds.contains(&error.kind()), "{}: {error:?}", place.display());
    }
}

#[cfg(unix)]
#[test]
fn symbolic_link_opens_its_store() {
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
