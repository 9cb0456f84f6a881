//! Tables of pages of the guide, and the evidence that their rows name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::root;

/// Returns the text of a page of the guide.
pub(crate) fn page(name: &str) -> String {
    let path = root().join("src/guide").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the cells of the first table below a heading, without those of its head.
pub(crate) fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let heading = format!("\n{heading}\n");
    let (_, below) = page.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    let table = below.lines().skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    table.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Returns the words of a cell between backticks: names of tests and paths.
pub(crate) fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Asserts that a cell names existing tests, files that prove something, or a reason why there is nothing to name.
#[track_caller]
pub(crate) fn assert_proof(cell: &str, tests: &BTreeMap<String, PathBuf>) {
    if let Some(reason) = cell.strip_prefix("none: ") {
        assert!(reason.len() > 40, "the reason is too short: {cell}");
        return;
    }
    assert!(!named(cell).is_empty(), "neither tests nor a reason: {cell:?}");
    for name in named(cell) {
        assert!(is_proof(name, tests), "{name} is no test, and no file that proves something");
    }
}

/// Returns whether a name is that of a test, of a file of `src` with an example that must not compile, of the checks of
/// every commit, or of a script that they call.
fn is_proof(name: &str, tests: &BTreeMap<String, PathBuf>) -> bool {
    if name.starts_with("src/") {
        let source = fs::read_to_string(root().join(name));
        return source.is_ok_and(|text| text.contains("```compile_fail"));
    }
    let checks = || fs::read_to_string(root().join(".ci/run")).unwrap_or_default();
    let is_check = name == ".ci/run"
        || name.starts_with("scripts/") && checks().lines().any(|line| line == name);
    is_check || tests.contains_key(name)
}

#[test]
fn proofs_are_told_from_other_names() {
    let tests = BTreeMap::from([("a_test".to_owned(), PathBuf::new())]);
    for proof in ["a_test", "src/value/token.rs", ".ci/run", "scripts/secrets"] {
        assert!(is_proof(proof, &tests), "{proof}");
    }
    for other in ["another_test", "src/lib.rs", "src/missing.rs", "scripts/load", ""] {
        assert!(!is_proof(other, &tests), "{other}");
    }
    let page = "\n## One\n\nText.\n\n| a | b |\n|---|---|\n| `x`, `y` | 1 |\n| z | 2 |\n\n| c |\n";
    assert_eq!(rows(page, "## One"), [["`x`, `y`", "1"], ["z", "2"]]);
    assert_eq!(named("`x`, and `y`"), ["x", "y"]);
}
