//! Links of the pages: to files, to headings, and to pages of the guide. Paths of items are rustdoc's to check.

use std::collections::BTreeSet;

use crate::markdown::{Kind, Page, anchor};
use crate::project::{Project, Rule, Violation};

/// Checks that the target of each link of a page exists.
pub(crate) fn check(project: &Project, found: &mut Vec<Violation>) {
    for (file, page) in &project.pages {
        for (target, line) in &page.links {
            if let Some(wrong) = wrong(project, *file, page, target) {
                found.push(project.violation(
                    *file,
                    *line,
                    Rule::Link,
                    format!("{target}: {wrong}"),
                ));
            }
        }
    }
}

fn wrong(project: &Project, file: usize, page: &Page, target: &str) -> Option<&'static str> {
    let is_elsewhere = ["https://", "http://", "mailto:"].iter().any(|s| target.starts_with(s));
    if target.is_empty() || is_elsewhere {
        return None;
    }
    let (path, fragment) = match target.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (target, None),
    };
    let here = &project.files[file].path;
    let linked = if path.is_empty() {
        page
    } else if let Some(name) = guide_page(path, here) {
        let path = format!("src/guide/{name}.md");
        match project.pages.iter().find(|(index, _)| project.files[*index].path == path) {
            Some((_, page)) => page,
            None => return Some("no such page of the guide"),
        }
    } else if path.contains("::") || is_item(path) {
        return None;
    } else {
        let path = joined(here, path);
        if let Some((_, page)) =
            project.pages.iter().find(|(index, _)| project.files[*index].path == path)
        {
            page
        } else {
            let below = format!("{}/", path.trim_end_matches('/'));
            let is_there =
                project.files.iter().any(|file| file.path == path || file.path.starts_with(&below));
            return (!is_there).then_some("no such file");
        }
    };
    let fragment = fragment?;
    (!anchors(linked).contains(fragment)).then_some("no such heading")
}

/// Returns the name of the page of the guide that a path such as `crate::guide::web` leads to.
fn guide_page<'p>(path: &'p str, here: &str) -> Option<&'p str> {
    let path = path.strip_prefix("mod@").unwrap_or(path);
    let starts = ["crate::guide::", "keywright::guide::", "guide::"];
    if let Some(name) = starts.iter().find_map(|start| path.strip_prefix(start)) {
        return Some(name);
    }
    here.starts_with("src/guide/").then(|| path.strip_prefix("super::"))?
}

/// Whether a target is the name of an item, with its kind in front or parentheses behind.
fn is_item(path: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "_@!()".contains(c);
    path.chars().all(is_name) && !path.is_empty()
}

/// Returns a path relative to the folder of a file.
fn joined(file: &str, target: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn anchors(page: &Page) -> BTreeSet<String> {
    let headings = page.blocks.iter().filter(|block| block.kind == Kind::Heading);
    let mut anchors = BTreeSet::new();
    for heading in headings {
        let first = anchor(&heading.plain);
        let others = (1..).map(|number| format!("{first}-{number}"));
        let mut names = std::iter::once(first.clone()).chain(others);
        anchors.extend(names.find(|name| !anchors.contains(name)));
    }
    anchors
}
