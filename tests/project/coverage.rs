//! Every promise of the guide has a test, and every test with the id of a promise belongs to one.
//! The same holds for the threats to a file, the races and the threats to nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::root;

/// The ids of the promises, by letter.
const PROMISES: [(char, &[u8]); 6] = [
    ('W', &[1, 2, 3, 4, 5, 6, 7]),
    ('A', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ('F', &[1, 2, 3, 4, 5, 6]),
    ('E', &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ('Q', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ('B', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 22]),
];

/// The tables of the threat model: the threats to a file, of concurrent callers, of many nodes, in
/// texts and in spans, with the ids of their rows. Names of their tests begin with `t_`: `t_f01_` belongs to F01, and
/// `f1_` to the promise F1.
const THREATS: [(&str, &[&str]); 5] = [
    (
        "## In the file",
        &[
            "F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F11", "F12",
            "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F21", "F22", "F23",
        ],
    ),
    (
        "## At the same time",
        &[
            "C01", "C02", "C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C11", "C12",
            "C13", "C14", "C15", "C16",
        ],
    ),
    (
        "## On many nodes",
        &[
            "M01", "M02", "M03", "M04", "M05", "M06", "M07", "M08", "M09", "M10", "M11", "M12",
            "M13", "M15", "M16", "M19",
        ],
    ),
    ("## In texts", &["D01"]),
    ("## In spans, events and metrics", &["D09", "L01"]),
];

#[test]
fn guide_lists_exactly_the_promises() {
    let ids = PROMISES.iter().flat_map(|(letter, numbers)| {
        numbers.iter().map(move |number| format!("{letter}{number}"))
    });
    let listed: Vec<_> = rows().into_iter().map(|row| row.id).collect();
    assert_eq!(listed, ids.collect::<Vec<_>>());
}

#[test]
fn every_promise_names_its_tests() {
    for row in rows() {
        assert!(row.promise.len() > 20, "{} promises {:?}", row.id, row.promise);
        assert!(!row.tests.is_empty(), "{} names no test", row.id);
        for test in &row.tests {
            assert_eq!(
                promise_of(test),
                Some(row.id.clone()),
                "{test} is in the row of {}",
                row.id
            );
        }
    }
}

#[test]
fn tests_named_by_promises_exist() {
    let tests = tests();
    let missing: Vec<_> = rows()
        .into_iter()
        .flat_map(|row| row.tests)
        .filter(|test| !tests.contains_key(test))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_web_threat_names_existing_tests() {
    let page = fs::read_to_string(root().join("src/guide/threat_model.md")).expect("a page");
    let is_test = |word: &&str| threat_of(word).is_some();
    let named: BTreeSet<_> = page.split('`').filter(is_test).map(str::to_owned).collect();
    let tests = tests();
    let missing: Vec<_> = named.iter().filter(|test| !tests.contains_key(*test)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "named, but missing");
    let ids = |tests: &mut dyn Iterator<Item = &String>| -> BTreeSet<_> {
        tests.filter_map(|test| threat_of(test)).filter(|id| id.starts_with('H')).collect()
    };
    let (attacks, listed) = (ids(&mut tests.keys()), ids(&mut named.iter()));
    let unnamed: Vec<_> = attacks.difference(&listed).collect();
    assert_eq!(unnamed, Vec::<&String>::new(), "tested, and not named");
    assert!(named.len() > 40, "only {} tests are named", named.len());
}

#[test]
fn every_store_threat_names_its_tests() {
    let page = fs::read_to_string(root().join("src/guide/threat_model.md")).expect("a page");
    let tests = tests();
    for (heading, ids) in THREATS {
        let (_, table) = page.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
        let rows = table.lines().skip_while(|line| !line.starts_with('|'));
        let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).skip(2).collect();
        assert_eq!(rows.len(), ids.len(), "the rows of {heading}");
        for (id, row) in ids.iter().zip(rows) {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [threat, behavior, held] = cells.as_slice() else { panic!("three cells: {row}") };
            assert!(threat.len() > 10 && behavior.len() > 20, "{id} says {row}");
            let prefix = format!("t_{}_", id.to_lowercase());
            let there: Vec<_> = tests.keys().filter(|test| test.starts_with(&prefix)).collect();
            let mut named: Vec<_> = held.split('`').filter(|word| word.contains('_')).collect();
            named.sort_unstable();
            assert_eq!(named, there, "{id}: {threat}");
            match held.strip_prefix("none: ") {
                Some(reason) => assert!(reason.len() > 40 && named.is_empty(), "{id}: {reason}"),
                None => assert!(!named.is_empty(), "{id} has neither tests nor a reason: {threat}"),
            }
        }
    }
}

#[test]
fn every_test_id_has_its_row() {
    let promised: BTreeSet<_> = rows().into_iter().map(|row| row.id).collect();
    let is_stray = |test: &str| match promise_of(test) {
        Some(id) => !promised.contains(&id),
        None => test.starts_with("t_") && threat_of(test).is_none(),
    };
    let stray: Vec<_> = tests()
        .into_iter()
        .filter(|(test, _)| is_stray(test))
        .map(|(test, file)| format!("{test} in {}", file.display()))
        .collect();
    assert_eq!(stray, Vec::<String>::new());
}

#[test]
fn tests_and_promises_are_found() {
    // The tests above depend on these parsers.
    let text = "#[test]\nfn w1_one() {\n#[test]\n#[should_panic]\nfn two() {\n\nfn w3_no_test() {\n\
                    #[test]\n    // Why.\n    async fn w4_four(world: &World) {\n";
    assert_eq!(tests_in(text), ["w1_one", "two", "w4_four"]);
    let text = "&[\n    Scenario { name: \"one\", run },\n    Scenario {\n        name: \"two\",\n";
    assert_eq!(scenarios_in(text), ["one", "two"]);
    for (test, id) in [("q10_ten", Some("Q10")), ("w1_a", Some("W1")), ("f1_b", Some("F1"))] {
        assert_eq!(promise_of(test).as_deref(), id);
    }
    for test in ["t_f01_of_a_file", "w_no_number", "w1", "the_w1_is_not_first", "aw1_two_letters"] {
        assert_eq!(promise_of(test), None, "{test}");
    }
    for (test, id) in [("t_f01_a", Some("F01")), ("t_m16_b", Some("M16")), ("t_f1_c", None)] {
        assert_eq!(threat_of(test).as_deref(), id);
    }
    for test in ["f01_a", "t_f01", "t_01_no_letter", "t_one"] {
        assert_eq!(threat_of(test), None, "{test}");
    }
    assert!(tests().contains_key("tests_and_promises_are_found"));
}

struct Row {
    id: String,
    promise: String,
    tests: Vec<String>,
}

/// Returns the rows of the table of promises.
fn rows() -> Vec<Row> {
    let page = root().join("src/guide/promises.md");
    let text = fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
    let is_head = |line: &str| line.starts_with("| id |") || line.starts_with("|---");
    let rows = text.lines().filter(|line| line.starts_with('|') && !is_head(line));
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, promise, tests] = cells.as_slice() else { panic!("not three cells: {line}") };
        let tests = tests.split(',').map(|test| test.trim().trim_matches('`').to_owned());
        let tests = tests.filter(|test| !test.is_empty()).collect();
        Row { id: (*id).to_owned(), promise: (*promise).to_owned(), tests }
    })
    .collect()
}

