//! Stores with one flaw each: exactly the expected rules fail.

mod feed_flaws;
mod feeds;
mod flaws;
mod owned;
mod owned_flaws;
mod store;
mod usage;
mod write_flaws;
mod writes;

use std::fs;
use std::panic::{self, AssertUnwindSafe};

use keywright::store::MemoryStore;
use keywright::store::conformance::{Host, RULES};

use feed_flaws::FEED_FLAWS;
use flaws::{OTHER_FLAWS, Row};
use owned_flaws::OWNED_FLAWS;
use store::Wrong;
use write_flaws::WRITE_FLAWS;

/// Returns every flaw, in the order of the guide.
fn flaws() -> impl Iterator<Item = Row> {
    WRITE_FLAWS.into_iter().chain(OTHER_FLAWS).chain(FEED_FLAWS).chain(OWNED_FLAWS)
}

/// Returns the rules that fail on a store.
fn broken(host: &dyn Host) -> Vec<&'static str> {
    let breaks = |check: fn(&dyn Host)| {
        panic::catch_unwind(AssertUnwindSafe(|| check(host))).err().map(|said| {
            let text = said.downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(text.starts_with("the rule "), "the message names the rule: {text}");
        })
    };
    RULES.iter().filter(|rule| breaks(rule.check).is_some()).map(|rule| rule.name).collect()
}

/// Runs `work` without the messages of panics, because rules are expected to fail.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    panic::set_hook(Box::new(|_| {}));
    let came_to = work();
    drop(panic::take_hook());
    came_to
}

#[test]
fn b9_flaws_are_seen_by_listed_rules() {
    let seen =
        quietly(|| flaws().map(|(flaw, ..)| broken(&|| Wrong::with(flaw))).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for ((flaw, what, rules), seen) in flaws().zip(seen) {
        println!("{flaw:?}, {what}: {}", seen.join(", "));
        if seen.is_empty() || seen != rules {
            wrong.push(format!("{flaw:?} {what}: {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "the table differs:\n{}", wrong.join("\n"));
}

#[test]
fn correct_store_breaks_no_rule() {
    assert_eq!(broken(&MemoryStore::new), Vec::<&str>::new());
}

#[test]
fn guide_prints_table_of_flaws() {
    let page = common::root().join("src/guide/custom_store.md");
    let page = fs::read_to_string(page).expect("a page");
    let (_, table) =
        page.split_once("\n| a store in which | is found by |\n|---|---|\n").expect("the table");
    let printed: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let row = |(_, what, rules): Row| format!("| {what} | `{}` |", rules.join("`, `"));
    let expected: Vec<_> = flaws().map(row).collect();
    assert_eq!(printed, expected, "the guide is to have these lines:\n{}", expected.join("\n"));
}
