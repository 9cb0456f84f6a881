//! The imports between source files, resolved like the compiler does, through modules and
//! re-exports.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, src};

/// The source files by module path: `http::axum`, and the empty path for the crate's root.
pub(crate) struct Files {
    by_module: BTreeMap<String, Source>,
    /// The re-exported path of each module and name.
    exports: BTreeMap<(String, String), String>,
}

/// The path of a statement, and whether it is a re-export.
struct Use {
    path: String,
    is_export: bool,
    place: String,
}

impl Files {
    pub(crate) fn read() -> Self {
        let by_module: BTreeMap<_, _> =
            src().into_iter().map(|source| (module(&source.path), source)).collect();
        let mut files = Self { by_module, exports: BTreeMap::new() };
        let mut exports = BTreeMap::new();
        for (module, source) in &files.by_module {
            for found in uses(source).into_iter().filter(|found| found.is_export) {
                let (path, name) = match found.path.split_once(" as ") {
                    Some((path, name)) => (path, name),
                    None => (&*found.path, last(&found.path)),
                };
                if let Some(path) = files.absolute(module, path) {
                    exports.insert((module.clone(), name.to_owned()), path);
                }
            }
        }
        files.exports = exports;
        files
    }

    /// Returns the imports between files with their places. A re-export is not an import.
    pub(crate) fn imports(&self) -> BTreeMap<(String, String), String> {
        let mut imports = BTreeMap::new();
        for (module, source) in &self.by_module {
            let used = uses(source).into_iter().filter(|found| !found.is_export);
            let used = used.map(|found| (found.path, found.place)).chain(inline(source));
            for (path, place) in used {
                let path = path.split(" as ").next().unwrap_or_default();
                let Some(path) = self.absolute(module, path) else { continue };
                let target = self.file(&path);
                if target != source.path {
                    imports.entry((source.path.clone(), target)).or_insert(place);
                }
            }
        }
        imports
    }

    /// Returns the path from the crate's root, or `None` if it leads out of the crate.
    fn absolute(&self, module: &str, path: &str) -> Option<String> {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let below = |module: &str| [module, rest].join("::").trim_matches(':').to_owned();
        match first {
            "crate" => Some(rest.to_owned()),
            "self" => Some(below(module)),
            "super" => {
                let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
                let path = if rest.is_empty() { "self" } else { rest };
                if path.starts_with("super") {
                    self.absolute(parent, path)
                } else {
                    Some([parent, rest].join("::").trim_matches(':').to_owned())
                }
            }
            child => {
                let child = [module, child].join("::").trim_matches(':').to_owned();
                self.by_module.contains_key(&child).then(|| below(&child))
            }
        }
    }

    /// Returns the file that defines the item at a path.
    fn file(&self, path: &str) -> String {
        let mut module = String::new();
        for name in path.split("::").filter(|name| !name.is_empty()) {
            let child = [&module, name].join("::").trim_matches(':').to_owned();
            if self.by_module.contains_key(&child) {
                module = child;
                continue;
            }
            return match self.exports.get(&(module.clone(), name.to_owned())) {
                Some(path) => self.file(path),
                None => self.by_module[&module].path.clone(),
            };
        }
        self.by_module[&module].path.clone()
    }
}

fn module(path: &str) -> String {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.trim_end_matches("/mod").replace('/', "::");
    if path == "lib" { String::new() } else { path }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Returns the `use` statements outside of inner modules, one for each name.
fn uses(source: &Source) -> Vec<Use> {
    let mut found = Vec::new();
    let mut statement = String::new();
    let mut place = String::new();
    for (number, line) in source.code_without_inner_modules() {
        if statement.is_empty() {
            let visible = line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            if !visible.trim_start_matches("pub ").starts_with("use ") {
                continue;
            }
            place = source.at(number, line);
        }
        statement += line.trim();
        statement.push(' ');
        if line.trim_end().ends_with(';') {
            let (before, tree) = statement.split_once("use ").unwrap_or_default();
            let is_export = !before.is_empty();
            let paths = expanded(tree.trim().trim_end_matches(';'));
            let place = &place;
            found.extend(paths.map(|path| Use { path, is_export, place: place.clone() }));
            statement.clear();
        }
    }
    found
}

/// Returns each path of a tree: `a::{b, c::{self, d}}` has three.
fn expanded(tree: &str) -> impl Iterator<Item = String> + use<> {
    fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
        let tree = tree.trim();
        let Some((head, group)) = tree.split_once('{') else {
            let path = format!("{prefix}{tree}");
            paths.push(path.trim_end_matches("::self").trim_end_matches("::*").to_owned());
            return;
        };
        let group = group.trim_end().trim_end_matches('}');
        let (mut depth, mut start) = (0, 0);
        let prefix = format!("{prefix}{head}");
        for (place, c) in group.char_indices().chain([(group.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !group[start..place].trim().is_empty() {
                        expand(&prefix, &group[start..place], paths);
                    }
                    start = place + 1;
                }
                _ => {}
            }
        }
    }
    let mut paths = Vec::new();
    expand("", tree, &mut paths);
    paths.into_iter()
}

/// Returns the paths in the code itself. Inside an inner module only paths from the crate's root
/// count.
fn inline(source: &Source) -> Vec<(String, String)> {
    let outside: BTreeSet<usize> =
        source.code_without_inner_modules().into_iter().map(|(number, _)| number).collect();
    let mut found = Vec::new();
    for (number, line) in source.code_without_tests() {
        let starts: &[&str] = if outside.contains(&number) {
            &["crate::", "super::", "self::"]
        } else {
            &["crate::"]
        };
        let is_use = line.trim_start().trim_start_matches("pub").contains("use ");
        for start in starts {
            for (place, _) in line.match_indices(start) {
                let before = line[..place].chars().next_back();
                let of_word = |c: char| c.is_alphanumeric() || c == '_';
                // The middle of a path, or of a `use` statement that is counted already.
                if before.is_some_and(|c| of_word(c) || c == ':')
                    || is_use && outside.contains(&number)
                {
                    continue;
                }
                let path = line[place..].split(|c: char| !of_word(c) && c != ':').next();
                let path = path.unwrap_or_default().trim_end_matches(':');
                found.push((path.to_owned(), source.at(number, line)));
            }
        }
    }
    found
}

#[test]
fn paths_are_found_in_trees() {
    let paths: Vec<_> = expanded("crate::a::{b, c::{self, d}, E as F, g::*}").collect();
    assert_eq!(
        paths,
        ["crate::a::b", "crate::a::c", "crate::a::c::d", "crate::a::E as F", "crate::a::g"]
    );
}

#[test]
fn imports_are_found_through_reexports() {
    let imports = Files::read().imports();
    let known = |from: &str, to: &str| imports.contains_key(&(from.to_owned(), to.to_owned()));
    assert!(imports.len() > 300, "only {} imports were found", imports.len());
    assert!(known("src/authority/rotate.rs", "src/authority/errors.rs"), "a path with super");
    assert!(known("src/error.rs", "src/authority/errors.rs"), "a name that lib.rs re-exports");
    assert!(known("src/http/axum.rs", "src/decision/grant.rs"), "a name that a module re-exports");
}
