//! Files and folders that other users can write to, and paths that are not files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use keywright::store::{FileOptions, FileStore, StoreErrorKind};

use crate::opening::{CHILD, names_in, open_and_say, other, said_by};
use crate::{Lived, block_on, open};
use common::World;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode is set");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file exists").permissions().mode() & 0o7777
}

#[track_caller]
fn assert_refused(path: &Path, what: &Path, mode: &str, advice: &str) {
    let error = open(path).expect_err("others may touch it");
    assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{error}");
    let said = error.to_string();
    let what = what.display().to_string();
    for word in [&*what, mode, advice, "danger_allow_shared_files"] {
        assert!(said.contains(word), "{word} is missing: {said}");
    }
}

fn open_shared(path: &Path) -> FileStore {
    let options = FileOptions::new().danger_allow_shared_files();
    block_on(options.open(path)).expect("the host allows it")
}

#[test]
fn t_f18_file_accessible_to_others_is_refused() {
    let lived = Lived::new();
    let path = lived.path();
    let before = lived.bytes();
    for (bits, said) in [
        (0o666, "0666"),
        (0o644, "0644"),
        (0o640, "0640"),
        (0o620, "0620"),
        (0o604, "0604"),
        (0o601, "0601"),
        (0o4610, "4610"),
    ] {
        set_mode(&path, bits);
        assert_refused(&path, &path, said, "chmod 600");
        assert_eq!(mode(&path), bits, "the mode was changed");
        assert!(fs::read(&path).expect("the file") == before, "the file was changed");
    }
    set_mode(&path, 0o666);
    let mut world = lived.world;
    world.reopen(open_shared(&path));
    assert!(world.state() == lived.state);
    assert_eq!(mode(&path), 0o666, "the host's decision");
    drop(world);
}

#[test]
fn t_f18_file_in_shared_folder_is_refused() {
    let lived = Lived::new();
    let (folder, path) = (lived.folder.path(), lived.path());
    for (bits, said) in [(0o777, "0777"), (0o770, "0770"), (0o702, "0702"), (0o2775, "2775")] {
        set_mode(folder, bits);
        assert_refused(&path, folder, said, "chmod go-w");
    }
    for bits in [0o1777, 0o755, 0o700] {
        set_mode(folder, bits);
        block_on(open(&path).expect("no other can replace it").close()).expect("it closes");
    }
    set_mode(folder, 0o777);
    block_on(open_shared(&path).close()).expect("the store closes");
}

#[test]
fn t_f18_shared_folder_gets_no_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    for bits in [0o777, 0o770, 0o722] {
        set_mode(folder.path(), bits);
        assert_refused(&path, folder.path(), &format!("{bits:04o}"), "chmod go-w");
        assert_eq!(names_in(folder.path()), [""; 0], "no leftovers");
    }
    set_mode(folder.path(), 0o777);
    block_on(open_shared(&path).close()).expect("the store closes");
    assert_eq!(mode(&path), 0o600, "the file itself is no other's");
    fs::remove_file(&path).expect("it is removed");
    set_mode(folder.path(), 0o1777);
    block_on(open(&path).expect("a sticky folder").close()).expect("the store closes");
}

#[test]
fn t_f18_link_in_shared_folder_is_refused() {
    let lived = Lived::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let link = folder.path().join("link.db");
    symlink(lived.path(), &link).expect("a link");
    set_mode(folder.path(), 0o777);
    assert_refused(&link, folder.path(), "0777", "chmod go-w");
    set_mode(folder.path(), 0o700);
    block_on(open(&link).expect("it opens").close()).expect("the store closes");
    // The target of the link counts as well.
    let real = lived.folder.path().canonicalize().expect("the folder");
    set_mode(&real, 0o777);
    assert_refused(&link, &real, "0777", "chmod go-w");
}

#[test]
fn t_f18_new_file_is_private_under_any_umask() {
    if let Some(path) = std::env::var_os(CHILD) {
        return open_and_say(Path::new(&path));
    }
    let test = "sharing::t_f18_new_file_is_private_under_any_umask";
    for umask in ["000", "002", "022", "077"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys.db");
        let said = said_by(&mut other(test, &path, &format!("umask {umask}; exec")));
        assert_eq!((said.as_str(), mode(&path)), ("opened", 0o600), "{umask}");
        assert_eq!(names_in(folder.path()), ["keys.db"], "{umask}");
        World::new(open(&path).expect("it opens")).issue("prod-main-app");
    }
}

#[test]
fn t_f18_dangling_link_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    symlink("absent.db", at("link.db")).expect("a link");
    symlink(at("nowhere").join("absent.db"), at("far.db")).expect("a link");
    symlink("link.db", at("again.db")).expect("a link");
    let before = names_in(folder.path());
    for (name, target) in
        [("link.db", "absent.db"), ("far.db", "nowhere/absent.db"), ("again.db", "link.db")]
    {
        let error = open(&at(name)).expect_err("the link is dangling");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        let said = error.to_string();
        for word in [name, target, "symbolic link", "does not exist"] {
            assert!(said.contains(word), "{word} is missing: {said}");
        }
    }
    assert_eq!(names_in(folder.path()), before, "no file is created");
}

#[test]
fn t_f18_non_file_is_named() {
    use std::os::unix::net::UnixListener;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let _listener = UnixListener::bind(at("socket")).expect("a socket");
    let made = Command::new("mkfifo").arg(at("fifo")).status().expect("mkfifo runs");
    assert!(made.success());
    fs::create_dir(at("folder")).expect("a folder");
    for (name, target) in [
        ("link to a socket", at("socket")),
        ("link to a fifo", at("fifo")),
        ("link to a folder", at("folder")),
        ("link to a device", "/dev/null".into()),
    ] {
        symlink(target, at(name)).expect("a link");
    }
    let table = [
        ("socket", "is a socket"),
        ("fifo", "is a named pipe"),
        ("folder", "is a folder"),
        ("link to a socket", "is a socket"),
        ("link to a fifo", "is a named pipe"),
        ("link to a folder", "is a folder"),
        ("link to a device", "is a device"),
    ];
    let before = names_in(folder.path());
    // A read of a pipe would wait for a writer, so the open must return without one.
    for (name, cause) in table {
        for error in [
            open(&at(name)).expect_err(cause),
            block_on(FileOptions::new().danger_allow_shared_files().open(at(name)))
                .expect_err(cause),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{error}");
            let said = error.to_string();
            assert!(said.contains(cause) && said.contains(name), "{said}");
        }
    }
    let error = open(Path::new("/dev/zero")).expect_err("a device");
    assert!(error.to_string().contains("/dev/zero is a device"), "{error}");
    assert_eq!(names_in(folder.path()), before, "no file is created");
}
