//! Counts of a project's language.

use std::fmt;

use crate::examples::has_example;
use crate::items::{Item, ItemKind};
use crate::project::Project;
use crate::summaries::{is_verb_first, summary};
use crate::test_names::{names, word_count};
use crate::words::{Group, LIMITS, count};

/// A sentence with more words is long.
const LONG: usize = 30;

/// Counts of a project's language.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Words of pages, documentation and comments.
    pub words: usize,
    /// Sentences, without headings.
    pub sentences: usize,
    /// Sentences of more than 30 words.
    pub long_sentences: usize,
    /// How often each group of [`LIMITS`] occurs, in its order.
    pub groups: [usize; LIMITS.len()],
    /// Public functions and methods.
    pub functions: usize,
    /// Public functions with documentation.
    pub documented_functions: usize,
    /// Public functions whose summary starts with a verb.
    pub verb_first: usize,
    /// Public functions with an example.
    pub functions_with_example: usize,
    /// Public structs, enums and traits.
    pub types: usize,
    /// Public structs, enums and traits with an example.
    pub types_with_example: usize,
    /// Tests.
    pub tests: usize,
    /// Words of the names of tests, without ids.
    pub test_words: usize,
}

impl Counts {
    pub(crate) fn of(project: &Project) -> Self {
        let mut counts = Self::default();
        for (_, sentence) in &project.sentences {
            let words = sentence.words().count();
            counts.words += words;
            if !sentence.is_heading {
                counts.sentences += 1;
                counts.long_sentences += usize::from(words > LONG);
            }
            for (total, (group, _)) in counts.groups.iter_mut().zip(LIMITS) {
                *total += count(group, sentence);
            }
        }
        for (file, item) in &project.items {
            let is_library = is_library(&project.files[*file].path);
            if item.is_public && is_library && !item.is_exempt {
                counts.add(item);
            }
        }
        let names = names(project);
        counts.tests = names.len();
        counts.test_words = names.iter().map(|(_, _, name)| word_count(name)).sum();
        counts
    }

    fn add(&mut self, item: &Item) {
        match item.kind {
            ItemKind::Function => {
                self.functions += 1;
                let docs = item.docs.as_ref();
                self.documented_functions += usize::from(docs.is_some());
                let is_verb = docs.is_some_and(|(_, docs)| is_verb_first(&summary(docs)));
                self.verb_first += usize::from(is_verb);
                self.functions_with_example += usize::from(has_example(item));
            }
            ItemKind::Type | ItemKind::Trait => {
                self.types += 1;
                self.types_with_example += usize::from(has_example(item));
            }
            _ => {}
        }
    }

    /// Returns how often a group occurs in 10,000 words.
    pub fn rate(&self, group: Group) -> f64 {
        let place = LIMITS.iter().position(|(listed, _)| *listed == group);
        let count = place.map_or(0, |place| self.groups[place]);
        share(count, self.words) * 10_000.0
    }
}

/// Whether a file is part of the library, and not of its tests, examples or benchmarks.
fn is_library(path: &str) -> bool {
    let others = ["tests", "examples", "benches", "fuzz"];
    path.rsplit('/').skip(1).all(|folder| !others.contains(&folder))
        && (path.starts_with("src/") || path.contains("/src/"))
}

#[allow(clippy::cast_precision_loss, reason = "counts of words are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            "sentences that start with a clause, per 10,000 words",
            "nobody, somebody, everybody, whoever, whatever, per 10,000 words",
            "stands, lies, goes on, for ever, per 10,000 words",
        ];
        writeln!(f, "{:<72}{:>8}", "words of documentation and comments", self.words)?;
        for (name, (group, limit)) in names.into_iter().zip(LIMITS) {
            let name = format!("{name} (limit {limit})");
            writeln!(f, "{name:<72}{:>8.1}", self.rate(group))?;
        }
        let long = share(self.long_sentences, self.sentences);
        writeln!(f, "{:<72}{:>7.1}%", "sentences of more than 30 words", long * 100.0)?;
        let shares = [
            (
                "documented public functions whose summary starts with a verb",
                self.verb_first,
                self.documented_functions,
            ),
            ("public functions with an example", self.functions_with_example, self.functions),
            ("public types and traits with an example", self.types_with_example, self.types),
        ];
        for (name, part, whole) in shares {
            let name = format!("{name}, of {whole}");
            writeln!(f, "{name:<72}{:>7.0}%", share(part, whole) * 100.0)?;
        }
        let name = format!("words in the name of a test, average of {}", self.tests);
        writeln!(f, "{name:<72}{:>8.1}", share(self.test_words, self.tests))
    }
}
