//! Code in the README that its own examples cannot compile is copied from the guide, where it is
//! compiled.

use std::fs;

fn read(path: &str) -> String {
    let path = crate::root().join(path);
    fs::read_to_string(path).expect("a page")
}

/// Returns the code blocks after a fence, without the fences.
fn blocks<'p>(page: &'p str, fence: &str) -> Vec<&'p str> {
    let open = format!("```{fence}\n");
    page.split(&open).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn readme_shows_running_code_first() {
    let readme = read("README.md");
    let screen: Vec<_> = readme.lines().take(25).collect();
    let begin = screen.iter().position(|line| *line == "```rust").expect("code that is compiled");
    assert!(screen[..begin].iter().any(|line| line.contains("cargo add keywright")));
    assert_eq!(screen.last(), Some(&"```"), "the first program ends on the first screen");
    assert!(screen[begin..].iter().any(|line| line.starts_with("fn main()")));
}

#[test]
fn guide_compiles_the_code_of_readme() {
    let readme = read("README.md");
    let guide = read("src/guide/axum.md") + &read("src/guide/page.md");
    let compiled = blocks(&guide, "rust");
    let shown = blocks(&readme, "rs");
    assert!(!shown.is_empty() && compiled.len() > 3, "the parser found no page");
    for block in shown {
        let found = compiled.iter().any(|whole| {
            let mut lines = whole.lines();
            let code = block.lines().filter(|line| !line.trim().is_empty());
            code.into_iter().all(|line| lines.any(|other| other == line))
        });
        assert!(found, "the guide does not have, in this order:\n{block}");
    }
}

#[test]
fn guide_lists_variables_of_stylesheet() {
    let (style, guide) = (read("src/http/page/page.css"), read("src/guide/page.md"));
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    let defined = style.lines().filter_map(|line| line.trim().strip_prefix("--kw-"));
    let defined: Vec<_> = defined.filter_map(|line| line.split(':').next()).collect();
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `--kw-"));
    let listed: Vec<_> = rows.filter_map(|row| row.split(|c| !is_name(c)).next()).collect();
    let (mut defined, mut listed) = (defined, listed);
    defined.sort_unstable();
    listed.sort_unstable();
    assert_eq!(defined, listed);
    assert!(defined.len() > 10, "only {} variables were found", defined.len());
}

#[test]
fn paths_named_by_guide_exist() {
    let root = crate::root();
    let mut named = 0;
    for page in fs::read_dir(root.join("src/guide")).expect("the guide") {
        let page = fs::read_to_string(page.expect("a page").path()).expect("text");
        let code = page.split('`').skip(1).step_by(2);
        let places = ["tests/", "examples/", "scripts/", "benches/"];
        for path in code.filter(|code| places.iter().any(|place| code.starts_with(place))) {
            let path = path.split(' ').next().expect("a path");
            assert!(root.join(path).exists(), "there is no {path}");
            named += 1;
        }
    }
    assert!(named > 20, "only {named} paths were found");
}
