//! The project keeps the rules of its language. `scripts/prose` prints the counts.

use std::path::Path;
use std::sync::LazyLock;

use keywright_test_prose::{Counts, LIMITS, MAIN_TYPES, Project, Rule, Violation};

/// The project, read once for all tests.
static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("the project is two folders above");
    Project::read(root).expect("the project can be read")
});
static FOUND: LazyLock<(Vec<Violation>, Counts)> =
    LazyLock::new(|| (PROJECT.violations(), PROJECT.counts()));

/// Returns each place that breaks one of these rules, as a line.
fn lines(rules: &[Rule]) -> Vec<String> {
    let found = FOUND.0.iter().filter(|found| rules.contains(&found.rule));
    found.map(ToString::to_string).collect()
}

/// Fails with each place that breaks one of these rules.
fn assert_held(rules: &[Rule]) {
    let lines = lines(rules);
    assert!(lines.is_empty(), "{} places:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn project_is_read_whole() {
    let counts = &FOUND.1;
    assert!(counts.words > 40_000, "{} words", counts.words);
    assert!(counts.functions > 300, "{} functions", counts.functions);
    assert!(counts.types > 100, "{} types", counts.types);
    assert!(counts.tests > 700, "{} tests", counts.tests);
}

#[test]
fn summaries_are_sentences() {
    assert_held(&[Rule::Summary]);
}

#[test]
fn functions_start_with_verbs() {
    assert_held(&[Rule::Verb]);
}

#[test]
fn listed_main_types_exist() {
    let missing: Vec<_> = MAIN_TYPES.iter().filter(|name| !PROJECT.has_type(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn main_types_have_examples() {
    assert_held(&[Rule::Example]);
}

#[test]
fn examples_use_question_marks() {
    assert_held(&[Rule::Unwrap]);
}

#[test]
fn sentences_start_with_nouns() {
    assert_held(&[Rule::Clause, Rule::Phrase]);
}

#[test]
fn counted_words_are_below_limits() {
    for (group, limit) in LIMITS {
        let rate = FOUND.1.rate(group);
        let places = lines(&[Rule::Word]).join("\n");
        assert!(rate < limit, "{group:?}: {rate:.1} in 10,000 words:\n{places}");
    }
}

#[test]
fn test_names_are_short() {
    assert_held(&[Rule::TestName]);
    let counts = &FOUND.1;
    println!("{} words in the names of {} tests", counts.test_words, counts.tests);
}

#[test]
fn links_lead_somewhere() {
    assert_held(&[Rule::Link]);
}

#[test]
fn errors_have_one_form() {
    assert_held(&[Rule::ErrorText]);
}
