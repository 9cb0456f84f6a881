//! Sentences that start with a clause, and words that make a reader translate.

use crate::project::{Project, Rule, Violation};
use crate::sentences::{Sentence, words};

/// A group of words that is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// Sentences whose subject is a clause: "Who asks", "What was counted".
    Clause,
    /// Pronouns without a noun: `nobody`, `somebody`, `everybody`, `whoever`, `whatever`.
    Pronoun,
    /// Figures of speech: `stands`, `lies`, `goes on`, `for ever`.
    Figure,
}

/// The most of each group in 10,000 words. The limits are the highest counts among six well-documented crates:
/// `object_store`, governor, redb, tower-http, jiff and axum-login. That count left out `everybody`; with it,
/// governor 0.10.4 has 2.5 pronouns and redb 4.5.0 has 1.9. The lower limit is kept.
pub const LIMITS: [(Group, f64); 3] =
    [(Group::Clause, 1.7), (Group::Pronoun, 1.7), (Group::Figure, 3.4)];

const CLAUSE_STARTS: [&str; 5] = ["Who", "What", "Whose", "Whoever", "Whatever"];
const PRONOUNS: [&str; 5] = ["nobody", "somebody", "everybody", "whoever", "whatever"];
const FIGURES: [&str; 4] = ["stands", "lies", "goes on", "for ever"];

/// Phrases that are never used.
const BANNED: [&str; 7] =
    ["stops to", "tells of", "is told so", "says so", "none but", "at hand", "of yours"];

/// Checks that no sentence starts with a clause and none has a banned phrase, and lists the words that are counted.
pub(crate) fn check(project: &Project, found: &mut Vec<Violation>) {
    for (file, sentence) in &project.sentences {
        let mut say = |rule, text: String| {
            found.push(project.violation(*file, sentence.line, rule, text));
        };
        if is_clause_first(sentence) {
            say(Rule::Clause, short(&sentence.text));
        }
        let words = lower(&sentence.text);
        for word in PRONOUNS.iter().chain(&FIGURES) {
            if occurrences(&words, word) > 0 {
                say(Rule::Word, format!("\"{word}\": {}", short(&sentence.text)));
            }
        }
        if let Some(phrase) = banned(&sentence.text) {
            say(Rule::Phrase, format!("\"{phrase}\": {}", short(&sentence.text)));
        }
    }
}

/// Counts what a sentence adds to a group.
pub(crate) fn count(group: Group, sentence: &Sentence) -> usize {
    let words = lower(&sentence.text);
    let all = |listed: &[&str]| listed.iter().map(|word| occurrences(&words, word)).sum();
    match group {
        Group::Clause => usize::from(is_clause_first(sentence)),
        Group::Pronoun => all(&PRONOUNS),
        Group::Figure => all(&FIGURES),
    }
}

/// Whether a sentence, which is neither a heading nor a question, starts with a clause.
fn is_clause_first(sentence: &Sentence) -> bool {
    let mut words = sentence.words();
    let is_clause = words.next().is_some_and(|word| CLAUSE_STARTS.contains(&word));
    is_clause && words.next().is_some() && !sentence.is_heading && !sentence.is_question()
}

/// Returns the first banned phrase in a text.
pub(crate) fn banned(text: &str) -> Option<&'static str> {
    let words = lower(text);
    BANNED.into_iter().find(|phrase| occurrences(&words, phrase) > 0)
}

/// Returns the words of a text in lower case.
fn lower(text: &str) -> Vec<String> {
    words(text).map(str::to_lowercase).collect()
}

/// Counts a word or phrase among words in lower case.
fn occurrences(words: &[String], phrase: &str) -> usize {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).filter(|window| *window == phrase).count()
}

/// Returns the beginning of a text.
fn short(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
