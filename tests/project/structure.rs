//! The shape of the source: which module may know which, how long a file may be, and what has no
//! place in it. Read from the files themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the bottom up, and the modules of each. A module knows those of its own layer
/// and of layers below.
const LAYERS: [(&str, &[&str]); 10] = [
    (
        "values",
        &[
            "base62", "digest", "id", "metadata", "name", "network", "quote", "random", "rate",
            "reentry", "scope", "secret", "stored", "text", "time", "token",
        ],
    ),
    (
        "records",
        &[
            "account",
            "actor",
            "event",
            "freshness",
            "key",
            "limits",
            "new_key",
            "operation",
            "policy",
            "request",
            "rules",
            "snapshot",
            "status",
            "usage",
        ],
    ),
    ("decision", &["decision"]),
    ("store", &["store"]),
    ("counting", &["counting", "limiter", "refusals"]),
    ("setup", &["setup"]),
    ("verifier", &["verifier"]),
    ("authority", &["authority"]),
    ("http", &["http"]),
    ("top", &["error", "guide", "lib"]),
];

/// Which layer knows which other: exactly these. The decision asks no store and the store knows
/// neither decision, verifier nor authority.
const EDGES: [(&str, &[&str]); 9] = [
    ("records", &["values"]),
    ("decision", &["records", "values"]),
    ("store", &["records", "values"]),
    ("counting", &["decision", "records", "store", "values"]),
    ("setup", &["counting", "records", "store", "values"]),
    ("verifier", &["decision", "records", "setup", "store", "values"]),
    ("authority", &["decision", "records", "setup", "store", "values"]),
    // The rim: nothing knows it.
    ("http", &["authority", "decision", "records", "store", "values", "verifier"]),
    // What lib.rs re-exports and error.rs gathers: everything public.
    ("top", &["authority", "decision", "http", "records", "setup", "store", "values", "verifier"]),
];

const MOST_LINES: usize = 400;

/// A source file without its comments, line by line. Lines keep their numbers.
struct Source {
    path: String,
    lines: Vec<String>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source file is text");
        let root = crate::root();
        let path = path.strip_prefix(root).expect("below the root").display().to_string();
        Self { path, lines: text.lines().map(without_comment).collect() }
    }

    /// Its top-level module.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").expect("in src");
        let first = inside.split('/').next().expect("a name");
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines that are not blank, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().enumerate().map(|(n, line)| (n + 1, line.as_str()));
        lines.filter(|(_, line)| !line.trim().is_empty())
    }

    /// The same without the file's own `mod tests`, which stands last.
    fn code_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().take_while(|(_, line)| *line != "mod tests {")
    }

    /// The same without any module written inside the file.
    fn code_without_inner_modules(&self) -> Vec<(usize, &str)> {
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

    fn at(&self, number: usize, line: &str) -> String {
        format!("{}:{number}: {}", self.path, line.trim())
    }
}

/// A comment begins at `//` that no string holds. Raw strings and block comments are not in use.
fn without_comment(line: &str) -> String {
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

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![crate::root().join(folder)];
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

fn src() -> Vec<Source> {
    let found = sources("src");
    assert!(found.len() > 40, "only {} files were found in src", found.len());
    found
}

/// The words that follow `crate::` in a line.
fn names_after_crate(line: &str) -> Vec<&str> {
    let parts = line.match_indices("crate::").map(|(place, path)| &line[place + path.len()..]);
    parts
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""))
        .collect()
}

/// Which module names which other, and where.
fn edges() -> BTreeMap<(String, String), String> {
    let mut edges = BTreeMap::new();
    for source in src() {
        for (number, line) in source.code_without_tests() {
            for name in names_after_crate(line) {
                if name != source.module() {
                    let edge = (source.module().to_owned(), name.to_owned());
                    edges.entry(edge).or_insert_with(|| source.at(number, line));
                }
            }
        }
    }
    edges
}

