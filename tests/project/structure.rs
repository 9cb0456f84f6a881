//! The maximum length of a file, and forbidden constructs, checked in the source files.

use std::fs;

use crate::root;
use crate::source::{Source, sources, src};

const MOST_LINES: usize = 400;

#[test]
fn path_is_crate_and_one_module() {
    for source in src() {
        let depth = source.path.matches('/').count();
        let at_top = depth == 1 || depth == 2 && source.path.ends_with("/mod.rs");
        for (number, line) in source.code_without_inner_modules() {
            // A group would hide its modules from this test.
            assert!(!line.contains("crate::{"), "{}", source.at(number, line));
            let leaves = line.contains("super::") && at_top;
            assert!(
                !leaves,
                "super is the crate root here; write crate\n{}",
                source.at(number, line)
            );
        }
    }
}

#[test]
fn no_file_is_too_long() {
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
    let lib = Source::read(&root().join("src/lib.rs"));
    assert!(lib.lines.iter().any(|line| line == "#![forbid(unsafe_code)]"));
}

#[test]
fn src_holds_nothing_unfinished() {
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
fn silenced_lints_have_a_reason() {
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
fn lib_only_names_its_exports() {
    let lib = Source::read(&root().join("src/lib.rs"));
    let mut code = String::new();
    let mut is_attribute = false;
    for (_, line) in lib.code() {
        is_attribute |= line.starts_with('#');
        if !is_attribute {
            code.push_str(line);
            code.push(' ');
        }
        // An attribute ends with a bracket, also over several lines.
        is_attribute &= !line.ends_with(']');
    }
    let mut exports = 0;
    for item in code.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        let module = item.strip_prefix("pub ").unwrap_or(item).strip_prefix("mod ");
        let export = item.strip_prefix("pub use crate::");
        let name = |c: char| c.is_alphanumeric() || c == '_';
        match (module, export) {
            (Some(module), _) => assert!(module.chars().all(name), "{item}"),
            (_, Some(path)) => {
                let listed = |c: char| name(c) || ":{}, ".contains(c);
                assert!(path.chars().all(listed), "re-export by name, not with a glob: {item}");
                exports += 1;
            }
            _ => panic!("neither a module nor a re-export: {item}"),
        }
    }
    assert!(exports > 15, "only {exports} re-exports were found");
}

#[test]
fn no_glob_is_exported() {
    for source in src() {
        for (number, line) in source.code() {
            let glob = line.trim_start().starts_with("pub") && line.contains("use ");
            assert!(!(glob && line.contains("::*")), "{}", source.at(number, line));
        }
    }
}

#[test]
fn files_begin_with_their_purpose() {
    for source in ["src", "tests", "examples", "benches"].into_iter().flat_map(sources) {
        let path = root().join(&source.path);
        let text = fs::read_to_string(path).expect("a source file");
        assert!(text.starts_with("//! ") || text.starts_with("#![doc"), "{}", source.path);
    }
}
