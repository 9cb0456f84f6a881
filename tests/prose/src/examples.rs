//! Examples: blocks of code in the documentation that rustdoc compiles.

use crate::items::{Item, ItemKind};
use crate::markdown::{Code, page};
use crate::project::{Project, Rule, Violation};

/// The types on which every public method has an example.
pub const MAIN_TYPES: &[&str] = &[
    "AccountQuery",
    "AccountEdit",
    "AccessRequest",
    "Actor",
    "Authority",
    "Builder",
    "CacheOptions",
    "CachedStore",
    "EventQuery",
    "FileOptions",
    "FileStore",
    "Grant",
    "Guard",
    "Key",
    "KeyEdit",
    "KeyQuery",
    "Keywright",
    "MemoryStore",
    "NewAccount",
    "NewKey",
    "Page",
    "Policy",
    "PostgresOptions",
    "PostgresStore",
    "RunOptions",
    "Running",
    "Verifier",
];

/// Items that need no example, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Words after a fence with which rustdoc compiles the block.
const COMPILED: [&str; 8] = [
    "rust",
    "no_run",
    "should_panic",
    "compile_fail",
    "edition2021",
    "edition2024",
    "test_harness",
    "standalone_crate",
];

/// Checks that examples are there, and that they use `?`.
pub(crate) fn check(project: &Project, found: &mut Vec<Violation>) {
    for (file, item) in &project.items {
        if !project.files[*file].path.starts_with("src/") || item.is_exempt {
            continue;
        }
        if is_due(item) && !has_example(item) {
            let text = format!("{} has no example", item.path());
            found.push(project.violation(*file, item.line, Rule::Example, text));
        }
        if let Some((line, docs)) = &item.docs {
            let page = page(docs, *line);
            check_unwraps(project, *file, &page.codes, found);
        }
    }
    for (file, page) in &project.pages {
        check_unwraps(project, *file, &page.codes, found);
    }
}

fn check_unwraps(project: &Project, file: usize, codes: &[Code], found: &mut Vec<Violation>) {
    for code in codes.iter().filter(|code| is_compiled(&code.info)) {
        for (index, line) in code.text.lines().enumerate() {
            let is_hidden = line.trim_start().starts_with("# ") || line.trim() == "#";
            let unwraps = line.contains(".unwrap()") || line.contains(".expect(");
            if unwraps && !is_hidden {
                let number = code.line + 1 + index;
                found.push(project.violation(file, number, Rule::Unwrap, line.trim().to_owned()));
            }
        }
    }
}

/// Whether an item must have an example.
fn is_due(item: &Item) -> bool {
    let is_excepted = EXCEPTIONS.iter().any(|(path, _)| *path == item.path());
    let is_due = match item.kind {
        ItemKind::Type | ItemKind::Trait => true,
        ItemKind::Function => {
            item.owner.as_ref().is_some_and(|owner| MAIN_TYPES.contains(&&**owner))
        }
        _ => false,
    };
    item.is_public && is_due && !is_excepted
}

/// Whether the documentation of an item has an example.
pub(crate) fn has_example(item: &Item) -> bool {
    let Some((line, docs)) = &item.docs else { return false };
    docs.contains("```") && page(docs, *line).codes.iter().any(|code| is_compiled(&code.info))
}

/// Whether rustdoc compiles a block with these words after its fence.
fn is_compiled(info: &str) -> bool {
    let mut words = info.split([',', ' ']).filter(|word| !word.is_empty());
    words.all(|word| {
        COMPILED.contains(&word) || word.len() == 5 && word.starts_with('E') // an error's code
    })
}
