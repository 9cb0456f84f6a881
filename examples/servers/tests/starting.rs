//! What can go wrong at the start: one line on standard error, exit code 1, and nothing made.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::server::{ALL, Place, failed};

/// One line that begins with the server's name and says `what`.
#[track_caller]
fn fails(place: &Place, example: &str, arguments: &[&str], what: &str) {
    let (code, stdout, stderr) = failed(place.command(example).args(arguments));
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{arguments:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let line = stderr.strip_prefix(&format!("{example}: ")).expect("its name");
    assert!(line.contains(what), "{what:?} in {line:?}");
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn bad_argument_gets_one_line() {
    let place = Place::new();
    for example in ALL {
        fails(&place, example, &["--prot", "80"], "unexpected argument '--prot' found");
        fails(&place, example, &["keys.db"], "unexpected argument 'keys.db' found");
        fails(&place, example, &["--port", "many"], "invalid value 'many' for '--port <N>'");
        fails(&place, example, &["--port", "65536"], "65536 is not in 0..=65535");
        fails(&place, example, &["--store"], "a value is required for '--store <FILE>'");
    }
    assert_eq!(entries(place.folder.path()), 0);
}

#[test]
fn used_port_is_reported_before_keys() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let store = place.store();
    let arguments = ["--port", &port, "--store", store.to_str().expect("text")];
    for example in ALL {
        fails(&place, example, &arguments, &format!("port {port} can't be used: "));
        assert!(!store.exists());
    }
}

#[test]
fn folder_as_store_is_refused() {
    let place = Place::new();
    let folder = place.folder.path().to_str().expect("text");
    for example in ALL {
        fails(&place, example, &["--store", folder], "is a folder, not a store file");
    }
}

#[test]
fn foreign_file_is_refused_unchanged() {
    let place = Place::new();
    let store = place.store();
    fs::write(&store, "a shopping list").expect("a file");
    for example in ALL {
        let arguments = ["--store", store.to_str().expect("text")];
        fails(&place, example, &arguments, "is not a keywright store");
    }
    assert_eq!(fs::read(&store).expect("a file"), b"a shopping list");
}

#[test]
fn store_in_missing_folder_is_refused() {
    let place = Place::new();
    let store = place.folder.path().join("nowhere").join("keys.db");
    for example in ALL {
        let arguments = ["--store", store.to_str().expect("text")];
        fails(&place, example, &arguments, "the folder does not exist");
    }
}

#[test]
fn store_of_running_server_is_refused() {
    let place = Place::new();
    let server = place.start("axum_server");
    let store = place.store();
    for example in ALL {
        let arguments = ["--store", store.to_str().expect("text")];
        fails(&place, example, &arguments, "the store is open in another process");
    }
    let [read, ..] = server.tokens();
    assert_eq!(server.ask_with(&read, "GET", "/invoices").status, 200);
}

#[test]
fn help_goes_to_standard_output() {
    let place = Place::new();
    for example in ALL {
        let (code, stdout, stderr) = failed(place.command(example).arg("--help"));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        for flag in ["--port <N>", "--store <FILE>"] {
            assert!(stdout.contains(flag), "{stdout}");
        }
    }
}
