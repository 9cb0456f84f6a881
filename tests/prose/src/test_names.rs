//! Names of tests.

use crate::project::{Project, Rule, Violation};

const WORDS: std::ops::RangeInclusive<usize> = 3..=7;

/// Checks that each name has three to seven words.
pub(crate) fn check(project: &Project, found: &mut Vec<Violation>) {
    for (file, line, name) in names(project) {
        let count = word_count(&name);
        if !WORDS.contains(&count) {
            let text = format!("{count} words: {name}");
            found.push(project.violation(file, line, Rule::TestName, text));
        }
    }
}

/// Returns the tests of a project, with file and line: functions with a `test` attribute, scenarios, and the
/// rules of the conformance suite.
pub(crate) fn names(project: &Project) -> Vec<(usize, usize, String)> {
    let functions = project.items.iter().filter(|(_, item)| item.is_test);
    let mut found: Vec<_> =
        functions.map(|(file, item)| (*file, item.line, item.name.clone())).collect();
    for (file, text) in project.files.iter().enumerate().filter(|(_, file)| file.is("rs")) {
        let is_suite = text.path.ends_with("conformance/mod.rs");
        let has_scenarios = text.path.contains("scenarios/") || text.path.ends_with("scenarios.rs");
        for (index, line) in text.text.lines().enumerate() {
            let line = line.trim();
            let name = if is_suite {
                let kinds = ["calm ", "racing "];
                let rule = kinds.iter().find_map(|kind| line.strip_prefix(kind));
                rule.and_then(|rule| rule.split_once("::")?.1.split_once(": \""))
                    .map(|(name, _)| name)
            } else if has_scenarios {
                line.strip_prefix("name: \"")
                    .and_then(|rest| rest.split_once('"'))
                    .map(|(name, _)| name)
            } else {
                None
            };
            found.extend(name.map(|name| (file, index + 1, name.to_owned())));
        }
    }
    found
}

/// Counts the words of a name, without the id of a promise (`w1_`) or a threat (`t_f01_`).
pub(crate) fn word_count(name: &str) -> usize {
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let ids = match words.as_slice() {
        ["t", id, ..] if is_id(id) => 2,
        [id, ..] if is_id(id) => 1,
        _ => 0,
    };
    words.len() - ids
}

/// A letter and a number.
fn is_id(word: &str) -> bool {
    let number = word.strip_prefix(|c: char| c.is_ascii_lowercase());
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
