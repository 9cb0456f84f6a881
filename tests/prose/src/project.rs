//! A project's files, and what breaks a rule in them.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::comments::passages;
use crate::counts::Counts;
use crate::items::{Item, ItemKind, items};
use crate::markdown::{Page, page};
use crate::sentences::{Sentence, sentences};
use crate::{errors, examples, links, summaries, test_names, words};

/// A text file of a project.
#[derive(Clone, Debug)]
pub struct File {
    /// The path below the project's folder, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A rule of the project's language.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// A public item has a summary, and a summary is a sentence.
    Summary,
    /// The summary of a function starts with a verb in the third person.
    Verb,
    /// A public type, trait or method of a main type has an example that is compiled.
    Example,
    /// An example uses `?`.
    Unwrap,
    /// No sentence starts with a clause such as "Who asks".
    Clause,
    /// A word that is counted: its group has a limit.
    Word,
    /// A phrase that is never used.
    Phrase,
    /// The name of a test has three to seven words.
    TestName,
    /// A link leads somewhere.
    Link,
    /// The text of an error.
    ErrorText,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Summary => "summary",
            Self::Verb => "verb",
            Self::Example => "example",
            Self::Unwrap => "unwrap",
            Self::Clause => "clause",
            Self::Word => "word",
            Self::Phrase => "phrase",
            Self::TestName => "test-name",
            Self::Link => "link",
            Self::ErrorText => "error-text",
        })
    }
}

/// A place that breaks a rule.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Violation {
    /// The path of the file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule.
    pub rule: Rule,
    /// The text in question, and the fault.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.text)
    }
}

/// The documentation, comments and items of a project.
pub struct Project {
    pub(crate) files: Vec<File>,
    /// The sentences of each page and comment, by the index of their file.
    pub(crate) sentences: Vec<(usize, Sentence)>,
    /// The items of Rust files, by the index of their file.
    pub(crate) items: Vec<(usize, Item)>,
    /// The Markdown files, by the index of their file.
    pub(crate) pages: Vec<(usize, Page)>,
}

impl Project {
    /// Reads the project in a folder: Rust, Markdown, scripts and settings, without `target`, `tests/data` and hidden
    /// folders other than `.ci`.
    ///
    /// # Errors
    /// If a folder or file cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self::of(files))
    }

    /// Builds a project from texts.
    pub fn of(files: Vec<File>) -> Self {
        let mut project =
            Self { files, sentences: Vec::new(), items: Vec::new(), pages: Vec::new() };
        for (index, file) in project.files.iter().enumerate() {
            let in_file = |sentence| (index, sentence);
            if file.is("md") {
                let page = page(&file.text, 1);
                project.sentences.extend(sentences(&page).into_iter().map(in_file));
                project.pages.push((index, page));
                continue;
            }
            for passage in passages(file) {
                let page = page(&passage.text, passage.line);
                project.sentences.extend(sentences(&page).into_iter().map(in_file));
            }
            if file.is("rs") {
                project.items.extend(items(&file.text).into_iter().map(|item| (index, item)));
            }
        }
        project
    }

    /// Lists every place that breaks a rule, by file and line.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        words::check(self, &mut found);
        summaries::check(self, &mut found);
        examples::check(self, &mut found);
        test_names::check(self, &mut found);
        links::check(self, &mut found);
        errors::check(self, &mut found);
        found.sort();
        found
    }

    /// Returns whether the project has a public type of this name.
    pub fn has_type(&self, name: &str) -> bool {
        let mut items = self.items.iter().map(|(_, item)| item);
        items.any(|item| item.kind == ItemKind::Type && item.is_public && item.name == name)
    }

    /// Counts what the rules are about.
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }

    pub(crate) fn violation(
        &self,
        file: usize,
        line: usize,
        rule: Rule,
        text: String,
    ) -> Violation {
        Violation { path: self.files[file].path.clone(), line, rule, text }
    }
}

impl File {
    /// Whether the file's name ends so.
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
    }
}

fn collect(folder: &Path, path: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        if name == "target" || path == "tests/data" || (name.starts_with('.') && name != ".ci") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else if entry.path().extension().is_some_and(|end| end == "png") {
            // Pages link to pictures, which have no text.
            files.push(File { path, text: String::new() });
        } else if is_read(&path)
            && let Ok(text) = fs::read_to_string(entry.path())
            && (path.contains('.') && !path.starts_with('.') || text.starts_with("#!"))
        {
            files.push(File { path, text });
        }
    }
    Ok(())
}

/// Whether a file may have sentences: its name has an ending that is known, or none.
fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, end)) => ["rs", "md", "sh", "toml", "py", "sql"].contains(&end),
        None => true,
    }
}
