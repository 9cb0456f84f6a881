//! Comments of source files, as passages of Markdown.

use crate::project::File;

/// Lines of a comment that belong together.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Passage {
    /// The line of its beginning, from 1.
    pub(crate) line: usize,
    /// The lines without their markers.
    pub(crate) text: String,
}

/// One line of a comment.
struct Line {
    number: usize,
    column: usize,
    marker: &'static str,
    is_first: bool,
    text: String,
}

/// Returns the comments of a file, documentation among them.
pub(crate) fn passages(file: &File) -> Vec<Passage> {
    if file.is("rs") {
        joined(rust_lines(&file.text))
    } else {
        let marker = if file.is("sql") { "--" } else { "#" };
        joined(script_lines(&file.text, marker))
    }
}

/// Joins lines that follow each other and have the same marker in the same column.
fn joined(lines: Vec<Line>) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut last: Option<(usize, usize, &str, bool)> = None;
    for line in lines {
        let continues = last.is_some_and(|(number, column, marker, is_first)| {
            number + 1 == line.number
                && marker == line.marker
                && (marker == "/*" || (column == line.column && is_first && line.is_first))
        });
        last = Some((line.number, line.column, line.marker, line.is_first));
        match passages.last_mut().filter(|_| continues) {
            Some(passage) => {
                passage.text.push('\n');
                passage.text.push_str(&line.text);
            }
            None => passages.push(Passage { line: line.number, text: line.text }),
        }
    }
    passages
}

/// Finds the comments of scripts and settings that have a line of their own.
fn script_lines(text: &str, marker: &'static str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix(marker) else { continue };
        if rest.starts_with('!') {
            continue;
        }
        lines.push(Line {
            number: index + 1,
            column: line.len() - line.trim_start().len(),
            marker,
            is_first: true,
            text: rest.strip_prefix(' ').unwrap_or(rest).to_owned(),
        });
    }
    lines
}

/// Finds the comments of Rust: what no string and no character holds.
fn rust_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let bytes = text.as_bytes();
    let (mut at, mut number, mut line_start) = (0, 1, 0);
    while at < bytes.len() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            let marker = ["///", "//!", "//"].into_iter().find(|m| rest.starts_with(m));
            let marker = marker.filter(|m| *m != "///" || !rest.starts_with("////"));
            let marker = marker.unwrap_or("//");
            let body = &rest[marker.len()..end];
            lines.push(Line {
                number,
                column: at - line_start,
                marker,
                is_first: text[line_start..at].trim().is_empty(),
                text: body.strip_prefix(' ').unwrap_or(body).trim_end().to_owned(),
            });
            end
        } else if rest.starts_with("/*") {
            let end = block_comment(rest);
            for (index, line) in rest[2..end.saturating_sub(2).max(2)].lines().enumerate() {
                let line = line.trim_start().trim_start_matches(['*', '!']);
                let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
                let (column, is_first) = (0, index == 0);
                let text = line.to_owned();
                lines.push(Line { number: number + index, column, marker: "/*", is_first, text });
            }
            end
        } else {
            literal(rest, at.checked_sub(1).map(|before| bytes[before]))
        };
        let passed = &text[at..at + length];
        if let Some(newline) = passed.rfind('\n') {
            number += passed.matches('\n').count();
            line_start = at + newline + 1;
        }
        at += length;
    }
    lines
}

/// Returns the length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Returns the length of the string or character at the start, or of one character of anything else.
fn literal(text: &str, before: Option<u8>) -> usize {
    let first = text.chars().next().map_or(1, char::len_utf8);
    let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let prefix = ["br", "cr", "r"].into_iter().find(|p| text.starts_with(p)).unwrap_or("");
    let hashes = text[prefix.len()..].bytes().take_while(|b| *b == b'#').count();
    if !prefix.is_empty() && !in_word && text[prefix.len() + hashes..].starts_with('"') {
        let start = prefix.len() + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        return text[start..].find(&end).map_or(text.len(), |at| start + at + end.len());
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    if text.starts_with('\'') {
        let mut chars = text.chars().skip(1);
        let is_char = match chars.next() {
            Some('\\') => true,
            Some(_) => chars.next() == Some('\''),
            None => false,
        };
        if is_char {
            return quoted(text, '\'');
        }
    }
    first
}

/// Returns the length of what is between quotes, with escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(usize, String)> {
        let file = File { path: "a.rs".into(), text: text.into() };
        passages(&file).into_iter().map(|passage| (passage.line, passage.text)).collect()
    }

    #[test]
    fn comments_are_told_from_strings() {
        let text = "let a = \"// no\"; // one\nlet b = r#\"\"// no\"#;\n'\\''; // two\nfn a<'a>() {} // \
                    three\nlet c = '\"'; // four\n";
        let lines = [(1, "one"), (3, "two"), (4, "three"), (5, "four")];
        assert_eq!(of(text), lines.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn lines_of_one_comment_are_joined() {
        let text = "/// One\n/// two.\n// Three.\nfn a() {}\n\n/* Four\n * five. */\n";
        let whole = [(1, "One\ntwo."), (3, "Three."), (6, " Four\nfive.")];
        let found = of(text);
        assert_eq!(found.len(), 3);
        for ((line, text), (expected_line, expected)) in found.iter().zip(whole) {
            assert_eq!((*line, text.trim()), (expected_line, expected.trim()));
        }
    }
}
