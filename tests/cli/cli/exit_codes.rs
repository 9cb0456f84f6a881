//! The exit codes: the same table in the help, in the guide and in the program.

use std::fs;
use std::path::Path;
use std::process::Command;

use futures_lite::future::block_on;
use keywright::store::FileStore;

use crate::desk::{Desk, NO_KEY, program, ran};

/// Returns the numbers and meanings of the table in the help.
fn table_of_help() -> Vec<(i32, String)> {
    let help = ran(Command::new(program()).arg("--help")).out;
    let (_, table) = help.split_once("Exit codes:").expect("a table");
    let row = |line: &str| {
        let (number, meaning) = line.trim().split_once("  ")?;
        Some((number.parse().ok()?, meaning.to_owned()))
    };
    table.lines().filter_map(row).collect()
}

#[test]
fn guide_repeats_the_table_of_the_help() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/guide/command_line.md");
    let page = fs::read_to_string(page).expect("the page");
    let table = table_of_help();
    assert_eq!(table.iter().map(|row| row.0).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    for (number, meaning) in table {
        let row = format!("| {number} | {meaning} |");
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn every_exit_code_occurs() {
    let desk = Desk::open();
    let (token, id) = desk.generate(&["prod-main-app"]);
    assert_eq!(desk.verify(&token, &[]).code, 0);
    assert_eq!(desk.verify("key_no-token", &[]).code, 1);
    assert_eq!(desk.run(&["key", "show"]).code, 2);
    assert_eq!(desk.run(&["key", "show", NO_KEY]).code, 3);
    assert_eq!(desk.run(&["key", "revoke", &id, NO_KEY]).code, 5);
    let held = block_on(FileStore::open(&desk.store)).expect("the store");
    assert_eq!(desk.run(&["key", "show", &id]).code, 4);
    block_on(held.close()).expect("it closes");
    let mut bytes = fs::read(&desk.store).expect("the file");
    // The first copies may be in pages that are free again.
    let mut places: Vec<usize> = (0..bytes.len() - id.len()).collect();
    places.retain(|place| bytes[*place..].starts_with(id.as_bytes()));
    assert!(!places.is_empty(), "the file names its keys");
    for place in places {
        bytes[place] ^= 0x20;
    }
    fs::write(&desk.store, bytes).expect("the damage");
    let damaged = desk.run(&["check"]);
    assert_eq!(damaged.code, 6, "{damaged:?}");
}

/// A write to `/dev/full` fails as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn unwritten_result_has_its_exit_code() {
    let desk = Desk::open();
    let full = fs::File::options().write(true).open("/dev/full").expect("a device of Linux");
    let lost = ran(desk.command(&["policy", "show"]).stdout(full));
    assert_eq!(lost.code, 7, "{lost:?}");
}
