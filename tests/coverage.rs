//! Every promise of the guide has its tests, and every test that is named after a promise has one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The ids of the promises, by letter.
const PROMISES: [(char, &[u8]); 6] = [
    ('W', &[1, 2, 3, 4, 5, 6]),
    ('A', &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ('F', &[1, 2, 3, 4, 5, 6]),
    ('E', &[1, 2, 3, 4, 5, 6, 7, 8]),
    ('Q', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ('B', &[1, 2, 3, 4, 5, 6, 7, 8, 10, 13]),
];

#[test]
fn the_guide_lists_exactly_the_promises() {
    let ids = PROMISES.iter().flat_map(|(letter, numbers)| {
        numbers.iter().map(move |number| format!("{letter}{number}"))
    });
    let listed: Vec<_> = rows().into_iter().map(|row| row.id).collect();
    assert_eq!(listed, ids.collect::<Vec<_>>());
}

#[test]
fn every_promise_says_something_and_names_a_test_that_is_named_after_it() {
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
fn every_test_that_a_promise_names_exists() {
    let tests = tests();
    let missing: Vec<_> = rows()
        .into_iter()
        .flat_map(|row| row.tests)
        .filter(|test| !tests.contains_key(test))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_test_that_the_threat_model_names_exists_and_none_of_the_webs_attacks_is_left_out() {
    let page = fs::read_to_string(root().join("src/guide/threat_model.md")).expect("a page");
    let is_test = |word: &&str| {
        let (id, name) = word.split_once('_').unwrap_or_default();
        id.len() == 3 && id[1..].chars().all(|c| c.is_ascii_digit()) && name.contains('_')
    };
    let named: BTreeSet<_> = page.split('`').filter(is_test).map(str::to_owned).collect();
    let tests = tests();
    let missing: Vec<_> = named.iter().filter(|test| !tests.contains_key(*test)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "named, and not there");
    let of_web = |test: &&str| test.starts_with('h') && is_test(test);
    let id = |test: &str| test[..3].to_owned();
    let attacks: BTreeSet<_> = tests.keys().map(String::as_str).filter(of_web).map(id).collect();
    let unnamed = attacks.iter().filter(|id| !named.iter().any(|test| test.starts_with(*id)));
    assert_eq!(unnamed.collect::<Vec<_>>(), Vec::<&String>::new(), "tested, and not named");
    assert!(named.len() > 40, "only {} tests are named", named.len());
}

#[test]
fn every_test_that_is_named_after_a_promise_has_one() {
    let promised: BTreeSet<_> = rows().into_iter().map(|row| row.id).collect();
    let stray: Vec<_> = tests()
        .into_iter()
        .filter(|(test, _)| promise_of(test).is_some_and(|id| !promised.contains(&id)))
        .map(|(test, file)| format!("{test} in {}", file.display()))
        .collect();
    assert_eq!(stray, Vec::<String>::new());
}

#[test]
fn tests_and_promises_are_found_where_they_are() {
    // The tests above hold nothing if what they read is read wrongly.
    let text = "#[test]\nfn w1_one() {\n#[test]\n#[should_panic]\nfn two() {\n\nfn w3_no_test() {\n\
                    #[test]\n    // Why.\n    async fn w4_four(world: &World) {\n";
    assert_eq!(tests_in(text), ["w1_one", "two", "w4_four"]);
    for (test, id) in [("q10_ten", Some("Q10")), ("w1_a", Some("W1")), ("f01_b", Some("F01"))] {
        assert_eq!(promise_of(test).as_deref(), id);
    }
    for test in ["c1_no_letter", "w_no_number", "w1", "the_w1_is_not_first", "aw1_two_letters"] {
        assert_eq!(promise_of(test), None, "{test}");
    }
    assert!(tests().contains_key("tests_and_promises_are_found_where_they_are"));
}

struct Row {
    id: String,
    promise: String,
    tests: Vec<String>,
}

/// The rows of the table of promises.
fn rows() -> Vec<Row> {
    let page = root().join("src/guide/promises.md");
    let text = fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
    let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, promise, tests] = cells.as_slice() else { panic!("not three cells: {line}") };
        let tests = tests.split(',').map(|test| test.trim().trim_matches('`').to_owned());
        let tests = tests.filter(|test| !test.is_empty()).collect();
        Row { id: (*id).to_owned(), promise: (*promise).to_owned(), tests }
    })
    .collect()
}

/// Every test below `tests`, and the file that it is in.
fn tests() -> BTreeMap<String, PathBuf> {
    let mut tests = BTreeMap::new();
    let mut folders = vec![root().join("tests")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("a folder can be read to its end").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is text");
                tests.extend(tests_in(&text).into_iter().map(|test| (test, path.clone())));
            }
        }
    }
    tests
}

/// The functions that follow a `#[test]`, with nothing but attributes and comments between.
fn tests_in(text: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line != "#[test]" {
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

/// The promise that a test is named after: `q10_...` is of Q10.
fn promise_of(test: &str) -> Option<String> {
    let (id, _) = test.split_once('_')?;
    let mut chars = id.chars();
    let letter = chars.next()?.to_ascii_uppercase();
    let number = chars.as_str();
    let is_promise = PROMISES.iter().any(|(known, _)| *known == letter)
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit());
    is_promise.then(|| format!("{letter}{number}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
