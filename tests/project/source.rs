//! The source files without their comments.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// A source file without its comments. Lines keep their numbers.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) lines: Vec<String>,
}

impl Source {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source file is text");
        let root = root();
        let path = path.strip_prefix(root).expect("below the root").display().to_string();
        Self { path, lines: text.lines().map(without_comment).collect() }
    }

    /// Returns the lines that are not blank, with their numbers.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().enumerate().map(|(n, line)| (n + 1, line.as_str()));
        lines.filter(|(_, line)| !line.trim().is_empty())
    }

    /// Returns the code before the file's own `mod tests`, which comes last.
    pub(crate) fn code_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().take_while(|(_, line)| *line != "mod tests {")
    }

    /// Returns the code outside of inner modules.
    pub(crate) fn code_without_inner_modules(&self) -> Vec<(usize, &str)> {
        let mut outside = Vec::new();
        let mut inside = false;
        for (number, line) in self.code() {
            inside |= !line.starts_with(' ') && line.contains("mod ") && line.ends_with('{');
            if !inside {
                outside.push((number, line));
            }
            inside &= line != "}";
        }
        outside
    }

    pub(crate) fn at(&self, number: usize, line: &str) -> String {
        format!("{}:{number}: {}", self.path, line.trim())
    }
}

/// Removes a comment, which begins at a `//` outside of strings. The source has no raw strings and
/// no block comments.
pub(crate) fn without_comment(line: &str) -> String {
    let mut in_string = false;
    let mut before = ' ';
    for (place, c) in line.char_indices() {
        match c {
            '"' if before != '\\' && before != '\'' => in_string = !in_string,
            '/' if before == '/' && !in_string => return line[..place - 1].trim_end().to_owned(),
            _ => {}
        }
        before = c;
    }
    line.to_owned()
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source::read(&path));
            }
        }
    }
    found
}

/// Returns the source files of the library. The program is a crate of its own, which uses the library.
pub(crate) fn src() -> Vec<Source> {
    let mut found = sources("src");
    found.retain(|source| !source.path.starts_with("src/bin/"));
    assert!(found.len() > 40, "only {} files were found in src", found.len());
    found
}

#[test]
fn comments_are_separated_from_code() {
    let table = [
        ("let a = 1; // one", "let a = 1;"),
        ("// crate::store", ""),
        ("    /// unsafe", ""),
        (r#"let a = "http://x";"#, r#"let a = "http://x";"#),
        (r#"let a = "a\"//b"; // c"#, r#"let a = "a\"//b";"#),
        ("let a = '\"'; // c", "let a = '\"';"),
    ];
    for (line, code) in table {
        assert_eq!(without_comment(line), code);
    }
}