/// Returns every test and scenario with its file.
fn tests() -> BTreeMap<String, PathBuf> {
    let mut tests = BTreeMap::new();
    let mut folders = ["tests", "examples"].map(|folder| root().join(folder)).to_vec();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is text");
                let found = tests_in(&text).into_iter().chain(scenarios_in(&text));
                tests.extend(found.map(|test| (test, path.clone())));
            }
        }
    }
    tests
}

/// Returns the functions after a `#[test]`, Tokio's or the tests' own attribute, with only
/// attributes and comments between.
fn tests_in(text: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let starts = ["#[test]", "#[tokio::test", "#[common::test"];
        if !starts.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        let between = |line: &&str| line.starts_with("#[") || line.starts_with("//");
        let head = lines.by_ref().find(|line| !between(line)).unwrap_or_default();
        let head = head.strip_prefix("async ").unwrap_or(head);
        if let Some((name, _)) = head.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) {
            tests.push(name.to_owned());
        }
    }
    tests
}

/// Returns the scenarios, which have a harness of their own.
fn scenarios_in(text: &str) -> Vec<String> {
    let scenarios = text.split("Scenario {").skip(1);
    let name = |rest: &str| {
        rest.trim_start().strip_prefix("name: \"")?.split('"').next().map(str::to_owned)
    };
    scenarios.filter_map(name).collect()
}

/// Returns the promise of a test: `q10_...` belongs to Q10. Names of other tests do not begin with
/// a letter and a number.
fn promise_of(test: &str) -> Option<String> {
    let (id, _) = test.split_once('_')?;
    is_id(id).then(|| id.to_uppercase())
}

/// Returns the threat of a test: `t_f01_...` belongs to F01.
fn threat_of(test: &str) -> Option<String> {
    let (id, _) = test.strip_prefix("t_")?.split_once('_')?;
    (is_id(id) && id.len() == 3).then(|| id.to_uppercase())
}

/// Returns whether the word is a letter and a number.
fn is_id(word: &str) -> bool {
    let mut chars = word.chars();
    let number = chars.next().filter(char::is_ascii_lowercase).map(|_| chars.as_str());
    number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}
