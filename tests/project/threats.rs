//! Every row of the threat model names all tests with its id, or says why there is none.

use std::collections::BTreeSet;

use crate::coverage::{tests, threat_of};
use crate::root;
use crate::tables::{assert_proof, named, page, rows};

/// The tables of the threat model, with the letter of their ids and the number of each row. Names of their
/// tests begin with `t_`: `t_f01_` belongs to F01, and `f1_` to the promise F1. A row can name other tests as well.
const THREATS: [(&str, char, &[u8]); 9] = [
    (
        "## In the file",
        'F',
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
    ),
    ("## At the same time", 'C', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    ("## On many nodes", 'M', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]),
    ("## Keys and digests", 'K', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    ("## Time and enumeration", 'T', &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("## Leaks", 'L', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ("## Rights and lifecycle", 'A', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    ("## Denial of service", 'D', &[1, 2, 3, 4, 5, 6, 8, 9]),
    ("## Supply chain", 'S', &[1, 2, 3, 4, 5]),
];

#[test]
fn every_threat_names_its_tests() {
    let (page, tests) = (page("threat_model.md"), tests());
    for (heading, letter, numbers) in THREATS {
        let rows = rows(&page, heading);
        assert_eq!(rows.len(), numbers.len(), "the rows of {heading}");
        for (number, row) in numbers.iter().zip(rows) {
            let id = format!("{letter}{number:02}");
            let [threat, behavior, held] = row.as_slice() else { panic!("three cells: {row:?}") };
            assert!(threat.len() > 10 && behavior.len() > 20, "{id} says {row:?}");
            assert_proof(held, &tests);
            let of_row = |test: &&str| threat_of(test).is_some_and(|of| of == id);
            let named: BTreeSet<_> = named(held).into_iter().filter(of_row).collect();
            let there: BTreeSet<_> = tests.keys().map(String::as_str).filter(of_row).collect();
            assert_eq!(named, there, "{id}: {threat}");
        }
    }
}

#[test]
fn every_web_threat_names_its_tests() {
    let (page, tests) = (page("threat_model.md"), tests());
    let rows = rows(&page, "## On the web");
    let named: BTreeSet<_> = rows.iter().flat_map(|row| named(row[2])).collect();
    for row in &rows {
        assert_proof(row[2], &tests);
    }
    let is_of_web = |test: &&String| threat_of(test).is_some_and(|id| id.starts_with('H'));
    let ids: BTreeSet<_> =
        tests.keys().filter(is_of_web).filter_map(|test| threat_of(test)).collect();
    assert_eq!(ids.len(), 16, "{ids:?}");
    let listed: BTreeSet<_> = named.into_iter().filter_map(threat_of).collect();
    assert_eq!(ids.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_defense_names_what_exists() {
    let (page, tests) = (page("threat_model.md"), tests());
    for row in rows(&page, "## What is withstood") {
        let [threat, _, held] = row.as_slice() else { panic!("three cells: {row:?}") };
        assert!(!named(held).is_empty(), "{threat} names nothing");
        for name in named(held) {
            let is_place = name.contains('/') && root().join(name).exists();
            assert!(is_place || tests.contains_key(name), "{name} is neither a test nor a path");
        }
    }
}

#[test]
fn every_tested_threat_has_a_table() {
    let of_table = |id: &str| {
        let number: u8 = id[1..].parse().expect("two digits");
        id.starts_with('H')
            || THREATS
                .iter()
                .any(|(_, letter, numbers)| id.starts_with(*letter) && numbers.contains(&number))
    };
    let stray: Vec<_> = tests()
        .into_keys()
        .filter(|test| threat_of(test).is_some_and(|id| !of_table(&id)))
        .collect();
    assert_eq!(stray, Vec::<String>::new());
}
