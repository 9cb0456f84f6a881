//! The project itself has no token that a scanner of secrets could find.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use keywright::scan::Scanner;

use common::root;

/// Files that must have valid tokens, each with the reason.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("tests/data/golden", "each version must accept the keys in the stores of earlier ones"),
    ("tests/data/vectors", "programs in other languages test their checksums with them"),
    ("tests/fuzz/corpus", "tokens of stores that only a fuzz target builds, and of the vectors"),
];

/// Returns the files of a folder. Folders of builds and tools are left out.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the project") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        let name = entry.file_name();
        let is_left_out = ["target", ".git", "node_modules", "pictures"].map(|left| name == left);
        if kind.is_dir() && !is_left_out.contains(&true) {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

#[test]
fn t_l10_project_has_no_valid_token() {
    let mut paths = Vec::new();
    files(root(), &mut paths);
    assert!(paths.len() > 500, "only {} files were searched", paths.len());
    let mut excepted = 0;
    for path in paths {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        let file = File::open(&path).expect("the file can be opened");
        let tokens: Vec<_> = Scanner::new()
            .read(file)
            .map(|found| found.expect("the file can be read").display_prefix())
            .collect();
        if EXCEPTIONS.iter().any(|(place, _)| name.starts_with(place)) {
            excepted += tokens.len();
        } else {
            assert!(tokens.is_empty(), "{name} has {tokens:?}");
        }
    }
    assert!(excepted > 0, "no exception is needed any more");
}