/// The layer of a module, by its place.
fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

#[test]
fn every_module_has_a_layer_and_every_entry_a_module() {
    let listed: BTreeSet<_> =
        LAYERS.iter().flat_map(|(_, modules)| *modules).map(ToString::to_string).collect();
    let found: BTreeSet<_> = src().iter().map(|source| source.module().to_owned()).collect();
    assert_eq!(listed, found, "left: the table above; right: the modules in src");
}

#[test]
fn layers_know_only_layers_below_and_exactly_those_of_the_table() {
    let mut found: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for ((from, to), place) in edges() {
        // `crate::Name`: a re-export. Its layer is not seen from here, so only error.rs may.
        if to.starts_with(char::is_uppercase) && from == "error" {
            continue;
        }
        let (Some(above), Some(below)) = (layer(&from), layer(&to)) else {
            panic!("{to} is no module: name the module that it comes from\n{place}");
        };
        assert!(below <= above, "{} must not know {}\n{place}", LAYERS[above].0, LAYERS[below].0);
        if below != above {
            found.entry(LAYERS[above].0).or_default().entry(LAYERS[below].0).or_insert(place);
        }
    }
    let allowed: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    for (from, targets) in &found {
        for (to, place) in targets {
            let allowed = allowed.get(from).is_some_and(|targets| targets.contains(to));
            assert!(allowed, "a new edge from {from} to {to}\n{place}");
        }
    }
    for (from, targets) in allowed {
        for to in targets {
            let used = found.get(from).is_some_and(|targets| targets.contains_key(to));
            assert!(used, "the edge from {from} to {to} is in the table and not in the source");
        }
    }
}

#[test]
fn no_two_modules_know_each_other_but_those_that_are_listed() {
    let mut reaches: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges().into_keys().filter(|(from, _)| layer(from) < Some(LAYERS.len() - 1)) {
        reaches.entry(from).or_default().insert(to);
    }
    // Until nothing is added: whoever knows a module knows what that one knows.
    loop {
        let before = reaches.clone();
        for targets in reaches.values_mut() {
            let further = targets.iter().filter_map(|to| before.get(to)).flatten().cloned();
            targets.extend(further.collect::<Vec<_>>());
        }
        if reaches == before {
            break;
        }
    }
    let knows = |a: &str, b: &str| reaches.get(a).is_some_and(|targets| targets.contains(b));
    let modules: Vec<&str> = reaches.keys().map(String::as_str).collect();
    let mut cycles = Vec::new();
    for (place, a) in modules.iter().enumerate() {
        let others = modules[place + 1..].iter().filter(|b| knows(a, b) && knows(b, a));
        cycles.extend(others.map(|b| [*a, *b]));
    }
    assert!(cycles.is_empty(), "{cycles:?}");
}

#[test]
fn a_path_says_crate_and_one_module() {
    for source in src() {
        let depth = source.path.matches('/').count();
        let at_top = depth == 1 || depth == 2 && source.path.ends_with("/mod.rs");
        for (number, line) in source.code_without_inner_modules() {
            // A group would hide its modules from this test.
            assert!(!line.contains("crate::{"), "{}", source.at(number, line));
            let leaves = line.contains("super::") && at_top;
            assert!(!leaves, "super is the crate here: say crate\n{}", source.at(number, line));
        }
    }
}

