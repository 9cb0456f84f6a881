//! Summaries: the first paragraph of an item's documentation.

use crate::items::{Item, ItemKind};
use crate::markdown::{Kind, page};
use crate::project::{Project, Rule, Violation};
use crate::sentences::{split, words};

/// Words that end in "s" and begin no summary of a function: nouns, pronouns, and verbs that leave open what is done.
const NO_VERBS: [&str; 92] = [
    "accounts",
    "across",
    "actors",
    "addresses",
    "always",
    "analysis",
    "as",
    "basis",
    "besides",
    "bits",
    "buckets",
    "bytes",
    "callers",
    "candidates",
    "characters",
    "clients",
    "columns",
    "days",
    "details",
    "does",
    "durations",
    "entries",
    "epochs",
    "errors",
    "events",
    "failures",
    "fields",
    "fractions",
    "grants",
    "handlers",
    "has",
    "headers",
    "his",
    "hosts",
    "hours",
    "ids",
    "is",
    "items",
    "its",
    "keys",
    "less",
    "lines",
    "listings",
    "minus",
    "minutes",
    "networks",
    "nodes",
    "numbers",
    "operations",
    "options",
    "others",
    "ours",
    "owners",
    "pages",
    "paths",
    "peppers",
    "perhaps",
    "permissions",
    "plus",
    "policies",
    "problems",
    "programs",
    "requests",
    "responses",
    "rows",
    "rules",
    "scopes",
    "seconds",
    "secrets",
    "settings",
    "status",
    "tables",
    "tenants",
    "theirs",
    "this",
    "threads",
    "thus",
    "times",
    "tokens",
    "towards",
    "types",
    "units",
    "unless",
    "us",
    "users",
    "values",
    "verifiers",
    "was",
    "whose",
    "writers",
    "yes",
    "yours",
];

/// Beginnings that refer to something elsewhere.
const REFERRING: [&str; 7] = ["Also", "Ditto", "Its", "Likewise", "See", "The same", "Their"];

/// Checks the summaries of what is in `src`, but not of tests.
pub(crate) fn check(project: &Project, found: &mut Vec<Violation>) {
    for (file, item) in &project.items {
        let path = &project.files[*file].path;
        // The comments of a command line are its help, which has no periods.
        let is_help = path.starts_with("src/bin/") && path.ends_with("args.rs");
        if !path.starts_with("src/") || is_help || item.is_exempt {
            continue;
        }
        let Some((line, docs)) = &item.docs else {
            if item.is_public {
                let text = format!("{} has no documentation", item.path());
                found.push(project.violation(*file, item.line, Rule::Summary, text));
            }
            continue;
        };
        let summary = summary(docs);
        if let Some(wrong) = wrong(item, &summary) {
            let text = format!("{} {wrong}: {summary}", item.path());
            found.push(project.violation(*file, *line, Rule::Summary, text));
        }
        if item.kind == ItemKind::Function && !is_verb_first(&summary) {
            let text = format!("{} starts with no verb: {summary}", item.path());
            found.push(project.violation(*file, *line, Rule::Verb, text));
        }
    }
}

/// Returns the first paragraph, in one line; empty if something else comes first.
pub(crate) fn summary(docs: &str) -> String {
    let page = page(docs, 1);
    let first = page.blocks.into_iter().next().filter(|_| page.starts_with_paragraph);
    first.filter(|block| block.kind == Kind::Paragraph).map(|block| block.plain).unwrap_or_default()
}

/// Says what is wrong with a summary.
fn wrong(item: &Item, summary: &str) -> Option<&'static str> {
    let is_small = matches!(item.kind, ItemKind::Field | ItemKind::Variant | ItemKind::Value);
    let is_module = item.kind == ItemKind::Module;
    let sentences = split(summary);
    let first = sentences.first().map_or("", |(_, first)| first);
    let begins = |start: &&&str| {
        first.strip_prefix(**start).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    if summary.is_empty() {
        Some("does not begin with a paragraph")
    } else if summary.starts_with(char::is_lowercase) && !starts_with_code(item) {
        Some("begins in lower case")
    } else if !summary.ends_with('.') && !summary.ends_with(".)") {
        Some("does not end in a period")
    } else if words(first).count() < if is_small { 2 } else { 3 } {
        Some("is not a sentence")
    } else if REFERRING.iter().any(|start| begins(&start)) {
        Some("refers to something elsewhere")
    } else if sentences.len() > 1 && item.is_public && !is_small && !is_module {
        Some("has more than one sentence in its summary")
    } else {
        None
    }
}

/// Whether the documentation begins with code or a link, which may be in lower case.
fn starts_with_code(item: &Item) -> bool {
    item.docs.as_ref().is_some_and(|(_, docs)| docs.trim_start().starts_with(['`', '[']))
}

/// Whether a summary begins with a verb in the third person.
pub(crate) fn is_verb_first(summary: &str) -> bool {
    let mut words = summary.split_whitespace();
    let first = words.next().unwrap_or_default().trim_end_matches([',', ':', ';', '.']);
    let is_word = first.chars().all(char::is_alphabetic) && first.starts_with(char::is_uppercase);
    let lower = first.to_lowercase();
    let is_third_person = lower.ends_with('s') && !lower.ends_with("ss") && lower.len() > 2;
    // "Uses of a key" is no sentence; "Disposes of a key" is one that is not in use.
    let is_noun = words.next() == Some("of");
    is_word && is_third_person && !is_noun && !NO_VERBS.contains(&&*lower)
}