#[test]
fn a_store_adapter_does_not_know_another() {
    for source in src() {
        let Some(inside) = source.path.strip_prefix("src/store/") else { continue };
        let forbidden: &[&str] = match inside.split(['/', '.']).next() {
            // The state in memory is what a file store answers from, and what a transfer reads.
            Some("memory" | "plan" | "batch" | "conformance" | "query" | "error") => {
                &["file", "postgres", "cached", "transfer"]
            }
            Some("file") => &["postgres", "cached", "transfer"],
            Some("postgres") => &["file", "memory", "transfer"],
            _ => continue,
        };
        for (number, line) in source.code_without_tests() {
            for other in forbidden {
                let path = [format!("super::{other}::"), format!("store::{other}::")];
                let known = path.iter().any(|path| line.contains(path));
                assert!(!known, "{}", source.at(number, line));
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_one_can_read_in_one_go() {
    let folders = ["src", "tests", "examples", "benches"];
    let long: Vec<String> = folders
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|source| (source.code().count(), source.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines of code"))
        .collect();
    assert!(long.is_empty(), "split by subject:\n{}", long.join("\n"));
}

#[test]
fn nothing_in_src_is_unsafe() {
    for source in src() {
        for (number, line) in source.code() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            assert!(!words.any(|word| word == "unsafe"), "{}", source.at(number, line));
        }
    }
    let lib = Source::read(&crate::root().join("src/lib.rs"));
    assert!(lib.lines.iter().any(|line| line == "#![forbid(unsafe_code)]"));
}

#[test]
fn src_holds_nothing_unfinished_prints_nothing_and_unwraps_nothing() {
    let strangers = [
        "todo!",
        "unimplemented!",
        "dbg!",
        "print!",
        "println!",
        "eprint!",
        "eprintln!",
        ".unwrap()",
    ];
    for source in src() {
        for (number, line) in source.code() {
            let stranger = strangers.iter().find(|stranger| line.contains(**stranger));
            assert_eq!(stranger, None, "{}", source.at(number, line));
        }
    }
}

#[test]
fn every_lint_that_is_turned_off_has_a_reason() {
    for source in ["src", "tests", "examples", "benches"].into_iter().flat_map(sources) {
        let code: Vec<(usize, &str)> = source.code().collect();
        for (place, (number, line)) in code.iter().enumerate() {
            let line = line.trim_start();
            let turns_off = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
            if !turns_off.iter().any(|start| line.starts_with(start)) {
                continue;
            }
            let mut attribute = String::new();
            for (_, line) in &code[place..] {
                attribute.push_str(line);
                if line.trim_end().ends_with(']') {
                    break;
                }
            }
            assert!(attribute.contains("reason = \""), "{}", source.at(*number, line));
        }
    }
}

#[test]
fn lib_names_what_it_exports_and_holds_no_logic() {
    let lib = Source::read(&crate::root().join("src/lib.rs"));
    let code: Vec<&str> =
        lib.code().map(|(_, line)| line).filter(|line| !line.starts_with('#')).collect();
    let code = code.join(" ");
    let mut exports = 0;
    for item in code.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        let module = item.strip_prefix("pub ").unwrap_or(item).strip_prefix("mod ");
        let export = item.strip_prefix("pub use crate::");
        let name = |c: char| c.is_alphanumeric() || c == '_';
        match (module, export) {
            (Some(module), _) => assert!(module.chars().all(name), "{item}"),
            (_, Some(path)) => {
                let listed = |c: char| name(c) || ":{}, ".contains(c);
                assert!(path.chars().all(listed), "by name, not all: {item}");
                exports += 1;
            }
            _ => panic!("neither a module nor a re-export: {item}"),
        }
    }
    assert!(exports > 15, "only {exports} re-exports were found");
}

#[test]
fn nothing_is_exported_wholesale() {
    for source in src() {
        for (number, line) in source.code() {
            let glob = line.trim_start().starts_with("pub") && line.contains("use ");
            assert!(!(glob && line.contains("::*")), "{}", source.at(number, line));
        }
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is() {
    for source in ["src", "tests", "examples", "benches"].into_iter().flat_map(sources) {
        let path = crate::root().join(&source.path);
        let text = fs::read_to_string(path).expect("a source file");
        assert!(text.starts_with("//! ") || text.starts_with("#![doc"), "{}", source.path);
    }
}

#[test]
fn comments_are_told_from_code() {
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
    assert_eq!(names_after_crate("use crate::a::B; crate::c_d::e()"), ["a", "c_d"]);
}
